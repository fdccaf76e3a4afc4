"""Countries by their codes as CLDR lists them: those of ISO 3166, and `EU` and `ZZ` for customers of no single or no known country."""

from __future__ import annotations

import re

from babel import Locale

COUNTRIES = frozenset(code for code in map(str, Locale("en").territories) if re.fullmatch("[A-Z]{2}", code))
"""Every alpha-2 code, read once with this module: a workflow may not."""


def known_country(code: str) -> str:
    """`code` if there is such a country. Raises ValueError with what would be one."""
    if code not in COUNTRIES:
        raise ValueError(f"unknown country {code[:80]!r}; use an ISO 3166 code in capitals, such as JP, DE or GB")
    return code
