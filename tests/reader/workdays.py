"""On which days people of a country work."""

from __future__ import annotations

from datetime import date
from functools import lru_cache

import holidays


@lru_cache(maxsize=512)
def _free_days(country: str, year: int) -> tuple[frozenset[date], frozenset[int]]:
    try:
        found = holidays.country_holidays(country, years=year)
    except NotImplementedError:
        return frozenset(), frozenset({5, 6})
    return frozenset(found), frozenset(found.weekend)


def works(day: date, country: str) -> bool:
    """True on a day on which people of that country work."""
    free, weekend = _free_days(country, day.year)
    return day not in free and day.weekday() not in weekend
