"""The ledger: assets with their histories, and the one way in which an action enters them."""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal
from enum import StrEnum
from fractions import Fraction
from functools import lru_cache
from math import lcm
from operator import attrgetter
from zoneinfo import ZoneInfo

from pydantic import Field

from domain.assets.errors import AssetLockedError, InFlightError, LedgerCorruptError, UnknownAssetError
from domain.assets.exact import product, quotient, rounded
from domain.assets.model import (
    ActionSource,
    ActionType,
    Asset,
    AssetAction,
    AssetRecord,
    AttributeSetting,
    Category,
    ComingTerm,
    RequestId,
    SellingModel,
    StatePeriod,
    Subtype,
    active_actions,
)
from domain.assets.periods import Slice, attributes_at, boundaries, rows_of, slices, sweep
from domain.kernel.base import Carried
from domain.kernel.calendar import CALENDAR, add_months, anchor_from, month_index
from domain.kernel.calendar import months_between as months_by_anchor
from domain.kernel.ids import AssetId, OrderId
from domain.kernel.money import exactly, rounding_of

ZERO = Decimal(0)
MOST_SEGMENTS = 12
"""Of a ramp, a term that is cut."""


class MonthCount(StrEnum):
    """How many months a period is worth."""

    CEIL = "ceil"
    """a started month counts one"""
    CALENDAR_DAYS = "calendar_days"
    """calendar months, a part of one by its days"""
    TERM_DAYS = "term_days"
    """months from the anchor day of the term, a part of one by its days: a term of six months is six, wherever it is cut"""


class AmountRounding(StrEnum):
    """Where the amounts of an asset's periods are rounded."""

    EACH_PERIOD = "each_period"
    """each by itself, if it has a part of a month"""
    RUNNING_SUM = "running_sum"
    """what the asset has cost so far, less what its earlier periods come to: however often it is changed, they add up"""


class ReductionOrder(StrEnum):
    """Which lots a reduction takes from."""

    LIFO = "lifo"
    FIFO = "fifo"


class LedgerPolicy(Carried):
    """The switches of a ledger."""

    month_count: MonthCount = MonthCount.CEIL
    amounts: AmountRounding = AmountRounding.EACH_PERIOD
    reduction_order: ReductionOrder = ReductionOrder.LIFO
    allow_backdate: bool = False
    most_segments: int | None = MOST_SEGMENTS


class Ledger(Carried):
    """Assets by id. Operations give back another ledger and leave this one as it is."""

    policy: LedgerPolicy = LedgerPolicy()
    assets: dict[AssetId, AssetRecord] = Field(default_factory=dict)

    def record(self, asset_id: AssetId) -> AssetRecord:
        """The record of an asset.

        Raises:
            UnknownAssetError: There is none with this id.
        """
        if asset_id not in self.assets:
            raise UnknownAssetError(f"no asset {asset_id}")
        return self.assets[asset_id]

    def with_records(self, *records: AssetRecord) -> Ledger:
        changed = {record.asset.asset_id: record for record in records}
        return self.model_copy(update={"assets": self.assets | changed})


@dataclass(frozen=True, slots=True)
class Entry:
    """An action before it is written: what the ledger measures and numbers is still missing.

    `category` None lets the sign of the change decide between more and less. `end` is the lifecycle's end afterwards.
    """

    request_id: RequestId
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
    related_asset: AssetId | None = None
    order_id: OrderId | None = None
    months_from: datetime | None = None
    terms: Sequence[ComingTerm] = ()


@lru_cache(maxsize=16384)
def months_between(
    start: datetime, end: datetime, count: MonthCount, zone: str = "UTC", anchor: datetime | None = None
) -> Fraction:
    """Months from `start` up to `end`, as `count` says; days are those of `zone`. `anchor`: on whose day they begin, if not `start`'s."""
    if count is MonthCount.CEIL:
        return _started(*(_wall_clock(moment, zone) for moment in (start, end)))
    first, last = _wall_clock(start, zone).date(), _wall_clock(end, zone).date()
    if last <= first:
        return Fraction()
    if count is MonthCount.CALENDAR_DAYS:
        return months_by_anchor(first, last, CALENDAR)
    return months_by_anchor(first, last, first.day if anchor is None else _wall_clock(anchor, zone).day)


def _started(start: datetime, end: datetime) -> Fraction:
    """Months by the time of day too, one that has started counting whole."""
    if end <= start:
        return Fraction()
    months = month_index(end) - month_index(start)
    return Fraction(months + (add_months(start, months) < end))


@dataclass(frozen=True, slots=True)
class Anchor:
    """From `start` on, months begin on the local day of `anchor`."""

    start: datetime
    anchor: datetime


_start = attrgetter("start")


