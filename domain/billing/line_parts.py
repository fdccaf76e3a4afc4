"""What a line of an invoice is made of: units at a price for a time, so that whoever pays can check it."""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from datetime import date
from decimal import Decimal
from enum import StrEnum
from fractions import Fraction
from itertools import pairwise
from typing import Any, NamedTuple

from domain.kernel.calendar import day_in_month, month_index, months_between
from domain.kernel.money import exactly, is_divided, rounding_of

ONCE = 0
"""The anchor of what is paid once, and not by the month."""
_DIGITS = 6
"""Decimals of a unit price that a person still multiplies by."""
_ROUNDING = 2
"""Minor units by which a running sum may differ from a part that is rounded alone."""


class LinePart(NamedTuple):
    """`units` at `price` a month from `start` until `until`, the first day after it; months are counted by the `anchor` day.

    What is paid once has the anchor 0, and one day as both.
    """

    start: date
    until: date
    units: int
    price: Decimal
    anchor: int

    @property
    def months(self) -> Fraction:
        """How many times the price is paid for a unit."""
        return months_between(self.start, self.until, self.anchor) if self.anchor else Fraction(1)

    @property
    def unit_price(self) -> Fraction:
        """What a unit costs for all of this time."""
        return exactly(self.price) * self.months

    @property
    def worth(self) -> Fraction:
        """What all units cost for all of this time, before anything is rounded."""
        return exactly(self.price * self.units) * self.months

    def told(self) -> dict[str, Any]:
        """As JSON: `end` is the last day, `time` whole months and days of a month, in order; `per` is month, year or once."""
        yearly = bool(self.anchor) and is_divided(self.price)
        price = Decimal(int(exactly(self.price) * 12 * 10**_DIGITS)).scaleb(-_DIGITS) if yearly else self.price
        return {
            "start": self.start.isoformat(),
            "end": last_day(self.start, self.until).isoformat(),
            "quantity": self.units,
            "unit_price": plainly(price),
            "per": ("year" if yearly else "month") if self.anchor else "once",
            "time": list(_time(self)) if self.anchor else [],
        }


class Why(StrEnum):
    """Why an amount is not what its units, price and time come to by themselves."""

    ROUNDED = "rounded"
    """the sum of all amounts so far is rounded, and not each"""
    CAPPED = "capped"
    """a part of the charge had been given back before"""
    SET_OFF = "set_off"
    """the rest of a credit that found too little left of its own charge"""
    SHARED = "shared"
    """one credit, taken from several charges"""
    AGREED = "agreed"
    """a person or a rule has set the amount"""
    DIFFERENCE = "difference"
    """what a period costs now, less what was billed for it"""


@dataclass(frozen=True, slots=True)
class Stated:
    """How a line says what it is for. `units` times `unit_price` is its amount, rounded; both are null if no price of a unit
    is that, and `parts` and `why` say what is."""

    parts: tuple[LinePart, ...] = ()
    units: int | None = None
    unit_price: Decimal | None = None
    why: Why | None = None


def stated(amount: Decimal, currency: str, parts: Sequence[LinePart], why: Why | None) -> Stated:
    """The words of a line over `amount`, never below zero, that is made of `parts`."""
    parts = merged(parts)
    rounding = rounding_of(currency)
    off = abs(amount - rounding.apply(sum((part.worth for part in parts), Fraction())))
    if why is None and off:
        near = off <= _ROUNDING * Decimal(1).scaleb(-rounding.decimals)
        why = Why.ROUNDED if near else Why.DIFFERENCE
    if why in (Why.DIFFERENCE, Why.SET_OFF):
        return Stated(why=why)
    if len(parts) == 1 and not off:
        [part] = parts
        if part.units > 0 and (price := _in_digits(part.unit_price)) is not None:
            return Stated(parts, part.units, price, why)
    return Stated(parts, why=why)


def _in_digits(price: Fraction) -> Decimal | None:
    """`price` as a decimal that people can multiply by; null if it has no end."""
    shifted = price * 10**_DIGITS
    return Decimal(shifted.numerator).scaleb(-_DIGITS) if shifted.denominator == 1 else None


