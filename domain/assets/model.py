"""What the ledger is made of: assets, append-only actions with their priced lots, and the periods that follow.

Intervals are half-open; instants are aware and kept in UTC; unit prices are for one unit and month, in the asset's
currency.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime
from decimal import Decimal
from enum import StrEnum
from fractions import Fraction
from typing import Annotated

from pydantic import AfterValidator, Field

from domain.assets.dates import Instant
from domain.assets.use_terms import UseTerms
from domain.kernel.base import Carried
from domain.kernel.calendar import local_day
from domain.kernel.money import CurrencyCode
from domain.kernel.zones import usable_zone

Attributes = dict[str, str]


class SellingModel(StrEnum):
    ONE_TIME = "one_time"
    TERMED = "termed"
    EVERGREEN = "evergreen"
    USAGE = "usage"

    @property
    def words(self) -> str:
        """How it is sold, in a sentence: "sold for a term"."""
        return {
            SellingModel.ONE_TIME: "once",
            SellingModel.TERMED: "for a term",
            SellingModel.EVERGREEN: "without an end",
            SellingModel.USAGE: "by use",
        }[self]


class PricingSource(StrEnum):
    """Where an upsell takes its price when the request names none."""

    LAST_TRANSACTION = "last_transaction"
    LIST_PRICE = "list_price"


class RenewalPricing(StrEnum):
    """What a renewal charges when the request names no price."""

    LOT_BY_LOT = "lot_by_lot"
    LAST_TRANSACTION = "last_transaction"
    LIST_PRICE = "list_price"


class Category(StrEnum):
    """What an action means commercially."""

    INITIAL_SALE = "Initial Sale"
    UPSELLS = "Upsells"
    DOWNSELLS = "Downsells"
    CROSS_SELLS = "Cross-Sells"
    RENEWALS = "Renewals"
    CANCELLATIONS = "Cancellations"
    TRANSFERS = "Transfers"
    SWAPS = "Swaps"
    UPGRADES = "Upgrades"
    DOWNGRADES = "Downgrades"
    TERMS_CHANGES = "Terms And Conditions Changes"
    OTHER = "Other"


class ActionType(StrEnum):
    GENERATE = "Generate"
    CHANGE = "Change"
    CANCEL = "Cancel"
    CONVERT = "Convert"


class Subtype(StrEnum):
    FIELD_AMENDMENT = "FieldAmendment"
    ROLLBACK = "Rollback"
    START_DATE_ADJUSTMENT = "StartDateAdjustment"
    SWAP_IN = "SwapIn"
    SWAP_OUT = "SwapOut"
    UPGRADE_FROM = "UpgradeFrom"
    UPGRADE_TO = "UpgradeTo"
    DOWNGRADE_FROM = "DowngradeFrom"
    DOWNGRADE_TO = "DowngradeTo"
    TRANSFER_FROM = "TransferFrom"
    TRANSFER_TO = "TransferTo"


class Asset(Carried):
    """What a customer owns. These facts are given at the sale; what changes over time lies in the periods.

    `time_zone` is the zone by whose calendar its days and months count. `months_from` is an instant on whose day of the month
    its months begin, if not on that of its own start: its months are those of the contract that it runs under. `carried` is the
    sum, without its whole units of money, from which its costs are summed up and rounded, where it took over what another gave;
    `carried_first` is that of its first billing period alone, which the other had paid for. `invoiced_from`: what fell due
    before this day was charged elsewhere, where it came from another system; if the day lies ahead, that is so until it is
    first looked at. `use_terms`: how its use is charged, which it is up to `use_charged_until`.
    """

    asset_id: str
    account_id: str
    product: str
    currency: CurrencyCode
    name: str = ""
    price_book: str = "standard"
    selling_model: SellingModel = SellingModel.TERMED
    pricing_source: PricingSource = PricingSource.LAST_TRANSACTION
    renewal_pricing: RenewalPricing = RenewalPricing.LOT_BY_LOT
    renewal_months: int | None = Field(default=None, ge=1)
    contract_id: str | None = None
    parent_id: str | None = None
    ramped: bool = False
    derived_price: bool = False
    time_zone: Annotated[str, AfterValidator(usable_zone)] = "UTC"
    months_from: Instant | None = None
    carried: Fraction = Fraction(0)
    carried_first: Fraction | None = None
    invoiced_from: date | None = None
    use_terms: UseTerms | None = None
    use_charged_until: date | None = None

    def day_of(self, instant: datetime) -> date:
        """The calendar day of an instant where the asset lives."""
        return local_day(instant, self.time_zone)


class ActionSource(Carried):
    """A priced lot, or a part taken from one: `quantity` units more (or fewer) from `start` up to `end`.

    `product_amount` is what the row is worth over its interval, by the ledger's month count; None if that has no end or
    no price.
    """

    lot: int
    start: Instant
    end: Instant | None
    quantity: int
    unit_price: Decimal | None
    list_price: Decimal | None = None
    reference: str | None = None
    product_amount: Decimal | None = None


class AttributeSetting(Carried):
    """Attributes that hold from an instant on, whatever was scheduled for later."""

    start: Instant
    values: Attributes


class ComingTerm(Carried):
    """A term that begins later than the action that brings it, and an instant on whose day its months begin."""

    start: Instant
    months_from: Instant


class AssetAction(Carried):
    """One business event on one asset. Never changed once written; what is undone is undone by another action.

    `cuts` are the boundaries that it brings into the timeline beside `effective`, after those from `clears_from` on
    were dropped; `lifecycle_start` and `lifecycle_end` are those that it leaves behind. Changes of quantity and MRR are
    measured at `effective`, `amount_change` over the whole asset: the sources' amounts and an adjustment for cut months
    and rounding. A renewal's `months_from` is an instant on whose day the months of its term begin, where the contract says so,
    and `uplift_percent` by how much it raised the prices of before; null if it gave a price instead.
    `terms` are those that were agreed ahead of what an asset takes over from another.
    """

    sequence: int
    request_id: str
    category: Category
    type: ActionType
    subtype: Subtype | None = None
    effective: Instant
    recorded_at: Instant | None = None
    sources: tuple[ActionSource, ...] = ()
    cuts: tuple[Instant, ...] = ()
    clears_from: Instant | None = None
    lifecycle_start: Instant
    lifecycle_end: Instant | None
    attributes: tuple[AttributeSetting, ...] = ()
    quantity_change: int = 0
    mrr_change: Decimal | None = None
    product_amount_change: Decimal | None = None
    adjustment_amount_change: Decimal | None = None
    amount_change: Decimal | None = None
    undoes: int | None = None
    can_roll_back: bool = False
    related_asset: str | None = None
    order_id: str | None = None
    months_from: Instant | None = None
    uplift_percent: Decimal | None = None
    terms: tuple[ComingTerm, ...] = ()


@dataclass(slots=True)
class Entry:
    """An action before it is written, by the same names: what the ledger measures and numbers is still missing.

    `category` None lets the sign of the change decide between more and less. `lifecycle_end` is the end afterwards.
    """

    request_id: str
    type: ActionType
    effective: datetime
    recorded_at: datetime | None
    lifecycle_start: datetime
    lifecycle_end: datetime | None
    category: Category | None = None
    subtype: Subtype | None = None
    sources: Sequence[ActionSource] = ()
    cuts: Sequence[datetime] = ()
    clears_from: datetime | None = None
    attributes: Sequence[AttributeSetting] = ()
    undoes: int | None = None
    can_roll_back: bool = False
    related_asset: str | None = None
    order_id: str | None = None
    months_from: datetime | None = None
    uplift_percent: Decimal | None = None
    terms: Sequence[ComingTerm] = ()


Act = AssetAction | Entry
"""What changes an asset, written or about to be."""


class StatePeriod(Carried):
    """What holds from `start` up to `end`. None for the MRR means no price; for the amount, no price or no end."""

    start: Instant
    end: Instant | None
    quantity: int
    mrr: Decimal | None
    amount: Decimal | None
    attributes: Attributes = Field(default_factory=dict)


class AssetRecord(Carried):
    """An asset with its history. `periods` are derived from `actions`; `version` counts the transactions."""

    asset: Asset
    actions: tuple[AssetAction, ...]
    periods: tuple[StatePeriod, ...]
    version: int = 1
    lock: str | None = None

    @property
    def active(self) -> list[AssetAction]:
        """The actions in force: neither undone nor undoing."""
        return active_actions(self.actions)

    @property
    def last(self) -> AssetAction:
        """The last action in force."""
        last = self.actions[-1]
        return last if last.undoes is None else self.active[-1]

    @property
    def start(self) -> Instant:
        return self.last.lifecycle_start

    @property
    def end(self) -> Instant | None:
        return self.last.lifecycle_end

    @property
    def cancelled(self) -> bool:
        return self.last.type is ActionType.CANCEL


def active_actions(actions: tuple[AssetAction, ...]) -> list[AssetAction]:
    """The actions that still count, in order."""
    undone = {action.undoes for action in actions if action.undoes is not None}
    if not undone:
        return list(actions)
    return [action for action in actions if action.undoes is None and action.sequence not in undone]
