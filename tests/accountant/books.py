"""What an asset costs, day by day and in exact fractions, and what is written about it: nothing here knows of requests."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable
from dataclasses import dataclass, field, replace
from datetime import date, timedelta
from fractions import Fraction
from functools import partial

from tests.accountant.grid import months

EXPONENTS = {"JPY": 0, "EUR": 2, "USD": 2, "XCG": 2, "BHD": 3}
DAY = timedelta(days=1)


def half_up(amount: Fraction, currency: str) -> Fraction:
    """An amount at the currency's minor unit, halves away from nothing."""
    scale = 10 ** EXPONENTS[currency]
    units, sign = abs(amount) * scale, 1 if amount >= 0 else -1
    return Fraction(sign * ((2 * units.numerator + units.denominator) // (2 * units.denominator)), scale)


@dataclass(frozen=True)
class Lot:
    """Units sold together at a unit price, in the asset's own time (a month or a year)."""

    units: int
    price: Fraction
    sold: int = 0
    """by which change; 0 for what was there first"""
    own: int = 0
    """by which change at a price that was said for it; 0 if none was"""

    @property
    def mark(self) -> Mark:
        """What tells it from others that are charged: who bought it at another price from a day on is charged anew."""
        return self.sold, self.price


Mark = tuple[int, Fraction]

Rate = tuple[Fraction, date]
"""A unit price, and the anchor of the months that it is paid for: what costs the same for the same days is charged once."""


Stack = tuple[Lot, ...]
"""The lots of a day, the last sold at the end."""


def taken(stack: Stack, units: int) -> tuple[Stack, Stack]:
    """What stays of a stack and what is taken off it, from the lot sold last on. Raises ValueError if it holds less."""
    stays, off = list(stack), []
    while units:
        if not stays:
            raise ValueError("more is taken than is held")
        lot = stays.pop()
        now = min(units, lot.units)
        units -= now
        off.append(replace(lot, units=now))
        if lot.units > now:
            stays.append(replace(lot, units=lot.units - now))
    return tuple(stays), tuple(reversed(off))


def _chosen_once(effective: date, units: int, days: Days) -> Days:
    """Days from which units are taken: the lots that are last sold on the first of them, and where those are less the last sold ones."""
    after = sorted(day for day in days if day >= effective)
    if not after:
        return days
    chosen = {lot.sold: 0 for lot in days[after[0]][0]}
    for lot in taken(days[after[0]][0], units)[1]:
        chosen[lot.sold] += lot.units
    known: dict[Stack, Stack] = {}
    for day in after:
        stack, anchor = days[day]
        if stack not in known:
            known[stack] = _without(stack, chosen, units)
        days[day] = (known[stack], anchor)
    return days


def _without(stack: Stack, chosen: dict[int, int], units: int) -> Stack:
    left, stays = dict(chosen), []
    for lot in reversed(stack):
        now = min(lot.units, left.get(lot.sold, 0))
        left[lot.sold] = left.get(lot.sold, 0) - now
        units -= now
        stays.append(replace(lot, units=lot.units - now))
    rest = tuple(lot for lot in reversed(stays) if lot.units)
    return taken(rest, units)[0]


def _topped(stack: Stack, lot: Lot) -> Stack:
    """A stack with a lot on top, in place of one of the same change."""
    return (*(each for each in stack if each.sold != lot.sold), lot)


Days = dict[date, tuple[Stack, date]]
"""For each day of service which lots are there, and the anchor of the month that the day is a part of."""


@dataclass(frozen=True)
class Span:
    """The same lots and months on every day from `first` up to `until`."""

    first: date
    until: date
    stack: Stack
    anchor: date


@dataclass(frozen=True)
class Change:
    """Something that was agreed about an asset: it counts from `effective` on."""

    effective: date
    heard: date
    make: Callable[[Days], Days]
    request: str = ""
    paid: date = date.min
    """from when on days that were paid for heed it, if later than others"""
    moves_end: bool = False
    renews: bool = False
    cuts: bool = False
    """a renewal that begins before the asset would have ended"""
    ahead: Change | None = None
    """a renewal that was agreed before and had not begun: until then this changes nothing from its first day on"""


@dataclass
class Asset:
    """Units of a product under one contract. Its days follow from what was agreed, in the order of agreement."""

    asset_id: str
    account: str
    contract_id: str
    months_of_price: int
    rates: tuple[Fraction, ...] = ()
    changes: list[Change] = field(default_factory=list)
    booked: Fraction = Fraction(0)
    """what was charged for it less what was credited, goodwill aside"""
    begun: Fraction = Fraction(0)
    """where the sum goes on that is rounded: what is left to who handed it over"""
    begun_first: tuple[date, Fraction] | None = None
    """the same of what was paid for when it was handed over, as it was known then, as long as nothing beyond that day is billed"""
    paid: dict[Mark, date] = field(default_factory=dict)
    """up to where each lot was billed"""
    billed: dict[Rate, Fraction] = field(default_factory=dict)
    """what all units at a price had cost when it was settled last"""
    endless: bool = False
    """sold without an end"""
    cancelled: str = ""
    """the request that ended it; what is cancelled is not renewed"""
    cancelled_after: int = 0
    """how many terms of its contract had been agreed by then"""
    agreed: list[tuple[date, Fraction, str]] = field(default_factory=list)
    """prices of units that were sold: from when on, the price, and by which request; in the order of agreement"""
    anew: list[tuple[date, int, str]] = field(default_factory=list)
    """from when on all units have other prices, the mark of their lots (`Lot.sold`), and by which request"""
    _views: dict[tuple[int, ...], Days] = field(default_factory=dict)
    _spans: dict[int, list[Span]] = field(default_factory=dict)

    def days(self, known_on: date | None = None, *, paid: bool = False) -> Days:
        """The days of service by all that is agreed, or by what has come into effect on a day for what is billed or was `paid`."""
        which = tuple(
            n
            for n, each in enumerate(self.changes)
            if known_on is None or max(each.effective, self._paid_from(each) if paid else date.min) <= known_on
        )
        if which not in self._views:
            days: Days = {}
            for number in which:
                days = self._made(number, which, days)
            self._views[which] = days
        return self._views[which]

    def _paid_from(self, change: Change) -> date:
        """From when on days that were paid for heed a change: an end that is moved again does when it comes."""
        moved = [each.paid for each in self.changes if each.moves_end and each.heard < change.paid]
        return moved[-1] if change.moves_end and moved else change.paid

    def _made(self, number: int, which: tuple[int, ...], days: Days) -> Days:
        change = self.changes[number]
        if change.ahead is None or self.changes.index(change.ahead) in which:
            return change.make(dict(days))
        first = change.ahead.effective
        made = change.make({day: held for day, held in days.items() if day < first})
        return {
            **{day: held for day, held in made.items() if day < first},
            **{day: held for day, held in days.items() if day >= first},
        }

    def agree(
        self,
        effective: date,
        heard: date,
        make: Callable[[Days], Days],
        request: str = "",
        paid: date = date.min,
        renews: bool = False,
        moves_end: bool = False,
    ) -> None:
        """Adds a change."""
        ahead = [each for each in self.renewals_after(heard) if not renews or each.effective < effective]
        known = ahead[0] if ahead else None
        cuts = renews and effective < self.until
        self.changes.append(Change(effective, heard, make, request, paid, moves_end, renews, cuts, known))

    def billed_until(self, until: date, today: date) -> date:
        """Up to where it is billed anew where its contract is up to `until`: an early renewal that is agreed ends what it cuts."""
        return min([until, *(each.effective for each in self.renewals_after(today) if each.cuts)])

    def renewals_after(self, day: date) -> list[Change]:
        """What is renewed on later days. A renewal takes the place of those that were to begin after it."""
        found: list[Change] = []
        for change in self.changes:
            if change.renews:
                found = [*(each for each in found if each.effective < change.effective), change]
        return [each for each in found if each.effective > day]

    def stop(self, day: date, heard: date, request: str, terms: int) -> None:
        """Ends it for good, whatever was agreed for later. `terms`: how many its contract has had so far."""
        self.changes.append(Change(day, heard, stopped(day), request))
        self.cancelled, self.cancelled_after = request, terms

    def reduce(self, effective: date, heard: date, units: int | None, request: str = "") -> None:
        """Takes units off every day from `effective` on, each day's last sold first; all of them if no number is given.

        Of what has no end those that are there on the first day are chosen, and go on every later one.
        """
        last = max(self.days(), default=effective)

        def less(stack: Stack) -> Stack:
            return () if units is None else taken(stack, units)[0]

        if self.endless and units is not None:
            self.agree(effective, heard, partial(_chosen_once, effective, units), request)
            return
        self.agree(effective, heard, restacked(effective, less, last), request)

    def take_over(self, other: Asset, day: date, heard: date, convert: Callable[[Stack], Stack], request: str) -> None:
        """Days from `day` on are those of another asset, converted; what is agreed of that for later is agreed of this, too."""
        later = {each.effective for each in other.changes if each.effective > max(day, heard)}
        renewed = {each.effective for each in other.changes if each.renews}
        for begins in (day, *sorted(later)):
            days = {each: held for each, held in other.days(max(begins, heard)).items() if each >= begins}
            received = {each: (convert(stack), anchor) for each, (stack, anchor) in days.items()}
            self.agree(begins, heard, partial(_from_then, begins, received), request, renews=begins in renewed & later)

    def undo(self, request: str) -> None:
        """Takes back what a request changed."""
        self.agreed = [each for each in self.agreed if each[2] != request]
        self.anew = [each for each in self.anew if each[2] != request]
        self.changes = [each for each in self.changes if each.request != request]
        self._views, self._spans = {}, {}
        if self.cancelled == request:
            self.cancelled = ""

    def price_on(self, day: date) -> Fraction:
        """The price that was agreed last for a day, whether or not the units that it was agreed for are still there."""
        begun = [price for first, price, _ in self.agreed if first <= day]
        return begun[-1] if begun else self.agreed[-1][1]

    def add(self, day: date, heard: date, units: int, said: Fraction | None, number: int, request: str) -> None:
        """Units on top: at their own price, else at the one agreed last for `day`, and at what all units cost anew later."""
        everything, last = self.days(), max(self.days(), default=day)
        steps = [] if said is not None else [each for each in sorted(self.anew) if each[0] > day]
        first = said if said is not None else self.price_on(day)

        def prices(days: Days) -> list[tuple[date, Fraction]]:
            found = [(day, first)]
            for begins, mark, _ in steps:
                stack = days.get(begins, ((), begins))[0]
                found += [(begins, lot.price) for lot in stack if lot.sold == mark][-1:]
            return found

        def make(days: Days) -> Days:
            for begins, price in prices(days):
                lot = Lot(units, price, number, own=number if said is not None else 0)
                days = restacked(begins, partial(_topped, lot=lot), last)(days)
            return days

        self.agreed += [(begins, price, request) for begins, price in prices(everything)]
        self.agree(day, heard, make, request)

    def held_on(self, day: date) -> Stack:
        """The lots of a day; none without service."""
        return self.days().get(day, ((), day))[0]

    @property
    def until(self) -> date:
        """The first day after all of its service."""
        return max(self.days(), default=date.min) + DAY

    @property
    def paid_until(self) -> date:
        """Up to where any of it was billed."""
        return max(self.paid.values(), default=date.min)

    def cost_before(self, until: date, known_on: date | None) -> Fraction:
        """The exact cost of all days before `until` and of all that were paid for, by what has come into effect on a day."""
        return sum(self.costs_before(until, known_on).values(), Fraction(0))

    def costs_before(self, until: date, known_on: date | None) -> dict[Rate, Fraction]:
        """The same by price: days that were paid for as they were agreed when they were, all others as they are now."""
        costs: dict[Rate, Fraction] = defaultdict(Fraction)
        for paid in (True, False):
            for span in self.spans(known_on, paid=paid):
                for lot in span.stack:
                    mine = self.paid.get(lot.mark, date.min)
                    first, end = (date.min, mine) if paid else (mine, until)
                    served = months(span.anchor, max(span.first, first), min(span.until, end))
                    costs[(lot.price, span.anchor)] += lot.units * lot.price * served / self.months_of_price
        return costs

    def pay(self, until: date, known_on: date) -> None:
        """Its lots are billed up to a day, as far as they are served then."""
        for span in self.spans(known_on):
            for lot in span.stack:
                if span.first < until:
                    self.paid[lot.mark] = max(self.paid.get(lot.mark, date.min), min(span.until, until))

    def spans(self, known_on: date | None, *, paid: bool = False) -> list[Span]:
        """`days` as stretches without a change."""
        days = self.days(known_on, paid=paid)
        if id(days) not in self._spans:
            self._spans[id(days)] = _spans(days)
        return self._spans[id(days)]


def _spans(days: Days) -> list[Span]:
    spans: list[Span] = []
    for day, (stack, anchor) in sorted(days.items(), key=lambda each: each[0]):
        last = spans[-1] if spans else None
        if last and (last.until, last.anchor) == (day, anchor) and (last.stack is stack or last.stack == stack):
            spans[-1] = replace(last, until=day + DAY)
        else:
            spans.append(Span(day, day + DAY, stack, anchor))
    return spans


def _from_then(first: date, received: Days, days: Days) -> Days:
    return {**{day: held for day, held in days.items() if day < first}, **received}


def served(first: date, until: date, stack: Stack, anchor: date) -> Callable[[Days], Days]:
    """Service of `stack` on every day from `first` up to `until`; what was agreed for later is replaced."""

    def make(days: Days) -> Days:
        days = {day: held for day, held in days.items() if day < first}
        for number in range((until - first).days):
            days[first + number * DAY] = (stack, anchor)
        return days

    return make


def stopped(day: date) -> Callable[[Days], Days]:
    """No service from `day` on."""
    return lambda days: {each: held for each, held in days.items() if each < day}


def until_then(make: Callable[[Days], Days], day: date) -> Callable[[Days], Days]:
    """What a change makes of the days before `day`; there is no service from then on."""
    return lambda days: {each: held for each, held in make(days).items() if each < day}


def restacked(first: date, change: Callable[[Stack], Stack], last: date) -> Callable[[Days], Days]:
    """The stacks of all days from `first` up to `last` changed."""

    def make(days: Days) -> Days:
        known: dict[Stack, Stack] = {}
        for day, (stack, anchor) in days.items():
            if first <= day <= last:
                if stack not in known:
                    known[stack] = change(stack)
                days[day] = (known[stack], anchor)
        return days

    return make
