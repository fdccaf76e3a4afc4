"""Days for which one lot was charged and for which another is to be charged now, at the same price: they stay where they were charged.

So whoever renews early at the same price, or gives units up while others are added, gets no credit and invoice of one sum.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence
from datetime import date
from decimal import Decimal
from itertools import pairwise
from typing import NamedTuple

from domain.billing.line_parts import LinePart, merged

Key = tuple[int, date]
"""A lot and the billing period, by its first day, that it is billed for."""

_Rate = tuple[Decimal, int]
"""A price by the month, and the day by which its months are counted."""


class Stay(NamedTuple):
    """A part that is billed as one of `charged`, as that was charged for it, and not of `costs`."""

    costs: Key
    charged: Key
    part: LinePart


def staying(now: Mapping[Key, Sequence[LinePart]], stood: Mapping[Key, Sequence[LinePart]]) -> Iterator[Stay]:
    """What of `now` is more than it `stood` as where another lot, or period, is that much less, day by day and price by price."""
    spans: dict[_Rate, list[tuple[Key, LinePart, int]]] = defaultdict(list)
    for parts, sign in ((now, 1), (stood, -1)):
        for key in sorted(parts):
            for part in parts[key]:
                spans[(part.price, part.anchor)].append((key, part, sign * part.units))
    for (price, anchor), found in spans.items():
        edges = sorted({day for _, part, _ in found for day in (part.start, part.until)})
        for start, until in pairwise(edges):
            for costs, charged, units in _matched(found, start):
                yield Stay(costs, charged, LinePart(start, until, units, price, anchor))


def _matched(spans: Sequence[tuple[Key, LinePart, int]], day: date) -> Iterator[tuple[Key, Key, int]]:
    """Units that are more of one key and less of another on a day."""
    units: dict[Key, int] = defaultdict(int)
    for key, part, more in spans:
        if part.start <= day < part.until:
            units[key] += more
    free = {key: -more for key, more in units.items() if more < 0}
    for key, more in units.items():
        for charged, left in free.items():
            if (both := min(more, left)) > 0:
                yield key, charged, both
                more -= both
                free[charged] -= both


def together(parts: Sequence[LinePart]) -> tuple[LinePart, ...]:
    """Parts that overlap as their sum at each price; those that are below zero are taken off."""
    spans: dict[_Rate, list[LinePart]] = defaultdict(list)
    for part in parts:
        spans[(part.price, part.anchor)].append(part)
    found: list[LinePart] = []
    for (price, anchor), same in spans.items():
        edges = sorted({day for part in same for day in (part.start, part.until)})
        for start, until in pairwise(edges):
            if units := sum(part.units for part in same if part.start <= start < part.until):
                found.append(LinePart(start, until, units, price, anchor))
    return merged(found)
