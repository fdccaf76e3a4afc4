"""National public holidays as entries of a calendar."""

from __future__ import annotations

from collections.abc import Collection, Iterable

import holidays

from domain.kernel.business_calendar import Holiday
from domain.kernel.business_errors import UnknownCountryError


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
    try:
        found = holidays.country_holidays(
            country, subdiv=subdivision, years=sorted(set(years)), expand=False, language=language
        )
    except NotImplementedError as cause:
        place = country if subdivision is None else f"{country}-{subdivision}"
        raise UnknownCountryError(
            f"no public holidays are known for {place!r}; use an ISO 3166 code such as JP or US and a part such as BY, "
            "or enter the dates by hand"
        ) from cause
    return tuple(Holiday(on=on, name=name, active=name not in working) for on, name in sorted(found.items()))
