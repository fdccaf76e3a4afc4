"""How plain values are written in what comes in: one rule for each kind, whatever document it stands in.

pydantic alone takes numbers for instants, midnights for days, `1_000`, `1e3` and full-width digits for decimals, and text for
whole numbers in some fields but not in others. Here each kind has one spelling; values that are made in Python are taken as they are.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from datetime import datetime
from decimal import Decimal
from typing import Any

from pydantic import ValidationInfo
from pydantic_core import CoreSchema, PydanticCustomError

STORED = {"stored": True}
"""The context in which a document of our own tables is read: earlier releases wrote 100 as 1E+2."""
MOST_DIGITS = 40
SMALLEST_EXPONENT = -15
LARGEST_EXPONENT = 18

_DATED = re.compile(r"\s*[0-9]{4}-[0-9]{2}-[0-9]{2}", re.ASCII)
_DAY = re.compile(r"\s*[0-9]{4}-[0-9]{2}-[0-9]{2}\s*", re.ASCII)
_DECIMAL = re.compile(r"\s*[+-]?([0-9]+(\.[0-9]*)?|\.[0-9]+)\s*", re.ASCII)
_POWER_OF_TEN = re.compile(r"\s*[+-]?([0-9]+(\.[0-9]*)?|\.[0-9]+)[eE][+-]?[0-9]{1,6}\s*", re.ASCII)


def _instant(value: Any) -> Any:
    if isinstance(value, int | float | Decimal) or (isinstance(value, str) and not _DATED.match(value)):
        raise PydanticCustomError(
            "instant_spelling", "must be an instant with its offset, such as 2027-03-31T09:00:00+09:00"
        )
    return value


def _day(value: Any) -> Any:
    if isinstance(value, datetime) or (isinstance(value, str) and _DATED.match(value) and not _DAY.fullmatch(value)):
        raise PydanticCustomError("day_with_time", "must be a date such as 2027-03-31, without a time of day")
    if isinstance(value, int | float | Decimal) or (isinstance(value, str) and not _DAY.fullmatch(value)):
        raise PydanticCustomError("day_spelling", "must be a date such as 2027-03-31")
    return value


def _decimal(value: Any, info: ValidationInfo) -> Any:
    if isinstance(value, Decimal):
        return value
    if isinstance(value, bool) or not isinstance(value, int | float | str):
        raise PydanticCustomError("decimal_spelling", 'must be a decimal number, written as a string such as "12.50"')
    text = value if isinstance(value, str) else format(Decimal(str(value)), "f")
    if isinstance(value, str) and _POWER_OF_TEN.fullmatch(text):
        if info.context is STORED and len(text) <= MOST_DIGITS:
            return _within_reach(Decimal(text))
        raise PydanticCustomError(
            "decimal_spelling",
            'must be a plain decimal number, written as a string such as "12.50", without an exponent',
        )
    if len(text) > MOST_DIGITS or not _DECIMAL.fullmatch(text):
        raise PydanticCustomError("decimal_spelling", 'must be a decimal number, written as a string such as "12.50"')
    return _within_reach(Decimal(text))


def _within_reach(number: Decimal) -> Decimal:
    exponent = number.as_tuple().exponent
    if not isinstance(exponent, int) or exponent < SMALLEST_EXPONENT or number.adjusted() > LARGEST_EXPONENT:
        raise PydanticCustomError(
            "decimal_reach",
            f"must have at most {LARGEST_EXPONENT} digits before the point and {-SMALLEST_EXPONENT} after it",
        )
    return number


_SPELLING: dict[str, Callable[..., Any]] = {"datetime": _instant, "date": _day, "decimal": _decimal}
_KNOWS_WHENCE = frozenset({"decimal"})
"""Those that are told whether a value comes from our own tables."""
_STRICT = frozenset({"int", "bool"})
_ASIDE = frozenset({"metadata", "serialization", "config", "cls", "default", "ref", "function", "custom_init"})


def plainly(schema: CoreSchema, model: type) -> CoreSchema:
    """The schema of `model` in which every leaf takes its one spelling only. Models inside it see to their own fields."""
    return _within(schema, model)  # type: ignore[no-any-return]


def _within(node: Any, model: type) -> Any:
    if isinstance(node, list | tuple):
        return type(node)(_within(item, model) for item in node)
    if not isinstance(node, dict):
        return node
    kind = node.get("type")
    if kind in _STRICT:
        return {**node, "strict": True}
    if kind in _SPELLING:
        spelt = _SPELLING[kind]
        function = {"type": "with-info" if kind in _KNOWS_WHENCE else "no-info", "function": spelt}
        return {"type": "function-before", "function": function, "schema": node}
    if kind == "model" and node["cls"] is not model:
        return node
    if kind == "function-before" and node["function"].get("function") in _SPELLING.values():
        return node
    return {key: value if key in _ASIDE else _within(value, model) for key, value in node.items()}
