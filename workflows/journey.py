"""The journey's inner life: how a step is done, a request answered, a message sent, a run brought to its end."""

from __future__ import annotations

from collections import deque
from collections.abc import Callable
from datetime import timedelta
from typing import Any, TypeVar

from pydantic import ValidationError
from temporalio import workflow
from temporalio.exceptions import ActivityError, ApplicationError

from domain.frame import pace
from domain.frame.state import AT_AN_INSTANT, Barred, Delivery, JourneyStart, JourneyState, Outcome, RequestCall, Step
from domain.frame.step_words import in_words, term_end
from domain.frame.unreadable import UNREADABLE
from domain.holds.sales_requests import CaseChangedSignal
from domain.journey.agenda import Running
from domain.journey.briefing import render
from domain.journey.requests import CloseJourney, PauseJourney, ResumeJourney
from domain.kernel.refusals import INVALID_ORDER, JOURNEY_CLOSED, Problem, Refusal
from domain.kernel.requests import Request, read_request
from domain.orders.order import read_order
from domain.success.requests import UsageChanged
from workflows import adoption, amendment, calls, relationship
from workflows.refusing import cause_of, refusals
from workflows.tasks import Alarm, DeliveryTasks, may_leave_together
from workflows.visibility import SearchAttributes

ID_PREFIX = "journey-"
ROLL_OVER_AFTER = timedelta(days=300)
LATEST_EVENTS = 450
"""From here on a rollover no longer waits for messages that are on their way: the next run takes them along."""

_Request = TypeVar("_Request", bound=Request)


class Asked:
    """A request that waits for its answer from the loop."""

    def __init__(self, activity: str, request_id: str, body: dict[str, Any]) -> None:
        self.activity = activity
        self.request_id = request_id
        self.body = body
        self.answer: dict[str, Any] | None = None
        self.refusal: ApplicationError | None = None

    @property
    def key(self) -> str:
        """What makes two requests the same; an order is the same however it comes in."""
        return f"{'order' if self.is_order else self.activity}:{self.request_id}"

    @property
    def is_order(self) -> bool:
        """True for an order, new or taken over."""
        return self.activity in ("activate_order", "take_over_order")

    @property
    def opens(self) -> bool:
        """True for what can begin a journey, or begin it anew."""
        return self.is_order or self.activity in ("take_up_holdings", "reconcile")

    @property
    def settled(self) -> bool:
        """True once there is an answer or a refusal."""
        return self.answer is not None or self.refusal is not None


