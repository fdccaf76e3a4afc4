"""The contracts of a customer: their terms, what they bring, and what becomes of the next renewal."""

from __future__ import annotations

from datetime import date, timedelta
from decimal import Decimal
from typing import Annotated, Any

from pydantic import AwareDatetime

from activities.contracts.contract_pages import contracts_of
from activities.kernel.pool import Connection
from domain.contracts.renewal_quote import last_to_answer
from domain.frame.access import FieldGroup
from domain.frame.customer import ContractStatus
from domain.journey.customer_timeline import Cursor
from domain.kernel.calendar import MONTHS_IN_YEAR
from gateway.views.pages import Page, page_of
from gateway.views.shown import Exact, View
from gateway.views.whose import Whose


class TermOnRecord(View):
    """A term; `last_day` is null for one that goes on until notice. `origin`: sold, accepted by the customer, or automatic."""

    number: int
    start_on: date
    last_day: date | None
    origin: str
    recorded_at: AwareDatetime


class RenewalOffer(View):
    """A quote for a term."""

    quote_id: str
    term: int
    total: Annotated[Decimal, FieldGroup.PRICES]
    valid_until: date
    quoted_at: AwareDatetime


class AskedVersion(View):
    """What was asked for a term instead of the same once more, and what was decided."""

    term: int
    version: int
    state: str
    months: int | None
    quantities: dict[str, Any]
    discount_percent: Annotated[Decimal, FieldGroup.PRICES]
    uplift_percent: Annotated[Decimal | None, FieldGroup.PRICES]
    asked_by: str
    asked_at: AwareDatetime
    reason: Annotated[str, FieldGroup.NOTES]
    decided_by: str | None
    decided_at: AwareDatetime | None
    decided_reason: Annotated[str | None, FieldGroup.NOTES]


class NotRenewed(View):
    """Why a contract was not renewed."""

    reason: str
    said: str
    at: AwareDatetime


class ContractOnRecord(View):
    """A contract with its terms, the latest last. `answer_by`: the last day on which the customer can say what becomes of it."""

    contract_id: str
    order_id: str | None
    currency: str
    status: ContractStatus
    status_reason: str
    status_at: AwareDatetime
    auto_renew: bool
    renewal_months: int
    notice_days: int
    uplift_percent: Annotated[Decimal, FieldGroup.PRICES]
    billing: str
    evergreen: str | None
    mrr: Annotated[Exact | None, FieldGroup.PRICES]
    terms: list[TermOnRecord]
    answer_by: date | None = None
    quotes: list[RenewalOffer]
    versions: list[AskedVersion]
    churn: Annotated[NotRenewed | None, FieldGroup.HEALTH]


class NextRenewal(View):
    """The renewal that comes next, with what was quoted for it and what was asked instead."""

    contract_id: str
    status: ContractStatus
    last_day: date
    answer_by: date
    by_itself: bool
    arr: Annotated[Exact | None, FieldGroup.PRICES]
    currency: str
    quote: RenewalOffer | None
    asked: AskedVersion | None


async def contracts_page(
    connection: Connection, whose: Whose, place: Cursor | None, limit: int, contract_id: str | None = None
) -> Page[ContractOnRecord]:
    """The contracts of a customer, the latest first; or the one of an id."""
    about = (whose.account_id, whose.now, contract_id)
    found = await page_of(ContractOnRecord, contracts_of, connection, place, limit, *about)
    return found.model_copy(update={"items": [_answered(one) for one in found.items]})


def _answered(contract: ContractOnRecord) -> ContractOnRecord:
    term = contract.terms[-1]
    if term.last_day is None or contract.status not in (ContractStatus.ACTIVE, ContractStatus.GRACE):
        return contract
    until = term.last_day + timedelta(days=1)
    by = last_to_answer(term.start_on, until, contract.notice_days, by_itself=contract.auto_renew)
    return contract.model_copy(update={"answer_by": by})


def next_renewal(contracts: list[ContractOnRecord]) -> NextRenewal | None:
    """What of these has to be answered first."""
    found = [(one.terms[-1].last_day, one) for one in contracts if one.answer_by is not None]
    first = min(((day, one.contract_id, one) for day, one in found if day is not None), default=None)
    if first is None:
        return None
    last_day, _, contract = first
    term = contract.terms[-1].number + 1
    return NextRenewal(
        contract_id=contract.contract_id,
        status=contract.status,
        last_day=last_day,
        answer_by=contract.answer_by or last_day,
        by_itself=contract.auto_renew,
        arr=None if contract.mrr is None else contract.mrr * MONTHS_IN_YEAR,
        currency=contract.currency,
        quote=next((one for one in reversed(contract.quotes) if one.term == term), None),
        asked=next((one for one in reversed(contract.versions) if one.term == term), None),
    )