def month_anchors(asset: Asset, actions: Sequence[AssetAction]) -> tuple[Anchor, ...]:
    """By which days the months of an asset are counted, by the actions in force: from its sale on, and from each renewal.

    A renewal that begins where a month begins counts on by the same day, so that a term from 28 February is one of a
    contract of the 31st; any other counts from its own day, so that it is a whole number of months.
    """
    if not actions:
        return ()
    start = actions[-1].lifecycle_start
    anchors = [Anchor(start, asset.months_from or start)]
    for begins, counted in _terms(actions):
        anchors.append(Anchor(begins, anchored(asset, begins, counted or anchors[-1].anchor)))
    return tuple(anchors)


def _terms(actions: Sequence[AssetAction]) -> list[tuple[datetime, datetime | None]]:
    """When terms after the first begin, and from when their months are counted if that is said."""
    found: list[tuple[datetime, datetime | None]] = []
    for action in actions:
        if action.category is Category.RENEWALS:
            # What was to begin later gives way to it.
            found = [term for term in found if term[0] < action.effective]
            found.append((action.effective, action.months_from))
        elif action.terms:
            found += [(term.start, term.months_from) for term in action.terms]
    return found


def anchored(asset: Asset, begins: datetime, anchor: datetime) -> datetime:
    """By which day the months of a term are counted that begins when months were counted by the day of `anchor`."""
    day = _wall_clock(anchor, asset.time_zone).day
    return anchor if anchor_from(_wall_clock(begins, asset.time_zone), day) == day else begins


def anchor_at(anchors: Sequence[Anchor], moment: datetime) -> datetime:
    """The instant by whose day the months at `moment` are counted; before all anchors the moment itself."""
    if len(anchors) == 1:  # an asset that was never renewed
        return anchors[0].anchor if anchors[0].start <= moment else moment
    number = bisect_right(anchors, moment, key=_start)
    return anchors[number - 1].anchor if number else moment


@lru_cache(maxsize=8192)
def _wall_clock(moment: datetime, zone: str) -> datetime:
    """What clocks of `zone` show, without its name: so that a month there is a month."""
    return moment.astimezone(ZoneInfo(zone)).replace(tzinfo=None)


def worth(
    price: Decimal | None,
    start: datetime,
    end: datetime | None,
    asset: Asset,
    policy: LedgerPolicy,
    anchors: Sequence[Anchor] = (),
) -> Decimal | None:
    """What a price by the month comes to from `start` to `end`; a one-time price counts once. `anchors`: see `month_anchors`."""
    if price is None:
        return None
    if asset.selling_model is SellingModel.ONE_TIME:
        return price
    if end is None:
        return None
    months = months_between(start, end, policy.month_count, asset.time_zone, anchor_at(anchors, start))
    if months.denominator == 1:
        return price * months.numerator
    return product(price, months, rounding_of(asset.currency))


def exact_worth(
    price: Decimal | None,
    start: datetime,
    end: datetime | None,
    asset: Asset,
    policy: LedgerPolicy,
    anchors: Sequence[Anchor] = (),
) -> Fraction | None:
    """As `worth`, before any rounding."""
    if price is None or asset.selling_model is SellingModel.ONE_TIME:
        return None if price is None else Fraction(price)
    if end is None:
        return None
    return exactly(price) * months_between(start, end, policy.month_count, asset.time_zone, anchor_at(anchors, start))


def units_worth(
    price: Decimal | None,
    units: int,
    span: tuple[datetime, datetime | None],
    asset: Asset,
    policy: LedgerPolicy,
    anchors: Sequence[Anchor] = (),
) -> Decimal | None:
    """What units at a price come to in a span: under a running sum rounded once, else each unit by itself."""
    if policy.amounts is AmountRounding.RUNNING_SUM:
        exact = exact_worth(price, *span, asset, policy, anchors)
        return None if exact is None else rounded(exact * units, rounding_of(asset.currency))
    each = worth(price, *span, asset, policy, anchors)
    return None if each is None else each * units


