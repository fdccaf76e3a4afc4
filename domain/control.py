"""What operators do with a whole journey: pause it, resume it, end it."""

from __future__ import annotations

from domain.decision import CloseAccount, Decision, JournalLine
from domain.journey import Outcome
from domain.requests import CloseJourney, PauseJourney, ResumeJourney
from domain.situation import Situation


def pause(situation: Situation, request: PauseJourney) -> Decision:
    """Nothing is done by itself for a while."""
    until = f" until {situation.customer.day_of(request.until)}" if request.until else ""
    answer = {"paused": True, "until": request.until.isoformat() if request.until else None}
    return Decision(JournalLine(f"Paused{until}: {request.reason}"), Outcome(answer=answer))


def resume(situation: Situation, request: ResumeJourney) -> Decision:
    """The agenda goes on, and what was set aside is tried again."""
    return Decision(JournalLine("Resumed"), Outcome(answer={"paused": False}))


def close(situation: Situation, request: CloseJourney) -> Decision:
    """The journey ends here."""
    says = f"Journey closed: {request.reason}"
    return Decision(
        JournalLine(says), Outcome(answer={"closed": True}), [CloseAccount(request.reason, situation.as_of)]
    )
