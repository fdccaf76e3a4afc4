"""What was invoiced and what is left of it, by document; and the tax of both, by rate."""

from __future__ import annotations

from collections import defaultdict
from copy import deepcopy
from dataclasses import dataclass, field
from datetime import date
from fractions import Fraction

from tests.accountant.books import EXPONENTS, half_up

ChargedLine = tuple[str, Fraction, tuple[Fraction, ...]]
"""source, net, tax rates in percent"""

CreditedLine = tuple[str, Fraction, int]
"""source, net, number of the invoice"""


@dataclass
class Invoiced:
    """An invoice: what is left of each source, and the tax that has not been credited."""

    rates: dict[str, tuple[Fraction, ...]]
    left: dict[str, Fraction]
    until: dict[str, date] = field(default_factory=dict)
    """up to where it bills each source, if that is a time"""
    taxed: dict[Fraction, Fraction] = field(default_factory=dict)


@dataclass
class Charges:
    """All invoices of a story, in order."""

    currency: str
    invoices: list[Invoiced] = field(default_factory=list)

    def invoice(self, lines: list[ChargedLine], until: dict[str, date]) -> dict[Fraction, Fraction]:
        """Writes an invoice down, of sources `until` a day; its tax: the net by rate, each rounded once."""
        left: dict[str, Fraction] = defaultdict(Fraction)
        for source, amount, _ in lines:
            left[source] += amount
        made = Invoiced({source: rates for source, _, rates in lines}, dict(left), until)
        made.taxed = self._tax(made)
        self.invoices.append(made)
        return {rate: tax for rate, tax in made.taxed.items() if tax}

    def left_of(self, source: str, day: date = date.min) -> Fraction:
        """What was charged for a source, for a time that goes beyond a day, and is not credited yet, net."""
        return sum((each.left.get(source, Fraction(0)) for _, each in self._billing(source, day)), Fraction(0))

    def _billing(self, source: str, day: date) -> list[tuple[int, Invoiced]]:
        return [each for each in enumerate(self.invoices) if each[1].until.get(source, date.max) > day]

    def before_tax(self, source: str, gross: Fraction, rates: tuple[Fraction, ...]) -> Fraction:
        """The net credit of a source that comes to `gross` with its tax; if there is none, `gross` less its share of tax, rounded."""
        unit = Fraction(1, 10 ** EXPONENTS[self.currency])
        left = self.left_of(source)
        about = min(half_up(gross * 100 / (100 + sum(rates)), self.currency), left)
        # Each invoice rounds the tax on what remains of it.
        steps = sorted(range(-len(self.invoices) - 1, len(self.invoices) + 2), key=abs)
        nets = [net for net in (left, *(about + step * unit for step in steps)) if 0 < net <= left]
        gave = {net: net + sum(deepcopy(self).credit([(source, net)])[0].values()) for net in nets}
        if gross >= gave.get(left, Fraction(0)):
            return left
        return next((net for net in nets if gave[net] == gross), about)

    def credit(
        self, sources: list[tuple[str, Fraction]], day: date = date.min, known: int | None = None
    ) -> tuple[dict[Fraction, Fraction], list[CreditedLine]]:
        """Takes credits off the latest invoices first, of those that bill a time beyond a day; off the first `known` before later ones.

        Their tax: what was taxed less the tax on what remains.
        """
        lines: list[CreditedLine] = []
        touched: list[Invoiced] = []
        for source, amount in sources:
            billing = self._billing(source, day)
            if known is not None:
                billing = [each for each in billing if each[0] >= known] + [each for each in billing if each[0] < known]
            for number, each in reversed(billing):
                now = min(amount, each.left.get(source, Fraction(0)))
                if now:
                    each.left[source] -= now
                    amount -= now
                    lines.append((source, now, number))
                    if each not in touched:
                        touched.append(each)
        credited: dict[Fraction, Fraction] = defaultdict(Fraction)
        for each in touched:
            remains = self._tax(each)
            for rate, tax in each.taxed.items():
                credited[rate] += tax - remains[rate]
            each.taxed = remains
        return {rate: tax for rate, tax in credited.items() if tax}, lines

    def _tax(self, invoice: Invoiced) -> dict[Fraction, Fraction]:
        by_rate: dict[Fraction, Fraction] = defaultdict(Fraction)
        for source, net in invoice.left.items():
            for rate in invoice.rates[source]:
                by_rate[rate] += net
        return {rate: half_up(net * rate / 100, self.currency) for rate, net in by_rate.items()}
