"""The checks that operations share. Each raises the error that names the reason."""

from __future__ import annotations

from datetime import datetime, timedelta

from domain.assets.errors import (
    AssetCancelledError,
    AssetExpiredError,
    BackdateError,
    BeforeAssetStartError,
    PriceBookError,
    RestrictedError,
)
from domain.assets.ledger import Ledger, check_lock, check_version
from domain.assets.model import Asset, AssetAction, AssetRecord, SellingModel
from domain.assets.requests import Amendment

SELL_ANEW = "sell it anew, by an order or as an add-on of amend_assets"


def already_done(record: AssetRecord, request_id: str) -> bool:
    """Whether this request has had its effect on the asset."""
    return request_id in [action.request_id for action in record.actions]


def writable(ledger: Ledger, request: Amendment) -> AssetRecord:
    """The record of the asset that a request changes, if it may be changed at all."""
    record = ledger.record(request.asset_id)
    check_lock(record, request.request_id)
    check_version(record, request.expected_version)
    check_price_book(record.asset, request)
    return record


def alive(ledger: Ledger, request: Amendment) -> AssetRecord:
    """As `writable`, and not cancelled."""
    record = writable(ledger, request)
    if record.cancelled:
        raise AssetCancelledError(cancelled_says(record, request.recorded_at))
    return record


def gives_up_all(cancellation: AssetAction) -> bool:
    """True for a cancellation of what had not begun: it counts at once, for nothing of the asset will ever be."""
    return cancellation.effective <= cancellation.lifecycle_start


def cancelled_says(record: AssetRecord, as_of: datetime | None) -> str:
    """Why a cancelled asset cannot be changed at `as_of`, and what can be asked for."""
    asset, last = record.asset, record.last
    day = asset.day_of(last.effective)
    if as_of is not None and asset.day_of(as_of) < day and not gives_up_all(last):
        return f"{asset.asset_id} is cancelled from {day} on; take that back by a rollback of it first"
    return f"{asset.asset_id} is cancelled, and that is final; {SELL_ANEW}"


def changeable(ledger: Ledger, request: Amendment, effective: datetime) -> AssetRecord:
    """As `alive`, for a change from `effective` on: not backdated, not before the asset's start."""
    record = alive(ledger, request)
    recorded_at = request.recorded_at
    if not ledger.policy.allow_backdate and recorded_at is not None:
        first, today = record.asset.day_of(effective), record.asset.day_of(recorded_at)
        if first < today:
            raise BackdateError(f"{first} is before {today}; backdating is off")
    if effective < record.start:
        raise BeforeAssetStartError(
            f"{request.asset_id} begins on {record.asset.day_of(record.start)}; name that day or a later one"
        )
    return record


def in_term(ledger: Ledger, request: Amendment, effective: datetime) -> AssetRecord:
    """As `changeable`, with `effective` before the end of the term."""
    record = changeable(ledger, request, effective)
    if record.end is not None and effective >= record.end:
        last = record.asset.day_of(record.end - timedelta(microseconds=1))
        raise AssetExpiredError(f"{request.asset_id} ends on {last}; name a day until then, or renew it first")
    return record


def check_price_book(asset: Asset, request: Amendment) -> None:
    if request.price_book not in (None, asset.price_book):
        raise PriceBookError(f"{asset.asset_id} was sold from price book {asset.price_book}, not {request.price_book}")
    if request.currency not in (None, asset.currency):
        raise PriceBookError(f"{asset.asset_id} was sold in {asset.currency}, not {request.currency}")


def check_schedule(record: AssetRecord, effective: datetime) -> None:
    """Ramps, usage and derived prices cannot be changed before a period that is already scheduled."""
    asset = record.asset
    kind = "a ramp" if asset.ramped else "a derived price" if asset.derived_price else None
    if asset.selling_model is SellingModel.USAGE:
        kind = "usage"
    if kind and any(period.start > effective for period in record.periods):
        raise RestrictedError(f"{asset.asset_id} is {kind} and has periods after {asset.day_of(effective)}")


def check_movable(asset: Asset, operation: str) -> None:
    """Ramps, usage and derived prices can be neither transferred nor swapped."""
    if asset.ramped or asset.derived_price or asset.selling_model is SellingModel.USAGE:
        raise RestrictedError(f"{asset.asset_id} is a ramp, usage or a derived price; no {operation}")


def reversible(asset: Asset) -> bool:
    """Whether amendments and renewals of this asset may be rolled back."""
    return not asset.ramped and asset.selling_model is not SellingModel.USAGE
