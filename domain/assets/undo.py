"""Rollback: a counter-transaction for the last amendment or renewal, while that has not begun."""

from __future__ import annotations

from datetime import datetime

from domain.assets.checks import already_done, writable
from domain.assets.errors import RollbackNotEligibleError, RollbackTooLateError
from domain.assets.ledger import Entry, Ledger, append, check_lock
from domain.assets.model import ActionType, AssetAction, AssetRecord, RequestId, Subtype
from domain.assets.requests import Rollback
from domain.ids import AssetId


def rollback(ledger: Ledger, request: Rollback) -> Ledger:
    """Undo the last transaction of an asset in all assets that it changed; again for the one before.

    Raises:
        RollbackNotEligibleError: It is no amendment or renewal, or one of its assets has changed since.
        RollbackTooLateError: It takes effect today or has taken effect.
    """
    record = ledger.record(request.asset_id)
    if already_done(record, request.request_id):
        return ledger
    record = writable(ledger, request)
    undone = record.active[-1].request_id
    together = [other for other in ledger.assets.values() if _takes_part(other, undone)]
    for other in together:
        _check_eligible(other, undone)
    for other in together:
        _check_not_begun(other, request)
    return ledger.with_records(*(_undone(other, request, ledger) for other in together))


def take_back(ledger: Ledger, asset_id: AssetId, transfer: RequestId, recorded_at: datetime) -> Ledger:
    """The source of a transfer whose other half never happened: the units are there again, and the asset is free. Once.

    Raises:
        RollbackNotEligibleError: The asset's last transaction is another one.
        AssetLockedError: Another transaction holds the asset.
    """
    record = ledger.record(asset_id)
    request_id = RequestId(f"{transfer}:undone")
    if already_done(record, request_id):
        return ledger
    check_lock(record, transfer)
    last = record.active[-1]
    if last.request_id != transfer or last.subtype is not Subtype.TRANSFER_FROM:
        raise RollbackNotEligibleError(f"{asset_id} has changed since it was handed over")
    undoing = Rollback(request_id=request_id, recorded_at=recorded_at, asset_id=asset_id)
    return ledger.with_records(_undone(record, undoing, ledger).model_copy(update={"lock": None}))


def _takes_part(record: AssetRecord, request_id: RequestId) -> bool:
    return any(action.request_id == request_id for action in record.active)


def _check_eligible(record: AssetRecord, undone: RequestId) -> None:
    last = record.active[-1]
    if last.request_id != undone:
        raise RollbackNotEligibleError(f"{record.asset.asset_id} has changed since; undo that first")
    if not last.can_roll_back or _predecessor(record, last) is None:
        raise RollbackNotEligibleError(f"{last.category} of {record.asset.asset_id} cannot be rolled back")


def _check_not_begun(record: AssetRecord, request: Rollback) -> None:
    last = record.active[-1]
    begins = record.asset.day_of(last.effective)
    if request.recorded_at is not None and begins <= record.asset.day_of(request.recorded_at):
        raise RollbackTooLateError(f"{last.category} of {record.asset.asset_id} took effect on {begins}")


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
        start=before.lifecycle_start,
        end=before.lifecycle_end,
        rows=[row.model_copy(update={"quantity": -row.quantity}) for row in last.sources],
        undoes=last.sequence,
        order_id=request.order_id,
    )
    return append(record, entry, ledger.policy)
