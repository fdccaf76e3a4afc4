"""Months as an accountant counts them: from an anchor day, which is clipped in months that are too short for it."""

from __future__ import annotations

import calendar
from datetime import date
from fractions import Fraction
from functools import lru_cache


def months_on(anchor: date, months: int) -> date:
    """The day so many months after the anchor; the anchor's own day of the month, or the month's last."""
    year, month = divmod(anchor.year * 12 + anchor.month - 1 + months, 12)
    month += 1
    return date(year, month, min(anchor.day, calendar.monthrange(year, month)[1]))


@lru_cache(maxsize=100_000)
def month_of(anchor: date, day: date) -> tuple[int, date, date]:
    """The month of the anchor's grid that holds `day`: its number, first day, and the first day after it."""
    number = (day.year - anchor.year) * 12 + day.month - anchor.month
    if months_on(anchor, number) > day:
        number -= 1
    return number, months_on(anchor, number), months_on(anchor, number + 1)


def on_grid(anchor: date, day: date) -> bool:
    """True if a month of the anchor's grid begins on `day`."""
    return month_of(anchor, day)[1] == day


def months(anchor: date, first: date, until: date) -> Fraction:
    """Months of the anchor's grid from a day up to another, a month's part by its days; none if there is no day."""
    return _months_to(anchor, until) - _months_to(anchor, first) if first < until else Fraction(0)


@lru_cache(maxsize=100_000)
def _months_to(anchor: date, day: date) -> Fraction:
    number, begins, after = month_of(anchor, day)
    return number + Fraction((day - begins).days, (after - begins).days)
