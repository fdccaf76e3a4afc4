"""What decisions have invoiced or credited."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date, datetime
from decimal import Decimal

from domain.billing.billing import Credit
from domain.kernel.base import Write


@dataclass(frozen=True)
class BillDue(Write):
    """What has fallen due of a contract's assets, or of one asset without a contract, is invoiced."""

    contract_id: str | None = None
    asset_id: str | None = None


@dataclass(frozen=True)
class BillPurchase(Write):
    """Goods or work of an order, no asset: `quantity` units at `unit_price` are invoiced."""

    order_id: str
    line_id: str
    description: str
    quantity: int
    unit_price: Decimal
    currency: str


@dataclass(frozen=True)
class BookCredit(Write):
    """A credit memo, each line capped by what is left of the charge that it names."""

    credit: Credit


@dataclass(frozen=True)
class KeepPayment(Write):
    """Money that came in, or went back (`amount` is never negative, `parts` are by invoice, and negative if it went back)."""

    payment_id: str
    kind: str
    amount: Decimal
    currency: str
    day: date
    at: datetime
    by: str
    of: str | None
    parts: Mapping[str, Decimal]


@dataclass(frozen=True)
class SettleInvoice(Write):
    """Nothing is owed on an invoice any more, since a day."""

    invoice_id: str
    day: date
    at: datetime
    by: str


@dataclass(frozen=True)
class OweInvoice(Write):
    """Something is owed on an invoice again; whether that is overdue, the ledger says."""

    invoice_id: str


@dataclass(frozen=True)
class RecordPayment(Write):
    """What the ledger told of an invoice: overdue since a day, or paid on one."""

    invoice_id: str
    status: str
    day: date
    at: datetime
    by: str


@dataclass(frozen=True)
class KeepReminder(Write):
    """The customer was reminded of overdue invoices, or somebody was asked to talk with them: which step of the ladder that was."""

    rung: int
    said: str
    day: date
    at: datetime
    invoices: tuple[str, ...]


BILLED = (BillDue, BillPurchase, BookCredit)
"""What is no row of its own, but invoiced or credited once everything else is written."""
