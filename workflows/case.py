"""A case's inner life: how a request is answered, an instant kept, the journey told, a run brought to its end."""

from __future__ import annotations

import asyncio
from collections import deque
from collections.abc import Sequence
from datetime import datetime
from typing import Any

from temporalio import workflow
from temporalio.common import RawValue
from temporalio.exceptions import ActivityError, ApplicationError

from domain.frame.state import Outcome
from domain.frame.unreadable import UNREADABLE
from domain.journey.agenda import RunningCase
from domain.journey.registry import CASE, Kind
from domain.kernel import ids
from domain.service.case_briefing import render_case
from domain.service.case_progress import CaseCall, CaseChanged, CaseOutcome, CaseProgress, CaseStart
from domain.service.case_refusing import check_not_older
from workflows import calls
from workflows.entity import Entity, PendingUpdate, cause_of, handling
from workflows.visibility import CaseAttributes


@handling(CASE)
class Case(Entity[CaseProgress]):
    """A service case, with its handlers."""

    carried_as = "progress"

    def __init__(self, start: CaseStart | None) -> None:
        start = start or CaseStart()
        progress = start.progress or CaseProgress(case_id=workflow.info().workflow_id.removeprefix(ids.CASE))
        super().__init__(start, progress, _account(progress), CaseAttributes())
        self.begun = start.progress is not None
        """false until the first request was answered: a run without a case waits for it"""
        self.parked_at: datetime | None = None
        self.unheard: deque[CaseChanged] = deque()
        self.telling: set[str] = set()

    def is_over(self) -> bool:
        """True once the case owes nothing more, its last messages are out and nobody waits for an answer."""
        if not self.begun or self.pending or self.unheard or self.state.telling:
            return False
        return self.state.over and not self.is_moving()

    def is_due(self) -> bool:
        """True once the instant that the case waits for has come."""
        at = self.state.view.next_at if self.state.view else None
        return at is not None and at <= workflow.now() and at != self.parked_at

    def has_work(self) -> bool:
        """True if there is anything to do before the alarm rings."""
        return bool(
            self.deliveries.waiting()
            or self.unheard
            or self.pending
            or self.is_due()
            or self.should_roll_over()
            or self.is_over()
        )

    def is_idle(self) -> bool:
        """True while nothing is half-done."""
        return self.begun and not (self.pending or self.unheard or self.telling or self.deliveries.waiting())

    # Noting

    def read(self, kind: Kind, document: Any) -> Any:
        """The request in a document. Raises `Refusal` for what cannot be read, and for what was asked in view of another version.
        The rest the facts decide."""
        request = super().read(kind, document)
        view = self.state.view
        if not kind.opens and view is not None and request.request_id is None and not self.pending:
            check_not_older(request.expected_version, view.version)
        return request

    @workflow.signal(description="Another case went up in this one: its customer may wait for an answer")
    def case_absorbed(self, told: CaseChanged) -> None:
        """A merge, which is on record already."""
        self.pending.append(PendingUpdate("case_absorbed", told.id, told.model_dump(mode="json")))

    @workflow.signal(dynamic=True, description="A signal that this release does not know: shown, never lost")
    def unknown_signal(self, name: str, args: Sequence[RawValue]) -> None:
        """Shows a signal with an unknown name."""
        said = f"a signal named {name[:60]!r} came in, which is not understood"
        self.state = self.state.after(CaseOutcome(attention={"unknown_message": said}), workflow.now())

    @workflow.query(description="The instant that the case waits for, and what is on its way out")
    def agenda(self) -> RunningCase:
        """What the case has on its agenda, at its own time."""
        view = self.state.view
        return RunningCase(
            case_id=self.state.case_id,
            now=workflow.now(),
            begun=self.begun,
            status=view.status if view else None,
            next_at=view.next_at if view else None,
            parked_at=self.parked_at,
            deliveries=self.state.in_flight,
        )

    # What the loop does

    def keep_going(self) -> None:
        """Whatever is on its way and nobody takes care of: new messages and reports, and all of them after a rollover."""
        self.deliveries.keep_going(self.state)
        for told in self.state.telling:
            if told.id not in self.telling:
                self.telling.add(told.id)
                asyncio.create_task(self._tell(told))  # noqa: RUF006 - the workflow's own loop keeps its tasks

    async def _tell(self, told: CaseChanged) -> None:
        """The customer's journey hears of it, or another case; one that is not there is no fault of the case."""
        listener, signal = ids.journey_id(_account(self.state)), "case_changed"
        if told.into is not None:
            listener, signal = ids.case_workflow_id(told.into), "case_absorbed"
        try:
            await workflow.get_external_workflow_handle(listener).signal(signal, told)
        except ApplicationError:
            self.unheard.append(told)
        self.telling.discard(told.id)
        self.state = self.state.told(told.id)

    async def answer(self, pending: PendingUpdate) -> None:
        """A request: one activity, one transaction, and its answer to whoever asked."""
        self.deliveries.account_id = _account(self.state)
        await super().answer(pending)
        self.begun = True

    async def carry_out(self, pending: PendingUpdate) -> CaseOutcome:
        """The outcome of a request's activity."""
        call = self._call(pending.request_id, pending.body, repeated=pending.key in self.answered)
        if pending.update_id:
            call = call.having(update_id=pending.update_id)
        return await calls.answer(pending.activity, call, CaseOutcome)

    def apply_answer(self, pending: PendingUpdate, outcome: CaseOutcome) -> None:
        """What a request means for the case."""
        if pending.activity == "case_retry":
            self.state, self.parked_at = self.state.freed("parked", "unreadable:"), None
            self.deliveries.again(self.state)
        self._apply(outcome)

    async def wake(self) -> None:
        """An instant has come: everything that is due is done in one activity. What cannot be done is shown, and not tried again
        before somebody asks for it."""
        view = self.state.view
        if view is None or view.next_at is None:
            return
        call = self._call(view.next_at.isoformat(), {})
        try:
            outcome = await calls.answer("case_wake", call, CaseOutcome, view.next_what)
        except ActivityError as error:
            self.parked_at = view.next_at
            cause = cause_of(error)
            named = (
                {f"unreadable:{cause.details[0]}": cause.message} if cause.type == UNREADABLE and cause.details else {}
            )
            outcome = CaseOutcome(attention={"parked": f"{view.next_what}: {cause.message}", **named})
        self._apply(outcome)

    async def journal_unheard(self, told: CaseChanged) -> None:
        """Nobody heard it: the journal keeps it."""
        try:
            await calls.answer("case_unheard", self._call(told.id, told.model_dump(mode="json")), CaseOutcome)
        except ActivityError as error:
            self._apply(CaseOutcome(attention={"unheard": cause_of(error).message}))

    def hear(self, outcome: Outcome) -> None:
        """What came of a message that has reached its end."""
        self._apply(CaseOutcome(deliveries=outcome.deliveries, attention=outcome.attention, said=outcome.said))

    def _apply(self, outcome: CaseOutcome) -> None:
        self.state = self.state.after(outcome, workflow.now())
        self.begun = True

    def _call(self, request_id: str, body: dict[str, Any], *, repeated: bool = False) -> CaseCall:
        call = CaseCall(
            case_id=self.state.case_id,
            request_id=request_id,
            body=body,
            as_of=workflow.now(),
            run=workflow.info().original_execution_run_id,
        )
        rare = {"repeated": repeated, "opening": self.state.view is None}
        return call.having(**{name: True for name, holds in rare.items() if holds})

    def show(self) -> None:
        """The alarm, the search attributes and the briefing, brought up to date."""
        view = self.state.view
        if view is None:
            return
        self.alarm.set(view.next_at, view.next_what)
        self.attributes.show(self.state)
        workflow.set_current_details(render_case(self.state, workflow.now()))


def _account(progress: CaseProgress) -> str:
    return progress.view.account_id or "" if progress.view else ""
