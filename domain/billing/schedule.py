"""What is billed for an asset and when: a schedule by billing frequency, from the ledger."""

from __future__ import annotations

from collections.abc import Collection, Iterator
from dataclasses import dataclass, field
from datetime import date
from decimal import Decimal
from fractions import Fraction

from domain.assets.model import AssetRecord, SellingModel, StatePeriod
from domain.assets.periods import rows_of, sweep, timeline
from domain.assets.worth import anchor_at, month_anchors
from domain.billing.line_parts import ONCE, LinePart, merged
from domain.billing.netting import Key
from domain.billing.periods import BillingTerms, Periods
from domain.kernel.calendar import local_day, months_between
from domain.kernel.money import exactly, rounding_of

ZERO = Decimal(0)


Stretch = tuple[date, date, int, Decimal, int]
"""The fields of a `Part`, which is made only of what is told."""


@dataclass(slots=True)
class Cell:
    """What a lot costs in a billing period: exactly, as its share of a sum that is rounded once; due when its first part is."""

    key: Key
    due: date
    exact: Fraction
    stretches: list[Stretch] = field(default_factory=list)
    amount: Decimal = ZERO

    @property
    def parts(self) -> tuple[LinePart, ...]:
        """What it is made of; nothing if its amount is a part of what a period was rounded to."""
        return merged(map(LinePart._make, self.stretches))


Cells = dict[Key, Cell]


def schedule(record: AssetRecord, terms: BillingTerms, through: date) -> list[Cell]:
    """What is billed for an asset: all of it if it ends, else what falls due on or before `through`; by billing period and lot.

    The amounts of an asset that ends add up to its total in the ledger, rounded.
    """
    rounding = rounding_of(record.asset.currency)
    cells = sorted(cells_of(record, terms, through).values(), key=lambda cell: (cell.key[1], cell.key[0]))
    exact = record.asset.carried
    before = rounding.apply(exact)
    for cell in cells:
        exact += cell.exact
        so_far = rounding.apply(exact)
        cell.amount, before = so_far - before, so_far
    return cells


def cells_of(record: AssetRecord, terms: BillingTerms, through: date, since: date = date.min) -> Cells:
    """By lot and billing period; without what was over by `since`."""
    cells: Cells = {}
    if record.asset.selling_model is SellingModel.ONE_TIME:
        for cell in _once(record, terms, through):
            cells[cell.key] = cell
        return cells
    if not record.periods:
        return cells
    zone, active = terms.zone, record.active
    grid = terms.periods(local_day(record.periods[0].start, zone))
    anchors = month_anchors(record.asset, active)
    for period, (_, holdings) in zip(record.periods, sweep(rows_of(active), timeline(record.actions)), strict=True):
        if period.end is not None and local_day(period.end, zone) <= since:
            continue
        prices = {lot: holdings.prices[lot] or ZERO for lot in holdings.quantities}
        lots = {lot: exactly(prices[lot] * units) for lot, units in holdings.quantities.items()}
        anchor = local_day(anchor_at(anchors, period.start), zone).day
        for first, start, until in _billed_by(period, grid, zone, through):
            months = months_between(start, until, anchor)
            for lot, monthly in lots.items():
                cell = _cell(cells, (lot, first), start, monthly if months == 1 else monthly * months)
                cell.stretches.append((start, until, holdings.quantities[lot], prices[lot], anchor))
    return cells


def _cell(cells: Cells, key: Key, due: date, exact: Fraction) -> Cell:
    """The cell of a lot and billing period, with so much more in it."""
    cell = cells.get(key)
    if cell is None:
        cells[key] = cell = Cell(key, due, exact)
    else:
        cell.due = min(cell.due, due)
        cell.exact += exact
    return cell


def next_due(
    record: AssetRecord, terms: BillingTerms, through: date, after: date, known: Collection[Key]
) -> date | None:
    """The first day later than `after` on which a part of an asset falls due that is not `known`."""
    return min(
        (
            cell.due
            for cell in cells_of(record, terms, through, after).values()
            if after < cell.due and cell.key not in known and cell.exact
        ),
        default=None,
    )


def _billed_by(period: StatePeriod, grid: Periods, zone: str, through: date) -> Iterator[tuple[date, date, date]]:
    """What a state period takes of the billing periods: the first day of each, and from which day until which it is in it."""
    start = local_day(period.start, zone)
    end = grid.after(max(start, through)) if period.end is None else local_day(period.end, zone)
    while start < end:
        whole = grid.period_at(start)
        until = min(whole.end, end)
        yield whole.start, start, until
        start = until


def _once(record: AssetRecord, terms: BillingTerms, through: date) -> Iterator[Cell]:
    """Every lot of something paid once, with the units left of it on the day or at its end: in all the ledger's total."""
    held: dict[int, int] = {}
    first: dict[int, tuple[date, Decimal]] = {}
    for stretch, holdings in sweep(rows_of(record.active), timeline(record.actions)):
        start = local_day(stretch.start, terms.zone)
        if start > through and first:  # what was sold is known before its day: it may be charged with the sale
            break
        held = dict(holdings.quantities)
        for lot in held:
            first.setdefault(lot, (start, holdings.prices[lot] or ZERO))
    for lot, (start, price) in first.items():
        units = held.get(lot, 0)
        yield Cell((lot, start), start, Fraction(price) * units, [(start, start, units, price, ONCE)])
