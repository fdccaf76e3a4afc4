"""The ledger: assets with their histories, and the one way in which an action enters them."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from datetime import datetime
from decimal import Decimal

from pydantic import Field

from domain.assets.errors import AssetLockedError, InFlightError, LedgerCorruptError, UnknownAssetError
from domain.assets.model import (
    Act,
    ActionSource,
    Asset,
    AssetAction,
    AssetRecord,
    Category,
    Entry,
    SellingModel,
    StatePeriod,
    active_actions,
)
from domain.assets.periods import attributes_at, boundaries, rows_of, sums
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

    def draft(self) -> Draft:
        """The same ledger for several operations in a row: none of them copies what it leaves as it is."""
        return _draft(policy=self.policy, assets=dict(self.assets))


class Draft(Ledger):
    """A ledger that operations change in place, known to nobody but who carries them out; one that fails spoils it."""

    def with_records(self, *records: AssetRecord) -> Ledger:
        for record in records:
            self.assets[record.asset.asset_id] = record
        return self

    def draft(self) -> Draft:
        return self

    def settled(self) -> Ledger:
        """The ledger that the operations have made."""
        return _ledger(policy=self.policy, assets=self.assets)


_ledger, _draft = unchecked(Ledger), unchecked(Draft)


def rebuild(asset: Asset, actions: tuple[AssetAction, ...], policy: LedgerPolicy) -> tuple[StatePeriod, ...]:
    """The periods that follow from `actions`, in n log n.

    Raises:
        LedgerCorruptError: The actions break an invariant: a lot below zero, a quantity that changes inside a period.
    """
    active = active_actions(actions)
    return _periods(asset, active, month_anchors(asset, active), policy)


def _periods(
    asset: Asset,
    active: Sequence[Act],
    anchors: Sequence[Anchor],
    policy: LedgerPolicy,
    known: Sequence[StatePeriod] = (),
) -> tuple[StatePeriod, ...]:
    """The periods that follow from the actions in force, whose months begin by `anchors`. `known`: the first of them, as they were
    before the last action, which changes nothing of them."""
    starts = boundaries(active)
    last = active[-1].lifecycle_end if starts else None
    ends = [*starts[1:], last]
    held = sums(rows_of(active), starts, last)
    once, amounts = asset.selling_model is SellingModel.ONE_TIME, PeriodAmounts(asset, policy, anchors)
    made, first = [*known], len(known)
    for n in range(first):
        amounts.pass_over(held[n][1], starts[n], ends[n])
    for n, values in enumerate(attributes_at(active, starts[first:]), first):
        quantity, mrr = held[n]
        start, end = starts[n], ends[n]
        amount = amounts.of(mrr, start, end)
        shown = ZERO if once and mrr is not None else mrr
        made.append(_period(start=start, end=end, quantity=quantity, mrr=shown, amount=amount, attributes=values))
    return tuple(made)


def _untouched(record: AssetRecord, entry: Entry) -> Sequence[StatePeriod]:
    """The first periods of an asset, up to the earliest instant that an action says something of."""
    if entry.undoes is not None or entry.lifecycle_start != record.start:
        return ()
    since = entry.effective
    for moment in (
        entry.clears_from,
        entry.lifecycle_end,
        *entry.cuts,
        *(row.start for row in entry.sources),
        *(setting.start for setting in entry.attributes),
    ):
        if moment is not None and moment < since:
            since = moment
    count = len(record.periods)
    while count and ((end := record.periods[count - 1].end) is None or end > since):
        count -= 1
    return record.periods[:count]


def total_amount(periods: Sequence[StatePeriod]) -> Decimal | None:
    """The amounts of all periods; None while one of them has none."""
    return _total(period.amount for period in periods)


def _total(amounts: Iterable[Decimal | None]) -> Decimal | None:
    """The sum of amounts; None while one of them is not known."""
    total = ZERO
    for amount in amounts:
        if amount is None:
            return None
        total += amount
    return total


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
    asset, before, known = record.asset, record.active, record.periods
    after: list[Act] = (
        [*before, entry] if entry.undoes is None else [action for action in before if action.sequence != entry.undoes]
    )
    # Months are counted as the action leaves them, so that it is measured by what it says itself; what a renewal takes away
    # as they were.
    anchors = month_anchors(asset, after)
    earlier = month_anchors(asset, before) if entry.category is Category.RENEWALS else anchors
    sources = tuple(
        _measured_row(row, asset, policy, earlier if row.quantity < 0 else anchors) for row in entry.sources
    )
    periods = _periods(asset, after, anchors, policy, _untouched(record, entry) if known else ())
    action = _written(entry, len(record.actions) + 1, sources, known, periods)
    return _record(
        asset=asset,
        actions=(*record.actions, action),
        periods=periods,
        version=record.version + 1,
        lock=record.lock,
    )


def _measured_row(row: ActionSource, asset: Asset, policy: LedgerPolicy, anchors: Sequence[Anchor]) -> ActionSource:
    amount = units_worth(row.unit_price, row.quantity, (row.start, row.end), asset, policy, anchors)
    return row.having(product_amount=amount)


def _written(
    entry: Entry,
    sequence: int,
    sources: tuple[ActionSource, ...],
    before: Sequence[StatePeriod],
    after: Sequence[StatePeriod],
) -> AssetAction:
    """The action with what it changes: quantity and price where it takes effect, the amount over the whole asset."""
    old_quantity, old_mrr = _measured(before, entry.effective)
    new_quantity, new_mrr = _measured(after, entry.effective)
    quantity, mrr = new_quantity - old_quantity, less(new_mrr, old_mrr)
    amount = less(total_amount(after), total_amount(before))
    product = _total(row.product_amount for row in sources)
    return _action(
        sequence=sequence,
        request_id=entry.request_id,
        category=entry.category or _by_sign(quantity, amount, mrr),
        type=entry.type,
        subtype=entry.subtype,
        effective=entry.effective,
        recorded_at=entry.recorded_at,
        sources=sources,
        cuts=tuple(entry.cuts),
        clears_from=entry.clears_from,
        lifecycle_start=entry.lifecycle_start,
        lifecycle_end=entry.lifecycle_end,
        attributes=tuple(entry.attributes),
        quantity_change=quantity,
        mrr_change=mrr,
        product_amount_change=product,
        adjustment_amount_change=less(amount, product),
        amount_change=amount,
        undoes=entry.undoes,
        can_roll_back=entry.can_roll_back,
        related_asset=entry.related_asset,
        order_id=entry.order_id,
        months_from=entry.months_from,
        uplift_percent=entry.uplift_percent,
        terms=tuple(entry.terms),
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
