"""What can be asked of the assets of a journey: one model for each update, in the customer's own days and prices.

A day such as `2027-03-01` is one of the customer's zone, and stands for its first instant; today stands for now. An instant
has its offset. Prices are decimal strings in the asset's currency, for the time that it was sold by (month, year, once).
`expected_version` refuses a change if the asset was changed since the sender looked; without it a change is applied to
whatever the asset is by then.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable
from datetime import UTC, date, datetime
from decimal import Decimal
from hashlib import sha256
from typing import Annotated, Any, Literal, Self

from pydantic import BeforeValidator, Field, PlainValidator, StringConstraints, WithJsonSchema, model_validator

from domain.assets.operations import MOST_TRANSFER_LINES
from domain.assets.requests import SwapKind
from domain.assets.uplift import Combination, IndexRate, index_percent, uplift_percent
from domain.frame.renewal_facts import ChurnReason
from domain.kernel.base import Received
from domain.kernel.calendar import within_reach, written_day
from domain.kernel.fingerprints import Asked, asked_by
from domain.kernel.ids import AccountRef, ContactRef, ContractRef
from domain.kernel.money import CurrencyCode
from domain.kernel.requests import CustomerDecision, Remark, Request
from domain.orders.order import Code, OrderedProduct, Price, PricePer, Quantity

PERIOD_END = "period_end"


def _moment(value: Any) -> date:
    """A day, or an instant in UTC."""
    if isinstance(value, str):
        text = value.strip().upper()
        try:
            value = written_day(text) or datetime.fromisoformat(text)
        except ValueError as error:
            raise ValueError(
                f"{text[:40]!r} is neither a day such as 2027-03-01 nor an instant with its offset"
            ) from error
    if isinstance(value, datetime):
        if value.tzinfo is None:
            raise ValueError("must be an instant with its offset, such as 2027-03-31T09:00:00+09:00, or a day")
        return within_reach(value.astimezone(UTC))
    if isinstance(value, date):
        return within_reach(value)
    raise ValueError("must be a day such as 2027-03-01, or an instant with its offset")


_SCHEMA = WithJsonSchema({"anyOf": [{"type": "string", "format": "date"}, {"type": "string", "format": "date-time"}]})
When = Annotated[date, PlainValidator(_moment), _SCHEMA]
"""A local day, or an aware instant."""

AssetKey = Annotated[str, StringConstraints(min_length=1, max_length=140, pattern=r"^[\w.:-]+$")]
NewId = Annotated[str, StringConstraints(pattern=r"^[A-Za-z0-9._-]{1,100}$")]
Attribute = Annotated[str, StringConstraints(min_length=1, max_length=200)]
Percent = Annotated[Decimal, Field(ge=-100, le=1000, decimal_places=6)]


class AnswerRenewal(Request):
    """The customer renews a contract or does not. A refusal needs its reason; it can be taken back by `accept` until the term ends.

    A yes is to the version of the quote that was offered last; with its `version` it counts for that one alone. Other units or another
    length are asked for by `revise_renewal`. `why` is the reason in a word of the list, where `reason` says it in others.
    """

    contract_id: ContractRef
    decision: CustomerDecision
    reason: Remark = ""
    version: Annotated[int, Field(ge=1)] | None = None
    why: ChurnReason | None = None

    @model_validator(mode="after")
    def _says_why_not(self) -> Self:
        if self.decision is CustomerDecision.DECLINE and not (self.reason or self.why):
            raise ValueError(
                "a declined renewal needs its reason, such as price, value, product_gap, service or business_closed"
            )
        return self


class RequestRenewal(Request):
    """The customer asks for a renewal of their own accord: its quote goes out now and waits for their answer, also in grace, and of
    a contract that they declined until its term ends."""

    contract_id: ContractRef


class Named(Received):
    """One asset of a request."""

    asset_id: AssetKey
    expected_version: Annotated[int, Field(ge=1)] | None = None


class Neighbour(Received):
    """What an asset is to end with: a contract, or another asset."""

    contract_id: ContractRef | None = None
    asset_id: AssetKey | None = None

    @model_validator(mode="after")
    def _is_one(self) -> Self:
        if (self.contract_id is None) == (self.asset_id is None):
            raise ValueError("give either contract_id or asset_id")
        return self


class AmendedAsset(Named):
    """One change of one asset: `add` or `remove` units, a new `price`, `fields`, `start`, `end` or `end_with`.

    `unit_price` is that of added units (else that in force, and later what it changes to). `price` is for all units; it may go with `fields` that
    change it. `end` as a day is the last day. `end_with` ends the asset with a contract or another asset.
    """

    add: Quantity | None = None
    unit_price: Price | None = None
    remove: Quantity | None = None
    price: Price | None = None
    fields: Annotated[dict[Attribute, Attribute], Field(min_length=1, max_length=50)] | None = None
    start: When | None = None
    end: When | None = None
    end_with: Neighbour | None = None
    currency: CurrencyCode | None = None

    @model_validator(mode="after")
    def _is_one_change(self) -> Self:
        given = [name for name in _CHANGES if getattr(self, name) is not None]
        if len(given) != 1 and given != ["price", "fields"]:
            raise ValueError(
                f"give exactly one of {', '.join(_CHANGES)} (fields may bring a price); given: {given or 'none'}"
            )
        if self.unit_price is not None and self.add is None:
            raise ValueError("unit_price is that of units to add; for a new price of all units give price")
        return self


_CHANGES = ("add", "remove", "price", "fields", "start", "end", "end_with")


class AddOn(Received):
    """Something more under a contract that runs, to the end of its term; `asset_id` is made up if it is not given."""

    contract_id: ContractRef
    product: Code
    quantity: Quantity
    unit_price: Price
    per: PricePer = PricePer.MONTH
    asset_id: NewId | None = None

    @model_validator(mode="after")
    def _is_paid_over_time(self) -> Self:
        if self.per is PricePer.ONCE:
            raise ValueError("an add-on is paid per month or year; order what is paid once")
        return self


class AssetRequest(Request):
    """What is asked of a customer's assets. Why they change is told, and makes no other request of it."""

    def asked(self, request_id: str) -> Asked:
        """With the fingerprint that earlier releases made; their rows are still on record."""
        said = self.model_dump_json(exclude={"request_id", "by", "reason"}, exclude_defaults=True, warnings=False)
        return asked_by(self, request_id, older=sha256(said.encode()).hexdigest(), aside=frozenset({"reason"}))


