"""Where a request meets the facts: its days as instants, the assets and contracts that it names, and the ledger after it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from decimal import Decimal
from difflib import get_close_matches
from hashlib import sha256

from domain.assets.bundles import Relationship
from domain.assets.errors import AssetExpiredError, BackdateError, ContractError, UnknownAssetError
from domain.assets.ledger import Ledger, check_version
from domain.assets.model import AssetRecord, Subtype
from domain.assets.operations import AnyRequest, apply_together
from domain.assets.taking import lot_agreed_at
from domain.assets.writes import AssetChange
from domain.contracts.requests import Named, When
from domain.contracts.writes import OpenAsset
from domain.frame.customer import AssetFacts, ContractFacts
from domain.frame.ownership import POLICY, price_at
from domain.frame.situation import Situation
from domain.frame.unreadable import check_contract, unreadable_of
from domain.kernel.calendar import start_of_day
from domain.kernel.refusals import UNKNOWN_PRODUCT, Problem, Refusal, named_refusals
from domain.kernel.shown import counted
from domain.orders.order import OrderedProduct, PricePer


@dataclass(frozen=True)
class RequestFacts:
    """The facts for one request. `request_id` is what the ledger knows it by; `products` are the catalogue's entries for it,
    `relationships` the edges of the customer's bundles."""

    situation: Situation
    request_id: str
    products: Mapping[str, OrderedProduct] = field(default_factory=dict)
    relationships: Sequence[Relationship] = ()
    new: tuple[OrderedProduct, ...] = ()
    """those of the products that come with the request"""

    @property
    def as_of(self) -> datetime:
        return self.situation.as_of

    @property
    def zone(self) -> str:
        return self.situation.customer.account.time_zone

    @property
    def ledger(self) -> Ledger:
        """The account's assets. What lies in the past was checked before: late renewals, and days by the customer's zone."""
        assets = dict(self.situation.records)
        return Ledger(policy=POLICY, assets=assets)

    def moment(self, when: When | None, otherwise: datetime | None = None) -> datetime:
        """The instant from which something holds: now for today and for nothing, the day's first instant for another day.

        Raises:
            BackdateError: It lies before today, and the customer's playbook does not allow that.
        """
        if when is None:
            return otherwise or self.as_of
        if not isinstance(when, datetime):
            when = self.as_of if when == self.situation.today else start_of_day(when, self.zone)
        day, today = self.situation.customer.day_of(when), self.situation.today
        if day < today and not self.situation.playbook.amendment.allow_backdating:
            raise BackdateError(f"{day} is before today, {today}; backdating is off for this customer")
        return when

    def closing(self, when: When) -> datetime:
        """The instant at which something ends: behind the last day, or the very instant."""
        return when if isinstance(when, datetime) else start_of_day(when + timedelta(days=1), self.zone)

    def record(self, named: Named) -> AssetRecord:
        """The asset that a request names.

        Raises:
            UnknownAssetError: It is not this customer's.
            InFlightError: It has another version than the sender expects.
        """
        record = self.situation.records.get(named.asset_id)
        if record is None:
            near = get_close_matches(named.asset_id, list(self.situation.records), n=3)
            hint = (
                f"did you mean {' or '.join(near)}?"
                if near
                else f"they have {counted(len(self.situation.records), 'asset')}"
            )
            raise UnknownAssetError(f"asset {named.asset_id!r} is not this customer's; {hint}")
        check_version(record, named.expected_version)
        return record

    def facts(self, asset_id: str) -> AssetFacts:
        """What a customer's asset is sold by.

        Raises:
            AssetExpiredError: It ended more than 400 days ago.
        """
        asset = self.situation.customer.asset(asset_id)
        if asset is None:
            raise AssetExpiredError(f"{asset_id} ended long ago; sell it anew")
        return asset

    def contract(self, contract_id: str) -> ContractFacts:
        """A contract of the customer.

        Raises:
            ContractError: It is not this customer's, or ended more than 400 days ago.
        """
        contract = self.situation.customer.contract(contract_id)
        check_contract(unreadable_of(self.situation.records), contract_id)
        if contract is None:
            known = ", ".join(c.contract_id for c in self.situation.customer.contracts) or "none"
            raise ContractError(f"contract {contract_id!r} is not this customer's; their contracts: {known}")
        return contract

    def begun(self, record: AssetRecord) -> datetime:
        """Now, or the asset's start if that is still to come."""
        return max(self.as_of, record.start)

    def product(self, code: str, path: str) -> OrderedProduct:
        """A catalogue entry. Raises `Refusal` (UnknownProduct)."""
        found = self.products.get(code)
        if found is None:
            said = f"unknown product {code!r}; bring it along in products, with its name and kind"
            raise Refusal(UNKNOWN_PRODUCT, "the assets cannot be changed", [Problem(field=path, problem=said)])
        return found

    def new_id(self, root: str, number: int = 0) -> str:
        """An id for an asset or a contract that gets none: the same for the same request."""
        seed = f"{self.situation.customer.account.account_id}/{self.request_id}/{root}/{number}"
        return f"{root}.{sha256(seed.encode()).hexdigest()[:8]}"


@dataclass(frozen=True)
class Changed:
    """The ledger after a request, and what is written of it."""

    records: Mapping[str, AssetRecord]
    changes: Sequence[AssetChange]
    opened: Sequence[OpenAsset] = ()


@dataclass(frozen=True)
class Sold:
    """What a new asset, or new units of one, are sold by."""

    unit_price: Decimal
    per: PricePer


def carry_out(desk: RequestFacts, requests: Sequence[AnyRequest], sold: Mapping[str, Sold]) -> Changed:
    """All requests in one transaction of the ledger. `sold`: by what new assets and new prices count, by asset id.

    Raises `Refusal` with the name of the ledger's error; nothing has changed then.
    """
    with named_refusals():
        after = apply_together(desk.ledger, requests)
    return changes_of(desk, after.assets, sold)


def changes_of(desk: RequestFacts, after: Mapping[str, AssetRecord], sold: Mapping[str, Sold]) -> Changed:
    """What differs between the ledger and `after`."""
    changes, opened = [], []
    for asset_id, record in after.items():
        before = desk.situation.records.get(asset_id)
        if record == before:
            continue
        terms = sold.get(asset_id)
        if before is None:
            if terms is None:
                raise ValueError(f"asset {asset_id} is new, and nothing says what it is sold by")
            first = record.actions[0]
            taxed_as = first.related_asset if first.subtype is Subtype.TRANSFER_TO else None
            opened.append(OpenAsset(record.asset, terms.per, terms.unit_price, record.start, record.end, taxed_as))
        changes.append(AssetChange(before, record, terms.unit_price if terms else _price_in_force(desk, record)))
    return Changed(after, changes, opened)


def _price_in_force(desk: RequestFacts, record: AssetRecord) -> Decimal:
    """The unit price agreed last of what has begun, for the time that the asset is sold by."""
    asset = desk.situation.customer.asset(record.asset.asset_id)
    if asset is not None:
        return price_at(record, asset, desk.as_of)
    lot = lot_agreed_at(record, desk.as_of)
    return Decimal(0) if lot is None or lot.unit_price is None else lot.unit_price
