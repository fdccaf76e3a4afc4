"""Prorated prices as other systems have them: an interval along any grid, one in a given period, and plain fractions."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date
from decimal import Decimal
from enum import StrEnum
from fractions import Fraction
from itertools import groupby

from domain.assets.dates import Span, is_month_end
from domain.assets.errors import PolicyError
from domain.assets.grid import Grid
from domain.assets.proration import Piece, pieces
from domain.assets.proration_policy import (
    DAYS_IN_MONTH,
    DayCount,
    Partial,
    Precision,
    ProrationPolicy,
    ZeroLength,
    days_used,
)
from domain.kernel.base import Carried
from domain.kernel.calendar import month_index
from domain.kernel.zones import zone_of
from tests.oracles.dialects.moments import SECOND, as_instant, local_date
from tests.oracles.dialects.percentages import percent_of
from tests.oracles.dialects.periods import Boundary, PeriodLength, grid_for

ONE = Fraction(1)


@dataclass(frozen=True, slots=True)
class UnitPrice:
    """A price for `quantity` units that covers `periods` periods."""

    price: Decimal
    quantity: int = 1
    periods: int = 1

    @property
    def per_period(self) -> Fraction:
        return Fraction(self.price) * self.quantity / self.periods


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
        multiplier=None if policy.multiplier_rounding is None else policy.multiplier_rounding.apply(multiplier),
        amount=None if price is None else _amount(price, multiplier, policy),
        total_days=interval.days,
        used_days=single and single.used,
        period_days=single and single.length,
        parts=() if price is None else _parts(found, price, policy),
    )


def _amount(price: UnitPrice, multiplier: Fraction, policy: ProrationPolicy) -> Decimal:
    return policy.rounding.apply(price.per_period * policy.used(multiplier))


def _parts(found: Sequence[Piece], price: UnitPrice, policy: ProrationPolicy) -> tuple[ServicePart, ...]:
    parts: list[ServicePart] = []
    for whole, group in groupby(found, key=lambda piece: piece.whole):
        shares = [piece.share for piece in group]
        kind = PartKind.WHOLE if whole else PartKind.PARTIAL
        joined = [sum(shares, Fraction())] if whole else shares
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
    used, length = length_of(policy, *service), period_length(policy, *period)
    if length == 0:
        raise PolicyError("the full period is empty")
    multiplier = _share_of_period(used, length, policy)
    net = _amount(price, multiplier, policy)
    tax = percent_of(net, tax_percent, policy.rounding)
    return PeriodPrice(
        multiplier=None if policy.multiplier_rounding is None else policy.multiplier_rounding.apply(multiplier),
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
        multiplier=None if policy.multiplier_rounding is None else policy.multiplier_rounding.apply(multiplier),
        amount=None if price is None else _amount(price, multiplier, policy),
    )


def length_of(policy: ProrationPolicy, start: date, end: date) -> int:
    """Units of the policy's precision from `start` up to `end` (half-open); never negative."""
    zone = zone_of(policy.time_zone)
    if policy.precision is Precision.SECOND:
        return max(0, (as_instant(end, zone) - as_instant(start, zone)) // SECOND)
    first, last = local_date(start, zone), local_date(end, zone)
    if policy.precision is Precision.DAY:
        return max(0, days_used(Span(first, last), policy.day_count))
    if first.day != last.day and not (is_month_end(first) and is_month_end(last)):
        raise PolicyError(f"{first} to {last} is no number of whole months; use precision day")
    return max(0, month_index(last) - month_index(first))


def period_length(policy: ProrationPolicy, start: date, end: date) -> int:
    """Units of the whole period from `start` up to `end`: the denominator of a share."""
    if policy.day_count is DayCount.ACTUAL:
        return length_of(policy, start, end)
    zone = zone_of(policy.time_zone)
    first, last = local_date(start, zone), local_date(end, zone)
    months = month_index(last) - month_index(first)
    if months < 1:
        raise PolicyError(f"{first} to {last} is no month; day count {policy.day_count} cannot measure it")
    return DAYS_IN_MONTH * months
