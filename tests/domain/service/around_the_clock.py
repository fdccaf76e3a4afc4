"""The calendar that never closes."""

from __future__ import annotations

from domain.kernel.business_calendar import WEEKDAYS, BusinessCalendar, Interval, WeekHours
from domain.kernel.localtime import MINUTES_A_DAY


def always_open(timezone: str = "UTC") -> BusinessCalendar:
    """The calendar that never closes: business time is wall-clock time."""
    whole = (Interval(opens=0, closes=MINUTES_A_DAY),)
    return BusinessCalendar(
        id="always", name="around the clock", timezone=timezone, week=WeekHours(**dict.fromkeys(WEEKDAYS, whole))
    )
