"""Comparison of an output with what a case expects.

`expected` is a subset: only its keys are compared, recursively; lists have equal length. Decimal strings are exact,
whatever their number of places; dates and instants are compared as such, a bare date beside an instant as midnight in
UTC. JSON numbers with a fraction have a tolerance of 0.005; whole numbers, texts and null are exact.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from datetime import UTC, date, datetime, time
from decimal import Decimal, InvalidOperation
from enum import Enum
from fractions import Fraction
from typing import Any

from pydantic import BaseModel

TOLERANCE = Fraction(5, 1000)
# Half of a binary place beside the tolerance: 0.005 itself cannot be written exactly as a float.
SLACK = Fraction(1, 10**9)


def differences(expected: Any, actual: Any, path: str = "") -> list[str]:
    """What differs, each with the place where; empty if `actual` is as expected."""
    if isinstance(expected, dict):
        return _in_mapping(expected, actual, path)
    if isinstance(expected, list):
        return _in_list(expected, actual, path)
    if _same(expected, actual):
        return []
    return [f"{path or 'output'}: expected {expected!r}, got {_shown(actual)}"]


def _in_mapping(expected: dict[str, Any], actual: Any, path: str) -> list[str]:
    fields = actual.model_dump() if isinstance(actual, BaseModel) else actual
    if not isinstance(fields, Mapping):
        return [f"{path or 'output'}: expected an object, got {_shown(actual)}"]
    found: list[str] = []
    for key, value in expected.items():
        place = f"{path}.{key}" if path else key
        found += differences(value, fields[key], place) if key in fields else [f"{place}: missing"]
    return found


def _in_list(expected: list[Any], actual: Any, path: str) -> list[str]:
    if isinstance(actual, str | bytes) or not isinstance(actual, Sequence):
        return [f"{path or 'output'}: expected a list, got {_shown(actual)}"]
    if len(expected) != len(actual):
        return [f"{path or 'output'}: expected {len(expected)} elements, got {len(actual)}"]
    pairs: Iterable[tuple[int, tuple[Any, Any]]] = enumerate(zip(expected, actual, strict=True))
    return [line for place, (left, right) in pairs for line in differences(left, right, f"{path}[{place}]")]


def _same(expected: Any, actual: Any) -> bool:
    if isinstance(actual, Enum):
        actual = actual.value
    if expected is None or actual is None or isinstance(expected, bool) or isinstance(actual, bool):
        return expected is actual
    if isinstance(expected, str):
        return _same_text(expected, actual)
    if isinstance(expected, int) and isinstance(actual, int):
        return expected == actual
    left, right = _number(expected), _number(actual)
    return left is not None and right is not None and abs(left - right) <= TOLERANCE + SLACK


def _same_text(expected: str, actual: Any) -> bool:
    if isinstance(actual, int | Decimal):
        return _decimal(expected) == actual
    if isinstance(actual, str) and expected == actual:
        return True
    left, right = _moment(expected), _moment(actual)
    if left is not None and right is not None:
        return left == right
    return isinstance(actual, str) and _decimal(expected) is not None and _decimal(expected) == _decimal(actual)


def _decimal(text: str) -> Decimal | None:
    try:
        value = Decimal(text)
    except InvalidOperation:
        return None
    return value if value.is_finite() else None


def _number(value: Any) -> Fraction | None:
    return Fraction(value) if isinstance(value, int | float | Decimal | Fraction) else None


def _moment(value: Any) -> datetime | None:
    """`value` as an instant, if it is a date or an instant, written or not."""
    if isinstance(value, str):
        try:
            value = datetime.fromisoformat(value)
        except ValueError:
            return None
    if isinstance(value, datetime):
        return value if value.tzinfo else value.replace(tzinfo=UTC)
    return datetime.combine(value, time(), UTC) if isinstance(value, date) else None


def _shown(value: Any) -> str:
    return str(value) if isinstance(value, Decimal | date) else repr(value)
