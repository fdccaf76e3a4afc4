"""What a price comes to over a time: months by the anchor of the term, and amounts as a running sum that is rounded."""

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

from domain.assets.model import (
    Asset,
    AssetAction,
    AssetRecord,
    Category,
    SellingModel,
)
from domain.assets.periods import Slice
from domain.kernel.base import Carried
from domain.kernel.calendar import CALENDAR, add_months, anchor_from, month_index
from domain.kernel.calendar import months_between as months_by_anchor
from domain.kernel.money import exactly, rounding_of
from domain.kernel.zones import wall_clock

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
    return wall_clock(moment, zone)


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
    return rounding_of(asset.currency).product(price, months)


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
        return None if exact is None else rounding_of(asset.currency).apply(exact * units)
    each = worth(price, *span, asset, policy, anchors)
    return None if each is None else each * units


class Amounts:
    """The amounts of an asset's periods, one after the other."""

    def __init__(self, asset: Asset, policy: LedgerPolicy, anchors: Sequence[Anchor]) -> None:
        self._facts = asset, policy, anchors
        self._once = asset.selling_model is SellingModel.ONE_TIME
        self._running = policy.amounts is AmountRounding.RUNNING_SUM
        self._rounding = rounding_of(asset.currency)
        self._earned = ZERO
        self._sum, self._over = asset.carried.as_integer_ratio()
        self._before = self._rounding.quotient(self._sum, self._over)

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
        so_far = self._rounding.quotient(self._sum, self._over)
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
