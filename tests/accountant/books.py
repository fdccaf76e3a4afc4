"""What an asset costs, day by day and in exact fractions, and what is written about it: nothing here knows of requests."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field, replace
from datetime import date, timedelta
from fractions import Fraction
from functools import lru_cache, partial

from tests.accountant.grid import month_of, months_on

EXPONENTS = {"JPY": 0, "EUR": 2, "USD": 2, "XCG": 2, "BHD": 3}
DAY = timedelta(days=1)
PERIODS = {"monthly": 1, "quarterly": 3, "yearly": 12}


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


def _topped(stack: Stack, lot: Lot) -> Stack:
    """A stack with a lot on top, in place of one of the same change."""
    return (*(each for each in stack if each.sold != lot.sold), lot)


@lru_cache(maxsize=100_000)
def rate(stack: Stack) -> Fraction:
    """What a stack costs in one of the asset's own months or years."""
    return sum((lot.units * lot.price for lot in stack), Fraction(0))


@dataclass
class Term:
    """A term of a contract: `first` to the day before `until`, months counted from `anchor`."""

    first: date
    until: date
    anchor: date

    def paid_until(self, day: date, billing: str) -> date:
        """The first day after the billing period that `day` lies in."""
        if billing == "whole_term":
            return self.until
        step = PERIODS[billing]
        number, _, _ = month_of(self.anchor, day)
        return min(self.until, months_on(self.anchor, number - number % step + step))

    def billing_days(self, billing: str) -> Iterable[date]:
        """The first day of each billing period of the term."""
        day = self.first
        while day < self.until:
            yield day
            day = self.paid_until(day, billing)


@dataclass
class Contract:
    """What was agreed, and the terms so far. `anchor` is the first day of all."""

    contract_id: str
    account: str
    billing: str
    auto_renew: bool
    renewal_months: int
    uplift: Fraction
    anchor: date
    terms: list[Term]
    before: dict[str, list[Term]] = field(default_factory=dict)
    """the terms as they were before a request"""
    over: bool = False
    runs_out: dict[str, date] = field(default_factory=dict)
    """where its last asset ends, by the request that leaves none to live on"""

    @property
    def until(self) -> date:
        """The first day after the last term."""
        return self.terms[-1].until

    def paid_until(self, day: date) -> date:
        """Up to where is billed on a day: the end of its billing period, or of a gap before the next term; `day` itself before and after all."""
        term = self.term_on(day)
        if term:
            return term.paid_until(day, self.billing)
        ahead = [each.first for each in self.terms if each.first > day]
        return min(ahead) if ahead and day >= self.terms[0].first else day

    def begin(self, term: Term, request: str) -> None:
        """A term is agreed: what is left of an earlier one ends with its first day."""
        self.before[request] = [replace(each) for each in self.terms]
        for each in self.terms:
            each.until = min(each.until, term.first)
        self.terms = [each for each in self.terms if each.first < each.until] + [term]
        self.over = False

    def serving(self, first: date, stack: Stack) -> Callable[[Days], Days]:
        """Service of what is sold now, to the end of all that is agreed, each day in the months of its term."""
        terms = [replace(each) for each in self.terms]
        until = min([terms[-1].until, *self.runs_out.values()])

        def make(days: Days) -> Days:
            days = {day: held for day, held in days.items() if day < first}
            for number in range((until - first).days):
                day = first + number * DAY
                begun = [term for term in terms if term.first <= day] or terms[:1]
                days[day] = (stack, begun[-1].anchor)
            return days

        return make

    def take_back(self, request: str) -> None:
        """The terms as if a request had not been made."""
        self.runs_out.pop(request, None)
        self.terms = self.before.pop(request, self.terms)

    def term_on(self, day: date) -> Term | None:
        """The term that a day lies in."""
        return next((term for term in reversed(self.terms) if term.first <= day < term.until), None)


Days = dict[date, tuple[Stack, date]]
"""For each day of service which lots are there, and the anchor of the month that the day is a part of."""


@dataclass(frozen=True)
class Change:
    """Something that was agreed about an asset: it counts from `effective` on."""

    effective: date
    heard: date
    make: Callable[[Days], Days]
    request: str = ""
    paid: date = date.min
    """from when on days that were paid for heed it, if later than others"""
    renews: bool = False
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
    paid_until: date = date.min
    """up to where it was billed"""
    cancelled: str = ""
    """the request that ended it; what is cancelled is not renewed"""
    agreed: list[tuple[date, Fraction, str]] = field(default_factory=list)
    """prices of units that were sold: from when on, the price, and by which request; in the order of agreement"""
    anew: list[tuple[date, int, str]] = field(default_factory=list)
    """from when on all units have other prices, the mark of their lots (`Lot.sold`), and by which request"""
    _views: dict[tuple[int, ...], Days] = field(default_factory=dict)

    def days(self, known_on: date | None = None, *, paid: bool = False) -> Days:
        """The days of service by all that is agreed, or by what has come into effect on a day for what is billed or was `paid`."""
        which = tuple(
            n
            for n, each in enumerate(self.changes)
            if known_on is None or max(each.effective, each.paid if paid else date.min) <= known_on
        )
        if which not in self._views:
            days: Days = {}
            for number in which:
                days = self._made(number, which, days)
            self._views[which] = days
        return self._views[which]

    def _made(self, number: int, which: tuple[int, ...], days: Days) -> Days:
        change = self.changes[number]
        made = change.make(dict(days))
        if change.ahead is None or self.changes.index(change.ahead) in which:
            return made
        first = change.ahead.effective
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
    ) -> None:
        """Adds a change."""
        ahead = [each for each in self.changes if each.renews and each.effective > heard]
        self.changes.append(Change(effective, heard, make, request, paid, renews, ahead[-1] if ahead else None))

    def stop(self, day: date, heard: date, request: str) -> None:
        """Ends it for good, whatever was agreed for later."""
        self.changes.append(Change(day, heard, stopped(day), request))
        self.cancelled = request

    def reduce(self, effective: date, heard: date, units: int | None, request: str = "") -> None:
        """Takes units off every day from `effective` on, each day's last sold first; all of them if no number is given."""
        last = max(self.days(), default=effective)

        def less(stack: Stack) -> Stack:
            return () if units is None else taken(stack, units)[0]

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
        self._views = {}
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

    def cost_before(self, until: date, known_on: date | None) -> Fraction:
        """The exact cost of all days before `until` and of all that were paid for, by what has come into effect on a day."""
        counted: Counter[tuple[Fraction, int]] = Counter()
        for days, first, end in (
            (self.days(known_on, paid=True), date.min, self.paid_until),
            (self.days(known_on), self.paid_until, until),
        ):
            for day, (stack, anchor) in days.items():
                if first <= day < end and stack:
                    _, begins, after = month_of(anchor, day)
                    counted[(rate(stack), (after - begins).days)] += 1
        return sum(
            (each * days / (length * self.months_of_price) for (each, length), days in counted.items()), Fraction(0)
        )


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
