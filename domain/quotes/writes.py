"""What quotes write: their versions and states, contracts on paper, and the orders that accepted ones make."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal
from enum import StrEnum
from typing import Any

from domain.kernel.base import Write
from domain.orders.order import PricePer
from domain.quotes.versions import QuoteFile


@dataclass(frozen=True)
class SaveQuote(Write):
    """A quote as it stands now, after how it stood before (null: it is new). `due_at`: when its approval is given up.

    `decided_role`: of whoever approved or rejected; `timed_out`: nobody did.
    """

    before: QuoteFile | None
    after: QuoteFile
    requested_by: str
    terms: dict[str, Any]
    due_at: datetime | None = None
    decided_role: str | None = None
    timed_out: bool = False
    order_id: str | None = None


class PaperStatus(StrEnum):
    """Where a contract on paper stands."""

    DRAFTED = "drafted"
    SIGNED = "signed"
    ACTIVE = "active"
    EXPIRED = "expired"
    WITHDRAWN = "withdrawn"


@dataclass(frozen=True)
class NoteContract(Write):
    """Where a contract on paper stands from `at` on."""

    contract_id: str
    status: PaperStatus
    at: datetime
    quote_id: str | None = None
    quote_version: int | None = None


@dataclass(frozen=True)
class SoldLine:
    """A line of an order that an accepted quote makes; `asset_id` is the asset that it became, if it did."""

    line_id: str
    product: str
    product_name: str
    kind: str
    contract_id: str | None
    quantity: int
    unit_price: Decimal
    per: PricePer
    asset_id: str | None = None


@dataclass(frozen=True)
class RecordSale(Write):
    """The order that an accepted quote makes, with its lines; what it sells follows."""

    order_id: str
    digest: str
    currency: str
    goods: bool
    lines: list[SoldLine]
    at: datetime


@dataclass(frozen=True)
class LinkAssets(Write):
    """Assets are of the lines of an order."""

    order_id: str
    lines: list[SoldLine]
