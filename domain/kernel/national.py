"""National public holidays as entries of calendars, and the clock that counts business days by them."""

from __future__ import annotations

from collections.abc import Collection, Iterable
from functools import lru_cache

from domain.kernel.business_calendar import WEEKDAYS, BusinessCalendar, Holiday, Interval, WeekHours
from domain.kernel.business_clock import BusinessClock
from domain.kernel.days_off import days_off, public_holidays
from domain.kernel.localtime import MINUTES_A_DAY


def national_holidays(
    country: str,
    years: Iterable[int],
    *,
    subdivision: str | None = None,
    working: Collection[str] = (),
    language: str | None = None,
) -> tuple[Holiday, ...]:
    """The public holidays of a country or one of its parts, as dated entries to be kept in a calendar version.

    They are written into the calendar rather than looked up when a promise is computed, so that a newer release of the
    holiday data moves no promise that was already made.

    Args:
        country: ISO 3166-1 code such as `JP`.
        years: the years to list.
        subdivision: ISO 3166-2 part without the country, such as `BY`; none for the whole country.
        working: names of holidays on which work goes on; they are listed as inactive.
        language: language of the names, such as `en_US`; none for the country's own.

    Raises:
        UnknownCountryError: no holiday data for that country or subdivision.
    """
    found = public_holidays(country, years, subdivision, language)
    return tuple(Holiday(on=on, name=name, active=name not in working) for on, name in found.items())


@lru_cache(maxsize=128)
def weekday_clock(country: str, zone: str, year: int) -> BusinessClock:
    """The clock by which a customer's business days are counted: whole days without their weekend and public holidays.
    `year` and its neighbours are covered."""
    years = [days_off(country, one) for one in range(year - 1, year + 3)]
    whole = (Interval(opens=0, closes=MINUTES_A_DAY),)
    week = WeekHours(**{day: () if n in years[0].weekend else whole for n, day in enumerate(WEEKDAYS)})
    found = tuple(Holiday(on=day) for off in years for day in sorted(off.days))
    return BusinessClock(BusinessCalendar(id=f"days-{country}", timezone=zone, week=week, holidays=found))