class Journey:
    """Handlers only note; the one loop does everything, one thing after the other."""

    def __init__(self, start: JourneyStart | None) -> None:
        self.start = start or JourneyStart()
        self.state = self.start.state or JourneyState(account_id=workflow.info().workflow_id.removeprefix(ID_PREFIX))
        self.began = workflow.now()
        self.asked: deque[Asked] = deque()
        self.answered: set[str] = set()
        self.noted: deque[UsageChanged | CaseChangedSignal | str] = deque()
        self.alarm = Alarm()
        self.deliveries = DeliveryTasks(self.state.account_id)
        self.attributes = SearchAttributes()
        if start is not None and start.state is not None:
            self.attributes.restore(self.state)

    def is_over(self) -> bool:
        """True once the journey is closed, its last messages are out and nobody waits for an answer."""
        moving = any(not delivery.stuck for delivery in self.state.in_flight)
        return self.state.closed and not moving and not self.asked

    def has_work(self) -> bool:
        """True if there is anything to do before the alarm rings."""
        return bool(
            self.deliveries.waiting()
            or self.asked
            or self.noted
            or self.state.opened_at is None
            or self.pause_is_over()
            or self.state.due(workflow.now())
            or self.should_roll_over()
        )

    # What the loop does

    def take_out(self) -> None:
        """Whatever is on its way sets out, once nothing else is due at this instant: what comes of one instant leaves together."""
        more = not self.asked and self.state.due(workflow.now()) is not None
        if not (more and self.deliveries.not_started(self.state) and may_leave_together()):
            self.deliveries.keep_going(self.state)

    async def perform(self, step: Step) -> None:
        """A step of the agenda: one activity, one transaction. What cannot be done is set aside where people see it."""
        try:
            ends = term_end(self.state, step)
            kept = adoption.days_of_check_ins(self.state, step)
            near = pace.near(self.state.agenda, workflow.now())
            outcome = await calls.perform(self.state.account_id, step, workflow.now(), ends, kept, near)
        except ActivityError as error:
            cause = cause_of(error)
            self.state = self.state.parking(step, cause.message)
            if cause.type == UNREADABLE and cause.details:
                named = Outcome(attention={f"unreadable:{cause.details[0]}": cause.message})
                self.state = self.state.after(named, workflow.now())
            return
        self.state = self.state.after(outcome, workflow.now(), done=None if outcome.put_off else step)

    async def answer(self, asked: Asked) -> None:
        """A request: one activity, one transaction, and its answer to whoever asked."""
        if self.state.closed and not asked.opens:
            asked.refusal = ApplicationError("this journey was closed", type=JOURNEY_CLOSED, non_retryable=True)
            return
        body = asked.body
        if asked.activity == "reconcile":  # the agenda of this very moment: whatever was asked before is done
            body = {**body, "running": Running.of(self.state, workflow.now()).model_dump(mode="json")}
        call = RequestCall(
            account_id=self.state.account_id,
            request_id=asked.request_id,
            body=body,
            as_of=workflow.now(),
            run=workflow.info().original_execution_run_id,
            repeated=asked.key in self.answered,
            opening=self.state.opened_at is None or self.state.closed,
        )
        if steps := self.steps_of(asked):
            call = call.model_copy(update={"steps": steps})
        if barred := self.barred(asked):
            call = call.model_copy(update={"barred": barred})
        try:
            outcome = await calls.answer(asked.activity, call)
        except ActivityError as error:
            cause = cause_of(error)
            asked.refusal = ApplicationError(cause.message, *cause.details, type=cause.type, non_retryable=True)
            return
        self.answered.add(asked.key)
        self.apply_answer(asked, outcome)
        asked.answer = outcome.answer or {}

    def barred(self, asked: Asked) -> Barred | None:
        """What the state of the journey says against moving a lever: it counts unless that very request was done before."""
        try:
            match asked.activity:
                case "pause_journey":
                    relationship.check_pause(self.state, read_request(PauseJourney, asked.body), workflow.now())
                case "resume_journey":
                    relationship.check_resume(self.state, read_request(ResumeJourney, asked.body))
                case "close_journey":
                    amendment.check_close(self.state, read_request(CloseJourney, asked.body))
        except Refusal as refusal:
            return Barred(type=refusal.type, says=str(refusal), problems=list(refusal.problems))
        return None

    def steps_of(self, asked: Asked) -> list[Step]:
        """The steps that a request is about; of a single one also those of its stage, among which it has its place."""
        if asked.activity == "resume_journey":
            return self.state.overdue(workflow.now())
        if asked.activity in ("skip_step", "reschedule_step"):
            step = self.state.step(str(asked.body.get("step")))
            return [step, *(other for other in self.state.agenda if other.stage == step.stage)] if step else []
        return []

    def apply_answer(self, asked: Asked, outcome: Outcome) -> None:
        """What a request means for the journey: its outcome, and for the levers their position."""
        if outcome.repeated:
            return  # the levers may have been moved since
        now = workflow.now()
        before = self.state
        self.state = before.after(outcome, now)
        if asked.activity != "reconcile":  # which is on record under no key
            self.state = self.state.model_copy(update={"last": asked.key})
        match asked.activity:
            case "activate_order" | "take_over_order" | "take_up_holdings" | "reconcile":
                here = self.state.moved(before.account)
                if here.agenda != self.state.agenda and workflow.patched("moved-by-an-order"):
                    self.state = here
                self.state = self.state.model_copy(update={"opened_at": self.state.opened_at or now, "closed": False})
            case "change_account":
                goes_elsewhere = bool(asked.body.get("time_zone"))
                keeping = AT_AN_INSTANT if goes_elsewhere and workflow.patched("instants-stay") else ()
                self.state = self.state.moved(before.account, keeping=keeping)
                if asked.body.get("segment"):  # what is planned already follows another playbook
                    again = {"request_id": f"after-{asked.request_id}"[:120], "by": "system"}
                    self.asked.append(Asked("reconcile", again["request_id"], again))
            case "pause_journey":
                self.state = relationship.paused(self.state, read_request(PauseJourney, asked.body), now, outcome.lets)
            case "resume_journey":
                self.state = self.state.unparked(now, planned=outcome.caught_up)
            case "retry_deliveries":
                self.state = self.state.freed()
                self.deliveries.again(self.state)
            case "skip_step" | "reschedule_step":
                self.state = self.state.without_parked(str(asked.body["step"]))
            case "close_journey":
                self.state = self.state.model_copy(
                    update={"closed": True, "agenda": [], "stages": {}, "parked": [], "paused": None, "attention": {}}
                )

    def settle(self, delivery: Delivery, outcome: Outcome | str) -> None:
        """A message has reached its end, or needs a person."""
        if isinstance(outcome, str):
            self.state = self.state.stuck(delivery.id, f"{delivery.channel.value}: {outcome}")
        elif outcome.late is not None:
            self.state = self.state.late(delivery.id, outcome.late)
        else:
            self.state = self.state.delivered(delivery.id).after(outcome, workflow.now())

    def take_note(self, note: UsageChanged | CaseChangedSignal | str) -> None:
        """A signal: a look at usage becomes due; what nobody understands is shown."""
        if isinstance(note, str):
            self.state = self.state.after(Outcome(attention={"unknown_message": note}), workflow.now())
        elif isinstance(note, UsageChanged) and (step := adoption.review_for(self.state, note, workflow.now())):
            self.state = self.state.after(Outcome(plan=[step]), workflow.now())

    def pause_is_over(self) -> bool:
        """True once a pause has reached its end."""
        pause = self.state.paused
        return pause is not None and pause.until is not None and pause.until <= workflow.now()

    async def resume_by_itself(self) -> None:
        """A pause with an end ends by itself; if the journal knows of it already, it is over all the same."""
        if pause := self.state.paused:
            await self.answer(Asked("resume_journey", f"pause-over-{pause.since.isoformat()}", {"by": "system"}))
            self.state = self.state.model_copy(update={"paused": None})

    def should_roll_over(self) -> bool:
        """True when this run is old or long enough, and nothing is half-done."""
        info = workflow.info()
        events = info.get_current_history_length()
        due = (
            events >= self.start.roll_over_after_events
            or workflow.now() - self.began >= ROLL_OVER_AFTER
            or info.is_continue_as_new_suggested()
        )
        moving = any(not delivery.stuck for delivery in self.state.in_flight)
        idle = not self.asked and not self.noted and not self.deliveries.waiting() and self.state.opened_at is not None
        return due and idle and (not moving or events >= LATEST_EVENTS or self.flight_is_long())

    def flight_is_long(self) -> bool:
        """True if all that is on its way has been so for a day: a dead provider does not keep a run from ending."""
        return all(workflow.now() - d.since > timedelta(days=1) for d in self.state.in_flight if not d.stuck)

    async def roll_over(self) -> None:
        """The next run goes on from the state; whoever still waits for an answer gets it first."""
        await workflow.wait_condition(lambda: workflow.all_handlers_finished() or not self.should_roll_over())
        if not self.should_roll_over():
            return  # something came in meanwhile, and only the loop can answer it
        state = self.state.model_copy(update={"runs": self.state.runs + 1})
        start = self.start.model_copy(update={"state": state})
        workflow.continue_as_new(start, search_attributes=self.attributes.for_next_run(state))

    def show(self) -> None:
        """The alarm, the search attributes and the briefing, brought up to date; a journey that has not begun shows nothing."""
        if self.state.opened_at is None:
            return
        at = self.state.next_instant()
        self.alarm.set(at, self._alarm_label())
        self.attributes.show(self.state)
        workflow.set_current_details(render(self.state, workflow.now()))

    def _alarm_label(self) -> str:
        if self.state.paused:
            return "paused"
        first = self.state.agenda[0] if self.state.agenda else None
        return in_words(first, term_end(self.state, first)) if first else ""

    # Noting and answering

    def note_usage(self, signal: dict[str, Any]) -> None:
        """A signal about usage, or why it cannot be read."""
        try:
            self.noted.append(UsageChanged.model_validate(signal))
        except ValidationError as error:
            self.noted.append(str(Refusal.from_validation("InvalidSignal", "usage_changed cannot be read", error)))

    def note_unknown(self, name: str) -> None:
        """A signal that this release does not know."""
        self.noted.append(f"a signal named {name[:60]!r} came in, which is not understood")

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

    def check(
        self,
        model: type[_Request],
        document: dict[str, Any],
        allowed: Callable[[JourneyState, _Request], None] | None = None,
        *,
        recorded: bool = False,
    ) -> None:
        """Refuses what cannot be read or is not `allowed`. If the facts know what was asked before (`recorded`), they decide
        about a request with an id of its own: it may be a repetition, which gets its first answer again."""
        with refusals():
            self._check_open()
            request = read_request(model, document)
            if allowed is not None and not (recorded and request.request_id):
                allowed(self.state, request)

    def check_order(self, document: dict[str, Any]) -> None:
        """Refuses what is no order or is for another account. An order may come while a closed journey sends its last mails."""
        with refusals():
            order = read_order(document)
            expected = f"{ID_PREFIX}{order.account.account_id}"
            if workflow.info().workflow_id != expected:
                said = f"this workflow is {workflow.info().workflow_id!r}; send orders of this account to {expected!r}"
                raise Refusal(
                    INVALID_ORDER, "the order cannot be accepted", [Problem(field="account.account_id", problem=said)]
                )

    def _check_open(self) -> None:
        if self.state.closed:
            raise Refusal(JOURNEY_CLOSED, "this journey is closed; a new order begins a new one")
