"""JSON of one spelling: no field twice in an object, no numbers that JSON does not have, nested only so deep."""

from __future__ import annotations

import json
from typing import Any

_MOST_DEEP = 32


def read_value(content: bytes) -> Any:
    """The value in a text of JSON. Raises ValueError, which says where it goes wrong."""
    try:
        found = json.loads(content, object_pairs_hook=_once, parse_constant=_no_number)
        _check_depth(found)
    except RecursionError:
        raise ValueError("it is nested too deep") from None
    return found


def _once(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    """An object's fields; two of one name are an error, as readers disagree on which counts."""
    found = dict(pairs)
    if len(found) < len(pairs):
        twice = next(name for n, (name, _) in enumerate(pairs) if name in {before for before, _ in pairs[:n]})
        raise ValueError(f"{twice[:80]!r} stands twice in one object")
    return found


def _no_number(word: str) -> Any:
    raise ValueError(f"{word} is no number of JSON")


def _check_depth(value: Any, depth: int = 0) -> None:
    if depth > _MOST_DEEP:
        raise ValueError(f"it is nested more than {_MOST_DEEP} deep")
    for inner in value.values() if isinstance(value, dict) else value if isinstance(value, list) else ():
        _check_depth(inner, depth + 1)
