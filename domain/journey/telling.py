"""What a fact means on a customer's timeline: a line for each thing that a person would want to see there.

`key` names the fact, so that a line stands once and follows its fact; a line without an instant is told no more. `link` names what to
open, such as `case/C-17`.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from datetime import datetime
from typing import Any, TypeAlias

from domain.frame.flight import Channel
from domain.frame.mail_names import mail_in_words
from domain.journey.customer_timeline import TimelineKind as Kind
from domain.journey.customer_timeline import Visibility
from domain.service.case import Happened, MilestoneFacts, Recorded

Told: TypeAlias = dict[str, str | None]
"""A line as JSON, by the columns of the table."""

INVOICE, CREDIT = "Invoice %s: %s %s", "Credit memo %s: %s %s (%s)"
"""Titles of documents, which get their numbers where they are written: number, total, currency, and the reason of a credit."""
HELD = {"block": "Sales is held back", "warn": "To be read before the customer is written to"}
LIFTED = "No longer so"


def _told(
    key: str,
    account_id: str,
    at: datetime | None,
    kind: Kind,
    title: str,
    *,
    actor: str = "system",
    link: str | None = None,
    seen_by: Visibility = Visibility.STAFF,
) -> Told:
    return {
        "key": key,
        "account_id": account_id,
        "at": at.isoformat() if at else None,
        "kind": kind,
        "title": title,
        "actor": actor,
        "link": link,
        "visibility": seen_by,
    }


# Not what was passed over, nor what a table of its own tells in more detail: invoices, holds, the record of a case.
_UNTOLD = frozenset(
    {
        *("past", "skipped", "billing_invoice", "invoice", "credit_memo", "service_hold", "service_hold_lift"),
        *(
            f"case_{n}"
            for n in ("opened", "prioritised", "violated", "reversed", "escalated", "de_escalated", "resolved")
        ),
        *(f"case_{name}" for name in ("reopened", "merged", "closed", "cancelled", "rated")),
    }
)
_BY_NAME = {
    **dict.fromkeys(("order_accepted", "purchase", "return", "sell_from_case"), Kind.PURCHASE),
    "note_mail": Kind.MESSAGE,
    **dict.fromkeys(("roll_back", "take_up_holdings"), Kind.ASSET),
    "complete_task": Kind.ONBOARDING,
    **dict.fromkeys(("adoption_survey", "answer_survey"), Kind.SURVEY),
    "answer_offer": Kind.OFFER,
    "answer_renewal": Kind.CONTRACT,
    "price_protection": Kind.CASE,
}
_BY_PART = (
    ("^quote", Kind.QUOTE),
    ("_quote$", Kind.QUOTE),
    ("^onboarding", Kind.ONBOARDING),
    ("^adoption", Kind.USAGE),
    ("^usage", Kind.USAGE),
    ("^expansion", Kind.OFFER),
    ("^renewal", Kind.CONTRACT),
    ("lead", Kind.LEAD),
    ("^service", Kind.HOLD),
    ("hold", Kind.HOLD),
    ("^release", Kind.HOLD),
    ("^case", Kind.CASE),
    ("^amend", Kind.ASSET),
    ("asset", Kind.ASSET),
    ("fulfil", Kind.ASSET),
)
"""Of a line's kind: its beginning, its end, or what stands anywhere in it; the first that fits counts."""
_LINKS = ("case", "offer", "quote", "contract", "order", "asset")


def line_told(
    account_id: str, key: str, at: datetime, kind: str, title: str, detail: Mapping[str, Any]
) -> Iterable[Told]:
    """A line of the journal."""
    if kind in _UNTOLD:
        return
    about = next((name for name in _LINKS if f"{name}_id" in detail), None)
    named = detail.get(f"{about}_id") if about else None
    by = detail.get("by")
    yield _told(
        key,
        account_id,
        at,
        _BY_NAME.get(kind) or next((found for part, found in _BY_PART if part in f"^{kind}$"), Kind.RELATIONSHIP),
        title,
        actor="system" if by is None else str(by),
        link=None if named is None else f"{about}/{named}",
    )


def message_told(
    account_id: str, delivery_id: str, channel: Channel, stage: str, body: Mapping[str, Any], at: datetime
) -> Iterable[Told]:
    """A mail or notice that has left; an agent's answer is told by the record of its case."""
    mail = channel is Channel.MAIL
    if account_id and (mail or channel is Channel.NOTICE) and body.get("template") != "case_reply":
        case = stage.removeprefix("service:")
        yield _told(
            f"sent:{delivery_id}",
            account_id,
            at,
            Kind.MESSAGE,
            f"Sent: {mail_in_words(body['template'])}" if mail else f"Notice: {body['title']}",
            link=None if case == stage else f"case/{case}",
            seen_by=Visibility.CUSTOMER if mail else Visibility.STAFF,
        )


def health_told(
    account_id: str, at: datetime, score: int | None, band: str, before: tuple[int | None, str] | None
) -> Iterable[Told]:
    """A health score that is other than the one before."""
    if before != (score, band):
        was = f" (was {_health(*before)})" if before else ""
        key = f"health:{account_id}/{at.timestamp():.6f}"
        yield _told(key, account_id, at, Kind.HEALTH, f"Health {_health(score, band)}{was}")


