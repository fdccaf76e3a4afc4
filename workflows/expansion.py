"""Expansion: an offer of more seats, made by a check-in; it is answered by update or expires."""

from __future__ import annotations

from domain.frame.state import JourneyState, StageKind, stage_kind
from domain.kernel.refusals import NOT_ALLOWED, Refusal
from domain.success.requests import AnswerOffer

STEPS = frozenset(
    {
        "expansion_expiry",  # nobody answered in time
    }
)


def check_answer_offer(state: JourneyState, request: AnswerOffer) -> None:
    """Refuses an answer to an offer that is not open."""
    offers = [o for key, s in state.stages.items() if stage_kind(key) is StageKind.EXPANSION for o in s.tasks]
    if request.offer_id not in offers:
        raise Refusal(
            NOT_ALLOWED, f"offer {request.offer_id!r} is not open; open offers: {', '.join(offers) or 'none'}"
        )
