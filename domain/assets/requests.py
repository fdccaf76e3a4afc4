"""What can be asked of the ledger. A request is received as it stands: unknown fields and bad values are refused."""

from __future__ import annotations

from decimal import Decimal
from enum import StrEnum
from typing import Self

from pydantic import Field, model_validator

from domain.assets.dates import Instant
from domain.assets.model import Asset, Attributes, ComingTerm
from domain.kernel.base import Received
from domain.kernel.ids import AccountRef, ContractRef, OrderRef
from domain.kernel.money import CurrencyCode


class Tail(StrEnum):
    """What stays of the term after a cancellation."""

    NONE = "none"
    """periods end at the effective instant"""
    ZERO_QUANTITY = "zero_quantity"
    """one period of quantity zero up to the old end"""


class SwapKind(StrEnum):
    SWAP = "swap"
    UPGRADE = "upgrade"
    DOWNGRADE = "downgrade"


class Line(Received):
    """A lot that is sold: `quantity` units from `start` up to `end` (half-open; None for evergreen)."""

    start: Instant
    end: Instant | None
    quantity: int = Field(ge=0)
    unit_price: Decimal | None = None
    list_price: Decimal | None = None
    reference: str | None = None


class LedgerRequest(Received):
    """`request_id` makes an operation happen once; `expected_version` refuses it if somebody else was faster.

    `recorded_at` is the instant of the request; without it nothing is checked against the present.
    """

    request_id: str
    recorded_at: Instant | None = None


class Generate(LedgerRequest):
    """Make an asset from the lines of an order. Lines may follow one another (a ramp) or overlap (quantities add).

    `terms` are those that its contract has sold and that have not begun.
    """

    asset: Asset
    lines: tuple[Line, ...] = Field(min_length=1)
    order_id: OrderRef | None = None
    attributes: Attributes = Field(default_factory=dict)
    terms: tuple[ComingTerm, ...] = ()


class Amendment(LedgerRequest):
    """A change of one asset. Price book and currency, if stated, must be those of the initial sale."""

    asset_id: str
    expected_version: int | None = None
    price_book: str | None = None
    currency: CurrencyCode | None = None
    order_id: OrderRef | None = None


class ChangeQuantity(Amendment):
    """More units as a new lot, or fewer, taken from the lots in the ledger's order."""

    effective: Instant
    delta: int | None
    unit_price: Decimal | None = None
    list_price: Decimal | None = None
    reference: str | None = None


class ChangePrice(Amendment):
    """All quantity from `effective` on at a new price."""

    effective: Instant
    unit_price: Decimal


class ChangeFields(Amendment):
    """New attributes from `effective` on, also in periods that were scheduled; with a price if they change it."""

    effective: Instant
    attributes: Attributes = Field(min_length=1)
    unit_price: Decimal | None = None


class ChangeStart(Amendment):
    """Move the start of an asset that has not begun."""

    new_start: Instant


class ChangeEnd(Amendment):
    """Move the end of the term; the quantity at its end holds to the new end. `converts`: what had no end gets a term by it."""

    effective: Instant
    new_end: Instant
    converts: bool = False


class CancelAsset(Amendment):
    effective: Instant
    tail: Tail = Tail.NONE


class Renew(Amendment):
    """Renew for `months`, or up to `end`; from the current end if no start is given.

    Without months the asset's own renewal term counts, then `contract_months`. `unit_price` (from the price list, say)
    overrides the asset's renewal pricing; `uplift_percent` raises every price, as one for `priced_months`;
    `segment_months` cuts the new term; `months_from` is an instant on whose day the contract's months begin. `quantity` are
    the units of the new term, if it has others: fewer are taken from the newest lots, more cost what the newest lot does.
    """

    start: Instant | None = None
    months: int | None = Field(default=None, ge=1)
    end: Instant | None = None
    contract_months: int | None = Field(default=None, ge=1)
    segment_months: int | None = Field(default=None, ge=1)
    unit_price: Decimal | None = None
    uplift_percent: Decimal = Decimal(0)
    priced_months: int = Field(default=1, ge=1)
    months_from: Instant | None = None
    quantity: int | None = Field(default=None, ge=1)

    @model_validator(mode="after")
    def _one_length(self) -> Self:
        if self.months is not None and self.end is not None:
            raise ValueError("give months or an end, not both")
        return self


class Transfer(Amendment):
    """Hand units to another account, as a new asset with a copy of the timeline; by default as many as possible.

    `paid_until`: up to where the units are paid for that are handed over.
    """

    to_asset_id: str
    to_account_id: AccountRef
    to_contract_id: ContractRef | None = None
    effective: Instant
    quantity: int | None = Field(default=None, ge=1)
    paid_until: Instant | None = None


class Swap(Amendment):
    """Replace units by another product, `to_asset`, which takes over the timeline; without a quantity all of them."""

    to_asset: Asset
    effective: Instant
    unit_price: Decimal | None
    list_price: Decimal | None = None
    quantity: int | None = Field(default=None, ge=1)
    kind: SwapKind = SwapKind.SWAP


class Rollback(Amendment):
    """Undo the last transaction of the asset, with all its assets."""
