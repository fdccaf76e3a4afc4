"""Tax of invoices and credit memos: from a document's net by rate, rounded once for each rate."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from decimal import Decimal

from domain.kernel.base import Carried
from domain.kernel.money import Rounding

ZERO = Decimal(0)
Rates = tuple[Decimal, ...]
"""Of a line in percent, such as (10,); each is counted from the net, none from another tax."""


class Taxed(Carried):
    """A net amount with its tax at one rate in percent: of a document, or what is left of one."""

    rate: Decimal
    net: Decimal
    tax: Decimal


def tax_of(net: Decimal, rate: Decimal, rounding: Rounding) -> Decimal:
    """The tax on a document's net at one rate, rounded."""
    return rounding.apply(net * rate / 100)


def taxed(lines: Iterable[tuple[Decimal, Rates]], rounding: Rounding) -> list[Taxed]:
    """The taxes of a document with these lines, by rate."""
    nets: dict[Decimal, Decimal] = {}
    for net, rates in lines:
        for rate in rates:
            nets[rate] = nets.get(rate, ZERO) + net
    return [Taxed(rate=rate, net=net, tax=tax_of(net, rate, rounding)) for rate, net in sorted(nets.items())]


def credited(left: Taxed, net: Decimal, rounding: Rounding) -> Decimal:
    """The tax that a credit of `net` gives back: what is left of the invoice's tax exceeds the tax on what remains.

    So whatever credits an invoice came in, once it is credited wholly its tax is, to the last minor unit.
    """
    return left.tax - tax_of(left.net - net, left.rate, rounding)


def credited_at_all(left: Sequence[Taxed], rates: Rates, net: Decimal, rounding: Rounding) -> dict[Decimal, Decimal]:
    """The tax that a credit of `net` at these rates gives back, by rate; a rate that the invoice does not name has none."""
    known = {one.rate: one for one in left}
    return {
        rate: credited(known[rate], net * times, rounding) for rate, times in Counter(rates).items() if rate in known
    }


@dataclass(frozen=True)
class TaxSplit:
    """An amount that includes tax, in parts: `net` and the tax by rate add up to it."""

    net: Decimal
    taxes: Mapping[Decimal, Decimal]

    @property
    def gross(self) -> Decimal:
        return self.net + sum(self.taxes.values(), ZERO)


def all_of(left: Sequence[Taxed], rates: Rates, net: Decimal, rounding: Rounding) -> TaxSplit:
    """A credit of `net`, with its tax."""
    return TaxSplit(net, credited_at_all(left, rates, net, rounding))


def within(gross: Decimal, left: Sequence[Taxed], rates: Rates, most: Decimal, rounding: Rounding) -> TaxSplit:
    """A credit of `gross`, tax included, of a charge of which `most` is left before tax; all of that if it comes to less.

    Not every amount is a net with its own tax, rounded: where there is none the net is rounded and the tax is the rest, so
    that the customer gets what was said; the next credit of the invoice settles the difference.
    """
    whole = all_of(left, rates, most, rounding)
    if gross >= whole.gross:
        return whole
    known = {one.rate for one in left}
    percent = sum((rate for rate in rates if rate in known), ZERO)
    net = min(most, rounding.apply(gross / (1 + percent / 100)))
    step = Decimal(1).scaleb(-rounding.decimals)
    for near in (net, net - step, net + step):
        if 0 <= near <= most and (found := all_of(left, rates, near, rounding)).gross == gross:
            return found
    taxes = dict(all_of(left, rates, net, rounding).taxes)
    if taxes:
        last = max(taxes)
        taxes[last] += gross - net - sum(taxes.values(), ZERO)
    return TaxSplit(net if taxes else gross, taxes)
