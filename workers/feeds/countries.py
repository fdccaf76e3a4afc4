"""Country names as people write them, to ISO 3166 codes."""

from __future__ import annotations

import re
from functools import cache

from babel import Locale


@cache
def _by_name() -> dict[str, str]:
    names = Locale("en").territories
    return {str(name).casefold(): str(code) for code, name in names.items() if re.fullmatch("[A-Z]{2}", str(code))}


def country_code(name: str) -> str | None:
    """The alpha-2 code of a country given by its English name or by the code itself; null for neither."""
    known = _by_name()
    return known.get(name.casefold()) or (name if name in known.values() else None)
