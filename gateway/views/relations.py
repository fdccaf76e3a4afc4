"""What there is between the customer and us beside contracts: contacts, surveys, what holds sales back."""

from __future__ import annotations

from pydantic import AwareDatetime

from activities.holds.hold_pages import holds_of
from activities.holds.hold_rows import active_holds
from activities.journey.account_pages import contacts_of
from activities.kernel.pool import Connection
from activities.success.survey_pages import surveys_of
from domain.holds.holds import Hold
from domain.journey.customer_timeline import Cursor
from gateway.views.pages import Page, page_of
from gateway.views.shown import View
from gateway.views.whose import Whose


class ContactOnRecord(View):
    """A person at the customer. `rejected`: a mail server refused the address for good; `unsubscribed`: no optional mails."""

    contact_id: str
    name: str
    email: str
    phone: str | None
    role: str
    language: str
    time_zone: str
    rejected: bool
    rejected_reason: str | None
    unsubscribed: bool


class Survey(View):
    """A survey with its answer, if one came."""

    survey_id: str
    kind: str
    case_id: str | None
    sent_at: AwareDatetime
    sent_to: str | None
    score: int | None
    comment: str | None
    answered_at: AwareDatetime | None
    withdrawn_at: AwareDatetime | None


class HoldOnRecord(View):
    """A hold as it went on record; null for `lifted_at` while it stands."""

    hold_id: str
    scope: str
    product: str | None
    level: str
    reason: str
    source: str
    case_id: str | None
    says: str
    since: AwareDatetime
    review_at: AwareDatetime | None
    placed_by: str | None
    lifted_at: AwareDatetime | None
    lifted_by: str | None


class HoldsPage(Page[HoldOnRecord]):
    """What holds sales back now (`none`, `warn`, `block`, with the reasons), and a page of what was on record."""

    level: str
    active: list[Hold]


async def contacts_page(
    connection: Connection, whose: Whose, place: Cursor | None, limit: int
) -> Page[ContactOnRecord]:
    """The people at the customer, in their order."""
    return await page_of(ContactOnRecord, contacts_of, connection, place, limit, whose.account_id)


async def surveys_page(connection: Connection, whose: Whose, place: Cursor | None, limit: int) -> Page[Survey]:
    """Surveys, the latest first."""
    return await page_of(Survey, surveys_of, connection, place, limit, whose.account_id)


async def holds_page(connection: Connection, whose: Whose, place: Cursor | None, limit: int) -> HoldsPage:
    """What holds sales back, and what did, the latest first."""
    page = await page_of(HoldOnRecord, holds_of, connection, place, limit, whose.account_id)
    active = await active_holds(connection, whose.account_id, whose.now)
    return HoldsPage(
        items=page.items, next=page.next, level=active[0].level.value if active else "none", active=list(active)
    )
