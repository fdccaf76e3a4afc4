"""What a fact means on a customer's timeline: a line for each thing that a person would want to see there.

`key` names the fact, so that a line stands once and follows its fact; a line without an instant is told no more. `link` names what to
open, such as `case/C-17`.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from datetime import datetime
from functools import cache
from typing import Any, TypeAlias

from domain.frame.flight import Channel
from domain.frame.keys import case_key
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


def _table(text: str) -> list[tuple[str, str]]:
    """Lines of `this: that`."""
    return [(this, that) for this, _, that in (line.strip().partition(": ") for line in text.strip().splitlines())]


# Not what was passed over, nor what a table of its own tells in more detail: invoices, holds, the record of a case.
_UNTOLD = re.compile(
    "past|skipped|billing_invoice|invoice|credit_memo|service_hold|service_hold_lift|case_(opened|prioritised|violated|reversed"
    "|escalated|de_escalated|resolved|reopened|merged|closed|cancelled|rated)"
)
_LINES = _table("""
    purchase: order_accepted|purchase|return|sell_from_case
    message: note_mail
    asset: roll_back|take_up_holdings
    quote: quote.*|.*_quote
    onboarding: onboarding.*|complete_task
    survey: adoption_survey|answer_survey
    usage: (adoption|usage).*
    offer: expansion.*|answer_offer
    contract: renewal.*|answer_renewal
    lead: .*lead.*
    hold: service.*|.*hold.*|release.*
    case: case.*|price_protection
    asset: amend.*|.*(asset|fulfil).*
    relationship: .*
""")
"""What a line is about, by its own kind; the first that fits counts."""
_LINKS = ("case", "offer", "quote", "contract", "order", "asset")


@cache
def _kind_of_line(kind: str) -> Kind:
    return Kind(next(about for about, kinds in _LINES if re.fullmatch(kinds, kind)))


def line_told(
    account_id: str, key: str, at: datetime, kind: str, title: str, detail: Mapping[str, Any]
) -> Iterable[Told]:
    """A line of the journal."""
    if _UNTOLD.fullmatch(kind):
        return
    about = next((name for name in _LINKS if f"{name}_id" in detail), None)
    named = detail.get(f"{about}_id") if about else None
    by = detail.get("by")
    yield _told(
        key,
        account_id,
        at,
        _kind_of_line(kind),
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


_EVENTS = dict(
    _table("""
    customer_message: the customer wrote
    agent_message: we answered
    first_response: first answer
    resumed: taken up again
    merged: merged into another case
    absorbed: another case was merged into it
    assigned: has an owner
    de_escalated: no longer escalated
    prioritised: has another priority
    identified: known whose it is
    surveyed: the customer was asked how it went
    claimed: money was asked back
    refunded: money was given back
    claim_refused: money was not given back
    disputed: the customer disputes a refund
    mail_held: an automatic mail was left out
    waiting_customer: waiting for the customer
    waiting_internal: waiting for us
    waiting_third_party: waiting for a third party
    hold_overridden: sales may reach the customer for some hours
    renewal_released: the renewal may be talked about
    renewal_kept: the renewal waits
    lead_answered: sales answered the lead
    sold: something was sold
""")
)
"""What happened in a case, for whom it waits, and what others noted on it."""
_SEEN_BY_CUSTOMER = "created customer_message agent_message resolved closed reopened rated".split()  # noqa: SIM905
_ABOUT = {
    **dict.fromkeys(("customer_message", "agent_message"), Kind.MESSAGE),
    **dict.fromkeys(("surveyed", "rated"), Kind.SURVEY),
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
        case_key(case_id, f"{event.sequence}"),
        account_id,
        event.at,
        _ABOUT.get(event.kind, Kind.CASE),
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
    named = {Happened.WAITING: detail.get("status"), Happened.CUSTOM: detail.get("name", "noted")}.get(kind) or kind
    return _EVENTS.get(named) or (kind if kind is Happened.WAITING else named).replace("_", " ")


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