def _health(score: int | None, band: str) -> str:
    return band if score is None else f"{score}, {band}"


def term_told(
    account_id: str, contract_id: str, number: int, begins: datetime | None, ends: datetime | None
) -> Iterable[Told]:
    """A contract's term, with its dates to come; without them it is taken back."""
    for what, at in (("begins", begins), ("ends", ends)):
        title = f"Contract {contract_id}: term {number} {what}"
        link = f"contract/{contract_id}"
        yield _told(f"term:{contract_id}/{number}/{what}", account_id, at, Kind.CONTRACT, title, link=link)


_EVENTS = {
    Happened.CUSTOMER_MESSAGE: "the customer wrote",
    Happened.AGENT_MESSAGE: "we answered",
    Happened.FIRST_RESPONSE: "first answer",
    Happened.RESUMED: "taken up again",
    Happened.MERGED: "merged into another case",
    Happened.ABSORBED: "another case was merged into it",
    Happened.ASSIGNED: "has an owner",
    Happened.DE_ESCALATED: "no longer escalated",
    Happened.PRIORITISED: "has another priority",
    Happened.IDENTIFIED: "known whose it is",
    Happened.SURVEYED: "the customer was asked how it went",
    Happened.CLAIMED: "money was asked back",
    Happened.REFUNDED: "money was given back",
    Happened.CLAIM_REFUSED: "money was not given back",
    Happened.DISPUTED: "the customer disputes a refund",
    Happened.MAIL_HELD: "an automatic mail was left out",
}
_WAITING = {
    "waiting_customer": "waiting for the customer",
    "waiting_internal": "waiting for us",
    "waiting_third_party": "waiting for a third party",
}
_CUSTOM = {
    "hold_overridden": "sales may reach the customer for some hours",
    "renewal_released": "the renewal may be talked about",
    "renewal_kept": "the renewal waits",
    "lead_answered": "sales answered the lead",
    "sold": "something was sold",
}
_SEEN_BY_CUSTOMER = frozenset(
    {
        *(Happened.CREATED, Happened.CUSTOMER_MESSAGE, Happened.AGENT_MESSAGE, Happened.RESOLVED, Happened.CLOSED),
        *(Happened.REOPENED, Happened.RATED),
    }
)
_KINDS = {
    **dict.fromkeys((Happened.CUSTOMER_MESSAGE, Happened.AGENT_MESSAGE), Kind.MESSAGE),
    **dict.fromkeys((Happened.SURVEYED, Happened.RATED), Kind.SURVEY),
}


def event_told(
    account_id: str | None, case_id: str, subject: str, event: Recorded, names: Mapping[str, str]
) -> Iterable[Told]:
    """What happened in a case. Promises are told by themselves, what an action did by what it sent. `names`: of staff, by their ids."""
    if account_id is None or event.kind in (Happened.VIOLATED, Happened.REVERSED, Happened.FIRED):
        return
    detail = {name: str(value) for name, value in event.detail.items() if value is not None}
    owner = detail.get("owner", "")
    says = detail.get("reason", names.get(owner, owner) or detail.get("body", ""))
    yield _told(
        f"case:{case_id}/{event.sequence}",
        account_id,
        event.at,
        _KINDS.get(event.kind, Kind.CASE),
        f"Case {case_id}: {_event(event.kind, subject, detail)}{f': {says}' if says else ''}",
        actor=event.by,
        link=f"case/{case_id}",
        seen_by=_seen_by(event),
    )


def _seen_by(event: Recorded) -> Visibility:
    if event.visibility == "internal":
        return Visibility.SERVICE
    return Visibility.CUSTOMER if event.kind in _SEEN_BY_CUSTOMER else Visibility.STAFF


def _event(kind: Happened, subject: str, detail: Mapping[str, str]) -> str:
    if kind is Happened.CREATED:
        return f"opened: {subject}"
    if kind is Happened.RATED:
        return f"rated {detail.get('score', '')}"
    if kind is Happened.WAITING:
        return _WAITING.get(detail.get("status", ""), "waiting")
    if kind is Happened.CUSTOM:
        name = detail.get("name", "noted")
        return _CUSTOM.get(name) or name.replace("_", " ")
    return _EVENTS.get(kind) or kind.replace("_", " ")


def promise_told(account_id: str | None, case_id: str, promise: MilestoneFacts) -> Iterable[Told]:
    """A promise of a case: when it was kept, was due and was not, and what was taken back of that."""
    for what, at in (
        ("kept", promise.completed_at if promise.state == "met" else None),
        ("kept late", promise.completed_at if promise.state == "missed" else None),
        ("was due", promise.violated_at),
        ("was not late after all", promise.reversed_at),
    ):
        if account_id is not None:
            title = f"Case {case_id}: {promise.milestone.replace('_', ' ')} {what}"
            key = f"promise:{case_id}/{promise.key}/{what}"
            yield _told(key, account_id, at, Kind.MILESTONE, title, link=f"case/{case_id}")
