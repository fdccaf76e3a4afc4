"""The quote: every line with the amount that the ledger will book, and how it comes about."""

from __future__ import annotations

from collections.abc import Iterable
from decimal import Decimal
from enum import StrEnum
from typing import Literal

from pydantic import Field

from domain.assets.bundles import Relationship
from domain.assets.contract_dates import ContractTerms
from domain.assets.dates import Instant
from domain.assets.model import Attributes, Category, SellingModel
from domain.assets.requests import (
    CancelAsset,
    ChangeEnd,
    ChangeFields,
    ChangePrice,
    ChangeQuantity,
    ChangeStart,
    Generate,
    Renew,
    Swap,
)
from domain.catalogue.pricebook import PriceUnit
from domain.kernel.base import Carried
from domain.kernel.money import CurrencyCode, rounding_of
from domain.orders.order import ProductKind
from domain.quotes.discounts import DiscountStep

ZERO = Decimal(0)
LineKind = Literal["sale", "quantity", "price", "attributes", "start", "end", "renew", "cancel", "swap"]
QuotedRequest = (
    Generate | ChangeQuantity | ChangePrice | ChangeFields | ChangeStart | ChangeEnd | CancelAsset | Renew | Swap
)


class PriceSource(StrEnum):
    """Where a unit price starts from, before discounts."""

    PRICE_BOOK = "price_book"
    LAST_TRANSACTION = "last_transaction"
    EACH_LOT = "each_lot"
    """every lot's own price, of which the figures are per cent"""
    INCLUDED = "included"
    """the bundle's price pays for it"""


class UnitPricing(Carried):
    """From a base price to the net one, `per` month, year, once or use.

    `ledger_price` is what the ledger keeps: by the month or once; None if every lot keeps its own.
    """

    source: PriceSource
    per: PriceUnit
    list_price: Decimal | None = None
    uplift_percent: Decimal = ZERO
    base_price: Decimal
    discounts: tuple[DiscountStep, ...] = ()
    net_price: Decimal
    ledger_price: Decimal | None
    tier_from: int | None = None


class LotPart(Carried):
    """Units of a lot that a line sells (or, with a negative quantity, credits) for an interval.

    `months` is the proration multiplier; None for what is paid once or has no end.
    """

    lot: int
    quantity: int
    unit_price: Decimal | None
    start: Instant
    end: Instant | None
    months: Decimal | None
    amount: Decimal | None


class QuoteLine(Carried):
    """One asset's change. `amount` is rounded to the currency; it is `exact_amount`, the parts and the adjustment summed.

    The adjustment is what cut months and rounding make; amounts are None for what has no end, and `monthly` counts.
    `discount` is what this quote's discounts take off; `line_id` extends that of the request where several assets change.
    """

    line_id: str
    parent_id: str | None = None
    kind: LineKind
    category: Category
    asset_id: str
    product: str
    name: str
    product_kind: ProductKind | None = None
    selling_model: SellingModel
    attributes: Attributes = Field(default_factory=dict)
    effective: Instant
    end: Instant | None
    quantity: int
    pricing: UnitPricing | None
    parts: tuple[LotPart, ...]
    adjustment: Decimal | None
    exact_amount: Decimal | None
    amount: Decimal | None
    monthly: Decimal | None
    discount: Decimal | None


class QuoteTotals(Carried):
    """Sums of the rounded lines in one currency; `open_lines` have no amount because they have no end or no price.

    The discount leaves out what open lines would make of it without an end.
    """

    currency: CurrencyCode
    amount: Decimal
    charges: Decimal
    credits: Decimal
    monthly: Decimal
    discount: Decimal
    open_lines: int


class LedgerStep(Carried):
    """A request to the ledger, and the bundle below its asset."""

    line_id: str
    request: QuotedRequest
    edges: tuple[Relationship, ...] = ()


class Quote(Carried):
    """What is offered as of an instant, until `valid_until` (exclusive). `steps` are what acceptance will do to the ledger.

    `proration` is how the ledger counts months; `relationships` are the edges of the bundles that are sold.
    """

    quote_id: str
    version: int
    account_id: str
    role: str
    price_book: str
    currency: CurrencyCode
    as_of: Instant
    valid_until: Instant
    proration: str
    contract: ContractTerms | None
    lines: tuple[QuoteLine, ...]
    totals: QuoteTotals
    steps: tuple[LedgerStep, ...]
    relationships: tuple[Relationship, ...]


def total_of(lines: Iterable[QuoteLine], currency: str) -> QuoteTotals:
    """The sums of quoted lines, with the currency's decimals."""
    amount = charges = credit = monthly = discount = rounding_of(currency).apply(ZERO)
    open_lines = 0
    for line in lines:
        if line.amount is None:
            open_lines += 1
        else:
            amount += line.amount
            charges += max(line.amount, ZERO)
            credit += min(line.amount, ZERO)
        monthly += line.monthly or ZERO
        discount += line.discount or ZERO
    return QuoteTotals(
        currency=currency,
        amount=amount,
        charges=charges,
        credits=credit,
        monthly=monthly,
        discount=discount,
        open_lines=open_lines,
    )
