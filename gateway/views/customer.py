"""One customer, whole: who they are, what they own and bring, how they are, what service owes, and what comes."""

from __future__ import annotations

from datetime import date
from typing import Annotated

from pydantic import AwareDatetime

from activities.holds.hold_rows import load_service
from activities.kernel.pool import Connection
from activities.service.callers import load_view
from domain.frame.access import FieldGroup
from domain.frame.customer import StaffFacts
from domain.holds.guard import SalesGuard
from domain.holds.holds import Hold
from domain.kernel.calendar import MONTHS_IN_YEAR, local_day
from domain.kernel.refusals import UNKNOWN_ACCOUNT, Refusal
from domain.service.callers import ContactLine, CustomerView, MessageLine, NextLine, OpenCaseLine, SurveyLine
from gateway.views.contracts import NextRenewal, contracts_page, next_renewal
from gateway.views.health import Health, health_of
from gateway.views.pages import LONGEST
from gateway.views.shown import Exact, View
from gateway.views.whose import Whose


class Revenue(View):
    """Exact revenue in force, in one currency."""

    currency: str
    mrr: Exact
    arr: Exact


class Owned(View):
    """Something that the customer owns now. `mrr` is null for what was bought once."""

    asset_id: str
    product: str
    name: str
    quantity: int
    mrr: Annotated[Exact | None, FieldGroup.PRICES]
    currency: str
    contract_id: str | None
    until: AwareDatetime | None


class Customer(View):
    """A customer over sales and service, in their own time.

    `sales`: whether sales is held back (`none`, `warn`, `block`), with the `holds` that say why. `messages` are the latest between
    the customer and us, `next` is what comes with its why.
    """

    account_id: str
    company: str
    country: str
    time_zone: str
    language: str
    segment: str
    since: AwareDatetime
    tenure_days: int
    closed_at: AwareDatetime | None
    owner: StaffFacts
    success_manager: StaffFacts
    revenue: Annotated[list[Revenue], FieldGroup.PRICES]
    renews_on: date | None
    renewal: NextRenewal | None
    health: Annotated[Health | None, FieldGroup.HEALTH]
    sales: str
    holds: list[Hold]
    contacts: list[ContactLine]
    owns: list[Owned]
    cases: list[OpenCaseLine]
    last_contact: MessageLine | None
    messages: list[MessageLine]
    surveys: list[SurveyLine]
    next: list[NextLine]
    as_of: AwareDatetime


async def customer(connection: Connection, whose: Whose) -> Customer:
    """The customer as of their own time: a statement for each part."""
    view = await load_view(connection, whose.account_id, whose.now)
    if view is None:
        raise Refusal(UNKNOWN_ACCOUNT, f"account {whose.account_id!r} is not on record any more")
    service = await load_service(connection, whose.account_id, whose.now)
    holds = SalesGuard(service, whose.country, whose.time_zone, whose.now).holds
    health = await health_of(connection, whose.account_id, whose.now)
    contracts = await contracts_page(connection, whose, None, LONGEST)
    return _put_together(view.having(holds=holds), whose, health, next_renewal(contracts.items))


def _put_together(view: CustomerView, whose: Whose, health: Health | None, renewal: NextRenewal | None) -> Customer:
    zone = whose.time_zone
    return Customer(
        account_id=view.account_id,
        company=view.company,
        country=view.country,
        time_zone=view.time_zone,
        language=view.language,
        segment=view.segment,
        since=view.since,
        tenure_days=max((local_day(whose.now, zone) - local_day(view.since, zone)).days, 0),
        closed_at=view.closed_at,
        owner=view.owner,
        success_manager=view.success_manager,
        revenue=[Revenue(currency=currency, mrr=arr / MONTHS_IN_YEAR, arr=arr) for currency, arr in view.arr.items()],
        renews_on=view.renews_on,
        renewal=renewal,
        health=health,
        sales=view.hold_level,
        holds=list(view.holds),
        contacts=view.contacts,
        owns=[Owned.model_validate(line.model_dump()) for line in view.owns],
        cases=view.cases,
        last_contact=view.messages[0] if view.messages else None,
        messages=view.messages,
        surveys=view.surveys,
        next=view.next,
        as_of=whose.now,
    )
