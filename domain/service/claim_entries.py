"""What can be asked of a case about money given back: each a credit memo, never above what was paid."""

from __future__ import annotations

from domain.frame.request_kinds import AGENTS, CALLERS, RequestKind
from domain.service.case_requests import CaseRequest
from domain.service.casework import Work
from domain.service.claim_requests import ApproveClaim, ClaimPriceMatch, DisputeRefund, GrantGoodwill, RejectClaim


def _as_judged(work: Work, request: CaseRequest) -> None:
    """A claim is judged where the order line is held, and is in the case's work by then."""


ENTRIES = (
    RequestKind(
        "claim_price_match",
        ClaimPriceMatch,
        _as_judged,
        "Price match claimed",
        asked_by=AGENTS,
        example='{"order_id": "SO-1", "line_id": "2", "quantity": 3, "refund": "120.00", "role": "agent", "by": "s-7"}',
    ),
    RequestKind(
        "grant_goodwill",
        GrantGoodwill,
        _as_judged,
        "Goodwill",
        asked_by=AGENTS,
        example='{"amount": "50.00", "reason": "a day without tills", "order_id": "SO-1", "line_id": "2", "by": "s-7"}',
    ),
    RequestKind(
        "approve_claim",
        ApproveClaim,
        _as_judged,
        "Claim approved",
        asked_by=AGENTS,
        example='{"role": "manager", "claim_id": "C-17.r1", "by": "s-9"}',
    ),
    RequestKind(
        "reject_claim",
        RejectClaim,
        _as_judged,
        "Claim rejected",
        asked_by=AGENTS,
        example='{"role": "manager", "reason": "bought after the price fell", "by": "s-9"}',
    ),
    RequestKind(
        "dispute_refund",
        DisputeRefund,
        _as_judged,
        "Refund disputed",
        asked_by=CALLERS,
        example='{"reason": "they count three units, we bought five", "by": "customer"}',
    ),
)
