"""Country names as people write them, to ISO 3166 codes."""

from __future__ import annotations

from functools import cache

from babel import Locale

from domain.kernel.countries import COUNTRIES


@cache
def _by_name() -> dict[str, str]:
    names = Locale("en").territories
    return {str(name).casefold(): str(code) for code, name in names.items() if str(code) in COUNTRIES}


def country_code(name: str) -> str | None:
    """The alpha-2 code of a country given by its English name or by the code itself; null for neither."""
    return _by_name().get(name.casefold()) or (name if name in COUNTRIES else None)
