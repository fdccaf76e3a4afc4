"""What can be asked of a case about money given back: each a credit memo, never above what was paid."""

from __future__ import annotations

from functools import partial

from domain.frame.request_kinds import AGENTS, CALLERS, RequestKind
from domain.service.case_requests import CaseRequest
from domain.service.casework import Work
from domain.service.claim_requests import ApproveClaim, ClaimPriceMatch, DisputeRefund, GrantGoodwill, RejectClaim


def _as_judged(work: Work, request: CaseRequest) -> None:
    """A claim is judged where the order line is held, and is in the case's work by then."""


_claim = partial(RequestKind, rule=_as_judged, asked_by=AGENTS)

ENTRIES = (
    _claim(
        "claim_price_match",
        ClaimPriceMatch,
        words="Price match claimed",
        example='{"order_id": "SO-1", "line_id": "2", "quantity": 3, "refund": "120.00", "role": "agent", "by": "s-7"}',
        binding=True,
    ),
    _claim(
        "grant_goodwill",
        GrantGoodwill,
        words="Goodwill",
        example='{"amount": "50.00", "reason": "a day without tills", "order_id": "SO-1", "line_id": "2", "by": "s-7"}',
        binding=True,
    ),
    _claim(
        "approve_claim",
        ApproveClaim,
        words="Claim approved",
        example='{"role": "manager", "claim_id": "C-17.r1", "by": "s-9"}',
        binding=True,
    ),
    _claim(
        "reject_claim",
        RejectClaim,
        words="Claim rejected",
        example='{"role": "manager", "reason": "bought after the price fell", "by": "s-9"}',
    ),
    _claim(
        "dispute_refund",
        DisputeRefund,
        words="Refund disputed",
        asked_by=CALLERS,
        example='{"reason": "they count three units, we bought five", "by": "customer"}',
    ),
)
