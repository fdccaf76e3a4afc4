"""What a quote can be asked for: sales, and changes of assets by every operation that has a price."""

from __future__ import annotations

from decimal import Decimal
from typing import Annotated, Literal, Self

from pydantic import Field, StringConstraints, model_validator

from domain.assets.contract_dates import ContractTerms
from domain.assets.dates import Instant
from domain.assets.model import Attributes, SellingModel
from domain.assets.requests import SwapKind, Tail
from domain.kernel.base import Received
from domain.kernel.calendar import ZoneName
from domain.kernel.ids import AccountRef
from domain.kernel.money import CurrencyCode
from domain.orders.order import Code, Quantity, Text

LineId = Annotated[str, StringConstraints(pattern=r"^[A-Za-z0-9_-]{1,20}$")]
QuoteId = Annotated[str, StringConstraints(pattern=r"^[A-Za-z0-9_-]{1,32}$")]
Months = Annotated[int, Field(ge=1, le=240)]
MOST_LINES = 1000


class Choice(Received):
    """An option of a bundle that is taken, `quantity` units (for each of the parent's if it is proportional)."""

    option: Code
    quantity: Annotated[int, Field(strict=True, ge=0, le=10_000_000)] = 1
    attributes: Attributes = Field(default_factory=dict)
    choices: tuple[Choice, ...] = ()


class QuoteRequestLine(Received):
    """`line_id` is unique in the request; lines that follow from it get ids such as `1.2`."""

    line_id: LineId


class SaleLine(QuoteRequestLine):
    """Sell a product: for a term up to `end` (half-open) or of `months`, else for the product's own term."""

    kind: Literal["sale"] = "sale"
    product: Code
    quantity: Quantity
    start: Instant
    months: Months | None = None
    end: Instant | None = None
    selling_model: SellingModel | None = None
    attributes: Attributes = Field(default_factory=dict)
    choices: tuple[Choice, ...] = ()

    @model_validator(mode="after")
    def _one_length(self) -> Self:
        if self.months is not None and self.end is not None:
            raise ValueError("give months or an end, not both")
        return self


class AssetLine(QuoteRequestLine):
    """A change of an asset that the account owns."""

    asset_id: str


class QuantityLine(AssetLine):
    """`delta` units more at the price of the asset's pricing source, or fewer at the prices they were sold for."""

    kind: Literal["quantity"] = "quantity"
    effective: Instant
    delta: Annotated[int, Field(strict=True)]


class PriceLine(AssetLine):
    """All units from `effective` on at the last price less the discounts of this quote."""

    kind: Literal["price"] = "price"
    effective: Instant


class AttributesLine(AssetLine):
    """Other attributes from `effective` on, at another price where the price book makes a difference."""

    kind: Literal["attributes"] = "attributes"
    effective: Instant
    attributes: Attributes = Field(min_length=1)


class StartLine(AssetLine):
    """Move the start of an asset that has not begun."""

    kind: Literal["start"] = "start"
    new_start: Instant


class EndLine(AssetLine):
    """Move the end of a term."""

    kind: Literal["end"] = "end"
    effective: Instant
    new_end: Instant


class RenewLine(AssetLine):
    """Renew, by the asset's renewal pricing, for `months` or up to `end`; every price raised by `uplift_percent`."""

    kind: Literal["renew"] = "renew"
    start: Instant | None = None
    months: Months | None = None
    end: Instant | None = None
    uplift_percent: Decimal = Decimal(0)


class CancelLine(AssetLine):
    kind: Literal["cancel"] = "cancel"
    effective: Instant
    tail: Tail = Tail.NONE


class SwapLine(AssetLine):
    """Replace units (all, unless `quantity` is given) by another product at its list price less discounts."""

    kind: Literal["swap"] = "swap"
    to_product: Code
    effective: Instant
    quantity: Quantity | None = None
    swap: SwapKind = SwapKind.SWAP


AnyAssetLine = QuantityLine | PriceLine | AttributesLine | StartLine | EndLine | RenewLine | CancelLine | SwapLine
AnyLine = Annotated[SaleLine | AnyAssetLine, Field(discriminator="kind")]


class QuoteRequest(Received):
    """What is to be quoted for an account. Price book and currency, if stated, must be those of the price book used.

    `role` is that of whoever makes the quote, for the limits of discounts. A `contract` takes the sales in: with a
    common end they end with it, and renewals without a length take its. `time_zone` is the account's: a month there is a month.
    """

    quote_id: QuoteId
    version: Annotated[int, Field(ge=1)] = 1
    account_id: AccountRef
    lines: Annotated[tuple[AnyLine, ...], Field(min_length=1, max_length=MOST_LINES)]
    role: Text = "sales"
    price_book: Text | None = None
    currency: CurrencyCode | None = None
    contract: ContractTerms | None = None
    valid_days: Annotated[int, Field(ge=1, le=366)] = 30
    time_zone: ZoneName = "UTC"
