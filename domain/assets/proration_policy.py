"""Proration as a policy: every convention is a set of these parameters, and nothing else."""

from __future__ import annotations

from datetime import date
from enum import StrEnum
from fractions import Fraction
from typing import Self

from pydantic import Field, ValidationError, model_validator

from domain.assets.dates import DAY, Span, is_month_end
from domain.assets.errors import PolicyError
from domain.kernel.base import Carried
from domain.kernel.calendar import ZoneName, month_index
from domain.kernel.money import Rounding

DAYS_IN_MONTH = 30


class Partial(StrEnum):
    """What a period counts that is used in part."""

    PRORATE = "prorate"
    COUNT_WHOLE = "count_whole"
    """every touched period counts one"""
    CHARGE_FULL = "charge_full"
    """a part costs the full price"""


class DayCount(StrEnum):
    """Days used over days of the period."""

    ACTUAL = "actual"
    """calendar days over calendar days"""
    ACTUAL_30 = "actual_30"
    """calendar days over 30 for each month"""
    THIRTY = "30_day"
    """360 for each year, 30 for each month and the difference of the days, over 30 for each month"""
    THIRTY_MONTH_END = "30_day_month_end"
    """as before, counted inclusively, a month's last day being day 30"""


class WholePeriods(StrEnum):
    ONE = "one"
    """a fully used period is exactly one"""
    BY_DAYS = "by_days"
    """it, too, is days over days"""


class StubDenominator(StrEnum):
    """The length that a leading part is divided by."""

    GRID = "grid"
    BOUNDARY_MINUS_PERIOD = "boundary_minus_period"


class Precision(StrEnum):
    SECOND = "second"
    DAY = "day"
    MONTH = "month"


class AmountFrom(StrEnum):
    EXACT = "exact"
    ROUNDED_MULTIPLIER = "rounded_multiplier"


class ChangeDay(StrEnum):
    """Whether the day of a change is the first of the rest or still counts as used."""

    NEW = "new"
    OLD = "old"


class ZeroLength(StrEnum):
    ZERO = "zero"
    FULL = "full"


class AdjustmentRule(StrEnum):
    """What earlier credits on a charge do to a further one."""

    CAP = "cap"
    """credit at most what is left"""
    REDUCE_BASE = "reduce_base"
    """prorate what is left"""
    IGNORE = "ignore"


class RoundOn(StrEnum):
    EACH_SIDE = "each_side"
    USED_PART = "used_part"
    """the used part is rounded and the credit is the rest, so that both add up to the full price"""
    NET = "net"


class RemainderTo(StrEnum):
    FIRST = "first"
    LAST = "last"
    SEPARATE = "separate"


class ProrationPolicy(Carried):
    """All parameters of proration; operations read those that concern them."""

    partial: Partial = Partial.PRORATE
    day_count: DayCount = DayCount.ACTUAL
    whole_periods: WholePeriods = WholePeriods.ONE
    stub_denominator: StubDenominator = StubDenominator.GRID
    precision: Precision = Precision.DAY
    time_zone: ZoneName = "UTC"
    change_day_belongs_to: ChangeDay = ChangeDay.NEW
    cap_at_one: bool = True
    zero_length: ZeroLength = ZeroLength.ZERO
    adjustment_rule: AdjustmentRule = AdjustmentRule.CAP
    round_on: RoundOn = RoundOn.EACH_SIDE
    remainder_to: RemainderTo = RemainderTo.LAST
    rounding: Rounding = Field(default_factory=Rounding)
    multiplier_rounding: Rounding | None = None
    amount_from: AmountFrom = AmountFrom.EXACT

    @model_validator(mode="after")
    def _consistent(self) -> Self:
        if self.amount_from is AmountFrom.ROUNDED_MULTIPLIER and self.multiplier_rounding is None:
            raise ValueError("amounts from a rounded multiplier need multiplier_rounding")
        if self.precision is not Precision.DAY and self.day_count is not DayCount.ACTUAL:
            raise ValueError(f"day count {self.day_count} needs precision day, not {self.precision}")
        return self

    def used(self, multiplier: Fraction) -> Fraction:
        """The multiplier that amounts are computed from."""
        if self.amount_from is AmountFrom.EXACT or self.multiplier_rounding is None:
            return multiplier
        return Fraction(self.multiplier_rounding.apply(multiplier))


def read_policy(raw: dict[str, object]) -> ProrationPolicy:
    """A policy from stored or received parameters.

    Raises:
        PolicyError: A parameter has an unknown value, or two contradict each other.
    """
    unknown = raw.keys() - ProrationPolicy.model_fields.keys()
    if unknown:
        raise PolicyError(f"unknown proration parameters: {', '.join(sorted(unknown))}")
    try:
        return ProrationPolicy.model_validate(raw)
    except ValidationError as error:
        raise PolicyError(f"no valid proration policy: {error}") from error


def days_used(span: Span, day_count: DayCount) -> int:
    """Days of `span` as `day_count` counts them."""
    if day_count in (DayCount.ACTUAL, DayCount.ACTUAL_30):
        return span.days
    if day_count is DayCount.THIRTY:
        return _thirty(span.start, span.end, span.start.day, span.end.day)
    if span.days <= 0:
        return 0
    last = span.end - DAY
    return _thirty(span.start, last, _day_of_thirty(span.start), _day_of_thirty(last)) + 1


def _thirty(start: date, end: date, start_day: int, end_day: int) -> int:
    return DAYS_IN_MONTH * (month_index(end) - month_index(start)) + end_day - start_day


def _day_of_thirty(day: date) -> int:
    return DAYS_IN_MONTH if is_month_end(day) else day.day


def days_in_period(span: Span, months: int, day_count: DayCount) -> int:
    """The denominator for one period of that many months."""
    return span.days if day_count is DayCount.ACTUAL else DAYS_IN_MONTH * months
