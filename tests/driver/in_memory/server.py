"""What a Temporal server does for the workflows here: it lets runs begin, go on and hear of each other, at clocks that can be moved."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from datetime import datetime, timedelta
from random import Random

from temporalio.api.common.v1 import Payload, Payloads
from temporalio.api.failure.v1 import ApplicationFailureInfo, Failure
from temporalio.api.update.v1 import Outcome
from temporalio.bridge.proto.activity_result import ActivityResolution
from temporalio.bridge.proto.workflow_activation import (
    DoUpdate,
    FireTimer,
    InitializeWorkflow,
    QueryWorkflow,
    ResolveActivity,
    ResolveSignalExternalWorkflow,
    SignalWorkflow,
    WorkflowActivationJob,
)
from temporalio.bridge.proto.workflow_commands import (
    ContinueAsNewWorkflowExecution,
    ScheduleActivity,
    SignalExternalWorkflowExecution,
    UpdateResponse,
    WorkflowCommand,
)
from temporalio.converter import DataConverter
from temporalio.service import RPCError, RPCStatusCode

from tests.driver.in_memory.acting import Acting, cancelled
from tests.driver.in_memory.run import BrokenTaskError, Pending, Run, begin

SLOW = "convey_assets"
"""What takes its time: the way of assets to another customer, on which much can be asked of both."""
SLOWNESS: tuple[timedelta, ...] = tuple(timedelta(hours=hours) for hours in (1, 30, 200, 1000))
A_LITTLE = timedelta(milliseconds=1)
"""A timer rings after its time, never before."""
SOON = timedelta(minutes=1)
Watch = Callable[[str], Awaitable[None]]


class Server:
    """Runs by the ids of their workflows. All that is done takes some time, by which every clock goes on.

    `watch`, if given, is called with a workflow's id after each instant at which something happened to it by itself.
    """

    acting: Acting
    """Given once there are activities: they need a client of this very server."""

    def __init__(self, converter: DataConverter, present: datetime) -> None:
        self._converter = converter
        self._present = present
        self._random = Random(0)
        self._ahead: dict[str, timedelta] = {}
        self._made = 0
        self.watch: Watch | None = None
        self.slowness = SLOWNESS
        self.runs: dict[str, Run] = {}
        self._earlier: list[Run] = []
        self._outcomes: dict[str, Outcome] = {}
        """of updates, by their ids, until they are fetched"""

    async def begin_anew(self, present: datetime, random: Random) -> None:
        """Forgets all workflows; it is `present`."""
        await self.forget()
        self._random, self._present, self._ahead = random, present, {}

    async def forget(self) -> None:
        """Forgets all workflows."""
        for run in (*self.runs.values(), *self._earlier):
            await run.forget()
        self.runs, self._earlier = {}, []

    def present(self) -> datetime:
        """The time of whatever was never moved."""
        return self._present

    # Clocks

    def now(self, workflow_id: str) -> datetime:
        """A workflow's own time, which its next run goes on from."""
        return self._present + self._ahead.get(workflow_id, timedelta())

    async def forward(self, workflow_id: str, until: datetime) -> None:
        """Moves a workflow's clock; all that is due on the way happens, in order."""
        await self.settle()
        while (at := self._next(workflow_id)) is not None and at <= until:
            self._move(workflow_id, at)
            await self.settle()
            if self.watch is not None:
                await self.watch(workflow_id)
        if self.runs[workflow_id].over is None:
            self._move(workflow_id, until)
            await self.settle()

    def _next(self, workflow_id: str) -> datetime | None:
        run = self.runs[workflow_id]
        return run.next_at() if run.over is None else None

    def _move(self, workflow_id: str, at: datetime) -> None:
        by = max(at - self.now(workflow_id), timedelta())
        self._ahead[workflow_id] = self._ahead.get(workflow_id, timedelta()) + by

    def _pass(self, least: int, most: int) -> None:
        self._present += timedelta(milliseconds=self._random.randint(least, most))

    # Doors

    def running(self, workflow_id: str) -> Run:
        """The run that goes on. Raises RPCError if there is none."""
        run = self.runs.get(workflow_id)
        if run is None or run.over is not None:
            raise RPCError(f"no workflow {workflow_id} runs", RPCStatusCode.NOT_FOUND, b"")
        return run

    def known(self, workflow_id: str) -> Run:
        """The run that goes on or was the last. Raises RPCError if there was none."""
        if (run := self.runs.get(workflow_id)) is None:
            raise RPCError(f"there is no workflow {workflow_id}", RPCStatusCode.NOT_FOUND, b"")
        return run

    def start(self, init: InitializeWorkflow) -> Run:
        """The run that goes on, or a new one, which has done nothing yet."""
        known = self.runs.get(init.workflow_id)
        if known is not None and known.over is None:
            return known
        return self._begin(init)

    def _begin(self, init: InitializeWorkflow) -> Run:
        self._made += 1
        init.randomness_seed = self._random.getrandbits(60)
        run_id = f"run-{self._made}-{init.randomness_seed:x}"
        run = begin(self._converter, init, run_id, self.now(init.workflow_id))
        if known := self.runs.get(init.workflow_id):
            self._earlier.append(known)
        self.runs[init.workflow_id] = run
        return run

    async def update(self, run: Run, job: DoUpdate) -> Outcome:
        """What an update comes to; a retry that it waits for comes at once. Raises RPCError if the run ends without an answer."""
        self._pass(20, 900)
        run.jobs.append(WorkflowActivationJob(do_update=job))
        await self.settle()
        while job.id not in self._outcomes:
            run = self.running(run.workflow_id)
            if (at := run.next_at()) is None:
                raise BrokenTaskError(f"{run.workflow_id} never answers {job.name}: {job.input}")
            self._move(run.workflow_id, at)
            await self.settle()
        return self._outcomes.pop(job.id)

    def terminate(self, run: Run) -> None:
        """A run is over at once."""
        _end(run, "terminated")

    async def signal(self, run: Run, job: SignalWorkflow) -> None:
        """A workflow hears of something, and does what is due."""
        _hear(run, job)
        await self.settle()

    async def query(self, run: Run, job: QueryWorkflow) -> Payload:
        """What a workflow says of itself. Raises RPCError if it cannot."""
        commands = await run.activate(self.now(run.workflow_id), [WorkflowActivationJob(query_workflow=job)])
        said = next(one.respond_to_query for one in commands if one.HasField("respond_to_query"))
        if said.HasField("failed"):
            raise RPCError(said.failed.message, RPCStatusCode.INVALID_ARGUMENT, b"")
        return said.succeeded.response

    # What happens

    async def settle(self) -> None:
        """All that is due happens, one thing after the other; what is tried again within a minute is waited for."""
        while await self._one() or self._wait_for_next_try():
            pass

    def _wait_for_next_try(self) -> bool:
        tried = [
            one.next_at - self.now(run.workflow_id)
            for run in self.runs.values()
            for one in run.activities.values()
            if one.attempts
        ]
        wait = min(tried, default=SOON)
        self._present += wait if wait < SOON else timedelta()
        return wait < SOON

    async def hurry(self) -> None:
        """Whatever takes its time has come to its end."""
        for run in self.runs.values():
            for pending in run.activities.values():
                pending.next_at = min(pending.next_at, self.now(run.workflow_id))
        await self.settle()

    async def _one(self) -> bool:
        for run in list(self.runs.values()):
            if run.over is not None:
                continue
            at = self.now(run.workflow_id)
            if run.jobs:
                jobs = list(run.jobs)
                run.jobs.clear()
                await self._activate(run, jobs)
            elif (timer := run.due_timer(at)) is not None:
                del run.timers[timer]
                await self._activate(run, [WorkflowActivationJob(fire_timer=FireTimer(seq=timer))])
            elif (seq := run.due_activity(at)) is not None:
                await self._try(run, seq)
            else:
                continue
            return True
        return False

    async def _try(self, run: Run, seq: int) -> None:
        pending = run.activities.pop(seq)
        pending.attempts += 1
        self._pass(2, 9)
        came_to = await self.acting.perform(pending, self.now(run.workflow_id))
        if isinstance(came_to, ActivityResolution):
            _resolve(run, seq, came_to)
        else:
            pending.next_at = self.now(run.workflow_id) + came_to
            run.activities[seq] = pending

    async def _activate(self, run: Run, jobs: list[WorkflowActivationJob]) -> None:
        at = self.now(run.workflow_id)
        for command in await run.activate(at, jobs):
            await self._obey(run, command, at)

    async def _obey(self, run: Run, command: WorkflowCommand, at: datetime) -> None:
        match command.WhichOneof("variant"):
            case "start_timer":
                delay = command.start_timer.start_to_fire_timeout.ToTimedelta()
                run.timers[command.start_timer.seq] = at + delay + A_LITTLE
            case "cancel_timer":
                run.timers.pop(command.cancel_timer.seq, None)
            case "schedule_activity":
                self._schedule(run, command.schedule_activity, at)
            case "request_cancel_activity":
                seq = command.request_cancel_activity.seq
                if pending := run.activities.pop(seq, None):
                    _resolve(run, seq, cancelled(pending))
            case "update_response":
                self._answer(command.update_response)
            case "signal_external_workflow_execution":
                self._tell(run, command.signal_external_workflow_execution)
            case "upsert_workflow_search_attributes":
                changed = command.upsert_workflow_search_attributes.search_attributes
                run.attributes |= dict(changed.indexed_fields)
            case "continue_as_new_workflow_execution":
                await self._go_on(run, command.continue_as_new_workflow_execution)
            case "complete_workflow_execution":
                _end(run, "completed")
            case "set_patch_marker" | "modify_workflow_properties":
                pass  # nobody looks at them here
            case unknown:
                raise NotImplementedError(f"{run.workflow_id} commands {unknown}: {command}")

    def _schedule(self, run: Run, call: ScheduleActivity, at: datetime) -> None:
        slow = call.activity_type == SLOW and self.slowness and self._random.random() < 0.5
        run.activities[call.seq] = Pending(call, at, at + (self._random.choice(self.slowness) if slow else timedelta()))

    def _answer(self, said: UpdateResponse) -> None:
        match said.WhichOneof("response"):
            case "rejected":
                self._outcomes[said.protocol_instance_id] = Outcome(failure=said.rejected)
            case "completed":
                self._outcomes[said.protocol_instance_id] = Outcome(success=Payloads(payloads=[said.completed]))

    def _tell(self, run: Run, told: SignalExternalWorkflowExecution) -> None:
        other = self.runs.get(told.workflow_execution.workflow_id)
        heard = ResolveSignalExternalWorkflow(seq=told.seq)
        if other is None or other.over is not None:
            info = ApplicationFailureInfo(type="NotFound", non_retryable=True)
            heard.failure.CopyFrom(Failure(message="there is no such workflow", application_failure_info=info))
        else:
            signal = SignalWorkflow(signal_name=told.signal_name, input=told.args)
            _hear(other, signal)
        run.jobs.append(WorkflowActivationJob(resolve_signal_external_workflow=heard))

    async def _go_on(self, run: Run, onward: ContinueAsNewWorkflowExecution) -> None:
        _end(run, "continued")
        init = InitializeWorkflow(
            workflow_id=run.workflow_id,
            workflow_type=onward.workflow_type or run.instance.get_info().workflow_type,
            arguments=onward.arguments,
            continued_from_execution_run_id=run.run_id,
            search_attributes=onward.search_attributes,
        )
        self._begin(init).jobs.extend(job for job in run.jobs if not job.HasField("resolve_activity"))


def _end(run: Run, how: str) -> None:
    run.over = how
    run.timers.clear()
    run.activities.clear()


def _hear(run: Run, signal: SignalWorkflow) -> None:
    signal.originating_event_id = run.events + 1
    run.jobs.append(WorkflowActivationJob(signal_workflow=signal))


def _resolve(run: Run, seq: int, result: ActivityResolution) -> None:
    run.jobs.append(WorkflowActivationJob(resolve_activity=ResolveActivity(seq=seq, result=result)))