class _Amounts:
    """The amounts of an asset's periods, one after the other."""

    def __init__(self, asset: Asset, policy: LedgerPolicy, anchors: Sequence[Anchor]) -> None:
        self._facts = asset, policy, anchors
        self._once = asset.selling_model is SellingModel.ONE_TIME
        self._running = policy.amounts is AmountRounding.RUNNING_SUM
        self._rounding = rounding_of(asset.currency)
        self._earned = ZERO
        self._sum, self._over = asset.carried.as_integer_ratio()
        self._before = quotient(self._sum, self._over, self._rounding)

    def of(self, price: Decimal | None, stretch: Slice) -> Decimal | None:
        """What the next period adds. A one-time price is earned where the quantity changes, so that they add up to what is held."""
        if not self._running:
            amount = worth(price, stretch.start, stretch.end, *self._facts)
            if self._once and amount is not None:
                amount, self._earned = amount - self._earned, amount
            return amount
        if price is None or (stretch.end is None and not self._once):
            return None
        asset, policy, anchors = self._facts
        top, bottom = exactly(price).as_integer_ratio()
        if self._once or stretch.end is None:
            self._sum, self._over = top, bottom
        else:
            anchor = anchor_at(anchors, stretch.start)
            months = months_between(stretch.start, stretch.end, policy.month_count, asset.time_zone, anchor)
            self._add(top * months.numerator, bottom * months.denominator)
        return self._next()

    def _next(self) -> Decimal:
        so_far = quotient(self._sum, self._over, self._rounding)
        amount, self._before = so_far - self._before, so_far
        return amount

    def _add(self, top: int, bottom: int) -> None:
        """A fraction more, over a denominator that is kept: they are few, and reducing each sum would cost more."""
        if self._over % bottom:
            common = lcm(self._over, bottom)
            self._sum, self._over = self._sum * (common // self._over), common
        self._sum += top * (self._over // bottom)


def exact_cost(record: AssetRecord, policy: LedgerPolicy, until: datetime | None = None) -> Fraction | None:
    """What all periods of an asset come to (up to an instant) before any rounding, with what it carried on; None while one
    has no price or no end."""
    anchors, total = month_anchors(record.asset, record.active), record.asset.carried
    for period in record.periods:
        end = min(filter(None, (period.end, until)), default=None)
        if end is not None and end <= period.start:
            break
        exact = exact_worth(period.mrr, period.start, end, record.asset, policy, anchors)
        if exact is None:
            return None
        total += exact
    return total


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
    once, amounts = asset.selling_model is SellingModel.ONE_TIME, _Amounts(asset, policy, anchors)
    periods: list[StatePeriod] = []
    for (stretch, holdings), values in zip(sweep(rows_of(active), stretches), attributes, strict=True):
        mrr = holdings.mrr
        periods.append(
            StatePeriod(
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
    return AssetRecord(asset=asset, actions=(), periods=(), version=0)


def append(record: AssetRecord, entry: Entry, policy: LedgerPolicy) -> AssetRecord:
    """The record with one more action: periods rebuilt, changes measured, the version counted up."""
    asset = record.asset
    action = AssetAction(
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
        terms=tuple(entry.terms),
    )
    # Months are counted as the action leaves them, so that it is measured by what it says itself; what a renewal takes away
    # as they were.
    anchors = month_anchors(asset, active_actions((*record.actions, action)))
    known = month_anchors(asset, record.active) if entry.category is Category.RENEWALS else anchors
    rows = [_measured_row(row, asset, policy, known if row.quantity < 0 else anchors) for row in entry.rows]
    action = action.model_copy(update={"sources": tuple(rows)})
    periods = rebuild(asset, (*record.actions, action), policy)
    measured = _with_changes(action, record.periods, periods, entry.category)
    return record.model_copy(
        update={"periods": periods, "version": record.version + 1, "actions": (*record.actions, measured)}
    )


def _measured_row(row: ActionSource, asset: Asset, policy: LedgerPolicy, anchors: Sequence[Anchor]) -> ActionSource:
    amount = units_worth(row.unit_price, row.quantity, (row.start, row.end), asset, policy, anchors)
    return row.model_copy(update={"product_amount": amount})


def _with_changes(
    action: AssetAction, before: Sequence[StatePeriod], after: Sequence[StatePeriod], category: Category | None
) -> AssetAction:
    old_quantity, old_mrr = _measured(before, action.effective)
    quantity, mrr = _measured(after, action.effective)
    amount = less(total_amount(after), total_amount(before))
    products = [row.product_amount for row in action.sources]
    product = None if None in products else sum((value for value in products if value is not None), ZERO)
    mrr_change = less(mrr, old_mrr)
    return action.model_copy(
        update={
            "category": category or _by_sign(quantity - old_quantity, amount, mrr_change),
            "quantity_change": quantity - old_quantity,
            "mrr_change": mrr_change,
            "amount_change": amount,
            "product_amount_change": product,
            "adjustment_amount_change": less(amount, product),
        }
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


def lock(ledger: Ledger, asset_id: AssetId, request_id: RequestId) -> Ledger:
    """Keep an asset for the transaction `request_id` until it is unlocked.

    Raises:
        AssetLockedError: Another transaction holds it.
    """
    record = ledger.record(asset_id)
    check_lock(record, request_id)
    return ledger.with_records(record.model_copy(update={"lock": request_id}))


def unlock(ledger: Ledger, asset_id: AssetId, request_id: RequestId) -> Ledger:
    """Give an asset free that `request_id` holds; no effect if it is free."""
    record = ledger.record(asset_id)
    check_lock(record, request_id)
    return ledger.with_records(record.model_copy(update={"lock": None}))


def check_lock(record: AssetRecord, request_id: RequestId) -> None:
    if record.lock is not None and record.lock != request_id:
        raise AssetLockedError(f"{record.asset.asset_id} waits for {record.lock}; try again when that is done")


def check_version(record: AssetRecord, expected: int | None) -> None:
    """Raise `InFlightError` if somebody else changed the asset since `expected` was read."""
    if expected is not None and record.version != expected:
        raise InFlightError(f"{record.asset.asset_id} is at version {record.version}, not {expected}; read it again")
