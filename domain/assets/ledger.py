"""The ledger: assets with their histories, and the one way in which an action enters them."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal

from pydantic import Field

from domain.assets.errors import AssetLockedError, InFlightError, LedgerCorruptError, UnknownAssetError
from domain.assets.model import (
    ActionSource,
    ActionType,
    Asset,
    AssetAction,
    AssetRecord,
    AttributeSetting,
    Category,
    ComingTerm,
    SellingModel,
    StatePeriod,
    Subtype,
    active_actions,
)
from domain.assets.periods import attributes_at, boundaries, rows_of, slices, sweep
from domain.assets.worth import Anchor, LedgerPolicy, PeriodAmounts, month_anchors, units_worth
from domain.kernel.base import Carried, unchecked

ZERO = Decimal(0)
_action, _period, _record = unchecked(AssetAction), unchecked(StatePeriod), unchecked(AssetRecord)


class Ledger(Carried):
    """Assets by id. Operations give back another ledger and leave this one as it is."""

    policy: LedgerPolicy = LedgerPolicy()
    assets: dict[str, AssetRecord] = Field(default_factory=dict)

    def record(self, asset_id: str) -> AssetRecord:
        """The record of an asset.

        Raises:
            UnknownAssetError: There is none with this id.
        """
        if asset_id not in self.assets:
            raise UnknownAssetError(f"no asset {asset_id}")
        return self.assets[asset_id]

    def with_records(self, *records: AssetRecord) -> Ledger:
        changed = {record.asset.asset_id: record for record in records}
        return self.having(assets=self.assets | changed)


@dataclass(frozen=True, slots=True)
class Entry:
    """An action before it is written: what the ledger measures and numbers is still missing.

    `category` None lets the sign of the change decide between more and less. `end` is the lifecycle's end afterwards.
    """

    request_id: str
    type: ActionType
    effective: datetime
    recorded_at: datetime | None
    start: datetime
    end: datetime | None
    category: Category | None = None
    subtype: Subtype | None = None
    rows: Sequence[ActionSource] = ()
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


def rebuild(asset: Asset, actions: tuple[AssetAction, ...], policy: LedgerPolicy) -> tuple[StatePeriod, ...]:
    """The periods that follow from `actions`, in n log n.

    Raises:
        LedgerCorruptError: The actions break an invariant: a lot below zero, a quantity that changes inside a period.
    """
    active = active_actions(actions)
    if not active:
        return ()
    stretches = slices(boundaries(active), active[-1].lifecycle_end)
    attributes = attributes_at(active, [stretch.start for stretch in stretches])
    anchors = month_anchors(asset, active)
    once, amounts = asset.selling_model is SellingModel.ONE_TIME, PeriodAmounts(asset, policy, anchors)
    periods: list[StatePeriod] = []
    for (stretch, holdings), values in zip(sweep(rows_of(active), stretches), attributes, strict=True):
        mrr = holdings.mrr
        periods.append(
            _period(
                start=stretch.start,
                end=stretch.end,
                quantity=holdings.quantity,
                mrr=ZERO if once and mrr is not None else mrr,
                amount=amounts.of(mrr, stretch),
                attributes=values,
            )
        )
    return tuple(periods)


def total_amount(periods: Sequence[StatePeriod]) -> Decimal | None:
    """The amounts of all periods; None while one of them has none."""
    amounts = [period.amount for period in periods]
    return None if None in amounts else sum((amount for amount in amounts if amount is not None), ZERO)


def period_at(periods: Sequence[StatePeriod], at: datetime) -> StatePeriod | None:
    """The period that covers an instant."""
    low, high = 0, len(periods)
    while low < high:
        middle = (low + high) // 2
        if periods[middle].start <= at:
            low = middle + 1
        else:
            high = middle
    if low == 0:
        return None
    found = periods[low - 1]
    return found if found.end is None or at < found.end else None


def less(after: Decimal | None, before: Decimal | None) -> Decimal | None:
    """The difference, if both sides are known."""
    return None if after is None or before is None else after - before


def _measured(periods: Sequence[StatePeriod], at: datetime) -> tuple[int, Decimal | None]:
    period = period_at(periods, at)
    return (period.quantity, period.mrr) if period else (0, ZERO)


def _by_sign(quantity: int, amount: Decimal | None, mrr: Decimal | None) -> Category:
    change = quantity or amount or mrr or 0
    if change == 0:
        return Category.TERMS_CHANGES
    return Category.UPSELLS if change > 0 else Category.DOWNSELLS


def empty_record(asset: Asset) -> AssetRecord:
    return _record(asset=asset, actions=(), periods=(), version=0)


def append(record: AssetRecord, entry: Entry, policy: LedgerPolicy) -> AssetRecord:
    """The record with one more action: periods rebuilt, changes measured, the version counted up."""
    asset = record.asset
    action = _action(
        sequence=len(record.actions) + 1,
        request_id=entry.request_id,
        category=entry.category or Category.OTHER,
        type=entry.type,
        subtype=entry.subtype,
        effective=entry.effective,
        recorded_at=entry.recorded_at,
        sources=(),
        cuts=tuple(entry.cuts),
        clears_from=entry.clears_from,
        lifecycle_start=entry.start,
        lifecycle_end=entry.end,
        attributes=tuple(entry.attributes),
        undoes=entry.undoes,
        can_roll_back=entry.can_roll_back,
        related_asset=entry.related_asset,
        order_id=entry.order_id,
        months_from=entry.months_from,
        uplift_percent=entry.uplift_percent,
        terms=tuple(entry.terms),
    )
    # Months are counted as the action leaves them, so that it is measured by what it says itself; what a renewal takes away
    # as they were.
    anchors = month_anchors(asset, active_actions((*record.actions, action)))
    known = month_anchors(asset, record.active) if entry.category is Category.RENEWALS else anchors
    rows = [_measured_row(row, asset, policy, known if row.quantity < 0 else anchors) for row in entry.rows]
    action = action.having(sources=tuple(rows))
    periods = rebuild(asset, (*record.actions, action), policy)
    measured = _with_changes(action, record.periods, periods, entry.category)
    return record.having(periods=periods, version=record.version + 1, actions=(*record.actions, measured))


def _measured_row(row: ActionSource, asset: Asset, policy: LedgerPolicy, anchors: Sequence[Anchor]) -> ActionSource:
    amount = units_worth(row.unit_price, row.quantity, (row.start, row.end), asset, policy, anchors)
    return row.having(product_amount=amount)


def _with_changes(
    action: AssetAction, before: Sequence[StatePeriod], after: Sequence[StatePeriod], category: Category | None
) -> AssetAction:
    old_quantity, old_mrr = _measured(before, action.effective)
    quantity, mrr = _measured(after, action.effective)
    amount = less(total_amount(after), total_amount(before))
    products = [row.product_amount for row in action.sources]
    product = None if None in products else sum((value for value in products if value is not None), ZERO)
    mrr_change = less(mrr, old_mrr)
    return action.having(
        category=category or _by_sign(quantity - old_quantity, amount, mrr_change),
        quantity_change=quantity - old_quantity,
        mrr_change=mrr_change,
        amount_change=amount,
        product_amount_change=product,
        adjustment_amount_change=less(amount, product),
    )


def check_rebuild(record: AssetRecord, policy: LedgerPolicy) -> None:
    """Raise `LedgerCorruptError` unless the stored periods are those that follow from the actions."""
    expected = rebuild(record.asset, record.actions, policy)
    asset_id = record.asset.asset_id
    for number, (stored, derived) in enumerate(zip(record.periods, expected, strict=False), 1):
        if stored != derived:
            raise LedgerCorruptError(f"{asset_id}, period {number}: stored {stored}, derived {derived}")
    if len(record.periods) != len(expected):
        raise LedgerCorruptError(f"{asset_id}: {len(record.periods)} periods stored, {len(expected)} derived")


def lock(ledger: Ledger, asset_id: str, request_id: str) -> Ledger:
    """Keep an asset for the transaction `request_id` until it is unlocked.

    Raises:
        AssetLockedError: Another transaction holds it.
    """
    record = ledger.record(asset_id)
    check_lock(record, request_id)
    return ledger.with_records(record.having(lock=request_id))


def unlock(ledger: Ledger, asset_id: str, request_id: str) -> Ledger:
    """Give an asset free that `request_id` holds; no effect if it is free."""
    record = ledger.record(asset_id)
    check_lock(record, request_id)
    return ledger.with_records(record.having(lock=None))


def check_lock(record: AssetRecord, request_id: str) -> None:
    if record.lock is not None and record.lock != request_id:
        raise AssetLockedError(f"{record.asset.asset_id} waits for {record.lock}; try again when that is done")


def check_version(record: AssetRecord, expected: int | None) -> None:
    """Raise `InFlightError` if somebody else changed the asset since `expected` was read."""
    if expected is not None and record.version != expected:
        raise InFlightError(f"{record.asset.asset_id} is at version {record.version}, not {expected}; read it again")
