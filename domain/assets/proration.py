"""Prorated prices: an interval along a grid, an interval in one period, and plain fractions.

Source: the proration parameters of the asset specification. Amounts are in the currency of the price that goes in.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date
from decimal import Decimal
from enum import StrEnum
from fractions import Fraction
from functools import lru_cache
from itertools import groupby

from domain.assets.dates import Span
from domain.assets.errors import PolicyError
from domain.assets.exact import percent_of, rounded
from domain.assets.grid import Boundary, Grid, PeriodLength, grid_for
from domain.assets.proration_policy import (
    Partial,
    ProrationPolicy,
    StubDenominator,
    WholePeriods,
    ZeroLength,
    days_in_period,
    days_used,
)
from domain.kernel.base import Carried
from domain.kernel.calendar import add_months

ONE = Fraction(1)


class PartKind(StrEnum):
    PARTIAL = "partial"
    WHOLE = "whole"


class ServicePart(Carried):
    """A run of service at one price: neighbouring whole periods, or one partial period."""

    kind: PartKind
    amount: Decimal


class IntervalPrice(Carried):
    """Multiplier, amount and parts of an interval; `used_days` and `period_days` if one period is touched."""

    multiplier: Decimal | None
    amount: Decimal | None
    total_days: int
    used_days: int | None
    period_days: int | None
    parts: tuple[ServicePart, ...]


class PeriodPrice(Carried):
    """The price of a service interval inside one full period; `amount` is net of tax."""

    multiplier: Decimal | None
    amount: Decimal
    tax: Decimal
    gross: Decimal
    used_units: int
    period_units: int


class FractionPrice(Carried):
    multiplier: Decimal | None
    amount: Decimal | None


@dataclass(frozen=True, slots=True)
class Piece:
    """What an interval uses of one period: `share` is exact."""

    used: int
    length: int
    kind: PartKind
    share: Fraction


@dataclass(frozen=True, slots=True)
class UnitPrice:
    """A price for `quantity` units that covers `periods` periods."""

    price: Decimal
    quantity: int = 1
    periods: int = 1

    @property
    def per_period(self) -> Fraction:
        return Fraction(self.price) * self.quantity / self.periods


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
    share = ONE if counts_one else Fraction(days, length)
    return Piece(days, length, PartKind.WHOLE if whole else PartKind.PARTIAL, share)


def billed_interval(start: date, end: date | None, billed_through: date | None, grid: Grid) -> Span:
    """The service that is billed: up to `end`, in advance no further than the first boundary after `billed_through`."""
    if billed_through is None:
        if end is None:
            raise PolicyError("an interval without an end needs a date up to which it is billed")
        return Span(start, max(start, end))
    if billed_through < start:
        return Span(start, start)
    boundary = grid.after(billed_through)
    return Span(start, max(start, boundary if end is None else min(end, boundary)))


def prorate_interval(
    start: date,
    end: date | None,
    period: PeriodLength,
    boundary: Boundary,
    policy: ProrationPolicy,
    *,
    price: UnitPrice | None = None,
    billed_through: date | None = None,
) -> IntervalPrice:
    """Price the service from `start` up to `end` (half-open) along a period grid.

    Raises:
        PolicyError: The interval has no end and no date up to which it is billed.
    """
    grid = grid_for(start, period, boundary)
    interval = billed_interval(start, end, billed_through, grid)
    found = pieces(interval, grid, policy)
    multiplier = sum((piece.share for piece in found), Fraction())
    single = found[0] if len(found) == 1 else None
    return IntervalPrice(
        multiplier=None if policy.multiplier_rounding is None else rounded(multiplier, policy.multiplier_rounding),
        amount=None if price is None else _amount(price, multiplier, policy),
        total_days=interval.days,
        used_days=single and single.used,
        period_days=single and single.length,
        parts=() if price is None else _parts(found, price, policy),
    )


def _amount(price: UnitPrice, multiplier: Fraction, policy: ProrationPolicy) -> Decimal:
    return rounded(price.per_period * policy.used(multiplier), policy.rounding)


def _parts(found: Sequence[Piece], price: UnitPrice, policy: ProrationPolicy) -> tuple[ServicePart, ...]:
    parts: list[ServicePart] = []
    for kind, group in groupby(found, key=lambda piece: piece.kind):
        shares = [piece.share for piece in group]
        joined = [sum(shares, Fraction())] if kind is PartKind.WHOLE else shares
        parts.extend(ServicePart(kind=kind, amount=_amount(price, share, policy)) for share in joined)
    return tuple(parts)


def prorate_in_period(
    price: UnitPrice,
    service: tuple[date, date],
    period: tuple[date, date],
    policy: ProrationPolicy,
    tax_percent: Decimal = Decimal(0),
) -> PeriodPrice:
    """Price a service interval inside one given full period; both are half-open, in dates or instants.

    Raises:
        PolicyError: The period is empty, or the policy cannot measure it.
    """
    used, length = policy.length(*service), policy.period_length(*period)
    if length == 0:
        raise PolicyError("the full period is empty")
    multiplier = _share_of_period(used, length, policy)
    net = _amount(price, multiplier, policy)
    tax = percent_of(net, tax_percent, policy.rounding)
    return PeriodPrice(
        multiplier=None if policy.multiplier_rounding is None else rounded(multiplier, policy.multiplier_rounding),
        amount=net,
        tax=tax,
        gross=net + tax,
        used_units=used,
        period_units=length,
    )


def _share_of_period(used: int, length: int, policy: ProrationPolicy) -> Fraction:
    if used == 0:
        return ONE if policy.zero_length is ZeroLength.FULL else Fraction()
    share = Fraction(used, length)
    if share < 1:
        return share if policy.partial is Partial.PRORATE else ONE
    return ONE if policy.cap_at_one else share


def prorate_fraction(
    whole_periods: int, used_units: int, period_units: int, policy: ProrationPolicy, price: UnitPrice | None = None
) -> FractionPrice:
    """Price whole periods and `used_units / period_units` of one more."""
    if period_units <= 0:
        raise PolicyError("a period has at least one unit")
    multiplier = whole_periods + Fraction(used_units, period_units)
    return FractionPrice(
        multiplier=None if policy.multiplier_rounding is None else rounded(multiplier, policy.multiplier_rounding),
        amount=None if price is None else _amount(price, multiplier, policy),
    )
