"""What expressions of a mapping can call beside what JMESPath has: money, instants, ids, tables, and the whole event.

JMESPath: https://jmespath.org/specification.html
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from datetime import UTC, datetime
from decimal import Decimal
from typing import Any

from jmespath import functions

from domain.kernel.calendar import local_day
from domain.kernel.ids import ID_LIMIT
from domain.kernel.money import MINOR_UNITS
from domain.kernel.zones import known_zone

Tables = Mapping[str, Mapping[str, Any]]
_MILLISECONDS = 10**11
"""Later than this no count of seconds is, and no count of milliseconds earlier."""
_NOT_IN_IDS = re.compile(r"[^A-Za-z0-9_.-]+")


class MappingFunctions(functions.Functions):
    """The functions for one event: `event` as it came, the headers by their names in small letters."""

    def __init__(self, event: Any, headers: Mapping[str, str], tables: Tables) -> None:
        self._event = event
        self._headers = headers
        self._tables = tables

    @functions.signature()
    def _func_event(self) -> Any:
        """The whole event, also within an item of a list."""
        return self._event

    @functions.signature({"types": ["string"]})
    def _func_header(self, name: str) -> str | None:
        return self._headers.get(name.lower())

    @functions.signature({"types": []})
    def _func_text(self, value: Any) -> str | None:
        """A number or a text as text; null stays null."""
        return None if value is None else plain(value)

    @functions.signature({"types": ["string"]}, {"types": ["string", "number", "null"]})
    def _func_id(self, prefix: str, value: Any) -> str | None:
        """An id of ours made of a foreign one: its letters and digits behind a prefix."""
        if value is None or value == "":
            return None
        return f"{prefix}{_NOT_IN_IDS.sub('-', plain(value)).strip('-')}"[:ID_LIMIT]

    @functions.signature({"types": ["number", "null"]}, {"types": ["string", "null"]})
    def _func_minor(self, amount: Any, currency: str | None) -> str | None:
        """An amount in the smallest unit of a currency (1999 cents) as a decimal ("19.99")."""
        if amount is None or currency is None:
            return None
        if currency.upper() not in MINOR_UNITS:
            raise ValueError(f"minor(): {currency[:20]!r} is no currency")
        return format(Decimal(amount).scaleb(-MINOR_UNITS[currency.upper()]), "f")

    @functions.signature({"types": ["string", "number", "null"]})
    def _func_instant(self, value: Any) -> str | None:
        """Seconds or milliseconds since 1970, or a text with its offset, as an instant."""
        at = _instant(value)
        return None if at is None else at.isoformat()

    @functions.signature({"types": ["string", "number", "null"]}, {"types": ["string"]})
    def _func_day(self, value: Any, zone: str) -> str | None:
        """The local day of an instant in a zone; a text that is a day already stays one."""
        if isinstance(value, str) and re.fullmatch(r"\d{4}-\d\d-\d\d", value):
            return value
        at = _instant(value)
        return None if at is None else local_day(at, known_zone(zone)).isoformat()

    @functions.signature({"types": ["string"]}, {"types": ["string", "number", "boolean", "null"]})
    def _func_lookup(self, table: str, key: Any) -> Any:
        """What a table of the mapping says under a key; null if it says nothing."""
        if table not in self._tables:
            raise ValueError(f"lookup(): the mapping has no table {table!r}")
        return None if key is None else self._tables[table].get(plain(key))

    @functions.signature({"types": ["string", "number", "null"]}, {"types": ["string", "number", "null"]})
    def _func_times(self, one: Any, other: Any) -> str | None:
        return _reckoned(one, other, lambda a, b: a * b)

    @functions.signature({"types": ["string", "number", "null"]}, {"types": ["string", "number", "null"]})
    def _func_minus(self, one: Any, other: Any) -> str | None:
        return _reckoned(one, other, lambda a, b: a - b)

    @functions.signature({"types": ["string", "number", "null"]}, {"types": ["string", "number", "null"]})
    def _func_divided(self, one: Any, other: Any) -> str | None:
        """A quotient, to six places."""
        return _reckoned(one, other, lambda a, b: round(a / b, 6))

    @functions.signature({"types": ["array", "null"]})
    def _func_total(self, amounts: Any) -> str:
        """The sum of amounts, as texts or numbers."""
        return _decimal(sum((Decimal(plain(one)) for one in amounts or () if one is not None), Decimal(0)))

    @functions.signature({"types": ["string", "number", "null"]})
    def _func_whole(self, value: Any) -> int | None:
        """A number without a fraction ("50.0" is 50)."""
        if value is None:
            return None
        number = Decimal(plain(value))
        if number != number.to_integral_value():
            raise ValueError(f"whole(): {plain(value)[:40]} is no whole number")
        return int(number)

    @functions.signature({"types": ["array", "null"]})
    def _func_unique(self, values: Any) -> list[Any]:
        """A list in which each value stands once."""
        return [value for number, value in enumerate(values or ()) if value not in values[:number]]

    @functions.signature({"types": ["string", "null"]})
    def _func_upper(self, text: str | None) -> str | None:
        return None if text is None else text.upper()

    @functions.signature({"types": ["string", "null"]})
    def _func_lower(self, text: str | None) -> str | None:
        return None if text is None else text.lower()

    @functions.signature({"types": ["string", "null"]}, {"types": ["number"]})
    def _func_shortened(self, text: str | None, letters: int) -> str | None:
        """A text of so many letters at most."""
        return None if text is None else text[: int(letters)]


KNOWN: Mapping[str, Any] = MappingFunctions.FUNCTION_TABLE
"""Every function that there is, by name."""


def plain(value: Any) -> str:
    """A value of JSON as text: numbers without an exponent, true and false in small letters."""
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, float):
        return format(Decimal(repr(value)), "f")
    return str(value)


def _decimal(value: Decimal) -> str:
    said = format(value, "f")
    return said.rstrip("0").rstrip(".") if "." in said else said


def _reckoned(one: Any, other: Any, reckon: Callable[[Decimal, Decimal], Decimal]) -> str | None:
    """What comes of two amounts; null if one of them is not there."""
    if one is None or other is None:
        return None
    return _decimal(reckon(Decimal(plain(one)), Decimal(plain(other))))


def _instant(value: Any) -> datetime | None:
    if value is None or value == "":
        return None
    if isinstance(value, str) and not value.lstrip("-").isdigit():
        at = datetime.fromisoformat(value)
        if at.tzinfo is None:
            raise ValueError(f"{value[:40]!r} is no instant: it has no offset")
        return at
    seconds = Decimal(plain(value))
    try:
        return datetime.fromtimestamp(float(seconds / 1000 if abs(seconds) > _MILLISECONDS else seconds), UTC)
    except (OverflowError, OSError) as error:
        raise ValueError(f"{plain(value)[:40]} is no instant") from error
