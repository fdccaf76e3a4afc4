"""On which day a play is due: counted from its anchor, on a day on which people work and which is not quiet."""

from __future__ import annotations

from datetime import date, timedelta

from domain.frame.plays import Play, PlayDays
from domain.frame.situation import Situation
from domain.kernel.calendar import is_business_day


def day_of(situation: Situation, play: Play, anchor: date) -> date:
    """The local day on which a play is due that counts from the day `anchor`: one on which people work, and which is not quiet."""
    country = situation.customer.account.country
    day = in_business_days(anchor, play.days, country) if play.count is PlayDays.BUSINESS else anchor
    if play.count is PlayDays.CALENDAR:
        day += timedelta(days=play.days)
    return _open_day(play, day, country)


def again_on(situation: Situation, play: Play, first: date, number: int) -> date:
    """The day of the occurrence `number` of a play whose first one is planned from the day `first`."""
    every = play.repeat.every if play.repeat else 0
    return _open_day(play, first + timedelta(days=every * (number - 1)), situation.customer.account.country)


def _open_day(play: Play, day: date, country: str) -> date:
    while any(time.covers(day) for time in play.quiet) or not is_business_day(day, country):
        day += timedelta(days=1)
    return day


def in_business_days(day: date, days: int, country: str) -> date:
    """So many business days after a day, or before it."""
    one = timedelta(days=1 if days >= 0 else -1)
    for _ in range(abs(days)):
        day += one
        while not is_business_day(day, country):
            day += one
    return day
