"""What a price comes to over a time: months by the anchor of the term, and amounts as a running sum that is rounded."""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Sequence
from datetime import datetime
from decimal import Decimal
from fractions import Fraction
from functools import lru_cache
from math import lcm
from operator import attrgetter
from typing import NamedTuple

from domain.assets.model import Act, Asset, AssetRecord, Category, SellingModel
from domain.kernel.base import Carried
from domain.kernel.calendar import anchor_from, local_day, months_between
from domain.kernel.money import exact_ratio, exactly, rounding_of
from domain.kernel.zones import wall_clock

ZERO = Decimal(0)
MOST_SEGMENTS = 12
"""Of a ramp, a term that is cut."""


class LedgerPolicy(Carried):
    """How a ledger counts and what it takes: amounts are what an asset has cost so far, rounded once, less what its earlier periods
    come to, so that they add up however often it is changed."""

    counted: str = "term_days"
    """the name of the way in which months are counted"""
    allow_backdate: bool = False
    most_segments: int | None = MOST_SEGMENTS

    def months(self, start: datetime, end: datetime, zone: str, anchor: datetime | None = None) -> Fraction:
        """Months from `start` up to `end` by the days of `zone`, from the day of `anchor` (that of `start`, if none is given) to the
        next, a part of one by its days: a term of six months is six, wherever it is cut."""
        return _months(start, end, zone, anchor)

    def rule(self) -> str:
        """How an amount comes about, for people."""
        return "MRR x months of the term, a part of one by its days"


@lru_cache(maxsize=16384)
def _months(start: datetime, end: datetime, zone: str, anchor: datetime | None) -> Fraction:
    first, last = local_day(start, zone), local_day(end, zone)
    if last <= first:
        return Fraction()
    return months_between(first, last, first.day if anchor is None else local_day(anchor, zone).day)


class Anchor(NamedTuple):
    """From `start` on, months begin on the local day of `anchor`."""

    start: datetime
    anchor: datetime


_start = attrgetter("start")


def month_anchors(asset: Asset, actions: Sequence[Act]) -> tuple[Anchor, ...]:
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


def _terms(actions: Sequence[Act]) -> list[tuple[datetime, datetime | None]]:
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


def exact_worth(
    price: Decimal | None,
    start: datetime,
    end: datetime | None,
    asset: Asset,
    policy: LedgerPolicy,
    anchors: Sequence[Anchor] = (),
) -> Fraction | None:
    """What a price by the month comes to from `start` to `end`, before any rounding; a one-time price counts once. `anchors`: see
    `month_anchors`."""
    if price is None or asset.selling_model is SellingModel.ONE_TIME:
        return None if price is None else Fraction(price)
    if end is None:
        return None
    return exactly(price) * policy.months(start, end, asset.time_zone, anchor_at(anchors, start))


def units_worth(
    price: Decimal | None,
    units: int,
    span: tuple[datetime, datetime | None],
    asset: Asset,
    policy: LedgerPolicy,
    anchors: Sequence[Anchor] = (),
) -> Decimal | None:
    """What units at a price come to in a span, rounded once: `exact_worth` of them, without a fraction on the way."""
    if price is None:
        return None
    rounding = rounding_of(asset.currency)
    if asset.selling_model is SellingModel.ONE_TIME:
        top, bottom = price.as_integer_ratio()
        return rounding.quotient(top * units, bottom)
    start, end = span
    if end is None:
        return None
    top, bottom = exact_ratio(price)
    months, of = policy.months(start, end, asset.time_zone, anchor_at(anchors, start)).as_integer_ratio()
    return rounding.quotient(top * months * units, bottom * of)


class PeriodAmounts:
    """The amounts of an asset's periods, one after the other."""

    def __init__(self, asset: Asset, policy: LedgerPolicy, anchors: Sequence[Anchor]) -> None:
        self._zone, self._policy, self._anchors = asset.time_zone, policy, anchors
        self._once = asset.selling_model is SellingModel.ONE_TIME
        self._rounding = rounding_of(asset.currency)
        self._sum, self._over = asset.carried.as_integer_ratio()
        self._before, self._stale = ZERO, self._sum != 0

    def of(self, price: Decimal | None, start: datetime, end: datetime | None) -> Decimal | None:
        """What the next period adds. A one-time price is earned where the quantity changes, so that they add up to what is held."""
        if self._stale:
            self._before, self._stale = self._rounding.quotient(self._sum, self._over), False
        if price is None or (end is None and not self._once):
            return None
        self._add(price, start, end)
        so_far = self._rounding.quotient(self._sum, self._over)
        amount, self._before = so_far - self._before, so_far
        return amount

    def pass_over(self, price: Decimal | None, start: datetime, end: datetime | None) -> None:
        """As `of`, for a period whose amount is known."""
        if price is not None and (end is not None or self._once):
            self._add(price, start, end)
            self._stale = True

    def _add(self, price: Decimal, start: datetime, end: datetime | None) -> None:
        """A period more, over a denominator that is kept: they are few, and reducing each sum would cost more."""
        top, bottom = exact_ratio(price)
        if self._once or end is None:
            self._sum, self._over = top, bottom
            return
        months = self._policy.months(start, end, self._zone, anchor_at(self._anchors, start))
        count, of = months.as_integer_ratio()
        bottom *= of
        if self._over % bottom:
            common = lcm(self._over, bottom)
            self._sum, self._over = self._sum * (common // self._over), common
        self._sum += top * count * (self._over // bottom)


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
