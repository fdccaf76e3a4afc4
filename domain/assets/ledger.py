"""The ledger: assets with their histories, and the one way in which an action enters them."""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime
from decimal import Decimal
from enum import StrEnum
from fractions import Fraction
from functools import lru_cache
from zoneinfo import ZoneInfo

from pydantic import Field

from domain.assets.dates import Span, add_months, month_index
from domain.assets.errors import AssetLockedError, InFlightError, LedgerCorruptError, UnknownAssetError
from domain.assets.exact import product
from domain.assets.metrics import calendar_months
from domain.assets.model import (
    ActionSource,
    ActionType,
    Asset,
    AssetAction,
    AssetRecord,
    AttributeSetting,
    Category,
    RequestId,
    SellingModel,
    StatePeriod,
    Subtype,
    active_actions,
)
from domain.assets.policy import DayCount
from domain.assets.ramps import MOST_SEGMENTS
from domain.assets.timeline import attributes_at, boundaries, rows_of, slices, sweep
from domain.ids import AssetId, OrderId
from domain.model import Carried
from domain.money import rounding_of

ZERO = Decimal(0)


class MonthCount(StrEnum):
    """How many months a period is worth."""

    CEIL = "ceil"
    """a started month counts one"""
    CALENDAR_DAYS = "calendar_days"
    """calendar months, a part of one by its days"""
    TERM_DAYS = "term_days"
    """months from the start of the term, a part of one by its days: a term of six months is six, wherever it is cut"""


class ReductionOrder(StrEnum):
    """Which lots a reduction takes from."""

    LIFO = "lifo"
    FIFO = "fifo"


class LedgerPolicy(Carried):
    """The switches of a ledger."""

    month_count: MonthCount = MonthCount.CEIL
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


@lru_cache(maxsize=16384)
def months_between(
    start: datetime, end: datetime, count: MonthCount, zone: str = "UTC", term: datetime | None = None
) -> Fraction:
    """Months from `start` up to `end`, as `count` says; dates are those of `zone`. `term`: when the term began, if not at `start`."""
    if count is MonthCount.TERM_DAYS:
        first = start if term is None else min(term, start)
        began, *span = (_wall_clock(moment, zone).date() for moment in (first, start, end))
        return _months_into(began, max(span)) - _months_into(began, span[0])
    if zone != "UTC":
        start, end = (_wall_clock(moment, zone) for moment in (start, end))
    if count is MonthCount.CALENDAR_DAYS:
        return calendar_months(Span(start.date(), end.date()), DayCount.ACTUAL)
    if end <= start:
        return Fraction()
    months = month_index(end) - month_index(start)
    return Fraction(months + (add_months(start, months) < end))


def _months_into(began: date, day: date) -> Fraction:
    """Months from `began` to `day`: whole ones from the same day of the month, then the days of the month under way."""
    months = month_index(day) - month_index(began)
    months -= add_months(began, months) > day
    since = add_months(began, months)
    return months + Fraction((day - since).days, (add_months(began, months + 1) - since).days)


def term_starts(asset: Asset, actions: Sequence[AssetAction]) -> tuple[datetime, ...]:
    """When the terms of an asset began, by the actions in force: its first one, and each renewal."""
    if not actions:
        return ()
    renewals = (action.effective for action in actions if action.category is Category.RENEWALS)
    return tuple(sorted({_first_term(asset, actions[-1].lifecycle_start), *renewals}))


def _first_term(asset: Asset, start: datetime) -> datetime:
    """When the term began that an asset was sold into at `start`."""
    return start if asset.months_from is None else min(start, asset.months_from)


def term_of(starts: Sequence[datetime], moment: datetime) -> datetime:
    """When the term began that `moment` lies in; outside of all terms the moment itself."""
    number = bisect_right(starts, moment)
    return starts[number - 1] if number else moment


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
    terms: Sequence[datetime] = (),
) -> Decimal | None:
    """What a price by the month comes to from `start` to `end`; a one-time price counts once. `terms`: when each began."""
    if price is None:
        return None
    if asset.selling_model is SellingModel.ONE_TIME:
        return price
    if end is None:
        return None
    months = months_between(start, end, policy.month_count, asset.time_zone, term_of(terms, start))
    if months.denominator == 1:
        return price * months.numerator
    return product(price, months, rounding_of(asset.currency))


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
    terms = term_starts(asset, active)
    once, before = asset.selling_model is SellingModel.ONE_TIME, ZERO
    periods: list[StatePeriod] = []
    for (stretch, holdings), values in zip(sweep(rows_of(active), stretches), attributes, strict=True):
        mrr = holdings.mrr
        amount = worth(mrr, stretch.start, stretch.end, asset, policy, terms)
        if once and amount is not None:
            # A one-time price is earned where the quantity changes, so that the periods add up to what is held.
            amount, before = amount - before, amount
        periods.append(
            StatePeriod(
                start=stretch.start,
                end=stretch.end,
                quantity=holdings.quantity,
                mrr=ZERO if once and mrr is not None else mrr,
                amount=amount,
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
    renews = entry.category is Category.RENEWALS
    begins = entry.effective if renews else _first_term(asset, entry.start)
    terms = tuple(sorted({*term_starts(asset, record.active), begins}))
    rows = tuple(
        row.model_copy(
            update={"product_amount": _times(row, worth(row.unit_price, row.start, row.end, asset, policy, terms))}
        )
        for row in entry.rows
    )
    action = AssetAction(
        sequence=len(record.actions) + 1,
        request_id=entry.request_id,
        category=entry.category or Category.OTHER,
        type=entry.type,
        subtype=entry.subtype,
        effective=entry.effective,
        recorded_at=entry.recorded_at,
        sources=rows,
        cuts=tuple(entry.cuts),
        clears_from=entry.clears_from,
        lifecycle_start=entry.start,
        lifecycle_end=entry.end,
        attributes=tuple(entry.attributes),
        undoes=entry.undoes,
        can_roll_back=entry.can_roll_back,
        related_asset=entry.related_asset,
        order_id=entry.order_id,
    )
    periods = rebuild(asset, (*record.actions, action), policy)
    measured = _with_changes(action, record.periods, periods, entry.category)
    return record.model_copy(
        update={"periods": periods, "version": record.version + 1, "actions": (*record.actions, measured)}
    )


def _times(row: ActionSource, each: Decimal | None) -> Decimal | None:
    return None if each is None else each * row.quantity


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
