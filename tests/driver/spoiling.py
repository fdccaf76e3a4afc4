"""What is wrong with a request that somebody sends by mistake: one thing of it, by chance."""

from __future__ import annotations

import copy
from random import Random
from typing import Any

_WRONG: tuple[Any, ...] = (None, "", -1, 0, 10**12, "x" * 3000, [], {}, True, "1e400", "2027-02-30", "\x00", 0.5)
_STALE = "2001-01-01"


def spoilt(request: dict[str, Any], random: Random) -> dict[str, Any]:
    """The request with one thing of it left out, added, or another than it should be."""
    broken = copy.deepcopy(request)
    place = _some_part(broken, random)
    names = [name for name in place if name not in ("request_id", "by")] or list(place)
    name = random.choice(names) if names else "by"
    match random.randrange(6):
        case 0:
            place.pop(name, None)
        case 1:
            place[random.choice(["colour", "assetid", "expected"])] = 1
        case 2:
            place[name] = random.choice(_WRONG)
        case 3:
            ids = [key for key in place if key.endswith("_id")] or [name]
            place[random.choice(ids)] = random.choice(["nobody", "X-0", "../..", "K-1 or 1=1"])
        case 4:
            place["expected_version"] = 99
        case _:
            days = [
                key for key in place if key in ("effective", "start", "end", "until", "at", "activated_at", "as_of")
            ]
            place[random.choice(days) if days else name] = _STALE
    return broken


def _some_part(request: dict[str, Any], random: Random) -> dict[str, Any]:
    """The request itself, or one of the parts in it."""
    parts = [request]
    for value in request.values():
        parts += [one for one in value if isinstance(one, dict)] if isinstance(value, list) else []
        parts += [value] if isinstance(value, dict) else []
    return random.choice(parts)
