"""What was agreed of a contract: its terms, where its billing periods begin, and up to where is billed."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field, replace
from datetime import date
from fractions import Fraction

from tests.accountant.books import DAY, Days, Lot, Stack
from tests.accountant.grid import month_of, months_on

PERIODS = {"monthly": 1, "quarterly": 3, "yearly": 12}
FAR = 60
"""So many months on no story is lived any more."""


@dataclass
class Term:
    """A term of a contract: `first` to the day before `until`, months counted from `anchor`."""

    first: date
    until: date
    anchor: date

    cut: bool = False
    """an earlier end than was agreed, by a renewal that begins before it"""
    priced: Callable[[Lot], Lot] | None = None
    """what it made of the lots of before"""
    number: int = 1
    """which one it is of all that were agreed"""

    def period_of(self, day: date, billing: str) -> tuple[date, date]:
        """The billing period that `day` lies in: its first day, and the first one after it. What outlives the term goes on in its periods."""
        if billing == "whole_term":
            return self.first, date.max
        step = PERIODS[billing]
        number = month_of(self.anchor, day)[0]
        number -= number % step
        return max(self.first, months_on(self.anchor, number)), months_on(self.anchor, number + step)


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
    before: dict[str, tuple[list[Term], dict[str, date]]] = field(default_factory=dict)
    """terms and `runs_out` as they were before a request"""
    evergreen: str = ""
    """by which periods it goes on without an end: its term is longer than any story"""
    over: bool = False
    agreed: int = 1
    """how many terms there were so far, those that were taken back included"""
    runs_out: dict[str, date] = field(default_factory=dict)
    """where its last asset ends, by the request that leaves none to live on"""

    @property
    def until(self) -> date:
        """The first day after the last term, or after the last that is sold under it."""
        return min([self.terms[-1].until, *self.runs_out.values()])

    def paid_until(self, day: date) -> date:
        """Up to where is billed on a day: the end of its billing period, in a gap before the next term as well; `day` itself before all."""
        begun = [term for term in self.terms if term.first <= day]
        if not begun:
            return day
        term, ahead = begun[-1], [each for each in self.terms if each.first > day]
        _, until = term.period_of(day, self.billing)
        if not ahead:
            return until
        parted = term.cut or day >= term.until or self.billing == "whole_term" or ahead[0].anchor != term.anchor
        return min(until, ahead[0].first) if parted else until

    def period_ends(self, day: date) -> date:
        """Of a contract without an end, the first day after the period that ends on a day or else next."""
        number = 0
        while True:
            number += PERIODS[self.evergreen]
            if months_on(self.anchor, number) >= day:
                return months_on(self.anchor, number)

    def is_billing_day(self, day: date) -> bool:
        """Whether a billing period begins."""
        begun = [term for term in self.terms if term.first <= day]
        return bool(begun) and begun[-1].period_of(day, self.billing)[0] == day

    def remember(self, request: str) -> None:
        """Notes what is agreed, so that a request can be taken back."""
        self.before.pop(request, None)
        self.before[request] = ([replace(each) for each in self.terms], dict(self.runs_out))

    def begin(self, term: Term, request: str) -> None:
        """A term is agreed: what is left of an earlier one ends with its first day."""
        self.remember(request)
        for each in self.terms:
            if each.until > term.first:
                each.until, each.cut = term.first, True
        self.terms = [each for each in self.terms if each.first < each.until] + [term]
        self.agreed += 1
        term.number = self.agreed
        self.over = False
        self.runs_out = {}

    def serving(self, first: date, stack: Stack) -> Callable[[Days], Days]:
        """Service of what is sold now, to the end of all that is agreed, each day in the months of its term."""
        terms = [replace(each) for each in self.terms]
        until = self.until

        def make(days: Days) -> Days:
            days = {day: held for day, held in days.items() if day < first}
            for number in range((until - first).days):
                day = first + number * DAY
                begun = [term for term in terms if term.first <= day] or terms[:1]
                days[day] = (stack, begun[-1].anchor)
            return days

        return make

    def take_back(self, request: str) -> None:
        """The terms as if a request had not been made; what was agreed since stays."""
        terms, runs_out = self.before.get(request, (self.terms, self.runs_out))
        if list(self.before)[-1:] == [request]:
            self.terms, self.runs_out = terms, runs_out
        self.before.pop(request, None)
        self.runs_out.pop(request, None)

    def term_on(self, day: date) -> Term | None:
        """The term that a day lies in."""
        return next((term for term in reversed(self.terms) if term.first <= day < term.until), None)
