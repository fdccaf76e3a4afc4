"""Invoices and credit memos of a customer, with their lines and what is known of their payment. All of it is prices."""

from __future__ import annotations

from datetime import date
from decimal import Decimal
from enum import StrEnum

from pydantic import AwareDatetime, Field

from activities.billing.bill_pages import bills_of
from activities.kernel.pool import Connection
from domain.journey.customer_timeline import Cursor
from gateway.views.pages import Page, page_of
from gateway.views.shown import Exact, View
from gateway.views.whose import Whose


class BillKind(StrEnum):
    INVOICE = "invoice"
    CREDIT_MEMO = "credit_memo"


class BillLine(View):
    """A line. `covers_until` is the first day after what it covers; `invoice_id`: of a credit, the invoice that it gives back of."""

    number: int
    description: str
    quantity: int | None
    unit_price: Exact | None
    amount: Decimal
    due: date
    asset_id: str | None
    order_id: str | None
    line_id: str | None
    covers_from: date | None
    covers_until: date | None
    invoice_id: str | None


class TaxShare(View):
    """The tax of a rate, in percent."""

    rate: Decimal
    net: Decimal
    tax: Decimal


class Payment(View):
    """What the ledger says of an invoice: `paid` or `overdue`, since a day."""

    status: str
    day: date
    by: str


class Bill(View):
    """An invoice or a credit memo. `payment` is null while nobody has said anything; `owed`, of an invoice: what is still to be paid."""

    id: str
    kind: BillKind
    number: int
    issued_at: AwareDatetime = Field(validation_alias="at")
    issued_on: date
    currency: str
    net: Decimal | None
    tax: Decimal
    total: Decimal
    reason: str
    payment: Payment | None
    owed: Decimal | None
    taxes: list[TaxShare]
    lines: list[BillLine]


async def bills_page(
    connection: Connection, whose: Whose, place: Cursor | None, limit: int, bill_id: str | None = None
) -> Page[Bill]:
    """Invoices and credit memos, the latest first; or the one of an id."""
    return await page_of(Bill, bills_of, connection, place, limit, whose.account_id, bill_id)
