"""Quotes: those that wait for approval, with a reminder and an end; those that wait for the customer, until they lapse."""

from __future__ import annotations

from domain.frame.state import JourneyState, StageKind, stage_kind
from domain.kernel.refusals import NOT_ALLOWED, Refusal
from domain.quotes.requests import AcceptQuote, ApproveQuote, DeclineQuote

STEPS = frozenset(
    {
        "quote_reminder",  # nobody has decided on its discounts yet
        "quote_give_up",  # nobody has decided in time: it is rejected
        "quote_expiry",  # the customer has not answered in time
    }
)
IN_APPROVAL = "in_approval"
PRESENTED = "presented"


def check_approve(state: JourneyState, request: ApproveQuote) -> None:
    """Refuses what is said of a quote that nobody's approval is asked for."""
    _check(state, request.quote_id, IN_APPROVAL, "waits for no approval")


def check_answer(state: JourneyState, request: AcceptQuote | DeclineQuote) -> None:
    """Refuses an answer to a quote that the customer does not have."""
    _check(state, request.quote_id, PRESENTED, "waits for no answer")


def _check(state: JourneyState, quote_id: str, status: str, says: str) -> None:
    of_kind = {key: stage.status for key, stage in state.stages.items() if stage_kind(key) is StageKind.QUOTE}
    if of_kind.get(f"quote:{quote_id}") != status:
        waiting = sorted(key.split(":", 1)[1] for key, found in of_kind.items() if found == status)
        raise Refusal(NOT_ALLOWED, f"quote {quote_id!r} {says}; those that do: {', '.join(waiting) or 'none'}")