class AmendAssets(AssetRequest):
    """Changes of assets and new ones beside them, together or not at all, from `effective` on (now if it is not given).

    Each asset changes by one of `remove`, `add` (with `unit_price`), `price`, `fields` (such as a level), `start`, `end`, or `end_with`, which
    ends it with a contract or another asset. Units added without `unit_price` cost what was agreed last for their day, be the
    units that it was agreed for still there or not; a renewal or a new price that is agreed for later is theirs, too. A `price` needs
    units: where there are none it is given with those that are added. `products` are what the catalogue does not know yet.
    """

    assets: Annotated[tuple[AmendedAsset, ...], Field(max_length=500)] = ()
    add_ons: Annotated[tuple[AddOn, ...], Field(max_length=500)] = ()
    products: Annotated[tuple[OrderedProduct, ...], Field(max_length=500)] = ()
    effective: When | None = None
    reason: Remark = ""

    @model_validator(mode="after")
    def _says_something(self) -> Self:
        if not self.assets and not self.add_ons:
            raise ValueError("nothing is to be changed; give assets or add_ons")
        return self


class RenewedAsset(Named):
    """An asset to renew; `price` is what it costs then, without an uplift."""

    price: Price | None = None


class PublishedRate(Received):
    """What an index has changed by, in per cent: from a day on, up to `valid_to` or the next rate."""

    valid_from: date
    valid_to: date | None = None
    percent: Percent


class IndexUplift(Received):
    """An uplift by a published index: its rate `on` a day (by default that on which the renewal begins), and a spread."""

    region: Annotated[str, StringConstraints(min_length=1, max_length=60)]
    rates: Annotated[tuple[PublishedRate, ...], Field(min_length=1, max_length=500)]
    on: date | None = None
    spread_percent: Percent = Decimal(0)
    combination: Combination = Combination.ADDITIVE

    def percent(self, starts_on: date) -> Decimal:
        """Index and spread as one uplift. Raises `IndexRateMissingError` if no rate holds on the day."""
        rates = [IndexRate(region=self.region, **rate.model_dump()) for rate in self.rates]
        index = index_percent(rates, self.region, self.on or starts_on)
        return uplift_percent(index, self.spread_percent, self.combination)


class RenewAssets(AssetRequest):
    """The next term of a whole contract, or of some assets.

    It begins when the present one ends, from now if the contract has ended and its days of grace are over, or at `start`: before
    that end the rest of the term is replaced, after it there is a gap. It lasts `months`, or to `end` (as a day, the last one), else
    as the contract says. `uplift_percent`, or an uplift by the published `index`, replaces the contract's.
    """

    contract_id: ContractRef | None = None
    assets: Annotated[tuple[RenewedAsset, ...], Field(max_length=500)] = ()
    start: When | None = None
    months: Annotated[int, Field(ge=1, le=240)] | None = None
    end: When | None = None
    uplift_percent: Percent | None = None
    index: IndexUplift | None = None
    reason: Remark = ""

    @model_validator(mode="after")
    def _names_what_and_how_long(self) -> Self:
        _contract_or_assets(self.contract_id, self.assets)
        if self.uplift_percent is not None and self.index is not None:
            raise ValueError("give uplift_percent or index, not both")
        if self.months is not None and self.end is not None:
            raise ValueError("give months or end, not both")
        return self


