"""Countries by their codes as CLDR lists them: those of ISO 3166, and `EU` and `ZZ` for customers of no single or no known country."""

from __future__ import annotations

import re
from functools import cache

from babel import Locale


@cache
def known_countries() -> frozenset[str]:
    """Every alpha-2 code."""
    return frozenset(code for code in map(str, Locale("en").territories) if re.fullmatch("[A-Z]{2}", code))


def known_country(code: str) -> str:
    """`code` if there is such a country. Raises ValueError with what would be one."""
    if code not in known_countries():
        raise ValueError(f"unknown country {code[:80]!r}; use an ISO 3166 code in capitals, such as JP, DE or GB")
    return code
