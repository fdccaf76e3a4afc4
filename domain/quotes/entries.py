"""What can be asked about quotes."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime
from functools import partial

from domain.frame.keys import StageKind
from domain.frame.request_kinds import CUSTOMERS, SELLERS, RequestKind
from domain.frame.situation import Needs
from domain.frame.state import JourneyState
from domain.kernel.refusals import NOT_ALLOWED, Refusal
from domain.quotes import deciding
from domain.quotes.requests import AcceptQuote, ApproveQuote, DeclineQuote, RequestQuote
from domain.quotes.versions import QuoteState


def _while(
    status: QuoteState, says: str
) -> Callable[[JourneyState, ApproveQuote | AcceptQuote | DeclineQuote, datetime], None]:
    """Refuses what is said of a quote that does not wait for it."""

    def check(state: JourneyState, request: ApproveQuote | AcceptQuote | DeclineQuote, now: datetime) -> None:
        waiting = sorted(id for id, stage in state.stages_of(StageKind.QUOTE) if stage.status == status)
        if request.quote_id not in waiting:
            others = ", ".join(waiting) or "none"
            raise Refusal(NOT_ALLOWED, f"quote {request.quote_id!r} {says}; those that do: {others}")

    return check


quote_kind = partial(RequestKind, stage="quote", needs=Needs(ledger=True, names=True))

_IN_APPROVAL = _while(QuoteState.IN_APPROVAL, "waits for no approval")
PRESENTED = _while(QuoteState.PRESENTED, "waits for no answer")

ENTRIES = (
    quote_kind(
        "request_quote",
        RequestQuote,
        deciding.ask,
        "Quote asked for",
        asked_by=SELLERS,
        example='{"quote_id": "Q-7", "lines": [{"kind": "sale", "line_id": "1", "product": "PRO", "quantity": 20,'
        ' "start": "2027-06-01", "months": 12}, {"kind": "quantity", "line_id": "2", "asset_id": "SO-1.1", "delta": 5,'
        ' "effective": "2027-06-01"}], "role": "sales", "by": "s-1"}',
    ),
    quote_kind(
        "approve",
        ApproveQuote,
        deciding.approve,
        "Decision on a quote's discounts",
        asked_by=SELLERS,
        example='{"quote_id": "Q-7", "role": "sales_manager", "decision": "approve", "by": "s-3"}',
        activity="approve_quote",
        binding=True,
        allowed=_IN_APPROVAL,
    ),
    quote_kind(
        "decline_quote",
        DeclineQuote,
        deciding.decline,
        "Quote declined",
        asked_by=CUSTOMERS,
        example='{"quote_id": "Q-7", "reason": "too late for this year", "by": "customer"}',
        allowed=PRESENTED,
    ),
)
