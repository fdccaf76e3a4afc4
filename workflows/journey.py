"""The journey's inner life: how a step is done, a request answered, a signal heard, a run brought to its end."""

from __future__ import annotations

from collections import deque
from collections.abc import Sequence
from typing import Any

from pydantic import ValidationError
from temporalio import workflow
from temporalio.common import RawValue
from temporalio.exceptions import ActivityError, ApplicationError

from domain.frame import pace
from domain.frame.calls import Barred, RequestCall
from domain.frame.keys import within_account
from domain.frame.state import AT_AN_INSTANT, JourneyStart, JourneyState, Outcome, Step
from domain.frame.step_words import in_words, term_end
from domain.frame.unreadable import UNREADABLE
from domain.journey import control
from domain.journey.agenda import Running
from domain.journey.briefing import render
from domain.journey.registry import JOURNEY, Kind
from domain.journey.requests import PauseJourney
from domain.journey.signals import Signal, read_signal, review_for
from domain.journey.staying_erased import check_erased
from domain.kernel import ids
from domain.kernel.refusals import JOURNEY_CLOSED, Refusal
from domain.kernel.requests import read_request
from workflows import calls
from workflows.carried import carrying
from workflows.entity import Entity, PendingUpdate, cause_of, handling
from workflows.tasks import may_leave_together
from workflows.visibility import JourneyAttributes


