"""Credits decided: what is left of charges, what a memo takes from each of them, and the tax that goes with it."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import date
from decimal import Decimal

from domain.billing.billing import Credit, CreditLine
from domain.billing.documents import DocumentLine
from domain.billing.line_parts import Why
from domain.kernel import tax
from domain.kernel.money import half_up, rounding_of
from domain.kernel.tax import Rates, Taxed, TaxSplit

ZERO = Decimal(0)
PART = "~"
"""Between a credit line's key and the number of a further row of it, where it takes from several charges."""


@dataclass
class Source:
    """What is left, before tax, of a charge: of a lot in a period of an asset's schedule, or of a purchase.

    `invoice_id` is that of a taxed invoice; what has no tax need not be told apart.
    """

    left: Decimal
    lot: int | None = None
    period: date | None = None
    rates: Rates = ()
    invoice_id: str | None = None


@dataclass(frozen=True)
class CreditedFor:
    """What a line of a credit is for: an order line, its asset, or both. Without an order nothing says its quantity and price."""

    currency: str
    price_per: str
    order_id: str | None = None
    line_id: str | None = None
    asset_id: str | None = None
    quantity: int | None = None
    unit_price: Decimal | None = None
    tax_rates: Rates = ()

    def as_ordered(self) -> Source:
        """What the order says that it cost, where no invoice of ours does."""
        cost = rounding_of(self.currency).apply((self.quantity or 0) * (self.unit_price or ZERO))
        return Source(cost, rates=self.tax_rates)

    @property
    def is_purchase(self) -> bool:
        """True for what was bought once; it may be no asset, or older than the invoices that are kept here."""
        return self.price_per == "once" and self.quantity is not None


@dataclass(frozen=True)
class Memo:
    """A credit memo to be written: its lines, each with the charge that it takes from, and the tax taken by invoice and rate."""

    currency: str
    reason: str
    lines: Sequence[tuple[DocumentLine, Source]]
    taken: Mapping[tuple[str | None, Decimal], tuple[Decimal, Decimal]]

    @property
    def net(self) -> Decimal:
        """Before tax."""
        return sum((line.amount for line, _ in self.lines), ZERO)

    @property
    def taxes(self) -> tuple[Taxed, ...]:
        """What is taken of all invoices together, by rate."""
        sums: dict[Decimal, tuple[Decimal, Decimal]] = {}
        for (_, rate), (net, taxed) in self.taken.items():
            before = sums.get(rate, (ZERO, ZERO))
            sums[rate] = (before[0] + net, before[1] + taxed)
        return tuple(Taxed(rate=rate, net=net, tax=taxed) for rate, (net, taxed) in sorted(sums.items()))


@dataclass
class _Taking:
    """What a memo takes from charges, and the tax that is left of their invoices meanwhile."""

    currency: str
    left: dict[str, list[Taxed]]
    taken: dict[tuple[str | None, Decimal], tuple[Decimal, Decimal]] = field(default_factory=dict)

    def take(self, source: Source, amount: Decimal, *, with_tax: bool) -> TaxSplit:
        """Takes as much of a wanted amount from a source as it has; the amount itself if it has no tax."""
        rounding = rounding_of(self.currency)
        left = self._left(source)
        gross = min(amount, source.left) if not left else amount
        if with_tax and left:
            split = tax.within(gross, left, source.rates, source.left, rounding)
        else:
            split = tax.all_of(left, source.rates, min(gross, source.left), rounding)
        split = TaxSplit(rounding.apply(split.net), split.taxes)
        source.left -= split.net
        for rate, taxed in split.taxes.items():
            net = split.net * source.rates.count(rate)
            known = self.taken.get((source.invoice_id, rate), (ZERO, ZERO))
            self.taken[source.invoice_id, rate] = (known[0] + net, known[1] + taxed)
            if source.invoice_id is not None:
                self.left[source.invoice_id] = [
                    one.having(net=one.net - net, tax=one.tax - taxed) if one.rate == rate else one
                    for one in self.left[source.invoice_id]
                ]
        return split

    def _left(self, source: Source) -> list[Taxed]:
        if source.invoice_id is not None:
            return self.left.get(source.invoice_id, [])
        return tax.taxed([(source.left, source.rates)], rounding_of(self.currency))