class CancelAssets(AssetRequest):
    """The end of a whole contract's assets, or of some: `now`, at their `period_end`, or from a day or instant on.

    `period_end` is the end of all that was sold, a renewal that is agreed ahead included.
    """

    contract_id: ContractRef | None = None
    assets: Annotated[tuple[Named, ...], Field(max_length=500)] = ()
    effective: Literal["now", "period_end"] | When = "now"
    reason: Remark = ""

    @model_validator(mode="after")
    def _names_what(self) -> Self:
        _contract_or_assets(self.contract_id, self.assets)
        return self


class TransferredAsset(Named):
    """Units to hand over, by default as many as possible; `to_asset_id` is made up if it is not given."""

    quantity: Quantity | None = None
    to_asset_id: NewId | None = None


def _at_most_one_transfer(assets: Any) -> Any:
    if isinstance(assets, list | tuple) and len(assets) > MOST_TRANSFER_LINES:
        raise ValueError(
            f"{len(assets)} assets are too many for one transfer; send at most {MOST_TRANSFER_LINES}, and the others by another"
            " one to the same contract, `to_contract_id`"
        )
    return assets


class TransferAssets(AssetRequest):
    """Assets of this customer become those of another, under `to_contract_id` or a contract on the same conditions; at most 50 at once.

    The assets are locked until both journeys have done their half, or the first half is taken back. What is agreed for a later day goes
    with the units. The other account is charged what this one is credited, then on the same billing days; under a contract of its own,
    `to_contract_id`, on that one's. The `contacts` that are named go along, once the other account has the assets.
    """

    to_account: AccountRef
    assets: Annotated[
        tuple[TransferredAsset, ...],
        Field(min_length=1, json_schema_extra={"maxItems": MOST_TRANSFER_LINES}),
        BeforeValidator(_at_most_one_transfer),
    ]
    to_contract_id: ContractRef | None = None
    contacts: Annotated[tuple[ContactRef, ...], Field(max_length=50)] = ()
    effective: When | None = None
    reason: Remark = ""

    def others(self) -> tuple[str, ...]:
        """Whoever receives them."""
        return (self.to_account,)

    @model_validator(mode="after")
    def _names_each_once(self) -> Self:
        _each_once(asset.asset_id for asset in self.assets)
        return self


class MergeAccount(AssetRequest):
    """This customer goes on as part of another: all that they own, their contacts, cases, surveys and usage become that one's, and this
    journey ends.

    Contracts come on the same conditions; what was declined does not renew by itself there. Contacts whose address the other account has
    are one person with that contact. If the other account does not take it all, nothing has happened. What was invoiced, and the journal,
    stay under the name that they were made under; orders are placed for the other account from then on, and money of orders from before is
    given back under its name.
    """

    into: AccountRef
    reason: Remark = ""

    def others(self) -> tuple[str, ...]:
        """Whoever they become part of."""
        return (self.into,)


class UnmergeAccount(Request):
    """An account that became part of this customer goes its own way again: its next order begins a journey of its own, to which
    `transfer_assets` brings what is theirs, with the contacts who go along."""

    account: AccountRef
    reason: Remark = ""


class ReceiveAssets(AssetRequest):
    """Assets come from another account, as its transfer says; sent by that one's journey."""

    transfer_id: NewId


class SwappedAsset(Named):
    """Units (by default all) that become those of another product, at its `unit_price`."""

    to_product: Code
    unit_price: Price
    per: PricePer | None = None
    quantity: Quantity | None = None
    to_asset_id: NewId | None = None
    kind: SwapKind = SwapKind.SWAP


class SwapAssets(AssetRequest):
    """One product for another, with the rest of the term: a swap, an upgrade or a downgrade."""

    assets: Annotated[tuple[SwappedAsset, ...], Field(min_length=1, max_length=500)]
    products: Annotated[tuple[OrderedProduct, ...], Field(max_length=500)] = ()
    effective: When | None = None
    reason: Remark = ""


class RollBack(Named, AssetRequest):
    """The last amendment, renewal or cancellation of an asset is taken back before it begins, with all that happened together with it.
    The contract is what it was before.

    What was cancelled while its contract was renewed is renewed as the others were, and goes on with the contract; who agreed on a price
    for each asset then has agreed on none for this one, and sells it anew.
    """

    reason: Remark = ""


def _contract_or_assets(contract_id: str | None, assets: tuple[Named, ...]) -> None:
    if (contract_id is None) == (not assets):
        raise ValueError("give either contract_id (all its assets) or assets")


def _each_once(ids: Iterable[str]) -> None:
    if twice := [id for id, times in Counter(ids).items() if times > 1]:
        raise ValueError(f"asset_id {twice[0]!r} is named twice; each asset once")
