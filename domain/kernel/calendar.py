"""Dates in the customer's zone: local days to instants, months with the end-of-month clamp, and business days."""

from __future__ import annotations

import re
from calendar import isleap
from collections.abc import Sequence
from contextlib import suppress
from datetime import UTC, date, datetime, time, timedelta
from fractions import Fraction
from functools import lru_cache
from math import ceil
from typing import Annotated, TypeVar

from pydantic import AfterValidator

from domain.kernel.days_off import days_off
from domain.kernel.zones import instant_of, known_zone, local_time, wall_clock

MORNING = time(9, 0)
MONTHS_IN_YEAR = 12
CALENDAR = 1
"""The anchor day of calendar months."""
FOR_EVER = date(2999, 12, 31)
"""The first day after what has no end, beyond all years within reach."""
_WRITTEN_DAY = re.compile(r"[0-9]{4}-[0-9]{2}-[0-9]{2}")
_SHORTEST = 28
_FEBRUARY = 1
_LENGTHS = (31, 28, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31)

ZoneName = Annotated[str, AfterValidator(known_zone)]

_Day = TypeVar("_Day", bound=date)


def within_reach(day: _Day) -> _Day:
    """`day` (a date or an instant) if it lies in the years for which calendars are worth something, 1970 to 2200."""
    if not 1970 <= day.year <= 2200:
        raise ValueError(f"the year {day.year} is out of reach; use one from 1970 to 2200")
    return day


def written_day(value: object) -> date | None:
    """The day that a date is, or a text that says a day and nothing else; null for an instant and for all else."""
    if isinstance(value, str) and _WRITTEN_DAY.fullmatch(value.strip()):
        with suppress(ValueError):
            return date.fromisoformat(value.strip())
    return value if isinstance(value, date) and not isinstance(value, datetime) else None


def local_instant(day: date, zone: str, at: time = MORNING) -> datetime:
    """The UTC instant of `at` on the local `day`; a time that a clock change skips is read one hour later."""
    return instant_of(datetime.combine(day, at), zone)


def local_day(instant: datetime, zone: str) -> date:
    """The calendar day on which `instant` falls in `zone`."""
    return instant.date() if zone == "UTC" and instant.tzinfo is UTC else _local_day(instant, zone)


@lru_cache(maxsize=16384)
def _local_day(instant: datetime, zone: str) -> date:
    return local_time(instant, zone).date()


def start_of_day(day: date, zone: str) -> datetime:
    """The UTC instant at which the local `day` begins."""
    return local_instant(day, zone, time(0, 0))


def month_index(day: date) -> int:
    """Months since year 0."""
    return day.year * MONTHS_IN_YEAR + day.month - 1


def day_in_month(index: int, day: int) -> date:
    """The wanted `day` of the month with this index, or its last day if the month is shorter."""
    year, month = divmod(index, MONTHS_IN_YEAR)
    if day > _SHORTEST:
        day = min(day, _LENGTHS[month] if month != _FEBRUARY else _SHORTEST + isleap(year))
    return date(year, month + 1, day)


def add_months(moment: _Day, months: int, anchor: int | None = None) -> _Day:
    """`moment` moved by whole months to the `anchor` day (its own if none is given); the time of day stays.

    A day that the month lacks becomes its last one: counted from an anchor of 31, 28 February and a month are 31 March.
    """
    target = day_in_month(month_index(moment) + months, moment.day if anchor is None else anchor)
    return moment.replace(year=target.year, month=target.month, day=target.day)


def months_later(instant: datetime, months: int, zone: str, anchor: int | None = None) -> datetime:
    """The same time of day whole months after an instant, by the clocks of `zone`; to the `anchor` day, if that is given."""
    return _months_later(instant, months, zone, anchor)


@lru_cache(maxsize=8192)
def _months_later(instant: datetime, months: int, zone: str, anchor: int | None) -> datetime:
    return instant_of(add_months(wall_clock(instant, zone), months, anchor), zone)


def begins_month(day: date, anchor: int) -> bool:
    """True if a month that is counted by the `anchor` day begins on `day`."""
    return day_in_month(month_index(day), anchor).day == day.day


def anchor_from(day: date, anchor: int) -> int:
    """The anchor day of what begins on `day`: it goes on if one of its months begins there, else the months count from `day`."""
    return anchor if begins_month(day, anchor) else day.day


def month_grids(starts: Sequence[date], first_day: int) -> list[tuple[date, int]]:
    """Where the months of terms that begin on `starts` are counted from, and by which day of the month: from the first of
    them by `first_day`, and anew from each later one that begins off the months before it."""
    found = [(starts[0], first_day)]
    for start in starts[1:]:
        if (day := anchor_from(start, found[-1][1])) != found[-1][1]:
            found.append((start, day))
    return found


def months_between(start: date, end: date, anchor: int) -> Fraction:
    """Months from `start` up to `end`, each from the `anchor` day to the next; a part of one is its days over all of its days.

    Exact, and the same wherever the time between is cut.
    """
    return _months_to(end, anchor) - _months_to(start, anchor)


@lru_cache(maxsize=16384)
def _months_to(day: date, anchor: int) -> Fraction:
    index = month_index(day)
    index -= day_in_month(index, anchor).day > day.day
    first = day_in_month(index, anchor)
    gone = (day - first).days
    return Fraction(index) if gone == 0 else index + Fraction(gone, (day_in_month(index + 1, anchor) - first).days)


def started_months(start: date, end: date) -> int:
    """Months from `start` up to `end`, at least one; an incomplete last month counts as one."""
    return max(1, ceil(months_between(start, end, start.day)))


def is_business_day(day: date, country: str) -> bool:
    """Neither weekend nor national holiday of `country` (ISO 3166 alpha-2).

    A country without known holidays has none, and Saturday and Sunday off.
    """
    off = days_off(country, day.year)
    return day.weekday() not in off.weekend and day not in off.days


def business_day_from(day: date, country: str) -> date:
    """`day`, or the next business day after it: for what a person should receive at work."""
    while not is_business_day(day, country):
        day += timedelta(days=1)
    return day


def business_day_until(day: date, country: str) -> date:
    """`day`, or the last business day before it: for notices that must not be late."""
    while not is_business_day(day, country):
        day -= timedelta(days=1)
    return day


def quarter_of(day: date) -> str:
    """The quarter of a day, as `2027Q1`."""
    return f"{day.year}Q{(day.month + 2) // 3}"


def days_between(earlier: datetime, later: datetime) -> int:
    """Whole days from one instant to a later one."""
    return (later - earlier) // timedelta(days=1)
