"""Links that open the form of an act with what it is about filled in, of what the reader may ask. Pure."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any
from urllib.parse import quote, urlencode

from domain.claims.claims import ClaimStatus
from domain.frame.keys import case_of_delivery
from domain.frame.request_kinds import RequestKind
from domain.journey.catching_up import may_be_left_out
from domain.journey.registry import CASE, JOURNEY
from gateway.console.choices import waiting_said
from gateway.console.visit import Visit
from gateway.views.whose import Whose

Openings = tuple[tuple[str, str], ...]
"""Acts by name, each with the address of its form."""
_OF_WAITING: Mapping[tuple[str, str], tuple[str, ...]] = {
    ("offer", "open"): ("answer_offer",),
    ("lead", ""): ("answer_lead",),
    ("survey", "open"): ("answer_survey",),
    ("reference", "open"): ("answer_reference",),
    ("quote", "in_approval"): ("approve",),
    ("quote", "presented"): ("accept_quote", "decline_quote"),
    ("milestone", "open"): ("complete_task", "block_task"),
    ("milestone", "waits"): ("unblock_task", "complete_task"),
}
"""What can be asked about what waits, by its kind and state."""
_NAMED = {
    "offer": "offer_id",
    "lead": "lead_id",
    "survey": "survey_id",
    "reference": "reference_id",
    "quote": "quote_id",
    "milestone": "task",
}


def openings(visit: Visit, account_id: str, acts: Mapping[str, Mapping[str, str]]) -> Openings:
    """Forms of a customer's acts, each with the answers that are known."""
    return _forms(visit, f"/customers/{quote(account_id, safe='')}", JOURNEY, acts)


def of_delivery(visit: Visit, account_id: str | None, delivery_id: str) -> Openings:
    """What can be asked about a message that has not left: that its journey tries it now, or all of its own if the field is left empty; a case
    tries all of its own."""
    if case_id := case_of_delivery(delivery_id):
        return _forms(visit, f"/cases/{quote(case_id, safe='')}", CASE, {"retry": {}})
    return openings(visit, account_id, {"retry_deliveries": {"delivery": delivery_id}}) if account_id else ()


def of_claim(visit: Visit, case_id: str, claim: Mapping[str, Any]) -> Openings:
    """What can be asked about a claim of a case that waits for approval."""
    if claim["status"] != ClaimStatus.WAITING:
        return ()
    known = {"claim_id": str(claim["claim_id"])}
    acts = dict.fromkeys(("approve_claim", "reject_claim"), known)
    return _forms(visit, f"/cases/{quote(case_id, safe='')}", CASE, acts)


def _forms(
    visit: Visit, page: str, kinds: Mapping[str, RequestKind[Any]], acts: Mapping[str, Mapping[str, str]]
) -> Openings:
    return tuple(
        (update, f"{page}/acts/{update}" + (f"?{urlencode(known)}" if known else ""))
        for update, known in acts.items()
        if visit.who.may_ask(kinds[update])
    )


def of_task(visit: Visit, task: Mapping[str, Any]) -> Openings:
    """What can be asked about a task of our people."""
    known = {"task_id": str(task["task_id"])}
    acts = dict.fromkeys(("finish_staff_task", "snooze_staff_task", "hand_over_staff_task"), known)
    return openings(visit, str(task["account_id"]), acts)


def of_hold(visit: Visit, account_id: str, hold: Mapping[str, Any], cases: Sequence[str]) -> Openings:
    """What can be asked about what holds sales back: a hold by hand is lifted, any other one read, overridden, or let pass for a
    renewal by the case that it comes from."""
    source = str(hold["source"])
    acts: dict[str, dict[str, str]] = {"acknowledge_hold": {"source": source}}
    if hold["reason"] == "manual":
        acts = {"lift_hold": {"hold_id": source}, **acts}
    if source in cases:
        acts["release_for_renewal"] = {"case_id": source}
    if hold["level"] == "block":
        acts["override_hold"] = {}
    return openings(visit, account_id, acts)


def of_step(visit: Visit, account_id: str, key: str, kind: str) -> Openings:
    """What can be asked about a planned step; nothing of one that follows from what was sold."""
    if not may_be_left_out(kind):
        return ()
    known = {"step": key}
    return openings(visit, account_id, dict.fromkeys(("reschedule_step", "skip_step"), known))


def of_waiting(visit: Visit, of: Whose, rows: Sequence[Mapping[str, Any]]) -> list[dict[str, Any]]:
    """What waits for an answer, in words, with what can be asked about it; what is over is left out."""
    return [
        {
            "kind": one["kind"],
            "state": one["state"],
            "says": waiting_said(visit, of, one),
            "acts": _about(visit, of, one),
        }
        for one in rows
        if one["state"] not in ("done", "past")
    ]


def _about(visit: Visit, of: Whose, one: Mapping[str, Any]) -> Openings:
    kind = str(one["kind"])
    known = {_NAMED[kind]: str(one["id"])}
    if kind == "milestone" and one["about"]:
        known["order_id"] = str(one["about"])
    acts = _OF_WAITING.get((kind, str(one["state"]))) or _OF_WAITING.get((kind, ""), ())
    return openings(visit, of.account_id, dict.fromkeys(acts, known))
