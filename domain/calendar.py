"""Dates in the customer's zone: local days to instants, months with the end-of-month clamp, and business days."""

from __future__ import annotations

from calendar import monthrange
from datetime import UTC, date, datetime, time, timedelta
from functools import lru_cache
from typing import Annotated, TypeVar
from zoneinfo import ZoneInfo

import holidays
from pydantic import AfterValidator

from domain.zones import known_zone

MORNING = time(9, 0)

ZoneName = Annotated[str, AfterValidator(known_zone)]

_Day = TypeVar("_Day", bound=date)


def within_reach(day: _Day) -> _Day:
    """`day` (a date or an instant) if it lies in the years for which calendars are worth something, 1970 to 2200."""
    if not 1970 <= day.year <= 2200:
        raise ValueError(f"the year {day.year} is out of reach; use one from 1970 to 2200")
    return day


def local_instant(day: date, zone: str, at: time = MORNING) -> datetime:
    """The UTC instant of `at` on the local `day`; a time that a clock change skips is read one hour later."""
    return datetime.combine(day, at, tzinfo=ZoneInfo(zone)).astimezone(UTC)


def local_day(instant: datetime, zone: str) -> date:
    """The calendar day on which `instant` falls in `zone`."""
    return instant.astimezone(ZoneInfo(zone)).date()


def start_of_day(day: date, zone: str) -> datetime:
    """The UTC instant at which the local `day` begins."""
    return local_instant(day, zone, time(0, 0))


def add_months(day: date, months: int) -> date:
    """`day` moved by whole months; a day that the month lacks becomes its last one."""
    year, month = divmod(day.year * 12 + day.month - 1 + months, 12)
    return date(year, month + 1, min(day.day, monthrange(year, month + 1)[1]))


def months_between(start: date, end: date) -> int:
    """Whole months from `start` up to `end` (exclusive); an incomplete last month counts as one."""
    months = (end.year - start.year) * 12 + end.month - start.month
    return months + 1 if add_months(start, months) < end else max(months, 1)


@lru_cache(maxsize=512)
def _days_off(country: str, year: int) -> tuple[frozenset[date], frozenset[int]]:
    """The national holidays of a year, and the weekdays (Monday is 0) of the country's weekend."""
    try:
        found = holidays.country_holidays(country, years=year)
    except NotImplementedError:
        return frozenset(), frozenset({5, 6})
    return frozenset(found), frozenset(found.weekend)


def is_business_day(day: date, country: str) -> bool:
    """Neither weekend nor national holiday of `country` (ISO 3166 alpha-2).

    A country without known holidays has none, and Saturday and Sunday off.
    """
    days, weekend = _days_off(country, day.year)
    return day.weekday() not in weekend and day not in days


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
