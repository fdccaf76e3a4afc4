"""What belongs to the whole relationship: anniversaries, and the levers by which operators pause, resume and end a journey."""

from __future__ import annotations

from datetime import datetime

from domain.frame.state import JourneyState, Pause
from domain.journey.requests import PauseJourney, ResumeJourney
from domain.kernel.refusals import INVALID_REQUEST, NOT_ALLOWED, Problem, Refusal

STEPS = frozenset(
    {
        "relationship_anniversary",  # a year with us, and the next one planned
        "relationship_morning",  # what was decided by night is told
    }
)


def check_pause(state: JourneyState, request: PauseJourney, now: datetime) -> None:
    """Refuses a pause that would be over before it starts."""
    if request.until is not None and request.until <= now:
        problem = Problem(field="until", problem=f"{request.until.isoformat()} is not after now ({now.isoformat()})")
        raise Refusal(INVALID_REQUEST, "the journey cannot be paused", [problem])


def check_resume(state: JourneyState, request: ResumeJourney) -> None:
    """Refuses to resume what neither is paused nor has anything set aside."""
    if state.paused is None and not state.parked and not any(delivery.stuck for delivery in state.in_flight):
        raise Refusal(NOT_ALLOWED, "the journey is not paused and nothing of it is parked or stuck")


def paused(state: JourneyState, request: PauseJourney, now: datetime, lets: list[str]) -> JourneyState:
    """The state of a journey that does nothing by itself but the kinds of steps that it `lets`."""
    pause = Pause(reason=request.reason, since=now, until=request.until, lets=lets, by=request.by)
    return state.model_copy(update={"paused": pause})
