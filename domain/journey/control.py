"""What operators do with a whole journey: pause it, resume it, end it."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime

from domain.contracts.consignments import TransferStatus
from domain.frame.decision import Decision, JournalLine
from domain.frame.keys import StageKind, within_account
from domain.frame.situation import Situation
from domain.frame.state import JourneyState, Outcome, Pause, Step
from domain.frame.step_words import within_words
from domain.journey.by_hand import belongings, limit_of
from domain.journey.catching_up import catch_up, may_be_left_out, without
from domain.journey.requests import CloseJourney, PauseJourney, RescheduleStep, ResumeJourney, RetryDeliveries, SkipStep
from domain.journey.writes import CloseAccount
from domain.kernel.refusals import INVALID_REQUEST, NOT_ALLOWED, Problem, Refusal

SETTLES = ("amendment_settled",)
"""What a pause does not hold back: the answer to what the customer has asked, by which assets and money are theirs again or not
any more. What a person would read or what falls due by the calendar waits."""


def check_pause(state: JourneyState, request: PauseJourney, now: datetime) -> None:
    """Refuses a pause that would be over before it starts."""
    if request.until is not None and request.until <= now:
        problem = Problem(field="until", problem=f"{request.until.isoformat()} is not after now ({now.isoformat()})")
        raise Refusal(INVALID_REQUEST, "the journey cannot be paused", [problem])


def check_resume(state: JourneyState, request: ResumeJourney, now: datetime) -> None:
    """Refuses to resume what neither is paused nor has anything set aside."""
    if state.paused is None and not state.parked and not any(delivery.stuck for delivery in state.in_flight):
        raise Refusal(NOT_ALLOWED, "the journey is not paused and nothing of it is parked or stuck")


def check_retry(state: JourneyState, request: RetryDeliveries, now: datetime) -> None:
    """Refuses to try a single message that is not on its way."""
    if request.delivery is None:
        return
    alone = within_account(state.account_id, request.delivery)
    if all(one.id != alone for one in state.in_flight):
        mend = (
            "`perennial deliveries list` says what is, and `reconcile` brings back what waits there and was never tried"
        )
        raise Refusal(NOT_ALLOWED, f"{request.delivery} is not on its way: {mend}")


def check_close(state: JourneyState, request: CloseJourney, now: datetime) -> None:
    """Refuses an end while assets are on their way to another customer: they are this customer's until they have arrived."""
    if any(stage.status == TransferStatus.UNDER_WAY for _, stage in state.stages_of(StageKind.AMENDMENT)):
        raise Refusal(NOT_ALLOWED, "assets are on their way to another account; close the journey once they arrived")


def pause(situation: Situation, request: PauseJourney) -> Decision:
    """Nothing is done by itself for a while, but for what settles requests of the customer."""
    until = f" until {situation.customer.day_of(request.until)}" if request.until else ""
    answer = {"paused": True, "until": request.until.isoformat() if request.until else None}
    line = JournalLine(f"Paused{until}: {request.reason}", detail={"reason": request.reason})
    return Decision(line, Outcome(answer=answer, lets=list(SETTLES)))


def paused(state: JourneyState, request: PauseJourney, now: datetime, lets: list[str]) -> JourneyState:
    """The state of a journey that does nothing by itself but the kinds of steps that it `lets`."""
    pause = Pause(reason=request.reason, since=now, until=request.until, lets=lets, by=request.by)
    return state.having(paused=pause)


def resume(situation: Situation, request: ResumeJourney, overdue: Sequence[Step]) -> Decision:
    """The agenda goes on: what is overdue or was set aside is asked again whether it is of use, and planned anew."""
    found = catch_up(situation, overdue)
    answer = {"paused": False, "planned": len(found.plan), "dropped": found.drop}
    outcome = Outcome(plan=found.plan, drop=found.drop, answer=answer, caught_up=True)
    return Decision(JournalLine("Resumed"), outcome, more_lines=found.lines)


def retry(situation: Situation, request: RetryDeliveries) -> Decision:
    """What is on its way out is tried now, or one message of it."""
    says = f"Tried again: {request.delivery}" if request.delivery else "Deliveries tried again"
    return Decision(JournalLine(says), Outcome(answer={"retried": True}))


def skip(situation: Situation, request: SkipStep, steps: Sequence[Step]) -> Decision:
    """A step is left out, for a reason; what comes in a rhythm goes on with the next one, what belongs to the step ends."""
    step = _named(request.step, steps)
    plan = [other for other in without(situation, step) if other.key != step.key]
    says = f"Left out: {within_words(step)}; {request.reason}"
    ends = belongings(situation, step, request.by, request.reason)
    outcome = ends.outcome.having(
        plan=plan, drop=[step.key, *ends.outcome.drop], answer={"skipped": step.key, **(ends.outcome.answer or {})}
    )
    return Decision(JournalLine(says), outcome, ends.writes)


def reschedule(situation: Situation, request: RescheduleStep, steps: Sequence[Step]) -> Decision:
    """A step is moved to another day, at the promised hour: one on which it is of use. `steps`: those of its stage."""
    step = _named(request.step, steps)
    at, day = situation.customer.morning(request.day)
    if at <= situation.as_of:
        problem = Problem(field="day", problem=f"9 in the morning of {day} has passed; give a later day")
        raise Refusal(INVALID_REQUEST, "the step cannot be moved", [problem])
    limit = limit_of(situation, step, [other for other in steps if other.key != step.key])
    if limit is not None and day > limit.day:
        instead = f"the last possible day is {limit.day}" if limit.day > situation.today else "no later day is possible"
        problem = Problem(field="day", problem=f"{day} is too late, as {limit.why}; {instead}")
        raise Refusal(INVALID_REQUEST, "the step cannot be moved", [problem])
    says = f"Moved to {day}: {within_words(step)}" + (f"; {request.reason}" if request.reason else "")
    moved = step.having(at=at, on=day)
    answer = {"step": step.key, "at": at.isoformat(), "day": day.isoformat()}
    return Decision(JournalLine(says), Outcome(plan=[moved], answer=answer))


def _named(key: str, steps: Sequence[Step]) -> Step:
    """The step that is meant. What the ledger waits for is moved by what changes the contract, never by hand."""
    step = next((step for step in steps if step.key == key), None)
    if step is None:
        raise Refusal(NOT_ALLOWED, f"no step {key!r} is planned; `perennial journey show` lists those there are")
    if not may_be_left_out(step.kind):
        said = "it follows from what was sold; ask for what changes that, such as amend_assets or cancel_assets"
        raise Refusal(NOT_ALLOWED, f"step {key!r} cannot be left out or moved: {said}")
    return step


def close(situation: Situation, request: CloseJourney) -> Decision:
    """The journey ends here."""
    says = f"Journey closed: {request.reason}"
    return Decision(
        JournalLine(says), Outcome(answer={"closed": True}), [CloseAccount(request.reason, situation.as_of)]
    )