def plainly(price: Decimal) -> str:
    """A price without the zeros that say nothing, never with an exponent."""
    return f"{price.normalize():f}"


def last_day(start: date, until: date) -> date:
    """The last day of a time; of what is paid once its day."""
    return max(start, date.fromordinal(until.toordinal() - 1))


def merged(parts: Iterable[LinePart]) -> tuple[LinePart, ...]:
    """Parts in order, those that go on with the same units and price as one."""
    found: list[LinePart] = []
    for part in sorted(parts):
        last = found[-1] if found else None
        if last is not None and part.anchor and last.until == part.start and last[2:] == part[2:]:
            found[-1] = last._replace(until=part.until)
        else:
            found.append(part)
    return tuple(found)


def changed(before: Sequence[LinePart], after: Sequence[LinePart]) -> tuple[LinePart, ...]:
    """What makes `before` into `after`: units that came or went (below zero), or another price of the same units."""
    once = {part.start for part in [*before, *after] if not part.anchor}
    found = [step for day in once for step in _step(_on(before, day), _on(after, day), day, day)]
    edges = sorted({day for part in [*before, *after] if part.anchor for day in (part.start, part.until)})
    for start, until in pairwise(edges):
        found += _step(_over(before, start), _over(after, start), start, until)
    return merged(found)


def _on(parts: Sequence[LinePart], day: date) -> LinePart | None:
    return next((part for part in parts if not part.anchor and part.start == day), None)


def _over(parts: Sequence[LinePart], day: date) -> LinePart | None:
    return next((part for part in parts if part.anchor and part.start <= day < part.until), None)


def _step(was: LinePart | None, now: LinePart | None, start: date, until: date) -> Iterator[LinePart]:
    if was and now and was.anchor == now.anchor:
        if was.price == now.price:
            if was.units != now.units:
                yield LinePart(start, until, now.units - was.units, now.price, now.anchor)
            return
        if was.units == now.units:
            yield LinePart(start, until, now.units, now.price - was.price, now.anchor)
            return
    if was:
        yield LinePart(start, until, -was.units, was.price, was.anchor)
    if now:
        yield LinePart(start, until, now.units, now.price, now.anchor)


def turned(parts: Iterable[LinePart]) -> tuple[LinePart, ...]:
    """Parts with the other sign: what is charged below zero is given back. A lower price is given back on the same units."""
    return tuple(
        part._replace(price=-part.price) if part.price < 0 else part._replace(units=-part.units) for part in parts
    )


def _time(part: LinePart) -> Iterator[dict[str, int]]:
    """The months of a part as they count: days of a broken month, whole months, days of a broken month."""
    start, until, anchor = part.start, part.until, part.anchor
    first, last = _month_of(start, anchor), _month_of(until, anchor)
    if first == last and day_in_month(first, anchor) != start:
        yield _days(first, anchor, (until - start).days)
        return
    if day_in_month(first, anchor) != start:
        first += 1
        yield _days(first - 1, anchor, (day_in_month(first, anchor) - start).days)
    if last > first:
        yield {"months": last - first}
    if (rest := (until - day_in_month(last, anchor)).days) > 0:
        yield _days(last, anchor, rest)


def _month_of(day: date, anchor: int) -> int:
    """The month, counted by the anchor day, in which a day lies."""
    index = month_index(day)
    return index - (day_in_month(index, anchor) > day)


def _days(index: int, anchor: int, days: int) -> dict[str, int]:
    return {"days": days, "of": (day_in_month(index + 1, anchor) - day_in_month(index, anchor)).days}


def kept(parts: Sequence[LinePart]) -> str:
    """Parts as they are kept in tables: JSON."""
    return json.dumps(
        [
            {
                "from": f"{one.start}",
                "until": f"{one.until}",
                "units": one.units,
                "price": f"{one.price}",
                "by": one.anchor,
            }
            for one in parts
        ]
    )


def read_parts(json_text: str) -> tuple[LinePart, ...]:
    """Parts as `kept` wrote them."""
    return tuple(
        LinePart(
            date.fromisoformat(one["from"]),
            date.fromisoformat(one["until"]),
            one["units"],
            Decimal(one["price"]),
            one["by"],
        )
        for one in json.loads(json_text)
    )
