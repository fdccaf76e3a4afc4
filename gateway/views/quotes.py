"""The quotes of a customer: where each stands, its versions with their lines, what led there."""

from __future__ import annotations

from decimal import Decimal
from typing import Annotated

from pydantic import AwareDatetime

from activities.kernel.pool import Connection
from activities.quotes.quote_pages import quotes_of
from domain.frame.access import FieldGroup
from domain.journey.customer_timeline import Cursor
from domain.quotes.quote import QuoteTotals, UnitPricing
from gateway.views.pages import Page, page_of
from gateway.views.shown import Exact, View
from gateway.views.whose import Whose


class OfferedLine(View):
    """A line of a quote."""

    line_id: str
    kind: str
    category: str
    product: str
    name: str
    asset_id: str
    quantity: int
    effective: AwareDatetime
    end: AwareDatetime | None
    amount: Annotated[Decimal | None, FieldGroup.PRICES]
    monthly: Annotated[Exact | None, FieldGroup.PRICES]
    discount: Annotated[Decimal | None, FieldGroup.PRICES]
    pricing: Annotated[UnitPricing | None, FieldGroup.PRICES]


class QuoteVersion(View):
    """A version of a quote, as it was made."""

    version: int
    as_of: AwareDatetime
    valid_until: AwareDatetime
    currency: str
    amount: Annotated[Decimal, FieldGroup.PRICES]
    totals: Annotated[QuoteTotals, FieldGroup.PRICES]
    lines: list[OfferedLine]


class QuoteEvent(View):
    """A quote changed its state."""

    at: AwareDatetime
    version: int
    state: str
    by: str
    reason: Annotated[str | None, FieldGroup.NOTES]


class AskedApproval(View):
    """An approval that was asked for, with what was decided."""

    version: int
    role: str
    percent: Annotated[Decimal, FieldGroup.PRICES]
    discount: Annotated[Decimal, FieldGroup.PRICES]
    asked_at: AwareDatetime
    due_at: AwareDatetime
    decision: str | None
    decided_at: AwareDatetime | None
    decided_by: str | None
    reason: Annotated[str, FieldGroup.NOTES]


class QuoteOnRecord(View):
    """A quote with its versions, the latest last."""

    quote_id: str
    state: str
    version: int
    currency: str
    amount: Annotated[Decimal, FieldGroup.PRICES]
    valid_until: AwareDatetime
    requested_by: str
    order_id: str | None
    versions: list[QuoteVersion]
    events: list[QuoteEvent]
    approvals: list[AskedApproval]


async def quotes_page(
    connection: Connection, whose: Whose, place: Cursor | None, limit: int, quote_id: str | None = None
) -> Page[QuoteOnRecord]:
    """Quotes, the latest first; or the one of an id."""
    return await page_of(QuoteOnRecord, quotes_of, connection, place, limit, whose.account_id, quote_id)
