"""Days off by country: the one place that asks for public holidays."""

from __future__ import annotations

import sys
from collections.abc import Iterable, Mapping
from datetime import date
from functools import lru_cache
from importlib.util import find_spec, module_from_spec
from typing import TYPE_CHECKING, Any, NamedTuple

from domain.kernel.business_errors import UnknownCountryError

if TYPE_CHECKING:
    from holidays import HolidayBase


def _holidays_of(country: str, **which: Any) -> HolidayBase:
    """Those of one country, which is read by itself: their package would read more than two hundred of them, for half a second."""
    import holidays  # which whoever asks for none does not wait for

    if _COUNTRIES not in sys.modules and (spec := find_spec(_COUNTRIES)) is not None:
        sys.modules[_COUNTRIES] = module_from_spec(spec)
    return holidays.country_holidays(country, **which)


_COUNTRIES = "holidays.countries"


class DaysOff(NamedTuple):
    """The public holidays of a year, and the weekdays (Monday is 0) of the country's weekend."""

    days: frozenset[date]
    weekend: frozenset[int]


def public_holidays(
    country: str, years: Iterable[int], subdivision: str | None = None, language: str | None = None
) -> Mapping[date, str]:
    """The public holidays of a country or one of its parts, with their names.

    Raises:
        UnknownCountryError: no holiday data for that country or subdivision.
    """
    wanted = sorted(set(years))
    try:
        found = _holidays_of(country, subdiv=subdivision, years=wanted, expand=False, language=language)
    except NotImplementedError as cause:
        place = country if subdivision is None else f"{country}-{subdivision}"
        raise UnknownCountryError(
            f"no public holidays are known for {place!r}; use an ISO 3166 code such as JP or US and a part such as BY, "
            "or enter the dates by hand"
        ) from cause
    return dict(sorted(found.items()))


@lru_cache(maxsize=512)
def days_off(country: str, year: int) -> DaysOff:
    """A country without known holidays has none, and Saturday and Sunday off."""
    try:
        found = public_holidays(country, [year])
    except UnknownCountryError:
        return DaysOff(frozenset(), frozenset({5, 6}))
    return DaysOff(frozenset(found), frozenset(_holidays_of(country).weekend))
