"""What sales and service can ask of one another."""

from __future__ import annotations

from functools import partial

from domain.frame.calls import RequestCall
from domain.frame.request_kinds import AGENTS, SELLERS, RequestKind
from domain.frame.situation import SERVICE
from domain.holds import deciding, leads
from domain.holds.requests import (
    AcknowledgeHold,
    AnswerLead,
    HandOverLead,
    LiftHold,
    OverrideHold,
    PlaceHold,
    ReleaseForRenewal,
    SellFromCase,
)
from domain.kernel.ids import opaque_id


def _own_id(call: RequestCall, key: str) -> str:
    return opaque_id(key)


_kind = partial(RequestKind, stage="service", needs=SERVICE)
_made = partial(_kind, beside=_own_id)
"""A request that makes something, which gets an id of its own."""

ENTRIES = (
    _made(
        "place_hold",
        PlaceHold,
        deciding.place,
        "Hold placed",
        asked_by=SELLERS | AGENTS,
        example='{"reason": "an outage; wait until it is over", "level": "block", "until": "2027-03-15T09:00:00+09:00", "by": "s-7"}',
    ),
    _made(
        "lift_hold",
        LiftHold,
        deciding.lift,
        "Hold lifted",
        asked_by=SELLERS | AGENTS,
        example='{"hold_id": "0123456789abcdef", "reason": "it is over", "by": "s-7"}',
    ),
    _made(
        "override_hold",
        OverrideHold,
        deciding.override,
        "Holds overridden",
        asked_by=AGENTS,
        example='{"role": "service_lead", "reason": "they wait for our call", "hours": 4, "by": "s-8"}',
    ),
    _made(
        "acknowledge_hold",
        AcknowledgeHold,
        deciding.acknowledge,
        "What holds sales back was read",
        asked_by=SELLERS | AGENTS,
        example='{"by": "s-1"}',
    ),
    _made(
        "release_for_renewal",
        ReleaseForRenewal,
        deciding.release,
        "Decision whether a renewal may be talked about",
        asked_by=AGENTS,
        example='{"case_id": "C-17", "decision": "keep", "reason": "the tills stand still", "by": "s-7"}',
    ),
    _made(
        "hand_over_lead",
        HandOverLead,
        leads.hand_over,
        "Lead from service",
        asked_by=AGENTS,
        example='{"contact": "P-1", "product": "PRO", "motion": "seats", "evidence": "they asked for ten more seats",'
        ' "consent": true, "case_id": "C-17", "by": "s-7"}',
    ),
    _kind(
        "answer_lead",
        AnswerLead,
        leads.answer,
        "Answer to a lead",
        asked_by=SELLERS,
        example='{"lead_id": "0123456789abcdef", "decision": "reject", "reason": "they have enough", "by": "s-1"}',
    ),
    _kind(
        "sell_from_case",
        SellFromCase,
        None,
        "Sale from a case",
        asked_by=AGENTS,
        example='{"case_id": "C-17", "lines": [{"kind": "sale", "line_id": "1", "product": "CABLE", "quantity": 2}], "solves": true,'
        ' "by": "s-7"}',
        binding=True,
    ),
)
