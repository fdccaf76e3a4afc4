"""Where billing periods start, for every rule of other systems."""

from __future__ import annotations

from datetime import date
from enum import StrEnum
from itertools import pairwise
from typing import Self

from pydantic import Field, model_validator

from domain.assets.dates import Span, is_month_end
from domain.assets.errors import PolicyError
from domain.assets.grid import Grid
from domain.kernel.base import Carried
from domain.kernel.calendar import MONTHS_IN_YEAR, month_index

LAST = 31


class PeriodUnit(StrEnum):
    MONTH = "month"
    YEAR = "year"


class PeriodLength(Carried):
    """The length of one billing period; a quarter is three months."""

    unit: PeriodUnit = PeriodUnit.MONTH
    count: int = Field(default=1, ge=1)

    @property
    def months(self) -> int:
        return self.count * (MONTHS_IN_YEAR if self.unit is PeriodUnit.YEAR else 1)


class BoundaryKind(StrEnum):
    """Where periods start."""

    ANNIVERSARY = "anniversary"
    """at the start of service, then every period"""
    CALENDAR = "calendar"
    """on 1 January plus multiples of the period"""
    DAY_OF_PERIOD = "day_of_period"
    """on a day of a month, and every period before and after"""
    LAST_DAY_OF_PERIOD = "last_day_of_period"
    """on the last day of the period's last calendar month"""
    BILL_DAY = "bill_day"
    """on a day in the month of the start or, if that is over, one whole period later; then every period"""


class MonthEndRule(StrEnum):
    CLIP = "clip"
    """a missing day is the month's last day; later boundaries return to the wanted day"""
    STICKY = "sticky"
    """an anniversary on a month's last day stays on last days"""


class Boundary(Carried):
    """A boundary rule; `day` is needed by day-of-period and bill-day rules, `month` by periods longer than a month."""

    kind: BoundaryKind = BoundaryKind.ANNIVERSARY
    day: int | None = Field(default=None, ge=1, le=LAST)
    month: int | None = Field(default=None, ge=1, le=MONTHS_IN_YEAR)
    month_end_rule: MonthEndRule = MonthEndRule.CLIP

    @model_validator(mode="after")
    def _consistent(self) -> Self:
        if self.kind in (BoundaryKind.DAY_OF_PERIOD, BoundaryKind.BILL_DAY) and self.day is None:
            raise ValueError(f"a {self.kind} boundary needs a day")
        if self.month_end_rule is MonthEndRule.STICKY and self.kind is not BoundaryKind.ANNIVERSARY:
            raise ValueError("a sticky month end goes with anniversary boundaries only")
        return self


def grid_for(start: date, period: PeriodLength, boundary: Boundary) -> Grid:
    """The grid on which service that starts on `start` is billed."""
    here, january, step = month_index(start), start.year * MONTHS_IN_YEAR, period.months
    match boundary.kind:
        case BoundaryKind.ANNIVERSARY:
            sticky = boundary.month_end_rule is MonthEndRule.STICKY and is_month_end(start)
            return Grid(here, LAST if sticky else start.day, step)
        case BoundaryKind.CALENDAR:
            return Grid(january, 1, step)
        case BoundaryKind.LAST_DAY_OF_PERIOD:
            return Grid(january + step - 1, LAST, step)
        case BoundaryKind.DAY_OF_PERIOD:
            return Grid(january + (boundary.month or 1) - 1, _day(boundary), step)
        case BoundaryKind.BILL_DAY:
            return Grid(here, _day(boundary), step)


def _day(boundary: Boundary) -> int:
    if boundary.day is None:
        raise PolicyError(f"a {boundary.kind} boundary needs a day; set it in the policy")
    return boundary.day


def billing_periods(start: date, count: int, period: PeriodLength, boundary: Boundary) -> list[Span]:
    """The first `count` billing periods of service from `start`; the first may be shorter than a period of the grid."""
    grid = grid_for(start, period, boundary)
    first = grid.number_at(start)
    starts = [start, *(grid.boundary(first + number) for number in range(1, count + 1))]
    return [Span(*pair) for pair in pairwise(starts)]
