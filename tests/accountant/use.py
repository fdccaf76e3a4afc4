"""What use is charged, as an accountant counts it from the order alone: month after month, with units that come late."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date
from fractions import Fraction
from typing import Any

from tests.accountant.books import half_up
from tests.accountant.grid import month_of


@dataclass(frozen=True)
class Month:
    """A month that was charged: what was used, what of it was included, and what it came to."""

    first: date
    until: date
    used: int
    granted: int
    prepaid: int
    over: int
    amount: Fraction


def granted(terms: dict[str, Any], held: dict[date, int], first: date, until: date, whole: tuple[date, date]) -> int:
    """Day by day: what is there first has its grant for all of the month, what comes on top for the days that are left."""
    length, most, found = (whole[1] - whole[0]).days, 0, 0
    for number in range((until - first).days):
        units = held[date.fromordinal(first.toordinal() + number)]
        if units > most:
            left = (until - first).days - number
            found += terms.get("granted", 0) * (units - most) * left // length
            most = units
    return found


def cost(terms: dict[str, Any], over: int) -> Fraction:
    """Each unit by the tier that it lies in."""
    tiers = terms.get("tiers") or [{"unit_price": terms["unit_price"]}]
    total, below = Fraction(0), 0
    for tier in tiers:
        upper = min(over, tier.get("up_to", over))
        total += max(0, upper - below) * Fraction(tier["unit_price"])
        below = max(below, upper)
    return total


def charged(
    terms: dict[str, Any], currency: str, anchor: date, held: dict[date, int], reported: dict[date, dict[date, int]]
) -> list[Month]:
    """All months of a term. `held`: units of the line on each day; `reported`: by the day of the report, units by the day of use."""
    found: list[Month] = []
    counted, left, owed = 0, terms.get("prepaid", 0), 0
    first, end = min(held), date.fromordinal(max(held).toordinal() + 1)
    while first < end:
        _, begins, ends = month_of(anchor, first)
        until = min(ends, end)
        charged_on = date.fromordinal(until.toordinal() + 2)
        known: dict[date, int] = {}
        for on in sorted(reported):
            known |= reported[on] if on <= charged_on else {}
        total = sum(units for day, units in known.items() if day < until)
        used = max(0, total - counted - owed)
        owed = max(0, counted + owed - total)
        counted = total
        free = granted(terms, held, first, until, (begins, ends))
        prepaid = min(left, max(0, used - free))
        left -= prepaid
        over = max(0, used - free - prepaid)
        least = Fraction(terms.get("minimum", "0")) * (until - first).days / (ends - begins).days
        found.append(Month(first, until, used, free, prepaid, over, half_up(max(cost(terms, over), least), currency)))
        first = until
    return found