def set_off(sources: Sequence[Source]) -> None:
    """Credits that name no charge, as those of before tax was kept here, are taken from what there is of the same period."""
    for owing in sources:
        for source in sources:
            if owing.left < 0 < source.left and (source.lot, source.period) == (owing.lot, owing.period):
                part = min(source.left, -owing.left)
                source.left -= part
                owing.left += part


def of_schedules(
    currency: str,
    reason: str,
    lines: Sequence[DocumentLine],
    charges: Mapping[str, Sequence[Source]],
    taxes: Mapping[str, list[Taxed]],
) -> Memo:
    """A memo of what the schedules of assets give back (lines with `lot` and `period`), each from the invoices that charged it.

    charges: by asset, what is left of them. taxes: what is left of the tax of their invoices. A line of more than is left stands as it
    is: the table refuses it.
    """
    taking, found = _Taking(currency, dict(taxes)), []
    charges = {asset_id: [replace(one) for one in sources] for asset_id, sources in charges.items()}
    for line in lines:
        rest, scheduled = line.amount, line.scheduled
        for source in charges.get(line.asset_id or "", ()):
            if (source.lot, source.period) != (line.lot, line.period) or rest <= 0 or source.left <= 0:
                continue
            net = taking.take(source, rest, with_tax=False).net
            rest -= net
            part = line if net == line.amount else replace(line, unit_price=None, why=Why.SHARED)
            found.append((replace(part, amount=net, scheduled=scheduled), source))
            scheduled = ZERO
        if rest > 0:  # the table says how much there is
            found.append((replace(line, amount=rest, scheduled=scheduled), Source(rest)))
    return Memo(currency, reason, found, taking.taken)


def of_charges(
    credit: Credit,
    lines: Sequence[tuple[CreditLine, CreditedFor]],
    left: Mapping[CreditedFor, Sequence[Source]],
    taxes: Mapping[str, list[Taxed]],
    on: date,
) -> Memo | None:
    """A memo of what somebody is given back, each line capped by what is `left` of its charge; null if nothing is left.

    on: the customer's local day.
    """
    taking, found = _Taking(credit.currency, dict(taxes)), []
    left = {target: [replace(one) for one in sources] for target, sources in left.items()}
    for line, target in lines:
        wanted = rounding_of(credit.currency).apply(line.amount)
        parts = 0
        for source in left[target]:
            if wanted <= 0 or source.left <= 0:
                continue
            split = taking.take(source, wanted, with_tax=line.with_tax)
            wanted -= split.gross if line.with_tax else split.net
            if split.net > 0:
                found.append((_credit_line(line, target, source, split.net, on, parts), source))
                parts += 1
    return Memo(credit.currency, credit.reason, found, taking.taken) if found else None


def _credit_line(
    line: CreditLine, target: CreditedFor, source: Source, amount: Decimal, on: date, number: int
) -> DocumentLine:
    unit_price = half_up(6).apply(amount / line.quantity) if line.quantity else None
    by_unit = unit_price is not None and unit_price * (line.quantity or 0) == amount
    return DocumentLine(
        kind=line.kind,
        description=line.description,
        due=on,
        amount=amount,
        asset_id=target.asset_id,
        order_id=target.order_id,
        line_id=target.line_id,
        lot=source.lot,
        period=source.period,
        quantity=line.quantity,
        unit_price=unit_price if by_unit else None,
        why=None if by_unit else Why.AGREED,
        start=on,
        until=on,
        key=f"{line.key}{PART}{number}" if number else line.key,
    )


def by_key(amounts: Iterable[tuple[str, Decimal]]) -> dict[str, Decimal]:
    """Sums by the keys that the lines were given; a line that took from several charges has a row for each."""
    sums: dict[str, Decimal] = {}
    for key, amount in amounts:
        given = key.split(PART)[0]
        sums[given] = sums.get(given, ZERO) + amount
    return sums
