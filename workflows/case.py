"""A case's inner life: how a request is answered, an instant kept, the journey told, a run brought to its end."""

from __future__ import annotations

import asyncio
from collections import deque
from datetime import datetime, timedelta
from typing import Any, TypeVar

from temporalio import workflow
from temporalio.exceptions import ActivityError, ApplicationError

from domain.frame.state import Delivery, Outcome
from domain.frame.unreadable import UNREADABLE
from domain.kernel.business_errors import ServiceRuleError
from domain.kernel.refusals import Refusal
from domain.service.case_briefing import render_case
from domain.service.case_progress import CaseCall, CaseChanged, CaseOutcome, CaseProgress, CaseStart
from domain.service.case_refusing import check_version, refusal_of
from domain.service.case_requests import CaseRequest, read_case_request
from workflows import calls
from workflows.journey import Asked
from workflows.refusing import cause_of, refusals
from workflows.tasks import Alarm, DeliveryTasks
from workflows.visibility import CaseAttributes

ID_PREFIX = "case-"
JOURNEY_PREFIX = "journey-"
ROLL_OVER_AFTER = timedelta(days=300)

_Request = TypeVar("_Request", bound=CaseRequest)


class Case:
    """Handlers only note; the one loop does everything, one thing after the other."""

    def __init__(self, start: CaseStart | None) -> None:
        self.start = start or CaseStart()
        case_id = workflow.info().workflow_id.removeprefix(ID_PREFIX)
        self.progress = self.start.progress or CaseProgress(case_id=case_id)
        self.began = workflow.now()
        self.begun = self.start.progress is not None
        """false until the first request was answered: a run without a case waits for it"""
        self.parked_at: datetime | None = None
        self.asked: deque[Asked] = deque()
        self.answered: set[str] = set()
        self.unheard: deque[CaseChanged] = deque()
        self.telling: set[str] = set()
        self.alarm = Alarm()
        self.deliveries = DeliveryTasks(self._account())
        self.attributes = CaseAttributes()
        if self.begun:
            self.attributes.restore(self.progress)

    def _account(self) -> str:
        view = self.progress.view
        return view.account_id or "" if view else ""

    def is_over(self) -> bool:
        """True once the case owes nothing more, its last messages are out and nobody waits for an answer."""
        if not self.begun or self.asked or self.unheard or self.progress.telling:
            return False
        return self.progress.over and not any(not delivery.stuck for delivery in self.progress.in_flight)

    def is_due(self) -> bool:
        """True once the instant that the case waits for has come."""
        at = self.progress.view.next_at if self.progress.view else None
        return at is not None and at <= workflow.now() and at != self.parked_at

    def has_work(self) -> bool:
        """True if there is anything to do before the alarm rings."""
        return bool(
            self.deliveries.waiting()
            or self.unheard
            or self.asked
            or self.is_due()
            or self.should_roll_over()
            or self.is_over()
        )

    # What the loop does

    def keep_going(self) -> None:
        """Whatever is on its way and nobody takes care of: new messages and reports, and all of them after a rollover."""
        self.deliveries.keep_going(self.progress)
        for told in self.progress.telling:
            if told.id not in self.telling:
                self.telling.add(told.id)
                asyncio.create_task(self._tell(told))  # noqa: RUF006 - the workflow's own loop keeps its tasks

    async def _tell(self, told: CaseChanged) -> None:
        """The customer's journey hears of it, or another case; one that is not there is no fault of the case."""
        listener, signal = f"{JOURNEY_PREFIX}{self._account()}", "case_changed"
        if told.into is not None:
            listener, signal = f"{ID_PREFIX}{told.into}", "case_absorbed"
        try:
            await workflow.get_external_workflow_handle(listener).signal(signal, told)
        except ApplicationError:
            self.unheard.append(told)
        self.telling.discard(told.id)
        self.progress = self.progress.told(told.id)

    async def answer(self, asked: Asked) -> None:
        """A request: one activity, one transaction, and its answer to whoever asked."""
        self.deliveries.account_id = self._account()
        call = self._call(asked.request_id, asked.body, repeated=asked.key in self.answered)
        try:
            outcome = await calls.case(asked.activity, call)
        except ActivityError as error:
            cause = cause_of(error)
            asked.refusal = ApplicationError(cause.message, *cause.details, type=cause.type, non_retryable=True)
            self.begun = True
            return
        self.answered.add(asked.key)
        if asked.activity == "case_retry":
            self.progress, self.parked_at = self.progress.freed(), None
            self.deliveries.again(self.progress)
        self._apply(outcome)
        asked.answer = outcome.answer or {}

    async def wake(self) -> None:
        """An instant has come: everything that is due is done in one activity. What cannot be done is shown, and not tried again
        before somebody asks for it."""
        view = self.progress.view
        if view is None or view.next_at is None:
            return
        try:
            outcome = await calls.case("case_wake", self._call(view.next_at.isoformat(), {}), view.next_what)
        except ActivityError as error:
            self.parked_at = view.next_at
            cause = cause_of(error)
            named = (
                {f"unreadable:{cause.details[0]}": cause.message} if cause.type == UNREADABLE and cause.details else {}
            )
            self._apply(CaseOutcome(attention={"parked": f"{view.next_what}: {cause.message}", **named}))
            return
        self._apply(outcome)

    async def journal_unheard(self, told: CaseChanged) -> None:
        """Nobody heard it: the journal keeps it."""
        try:
            await calls.case("case_unheard", self._call(told.id, told.model_dump(mode="json")))
        except ActivityError as error:
            self._apply(CaseOutcome(attention={"unheard": cause_of(error).message}))

    def settle(self, delivery: Delivery, outcome: Outcome | str) -> None:
        """A message has reached its end, or needs a person."""
        if isinstance(outcome, str):
            self.progress = self.progress.stuck(delivery.id, f"{delivery.channel.value}: {outcome}")
        elif outcome.late is not None:
            self.progress = self.progress.late(delivery.id, outcome.late)
        else:
            self.progress = self.progress.delivered(delivery.id)
            heard = CaseOutcome(deliveries=outcome.deliveries, attention=outcome.attention, said=outcome.said)
            self._apply(heard)

    def _apply(self, outcome: CaseOutcome) -> None:
        self.progress = self.progress.after(outcome, workflow.now())
        self.begun = True

    def _call(self, request_id: str, body: dict[str, Any], *, repeated: bool = False) -> CaseCall:
        call = CaseCall(
            case_id=self.progress.case_id,
            request_id=request_id,
            body=body,
            as_of=workflow.now(),
            run=workflow.info().original_execution_run_id,
        )
        rare = {"repeated": repeated, "opening": self.progress.view is None}
        return call.model_copy(update={name: True for name, holds in rare.items() if holds})

    def should_roll_over(self) -> bool:
        """True when this run is old or long enough, and nothing is half-done."""
        info = workflow.info()
        due = (
            info.get_current_history_length() >= self.start.roll_over_after_events
            or workflow.now() - self.began >= ROLL_OVER_AFTER
            or info.is_continue_as_new_suggested()
        )
        idle = self.begun and not (self.asked or self.unheard or self.telling or self.deliveries.waiting())
        moving = [delivery for delivery in self.progress.in_flight if not delivery.stuck]
        # What is on its way is waited for, unless it has been so for a day: a dead provider keeps no run from ending.
        return due and idle and all(workflow.now() - one.since > timedelta(days=1) for one in moving)

    async def roll_over(self) -> None:
        """The next run goes on from the progress; whoever still waits for an answer gets it first."""
        await workflow.wait_condition(lambda: workflow.all_handlers_finished() or not self.should_roll_over())
        if not self.should_roll_over():
            return  # something came in meanwhile, and only the loop can answer it
        progress = self.progress.model_copy(update={"runs": self.progress.runs + 1})
        start = self.start.model_copy(update={"progress": progress})
        workflow.continue_as_new(start, search_attributes=self.attributes.for_next_run(progress))

    def show(self) -> None:
        """The alarm, the search attributes and the briefing, brought up to date."""
        view = self.progress.view
        if view is None:
            return
        self.alarm.set(view.next_at, view.next_what)
        self.attributes.show(self.progress)
        workflow.set_current_details(render_case(self.progress, workflow.now()))

    # Noting and answering

    async def ask_by(self, activity: str, request: dict[str, Any]) -> dict[str, Any]:
        """The loop's answer to a request that somebody made."""
        update = workflow.current_update_info()
        return await self.ask(activity, str(request.get("request_id") or (update.id if update else "")), request)

    async def ask(self, activity: str, request_id: str, body: dict[str, Any]) -> dict[str, Any]:
        """The loop's answer to a request; raises what it was refused with."""
        asked = Asked(activity, request_id, body)
        self.asked.append(asked)
        await workflow.wait_condition(lambda: asked.settled)
        if asked.refusal is not None:
            raise asked.refusal
        return asked.answer or {}

    def check(self, model: type[_Request], document: Any) -> None:
        """Refuses what cannot be read, and what was asked in view of another version. The rest the facts decide."""
        with refusals():
            request = read_case_request(model, document)
            view = self.progress.view
            if view is not None and request.request_id is None and not self.asked:
                _check_not_older(request.expected_version, view.version)


def _check_not_older(seen: int | None, current: int) -> None:
    """A later version than ours there can be: a case that another one was merged into changes without being asked."""
    if seen is not None and seen > current:
        return
    try:
        check_version(seen, current)
    except ServiceRuleError as error:
        refused: Refusal = refusal_of(error)
        raise refused from None
