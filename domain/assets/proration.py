"""Prorated prices: what an interval uses of the periods of a grid, as a policy counts it."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date
from decimal import Decimal
from fractions import Fraction
from functools import lru_cache

from domain.assets.dates import Span
from domain.assets.grid import Grid
from domain.assets.proration_policy import (
    Partial,
    ProrationPolicy,
    StubDenominator,
    WholePeriods,
    days_in_period,
    days_used,
)
from domain.kernel.calendar import add_months, month_index


@dataclass(frozen=True, slots=True)
class Piece:
    """What an interval uses of one period: `share` is exact."""

    used: int
    length: int
    whole: bool
    share: Fraction


def by_the_month(price: Decimal, start: date, end: date, policy: ProrationPolicy) -> Decimal:
    """What a price by the month comes to from `start` up to `end`, in months that begin on the day of `start`, rounded."""
    found = pieces(Span(start, end), Grid(month_index(start), start.day, 1), policy)
    return policy.rounding.apply(Fraction(price) * policy.used(sum((piece.share for piece in found), Fraction())))


@lru_cache(maxsize=4096)
def pieces(interval: Span, grid: Grid, policy: ProrationPolicy) -> tuple[Piece, ...]:
    """`interval` cut along `grid`, in time order. Remembered: the lines of an order share their terms."""
    found: list[Piece] = []
    start = interval.start
    while start < interval.end:
        period = grid.period_at(start)
        used = Span(start, min(period.end, interval.end))
        found.append(_piece(used, period, grid.step, policy))
        start = used.end
    return tuple(found)


def _piece(used: Span, period: Span, months: int, policy: ProrationPolicy) -> Piece:
    whole = used == period
    if used.start > period.start and policy.stub_denominator is StubDenominator.BOUNDARY_MINUS_PERIOD:
        period = Span(add_months(period.end, -months), period.end)
    days, length = days_used(used, policy.day_count), days_in_period(period, months, policy.day_count)
    counts_one = policy.partial is not Partial.PRORATE or (whole and policy.whole_periods is WholePeriods.ONE)
    return Piece(days, length, whole, Fraction(1) if counts_one else Fraction(days, length))
