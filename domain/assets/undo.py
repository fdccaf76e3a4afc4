"""Rollback: a counter-transaction for the last amendment, renewal or cancellation, while that has not begun."""

from __future__ import annotations

from datetime import datetime

from domain.assets.checks import SELL_ANEW, already_done, gives_up_all, writable
from domain.assets.errors import RollbackNotEligibleError, RollbackTooLateError
from domain.assets.ledger import Ledger, append, check_lock
from domain.assets.model import ActionType, AssetAction, AssetRecord, Category, Entry, Subtype
from domain.assets.requests import Rollback


def rollback(ledger: Ledger, request: Rollback) -> Ledger:
    """Undo the last transaction of an asset in all assets that it changed; again for the one before.

    Raises:
        RollbackNotEligibleError: It is a sale, a transfer or a swap, or one of its assets has changed since.
        RollbackTooLateError: It takes effect today or has taken effect.
        AssetLockedError: Another transaction holds one of its assets.
    """
    record = ledger.record(request.asset_id)
    if already_done(record, request.request_id):
        return ledger
    record = writable(ledger, request)
    undone = record.active[-1].request_id
    together = [other for other in ledger.assets.values() if _takes_part(other, undone)]
    for other in together:
        check_lock(other, request.request_id)
        _check_eligible(other, undone)
    for other in together:
        _check_not_begun(other, request)
    return ledger.with_records(*(_undone(other, request, ledger) for other in together))


def take_back(ledger: Ledger, asset_id: str, transfer: str, recorded_at: datetime) -> Ledger:
    """The source of a transfer whose other half never happened: the units are there again, and the asset is free. Once.

    Raises:
        RollbackNotEligibleError: The asset's last transaction is another one.
        AssetLockedError: Another transaction holds the asset.
    """
    record = ledger.record(asset_id)
    request_id = f"{transfer}:undone"
    if already_done(record, request_id):
        return ledger
    check_lock(record, transfer)
    last = record.active[-1]
    if last.request_id != transfer or last.subtype is not Subtype.TRANSFER_FROM:
        raise RollbackNotEligibleError(f"{asset_id} has changed since it was handed over")
    undoing = Rollback(request_id=request_id, recorded_at=recorded_at, asset_id=asset_id)
    return ledger.with_records(_undone(record, undoing, ledger).having(lock=None))


def _takes_part(record: AssetRecord, request_id: str) -> bool:
    return any(action.request_id == request_id for action in record.active)


def _check_eligible(record: AssetRecord, undone: str) -> None:
    last = record.active[-1]
    if last.request_id != undone:
        asset_id = record.asset.asset_id
        raise RollbackNotEligibleError(f"{asset_id} has changed since; undo that first, by a rollback of {asset_id}")
    if not (last.can_roll_back or last.type is ActionType.CANCEL) or _predecessor(record, last) is None:
        raise RollbackNotEligibleError(
            f"{last.category} of {record.asset.asset_id} cannot be rolled back; {_other_way(last)}"
        )


def _other_way(action: AssetAction) -> str:
    """What can be asked for in place of a rollback that is not to be had."""
    if action.type is ActionType.GENERATE and action.subtype is None:
        return "cancel_assets gives up what was sold"
    if action.subtype in (Subtype.TRANSFER_FROM, Subtype.TRANSFER_TO):
        return "transfer_assets from the account that has it now brings it back"
    if action.category is Category.RENEWALS:
        return "cancel_assets ends it on a day of your choice"
    if action.related_asset is not None:
        return "swap_assets back to the product that it was"
    return "amend_assets changes it again"


def _check_not_begun(record: AssetRecord, request: Rollback) -> None:
    last = record.active[-1]
    begins = record.asset.day_of(last.effective)
    asset_id, cancelled = record.asset.asset_id, last.type is ActionType.CANCEL
    if cancelled and gives_up_all(last):
        raise RollbackTooLateError(f"{asset_id} was given up before it began, at once; {SELL_ANEW}")
    if request.recorded_at is not None and begins <= record.asset.day_of(request.recorded_at):
        ways = {Category.RENEWALS: "cancel_assets ends it on a day of your choice", Category.CANCELLATIONS: SELL_ANEW}
        way = ways.get(last.category, "amend_assets changes it again")
        raise RollbackTooLateError(f"{last.category} of {asset_id} took effect on {begins}; {way}")


def _predecessor(record: AssetRecord, action: AssetAction) -> AssetAction | None:
    active = record.active
    place = active.index(action)
    return active[place - 1] if place else None


def _undone(record: AssetRecord, request: Rollback, ledger: Ledger) -> AssetRecord:
    last = record.active[-1]
    before = _predecessor(record, last) or last
    entry = Entry(
        request_id=request.request_id,
        type=ActionType.CHANGE,
        # The same category, so that the totals of each category are those of before.
        category=last.category,
        subtype=Subtype.ROLLBACK,
        effective=last.effective,
        recorded_at=request.recorded_at,
        lifecycle_start=before.lifecycle_start,
        lifecycle_end=before.lifecycle_end,
        sources=[row.having(quantity=-row.quantity) for row in last.sources],
        undoes=last.sequence,
        order_id=request.order_id,
    )
    return append(record, entry, ledger.policy)
