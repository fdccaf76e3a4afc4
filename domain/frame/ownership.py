"""How the journey's own events reach the asset ledger: the sale, an accepted offer, a renewal."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import replace
from datetime import datetime
from decimal import Decimal

from domain.assets.errors import ContractError
from domain.assets.ledger import Ledger
from domain.assets.model import Asset, AssetRecord, Category, SellingModel
from domain.assets.operations import AnyRequest, apply
from domain.assets.requests import ChangeQuantity, Generate, Line, Renew
from domain.assets.taking import lot_agreed_at
from domain.assets.use_terms import UseTerms
from domain.assets.worth import LedgerPolicy
from domain.assets.writes import AssetChange, SetUnitPrice
from domain.frame.agreed import agreed_price
from domain.frame.customer import AssetFacts, ContractFacts, ContractStatus
from domain.frame.situation import Situation
from domain.frame.unread import known_of
from domain.orders.order import PricePer

POLICY = LedgerPolicy(allow_backdate=True)
"""A part of a month is charged by its days: what is changed in the middle of a month is not charged twice, and what an asset has
cost so far is rounded once. Instants are the
customer's own, and a renewal in grace begins where the old term ended."""

Records = Mapping[str, AssetRecord]


def over_says(contract_id: str) -> str:
    """What is said to whoever wants more under a contract that is over."""
    return f"contract {contract_id} is over; order what is to begin anew"


def check_more_of(record: AssetRecord, contract_id: str | None, contract: ContractFacts | None) -> None:
    """Refuses more units of what goes on in the books alone: nothing of it is left, and so its contract ended before it does. A contract that
    ended so long ago that it is no longer among the customer's is null.

    Raises:
        ContractError: It has ended, and the asset has not.
    """
    if contract_id is None or (record.periods and record.periods[-1].quantity):
        return
    if contract is None or (
        contract.status == ContractStatus.ENDED and (record.end is None or record.end > contract.term.ends_at)
    ):
        raise ContractError(over_says(contract_id))


def sold(
    asset: AssetFacts,
    account_id: str,
    order_id: str,
    at: datetime,
    zone: str,
    *,
    ramp: Sequence[Decimal] = (),
    usage: UseTerms | None = None,
) -> AssetChange:
    """The initial sale of an asset. `ramp`: the unit prices of its periods, if it has several; `usage`: how its use is charged."""
    endless = asset.periods[-1].ends_at is None
    model = SellingModel.USAGE if usage else SellingModel.EVERGREEN if endless else SellingModel.TERMED
    request = Generate(
        request_id=f"order:{order_id}",
        recorded_at=at,
        asset=Asset(
            asset_id=asset.asset_id,
            account_id=account_id,
            product=asset.product,
            name=asset.product_name,
            currency=asset.currency,
            selling_model=SellingModel.ONE_TIME if asset.per is PricePer.ONCE else model,
            contract_id=asset.contract_id if asset.contract_id else None,
            ramped=bool(ramp),
            use_terms=usage,
            time_zone=zone,
        ),
        lines=tuple(
            Line(
                start=period.starts_at,
                end=period.ends_at,
                quantity=period.quantity,
                unit_price=asset.monthly(price),
            )
            for period, price in zip(asset.periods, ramp or [asset.unit_price], strict=True)
        ),
        order_id=order_id,
    )
    return _changed({}, request, asset.asset_id, asset.unit_price)


def upsold(records: Records, asset: AssetFacts, add: int, unit_price: Decimal, at: datetime, key: str) -> AssetChange:
    """`add` units more from `at` on, to the asset's end."""
    request = ChangeQuantity(
        request_id=key,
        recorded_at=at,
        asset_id=asset.asset_id,
        effective=at,
        delta=add,
        unit_price=asset.monthly(unit_price),
    )
    return _changed(records, request, asset.asset_id, unit_price)


def renewed(
    records: Records,
    asset: AssetFacts,
    term: tuple[datetime, datetime],
    contract: ContractFacts,
    at: datetime,
    key: str,
) -> AssetChange | None:
    """The asset for another `term`, each lot at its own price with the contract's uplift, or as the customer was offered it; null
    if nothing of it is left, or wanted."""
    record, offered = records.get(asset.asset_id), contract.offered
    quantity = offered.quantities.get(asset.asset_id) if offered else None
    if quantity == 0:
        return None
    if record is None or record.cancelled or not record.periods or record.periods[-1].quantity == 0:
        return None
    # What ended earlier is not brought back; what runs longer is renewed from its own end, up to the contract's.
    if record.end is None or not term[0] <= record.end < term[1] or _renewal_ahead(record, at):
        return None
    request = Renew(
        request_id=key,
        recorded_at=at,
        asset_id=asset.asset_id,
        start=record.end,
        end=term[1],
        uplift_percent=offered.price_change(contract.uplift_percent) if offered else contract.uplift_percent,
        priced_months=12 if asset.per is PricePer.YEAR else 1,
        months_from=contract.months_from(record.asset.time_zone),
        quantity=quantity,
    )
    change = _changed(records, request, asset.asset_id, asset.unit_price)
    return replace(change, unit_price=price_at(change.after, asset, at))


def _renewal_ahead(record: AssetRecord, at: datetime) -> bool:
    """True if a renewal of the asset is sold that has not begun."""
    return any(action.category is Category.RENEWALS and action.effective > at for action in record.active)


def price_at(record: AssetRecord, asset: AssetFacts, at: datetime) -> Decimal:
    """The unit price agreed last of what has begun by `at`, for the time that the asset is sold for."""
    lot = lot_agreed_at(record, at)
    return asset.unit_price if lot is None or lot.unit_price is None else agreed_price(lot.unit_price, asset.per)


def prices_begun(situation: Situation, assets: Iterable[AssetFacts]) -> list[SetUnitPrice]:
    """The prices that were agreed before and are in force by now, where assets are known by others."""
    records = known_of(situation.records)
    held = [(asset, record) for asset in assets if (record := records.get(asset.asset_id))]
    prices = [(asset, price_at(record, asset, situation.as_of)) for asset, record in held]
    return [SetUnitPrice(asset.asset_id, price) for asset, price in prices if price != asset.unit_price]


def _changed(records: Records, request: AnyRequest, asset_id: str, unit_price: Decimal) -> AssetChange:
    before = records.get(asset_id)
    ledger = Ledger(policy=POLICY, assets={asset_id: before} if before else {})
    return AssetChange(before, apply(ledger, request).record(asset_id), unit_price)
