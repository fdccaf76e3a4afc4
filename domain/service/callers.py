"""Who calls or writes, and all that an agent should have before them by the first question."""

from __future__ import annotations

from datetime import date
from decimal import Decimal
from enum import StrEnum
from typing import Any

from pydantic import AwareDatetime

from domain.frame.case_words import CaseState
from domain.frame.customer import StaffFacts
from domain.holds.holds import Hold
from domain.kernel.base import Carried


class MatchedBy(StrEnum):
    """By what a caller was found, the surest first."""

    ACCOUNT = "account"
    EMAIL = "email"
    PHONE = "phone"
    DOMAIN = "domain"
    NAME = "name"


class Caller(Carried):
    """An account, or one of its contacts, that a number, an address or a name may belong to."""

    account_id: str
    company: str
    contact_id: str | None = None
    contact_name: str | None = None
    by: MatchedBy


class ContactLine(Carried):
    """A person at the customer."""

    contact_id: str
    name: str
    email: str
    phone: str | None = None
    role: str
    language: str
    rejected: bool
    unsubscribed: bool


class OwnedLine(Carried):
    """Something that the customer owns now. `mrr` is null for what was bought once."""

    asset_id: str
    product: str
    name: str
    quantity: int
    mrr: Decimal | None = None
    currency: str
    contract_id: str | None = None
    until: AwareDatetime | None = None


class OpenCaseLine(Carried):
    """An open case, with its next promise."""

    case_id: str
    subject: str
    status: CaseState
    priority: str
    escalated: bool
    owner: str | None = None
    product: str | None = None
    opened_at: AwareDatetime
    last_activity_at: AwareDatetime
    promise: str | None = None
    due_at: AwareDatetime | None = None


class MessageLine(Carried):
    """A message between the customer and us. `what` is its subject, or the name of an automatic mail."""

    at: AwareDatetime
    direction: str
    what: str
    text: str = ""
    case_id: str | None = None


class SurveyLine(Carried):
    """A survey with its answer. `scale` is the best score: 5 after a case, 7 of how easy it was to begin, 10 otherwise."""

    at: AwareDatetime
    scale: int
    score: int | None = None
    comment: str | None = None
    case_id: str | None = None


class HealthLine(Carried):
    """The latest health score, and the one before."""

    score: int | None = None
    band: str
    at: AwareDatetime
    before: int | None = None


class NextLine(Carried):
    """Something that comes, and why."""

    at: AwareDatetime
    what: str
    why: str


class CustomerView(Carried):
    """A customer over sales and service, as of one instant."""

    account_id: str
    company: str
    country: str
    time_zone: str
    language: str
    segment: str
    since: AwareDatetime
    closed_at: AwareDatetime | None = None
    owner: StaffFacts
    success_manager: StaffFacts
    arr: dict[str, Decimal] = {}
    """annual recurring revenue in force, by currency"""
    renews_on: date | None = None
    """the first day after the term that ends next"""
    health: HealthLine | None = None
    contacts: list[ContactLine] = []
    owns: list[OwnedLine] = []
    cases: list[OpenCaseLine] = []
    messages: list[MessageLine] = []
    surveys: list[SurveyLine] = []
    next: list[NextLine] = []
    holds: tuple[Hold, ...] = ()
    as_of: AwareDatetime

    @property
    def hold_level(self) -> str:
        """Whether sales is held back: block, warn or none."""
        return self.holds[0].level.value if self.holds else "none"


class CallAnswer(Carried):
    """What a look-up finds: the customer if there is one only, else those that it may be."""

    asked: str
    callers: list[Caller] = []
    customer: CustomerView | None = None

    @property
    def accounts(self) -> list[str]:
        """The accounts found, the surest first."""
        return list(dict.fromkeys(caller.account_id for caller in self.callers))


def surest(callers: list[Caller]) -> list[Caller]:
    """The callers that were found by the surest sign that any was found by, each account and contact once."""
    if not callers:
        return []
    order = list(MatchedBy)
    best = min(order.index(caller.by) for caller in callers)
    chosen: dict[tuple[str, str | None], Caller] = {}
    for caller in callers:
        if order.index(caller.by) == best:
            chosen.setdefault((caller.account_id, caller.contact_id), caller)
    return list(chosen.values())


def summary_of(view: CustomerView) -> dict[str, Any]:
    """The head of a view in a few words, as it is read aloud in one's mind."""
    ranks = ("urgent", "high", "medium", "low")
    counted = [(rank, sum(case.priority == rank for case in view.cases)) for rank in ranks]
    return {
        "segment": view.segment,
        "owner": view.owner.name,
        "success manager": view.success_manager.name,
        "recurring a year": ", ".join(f"{amount:,} {currency}" for currency, amount in view.arr.items()) or "none",
        "renews on": str(view.renews_on) if view.renews_on else "nothing to renew",
        "health": _health(view.health),
        "open cases": ", ".join(f"{count} {rank}" for rank, count in counted if count) or "none",
        "sales": {"none": "may call", "warn": "asks before calling", "block": "is held back"}[view.hold_level],
    }


def _health(health: HealthLine | None) -> str:
    if health is None or health.score is None:
        return "unknown"
    if health.before is None or health.before == health.score:
        return f"{health.score} ({health.band})"
    return f"{health.score} ({health.band}), {'up' if health.score > health.before else 'down'} from {health.before}"
