"""Use that is charged: the months of an asset, what is included in each, and what is used beyond."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import replace
from datetime import date, timedelta
from decimal import Decimal
from fractions import Fraction
from typing import Any

from domain.assets.dates import Span
from domain.assets.model import AssetRecord
from domain.assets.use_terms import UseTerms
from domain.billing.periods import BillingTerms
from domain.kernel.base import Carried
from domain.kernel.calendar import local_day
from domain.kernel.money import exactly, rounding_of

ZERO = Decimal(0)
AFTER = timedelta(days=2)
"""A month is charged on this day after its last one, when its days have been reported; what comes later counts in the next."""


class UseCharge(Carried):
    """A month's use: `used` units, of which the month's grant (`granted`) and `prepaid` units are included and `over` are beyond.

    `priced`: units and the price of each; they come to less than `amount` where the month's minimum is that.
    """

    asset_id: str
    start: date
    until: date
    used: int
    granted: int
    prepaid: int
    over: int
    priced: tuple[tuple[int, Decimal], ...] = ()
    amount: Decimal
    carried: bool = False
    """fewer units are on record than were charged before: the rest is taken off the next month"""

    def told(self, terms: UseTerms) -> dict[str, Any]:
        """As JSON, for whoever reads the line of an invoice."""
        worth = sum((Decimal(units) * price for units, price in self.priced), ZERO)
        return {
            "unit": terms.unit,
            "used": self.used,
            "granted": self.granted,
            "prepaid": self.prepaid,
            "over": self.over,
            "priced": [{"units": units, "unit_price": f"{price.normalize():f}"} for units, price in self.priced],
            "minimum": worth < self.amount and bool(terms.minimum),
        }


def months_of_use(record: AssetRecord, terms: BillingTerms, through: date) -> Iterator[Span]:
    """The months of an asset whose use is charged, from the first one not charged yet on; the last begins by `through`."""
    asset = record.asset
    if asset.use_terms is None or not record.periods:
        return
    first = local_day(record.periods[0].start, terms.zone)
    end = date.max if record.end is None else local_day(record.end, terms.zone)
    grid = replace(terms, months=1, starts=()).periods(first)
    day = max(first, asset.use_charged_until or first)
    while day < end and day <= through:
        month = grid.period_at(day)
        until = min(month.end, end)
        yield Span(day, until)
        day = until


def due_use(record: AssetRecord, terms: BillingTerms, today: date) -> tuple[list[Span], date | None]:
    """The months whose use is to be charged by today, and the day on which the next one is."""
    due: list[Span] = []
    for month in months_of_use(record, terms, today):
        if month.end + AFTER > today:
            return due, month.end + AFTER
        due.append(month)
    return due, None


def granted_in(record: AssetRecord, month: Span, terms: BillingTerms) -> int:
    """The units included in a month: in full for the units of the line on its first day, and for those that are added later a share
    by days, each rounded down; a month that the asset's end cuts short has a share, too."""
    use = record.asset.use_terms
    if use is None:
        return 0
    whole = (
        replace(terms, months=1, starts=())
        .periods(local_day(record.periods[0].start, terms.zone))
        .period_at(month.start)
    )
    days = (whole.end - whole.start).days
    granted, held = 0, 0
    for period in record.periods:
        start = max(local_day(period.start, terms.zone), month.start)
        end = month.end if period.end is None else min(local_day(period.end, terms.zone), month.end)
        if start >= end or period.quantity <= held:
            continue
        share = Fraction(use.granted * (period.quantity - held) * (month.end - start).days, days)
        granted, held = granted + share.numerator // share.denominator, period.quantity
    return granted


def charge_of(record: AssetRecord, month: Span, terms: BillingTerms, units: int, prepaid_left: int) -> UseCharge:
    """What a month's use costs, rounded once: of `units`, and what is left of the term's prepaid ones."""
    asset = record.asset
    use = asset.use_terms
    if use is None:
        raise ValueError(f"{asset.asset_id} is not charged by its use")
    units, granted = max(0, units), granted_in(record, month, terms)
    beyond = max(0, units - granted)
    prepaid = min(beyond, max(0, prepaid_left))
    over = beyond - prepaid
    priced = tuple(_priced(use, over))
    worth = sum((exactly(price) * count for count, price in priced), Fraction())
    amount = rounding_of(asset.currency).apply(max(worth, _least(record, month, terms, use)))
    return UseCharge(
        asset_id=asset.asset_id,
        start=month.start,
        until=month.end,
        used=units,
        granted=granted,
        prepaid=prepaid,
        over=over,
        priced=priced,
        amount=amount,
    )


def _least(record: AssetRecord, month: Span, terms: BillingTerms, use: UseTerms) -> Fraction:
    """The minimum of a month; of a part of one its share by days."""
    whole = (
        replace(terms, months=1, starts=())
        .periods(local_day(record.periods[0].start, terms.zone))
        .period_at(month.start)
    )
    return exactly(use.minimum) * Fraction((month.end - month.start).days, (whole.end - whole.start).days)


def _priced(use: UseTerms, over: int) -> Iterator[tuple[int, Decimal]]:
    below = 0
    for limit, price in use.steps():
        units = over - below if limit is None else min(over, limit) - below
        if units <= 0:
            return
        yield units, price
        below += units


class Metered(Carried):
    """What is known of the use of an asset: days with the units that are not charged yet, below zero where fewer were reported since;
    and the months that were charged."""

    days: list[tuple[date, int]] = []
    charges: list[UseCharge] = []


def charges_of(
    record: AssetRecord, months: Sequence[Span], terms: BillingTerms, term_starts: Sequence[date], metered: Metered
) -> list[UseCharge]:
    """The charges of months that are due, one after the other. `term_starts`: with each of them the prepaid units begin anew."""
    use, found, counted = record.asset.use_terms, list(metered.charges), date.min
    if use is None:
        return []
    rest = 0
    for month in months:
        units = rest + sum(units for day, units in metered.days if counted <= day < month.end)
        term = max((start for start in term_starts if start <= month.start), default=date.min)
        left = use.prepaid - sum(charge.prepaid for charge in found if charge.start >= term)
        found.append(charge_of(record, month, terms, units, left).having(carried=units < 0))
        rest, counted = min(0, units), month.end
    return found[len(metered.charges) :]
