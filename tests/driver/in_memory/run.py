"""One run of a workflow in the SDK's own runtime, without a worker: jobs in, commands out."""

from __future__ import annotations

import asyncio
from collections import deque
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta

from temporalio import workflow
from temporalio.api.common.v1 import Payload
from temporalio.bridge.proto.workflow_activation import (
    InitializeWorkflow,
    RemoveFromCache,
    WorkflowActivation,
    WorkflowActivationJob,
)
from temporalio.bridge.proto.workflow_commands import ScheduleActivity, WorkflowCommand
from temporalio.common import Priority, TypedSearchAttributes
from temporalio.converter import DataConverter
from temporalio.worker import UnsandboxedWorkflowRunner
from temporalio.worker._workflow_instance import WorkflowInstance, WorkflowInstanceDetails

from workers.wiring import WORKFLOWS

NAMESPACE, TASK_QUEUE = "default", "perennial"
DEFINITIONS = {one.name or "": one for one in (workflow._Definition.must_from_class(cls) for cls in WORKFLOWS)}
_THREAD = ThreadPoolExecutor(1, thread_name_prefix="workflows")
"""The SDK's runtime is an event loop of its own, which the thread of ours cannot have as well."""


class BrokenTaskError(AssertionError):
    """The code of a workflow failed where it must not; on a server the workflow would stand still."""


@dataclass
class Pending:
    """An activity that was asked for: when, when it is tried next, and how often it was."""

    call: ScheduleActivity
    asked_at: datetime
    next_at: datetime
    attempts: int = 0


@dataclass
class Run:
    """What a run waits for, and what it has said. `over`: null while it goes on, then how it ended."""

    workflow_id: str
    run_id: str
    instance: WorkflowInstance
    jobs: deque[WorkflowActivationJob] = field(default_factory=deque)
    timers: dict[int, datetime] = field(default_factory=dict)
    activities: dict[int, Pending] = field(default_factory=dict)
    attributes: dict[str, Payload] = field(default_factory=dict)
    events: int = 0
    over: str | None = None

    def next_at(self) -> datetime | None:
        """When something happens that is not asked for."""
        return min([*self.timers.values(), *(one.next_at for one in self.activities.values())], default=None)

    def due_timer(self, at: datetime) -> int | None:
        """A timer that has to ring."""
        return next((seq for seq, rings in self.timers.items() if rings <= at), None)

    def due_activity(self, at: datetime) -> int | None:
        """An activity that has to be tried."""
        return next((seq for seq, one in self.activities.items() if one.next_at <= at), None)

    async def activate(self, at: datetime, jobs: Sequence[WorkflowActivationJob]) -> Sequence[WorkflowCommand]:
        """What the workflow does about these jobs. Raises BrokenTaskError."""
        activation = WorkflowActivation(run_id=self.run_id, history_length=self.events, jobs=jobs)
        activation.timestamp.FromDatetime(at)
        loop = asyncio.get_running_loop()
        completion = await loop.run_in_executor(_THREAD, self.instance.activate, activation)
        if completion.HasField("failed"):
            raise BrokenTaskError(f"{self.workflow_id}: {completion.failed.failure.message}\n{completion.failed}")
        commands = list(completion.successful.commands)
        if not jobs[0].HasField("query_workflow"):  # which leaves no trace
            self.events += 3 + len(jobs) + len(commands)
        return commands

    async def forget(self) -> None:
        """Takes the run out of memory; its tasks end in order."""
        await self.activate(
            datetime.fromtimestamp(0, UTC), [WorkflowActivationJob(remove_from_cache=RemoveFromCache())]
        )


def begin(converter: DataConverter, init: InitializeWorkflow, run_id: str, at: datetime) -> Run:
    """A new run, which has not done anything yet."""
    info = workflow.Info(
        attempt=1,
        continued_run_id=init.continued_from_execution_run_id or None,
        cron_schedule=None,
        execution_timeout=None,
        first_execution_run_id=init.first_execution_run_id or run_id,
        headers={},
        namespace=NAMESPACE,
        original_execution_run_id=run_id,
        parent=None,
        root=None,
        priority=Priority.default,
        raw_memo=dict(init.memo.fields),
        retry_policy=None,
        run_id=run_id,
        run_timeout=None,
        search_attributes={},
        start_time=at,
        task_queue=TASK_QUEUE,
        task_timeout=timedelta(seconds=10),
        typed_search_attributes=TypedSearchAttributes.empty,
        workflow_id=init.workflow_id,
        workflow_start_time=at,
        workflow_type=init.workflow_type,
    )
    details = WorkflowInstanceDetails(
        payload_converter_factory=lambda: converter.payload_converter,
        failure_converter_class=converter.failure_converter_class,
        interceptor_classes=[],
        defn=DEFINITIONS[init.workflow_type],
        info=info,
        randomness_seed=init.randomness_seed,
        extern_functions={},
        disable_eager_activity_execution=True,
        worker_level_failure_exception_types=[],
        patch_activation_callback=None,
        last_completion_result=init.last_completion_result,
        last_failure=None,
    )
    run = Run(init.workflow_id, run_id, UnsandboxedWorkflowRunner().create_instance(details))
    run.attributes = dict(init.search_attributes.indexed_fields)
    run.jobs.append(WorkflowActivationJob(initialize_workflow=init))
    return run
