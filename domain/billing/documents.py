"""Invoices and credit memos as documents: their lines, what these are made of, and their sums as other systems are told."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date
from decimal import Decimal
from typing import Any

from domain.billing.line_parts import LinePart, Stated, Why, last_day, plainly
from domain.kernel.money import money
from domain.kernel.tax import Rates, Taxed

ZERO = Decimal(0)


@dataclass(frozen=True)
class DocumentLine:
    """A line of an invoice or a credit memo: of an asset's schedule (`lot`, `period`) or of an order line.

    `amount` is never negative and before tax; the tax of all lines is the document's. `unit_price` is null where no price of a
    unit times `quantity` is the amount: `parts` and `why` say what it is then. `until` is the first day after the time from
    `start` on; both are null for what was written before they were kept. `stands` see `BillLine`.
    """

    kind: str
    description: str
    due: date
    amount: Decimal
    scheduled: Decimal = ZERO
    asset_id: str | None = None
    order_id: str | None = None
    line_id: str | None = None
    lot: int | None = None
    period: date | None = None
    quantity: int | None = None
    key: str | None = None
    unit_price: Decimal | None = None
    start: date | None = None
    until: date | None = None
    parts: tuple[LinePart, ...] = ()
    why: Why | None = None
    stands: str | None = None
    rates: Rates = ()
    usage: dict[str, Any] | None = None
    """of a month's use: what was used, what of it is included, and what is beyond"""

    def told(self) -> dict[str, Any]:
        """As JSON: `period` says its first and last day, `quantity` and `unit_price` what was multiplied, else `parts` and `why`."""
        start, until = self.start or self.period or self.due, self.until
        return {
            "kind": self.kind,
            "description": self.description,
            "due": self.due.isoformat(),
            "amount": f"{self.amount:f}",
            "asset_id": self.asset_id,
            "order_id": self.order_id,
            "line_id": self.line_id,
            "quantity": self.quantity,
            "unit_price": None if self.unit_price is None else plainly(self.unit_price),
            "period": {"start": start.isoformat(), "end": last_day(start, until).isoformat() if until else None},
            "tax_rates": [plainly(rate) for rate in self.rates],
            "parts": [part.told() for part in self.parts],
            "why": self.why,
            **({} if self.usage is None else {"usage": self.usage}),
        }


def covered(said: Stated, period: Sequence[LinePart]) -> dict[str, Any]:
    """What a line is made of, as fields of a `DocumentLine`; one without parts of its own is for the `period` as it stands."""
    parts = said.parts or period
    return {
        "quantity": said.units,
        "unit_price": said.unit_price,
        "start": min((part.start for part in parts), default=None),
        "until": max((part.until for part in parts), default=None),
        "parts": said.parts,
        "why": said.why,
    }


@dataclass(frozen=True)
class Document:
    """An invoice or a credit memo as it was written: `net` and the tax by rate add up to `total`."""

    id: str
    currency: str
    net: Decimal
    taxes: tuple[Taxed, ...]
    total: Decimal
    lines: tuple[DocumentLine, ...]

    @property
    def tax(self) -> Decimal:
        """All of its tax."""
        return self.total - self.net

    def told(self) -> dict[str, Any]:
        """Its sums and lines as JSON values, amounts as strings; lines are before tax."""
        return {
            **sums_told(self.net, self.taxes, self.total, self.currency),
            "lines": [line.told() for line in self.lines],
        }


def sums_told(net: Decimal, taxes: Sequence[Taxed], total: Decimal, currency: str) -> dict[str, Any]:
    """Net, tax by rate and gross (`total`) of a document as JSON values, amounts as strings."""
    return {
        "net": money(net, currency).told(),
        "taxes": [{"rate": f"{one.rate:f}", "net": f"{one.net:f}", "tax": f"{one.tax:f}"} for one in taxes],
        "total": money(total, currency).told(),
    }