@handling(JOURNEY)
class Journey(Entity[JourneyState]):
    """A customer's journey, with its handlers."""

    latest_events = 450

    def __init__(self, start: JourneyStart | None) -> None:
        start = start or JourneyStart()
        account_id = workflow.info().workflow_id.removeprefix(ids.JOURNEY)
        state = start.state or JourneyState(account_id=account_id)
        super().__init__(start, state, state.account_id, JourneyAttributes())
        self.noted: deque[Signal | str] = deque()
        self.answered_last = ""
        self.along: dict[str, Any] = {}
        """by the keys of steps what came with the request that planned them for at once: they are done as part of it"""

    def is_over(self) -> bool:
        """True once the journey is closed, its last messages are out and nobody waits for an answer."""
        return self.state.closed and not self.is_moving() and not self.pending

    def has_work(self) -> bool:
        """True if there is anything to do before the alarm rings."""
        return bool(
            self.deliveries.waiting()
            or self.pending
            or self.noted
            or self.state.opened_at is None
            or self.pause_is_over()
            or self.state.due(workflow.now())
            or self.should_roll_over()
        )

    def is_idle(self) -> bool:
        """True while nothing is half-done."""
        return not (self.pending or self.noted or self.deliveries.waiting() or self.state.opened_at is None)

    # Noting

    def read(self, kind: Kind, document: Any) -> Any:
        """The request in a document. Raises `Refusal` for what cannot be read or what the state of the journey says against.

        About a request with an id of its own the facts decide: it may be a repetition, which gets its first answer again.
        """
        if self.state.closed and not kind.opens:
            raise Refusal(JOURNEY_CLOSED, "this journey is closed; a new order begins a new one")
        request = super().read(kind, document)
        if self.state.erased:
            check_erased(self.state.account_id, self.state.erased, request)
        if kind.allowed is not None and not request.request_id:
            kind.allowed(self.state, request, workflow.now())
        return request

    @workflow.signal(
        description="Usage crossed a threshold: {id, at, level: low|usual|high}. The figures are in the facts"
    )
    def usage_changed(self, signal: Any = None, *more: Any) -> None:
        """Notes that usage should be looked at. Takes whatever comes: a handler that fails would stop the journey."""
        self._note("usage_changed", signal)

    @workflow.signal(
        description="Something about a case changed that sales has to look at: {id, at, case_id, what}. The facts have it"
    )
    def case_changed(self, signal: Any = None, *more: Any) -> None:
        """Notes that the holds should be looked at. Takes whatever comes, too."""
        self._note("case_changed", signal)

    @workflow.signal(
        description="The daily look found another band of health: {id, at, band}. The score is in the facts"
    )
    def health_changed(self, signal: Any = None, *more: Any) -> None:
        """Notes that there is a score to hear of. Takes whatever comes, too."""
        self._note("health_changed", signal)

    @workflow.signal(dynamic=True, description="A signal that this release does not know: shown, never lost")
    def unknown_signal(self, name: str, args: Sequence[RawValue]) -> None:
        """Notes a signal with an unknown name."""
        self.noted.append(f"a signal named {name[:60]!r} came in, which is not understood")

    def _note(self, name: str, signal: Any) -> None:
        """A signal, or why it cannot be read."""
        try:
            self.noted.append(read_signal(name, signal))
        except ValidationError as error:
            self.noted.append(str(Refusal.from_validation("InvalidSignal", f"{name} cannot be read", error)))

    @workflow.query(description="Stages, steps, parked steps and what is on its way out")
    def agenda(self) -> Running:
        """What the journey has on its agenda, at its own time."""
        return Running.of(self.state, workflow.now())

    # What the loop does

    def take_out(self) -> None:
        """Whatever is on its way sets out, once nothing else is due at this instant: what comes of one instant leaves together, and what
        comes of requests of one kind that somebody made in one sitting."""
        due = self.state.due(workflow.now())
        more = due is not None and (due.along or not self.pending)
        waiting = bool(self.deliveries.not_started(self.state))
        if waiting and not more and any(one.activity == self.answered_last for one in self.pending):
            more = workflow.patched("one-sitting")
        if not (more and waiting and may_leave_together()):
            self.deliveries.keep_going(self.state)

    async def perform(self, step: Step) -> None:
        """A step of the agenda: one activity, one transaction. What cannot be done is set aside where people see it."""
        along = self.along.pop(step.key, None)
        try:
            ends = term_end(self.state, step)
            kept = [one.on for one in self.state.agenda if one.kind == "adoption_check_in" and one.key != step.key]
            near = pace.near(self.state.agenda, workflow.now(), step)
            with carrying(along):
                outcome = await calls.perform(self.state.account_id, step, workflow.now(), ends, kept, near)
        except ActivityError as error:
            cause = cause_of(error)
            self.state = self.state.parking(step, cause.message)
            if cause.type == UNREADABLE and cause.details:
                self.hear(Outcome(attention={f"unreadable:{cause.details[0]}": cause.message}))
            return
        self.state = self.state.after(outcome, workflow.now(), done=None if outcome.put_off else step)
        self._goes_along(outcome, along)
        if outcome.closes is not None:
            body = {"reason": outcome.closes, "request_id": f"closed-by-{step.name}", "by": "system"}
            self.pending.append(PendingUpdate("close_journey", body["request_id"], body))

    def _goes_along(self, outcome: Outcome, what: Any) -> None:
        """Whatever is planned for at once belongs to the request that it comes of, and to its trace; what is planned no more to none."""
        if what is not None:
            self.along |= {step.key: what for step in outcome.plan if step.at <= workflow.now()}
        if self.along:
            planned = {step.key for step in self.state.agenda}
            self.along = {key: one for key, one in self.along.items() if key in planned}

    def hear(self, outcome: Outcome) -> None:
        """What came of something that is no step."""
        self.state = self.state.after(outcome, workflow.now())

    def take_note(self, note: Signal | str) -> None:
        """A signal: a look becomes due; what nobody understands is shown."""
        if isinstance(note, str):
            self.hear(Outcome(attention={"unknown_message": note}))
        elif step := review_for(self.state, note, workflow.now()):
            self.hear(Outcome(plan=[step]))

    async def answer(self, pending: PendingUpdate) -> None:
        """A request: one activity, one transaction, and its answer to whoever asked."""
        self.answered_last = pending.activity
        if self.state.closed and not pending.opens:
            pending.refusal = ApplicationError("this journey was closed", type=JOURNEY_CLOSED, non_retryable=True)
            return
        await super().answer(pending)

    async def carry_out(self, pending: PendingUpdate) -> Outcome:
        """The outcome of a request's activity."""
        body = pending.body
        if pending.activity == "reconcile":  # the agenda of this very moment: whatever was asked before is done
            body = {**body, "running": Running.of(self.state, workflow.now()).model_dump(mode="json")}
        call = RequestCall(
            account_id=self.state.account_id,
            request_id=pending.request_id,
            body=body,
            as_of=workflow.now(),
            run=workflow.info().original_execution_run_id,
            repeated=pending.key in self.answered,
            opening=self.state.opened_at is None or self.state.closed,
        )
        rare = {
            "steps": self.steps_of(pending),
            "barred": self.barred(pending),
            "update_id": pending.update_id,
        }
        call = call.having(**{name: value for name, value in rare.items() if value})
        return await calls.answer(pending.activity, call, Outcome)

    def barred(self, pending: PendingUpdate) -> Barred | None:
        """What the state of the journey says against moving a lever: it counts unless that very request was done before."""
        kind = pending.kind
        if kind is None or not kind.lever or kind.allowed is None:
            return None
        try:
            kind.allowed(self.state, kind.read(pending.body), workflow.now())
        except Refusal as refusal:
            return Barred(type=refusal.type, says=str(refusal), problems=list(refusal.problems))
        return None

    def steps_of(self, pending: PendingUpdate) -> list[Step]:
        """The steps that a request is about; of a single one also those of its stage, among which it has its place."""
        if pending.activity == "resume_journey":
            return self.state.overdue(workflow.now())
        if pending.activity in ("skip_step", "reschedule_step"):
            step = self.state.step(str(pending.body.get("step")))
            return [step, *(other for other in self.state.agenda if other.stage == step.stage)] if step else []
        return []

    def apply_answer(self, pending: PendingUpdate, outcome: Outcome) -> None:
        """What a request means for the journey: its outcome, and for the levers their position."""
        if outcome.repeated:
            if outcome.forgotten and workflow.patched("catches-up"):
                self._move_lever(pending, outcome)
                self._catches_up(pending)
            return  # the levers may have been moved since
        now = workflow.now()
        before = self.state
        self.hear(outcome)
        self._goes_along(outcome, pending.carried)
        if pending.activity != "reconcile":  # which is on record under no key
            self.state = self.state.having(last=outcome.done_as or pending.key)
        if pending.opens:
            here = self.state.moved(before.account)
            if here.agenda != self.state.agenda and workflow.patched("moved-by-an-order"):
                self.state = here
            self.state = self.state.having(opened_at=self.state.opened_at or now, closed=False)
        match pending.activity:
            case "change_account":
                goes_elsewhere = bool(pending.body.get("time_zone"))
                keeping = AT_AN_INSTANT if goes_elsewhere and workflow.patched("instants-stay") else ()
                self.state = self.state.moved(before.account, keeping=keeping)
                if pending.body.get("segment") or pending.body.get(
                    "playbook_version"
                ):  # what is planned already follows another playbook
                    self._catches_up(pending)
            case "pause_journey":
                self.state = control.paused(self.state, read_request(PauseJourney, pending.body), now, outcome.lets)
            case "reconcile" if outcome.closes is not None and workflow.patched("catches-up"):
                self._close()
            case "close_journey":
                self._close()
        self._move_lever(pending, outcome)

    def _move_lever(self, pending: PendingUpdate, outcome: Outcome) -> None:
        """What a request means for what no fact tells: steps that are set aside, messages that are stuck, words that name somebody."""
        match pending.activity:
            case "resume_journey":
                self.state = self.state.unparked(workflow.now(), planned=outcome.caught_up)
            case "retry_deliveries":
                named = pending.body.get("delivery")
                alone = within_account(self.state.account_id, str(named).strip()) if named else None
                self.state = self.state.freed(alone=alone)
                self.deliveries.again(self.state, alone)
            case "skip_step" | "reschedule_step":
                self.state = self.state.without_parked(str(pending.body["step"]))
            case "erase_person":
                self.state, self.forgets = self.state.forgetting(str(pending.body["contact_id"])), True

    def _close(self) -> None:
        self.state = self.state.having(closed=True, agenda=[], stages={}, parked=[], paused=None, attention={})

    def _catches_up(self, pending: PendingUpdate) -> None:
        """The agenda is brought to the facts, next after a request."""
        again = {"request_id": f"after-{pending.request_id}"[:120], "by": "system"}
        self.pending.append(PendingUpdate("reconcile", again["request_id"], again))

    def pause_is_over(self) -> bool:
        """True once a pause has reached its end."""
        pause = self.state.paused
        return pause is not None and pause.until is not None and pause.until <= workflow.now()

    async def resume_by_itself(self) -> None:
        """A pause with an end ends by itself; if the journal knows of it already, it is over all the same."""
        if pause := self.state.paused:
            over = f"pause-over-{pause.since.isoformat()}"
            await self.answer(PendingUpdate("resume_journey", over, {"by": "system"}))
            self.state = self.state.having(paused=None)

    def show(self) -> None:
        """The alarm, the search attributes and the briefing, brought up to date; a journey that has not begun shows nothing."""
        if self.state.opened_at is None:
            return
        self.alarm.set(self.state.next_instant(), self._alarm_label())
        self.attributes.show(self.state)
        workflow.set_current_details(render(self.state, workflow.now()))

    def _alarm_label(self) -> str:
        if self.state.paused:
            return "paused"
        first = self.state.agenda[0] if self.state.agenda else None
        return in_words(first, term_end(self.state, first)) if first else ""
