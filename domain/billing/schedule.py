"""Invoices from the ledger: a schedule by billing frequency, compensating lines for amendments, capped credits."""

from __future__ import annotations

from bisect import bisect_right
from collections import defaultdict
from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import date
from decimal import Decimal
from enum import StrEnum
from fractions import Fraction
from itertools import accumulate, pairwise
from math import lcm

from pydantic import Field

from domain.assets.dates import Span, local_date
from domain.assets.exact import rounded
from domain.assets.grid import Boundary, Grid, PeriodLength, grid_for
from domain.assets.invoicing import InvoiceLine, InvoiceResult, allocate, apply_invoice
from domain.assets.ledger import anchor_at, month_anchors
from domain.assets.model import AssetRecord, SellingModel, StatePeriod
from domain.assets.periods import rows_of, sweep, timeline
from domain.assets.proration import pieces
from domain.assets.proration_policy import AdjustmentRule, ProrationPolicy, RemainderTo
from domain.billing.line_parts import ONCE, LinePart, Why, changed, kept, merged, read_parts, turned
from domain.billing.netting import Key, staying, together
from domain.catalogue.errors import BillingError
from domain.kernel.base import Carried
from domain.kernel.calendar import month_index, months_between
from domain.kernel.ids import AssetId
from domain.kernel.money import CurrencyCode, Rounding, exactly, rounding_of

ZERO = Decimal(0)


class BillWhen(StrEnum):
    IN_ADVANCE = "in_advance"
    IN_ARREARS = "in_arrears"


class BillingTerms(Carried):
    """How an asset is billed: periods of a length on a grid that starts with the asset, parts by a proration policy.

    `anchor` starts the grid elsewhere, as with the contract; `anchors` are the days from which its months begin on another
    day of the month, with that day; `starts`, if given, are the first days of all periods. `by_months`: each part costs its
    price by its months, as the ledger's running sum has it, and not a part of what a period was rounded to.
    """

    every: PeriodLength = Field(default_factory=PeriodLength)
    boundary: Boundary = Field(default_factory=Boundary)
    when: BillWhen = BillWhen.IN_ADVANCE
    policy: ProrationPolicy = Field(default_factory=ProrationPolicy)
    anchor: date | None = None
    anchors: tuple[tuple[date, int], ...] = ()
    starts: tuple[date, ...] = ()
    by_months: bool = False

    def periods(self, first: date) -> Periods:
        """The billing periods of what begins on `first`."""
        months = grid_for(self.anchor or first, self.every, self.boundary)
        if self.starts:
            return Listed(months, self.starts)
        if len(self.anchors) > 1:
            return Rebased(tuple((start, Grid(month_index(start), day, months.step)) for start, day in self.anchors))
        return replace(months, day=self.anchors[0][1]) if self.anchors else months


@dataclass(frozen=True, slots=True)
class Listed:
    """Billing periods by their first days; the last one has no end. Months are those of `grid`."""

    grid: Grid
    starts: tuple[date, ...]

    @property
    def anchor(self) -> int:
        return self.grid.anchor

    @property
    def day(self) -> int:
        return self.grid.day

    def period_at(self, day: date) -> Span:
        place = bisect_right(self.starts, day)
        ends = (*self.starts, date.max)
        return Span(self.starts[place - 1] if place else date.min, ends[place])

    def after(self, day: date) -> date:
        return self.period_at(day).end


@dataclass(frozen=True, slots=True)
class Rebased:
    """Billing periods on one grid after the other, each from a first day on."""

    grids: tuple[tuple[date, Grid], ...]

    @property
    def anchor(self) -> int:
        return self.grids[0][1].anchor

    @property
    def day(self) -> int:
        return self.grids[0][1].day

    def period_at(self, day: date) -> Span:
        place = max(1, bisect_right(self.grids, day, key=lambda grid: grid[0]))
        start, grid = self.grids[place - 1]
        span = grid.period_at(day)
        return Span(
            max(span.start, start) if place > 1 else span.start,
            min(span.end, self.grids[place][0]) if place < len(self.grids) else span.end,
        )

    def after(self, day: date) -> date:
        return self.period_at(day).end


Periods = Grid | Listed | Rebased


class BillKind(StrEnum):
    CHARGE = "charge"
    CREDIT = "credit"
    GOODWILL = "goodwill"
    """a credit that the schedule does not know of"""


class BillLine(Carried):
    """A line of an invoice or, if negative, of a credit memo, for a lot in a billing period.

    `scheduled` is what the line changes of the schedule; a credit's amount may be less, as earlier ones cap it. `parts` are
    what it charges or gives back, and `why` says why they do not come to its amount; `stands`: the parts of its period once
    it is booked, as `kept` writes them, null if that is not on record.
    """

    asset_id: AssetId
    lot: int
    period: date
    kind: BillKind
    due: date
    currency: CurrencyCode
    amount: Decimal
    scheduled: Decimal
    parts: tuple[LinePart, ...] = ()
    why: Why | None = None
    stands: str | None = None

    @property
    def key(self) -> Key:
        return self.lot, self.period


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
    cells = sorted(_cells(record, terms, through).values(), key=lambda cell: (cell.key[1], cell.key[0]))
    exact = record.asset.carried
    before = rounded(exact, rounding)
    for cell in cells:
        exact += cell.exact
        so_far = rounded(exact, rounding)
        cell.amount, before = so_far - before, so_far
    return cells


def _cells(record: AssetRecord, terms: BillingTerms, through: date, since: date = date.min) -> Cells:
    """By lot and billing period; without what was over by `since`."""
    cells: Cells = {}
    if record.asset.selling_model is SellingModel.ONE_TIME:
        for cell in _once(record, terms, through):
            cells[cell.key] = cell
        return cells
    if not record.periods:
        return cells
    zone, rounding = terms.policy.zone, rounding_of(record.asset.currency)
    grid = terms.periods(local_date(record.periods[0].start, zone))
    booked, before = ZERO, ZERO
    active = record.active
    anchors = month_anchors(record.asset, active)
    for period, (_, holdings) in zip(record.periods, sweep(rows_of(active), timeline(record.actions)), strict=True):
        if period.end is not None and local_date(period.end, zone) <= since and terms.by_months:
            continue
        prices = {lot: holdings.prices[lot] or ZERO for lot in holdings.quantities}
        lots = {lot: exactly(prices[lot] * units) for lot, units in holdings.quantities.items()}
        anchor = local_date(anchor_at(anchors, period.start), zone).day
        shares = _shares(period, grid, terms, through, anchor)
        if terms.by_months or period.amount is None:
            for share in shares:
                whole = share.months == 1
                for lot, monthly in lots.items():
                    cell = _cell(cells, (lot, share.period), share.due, monthly if whole else monthly * share.months)
                    cell.stretches.append((share.start, share.until, holdings.quantities[lot], prices[lot], anchor))
            continue
        booked += period.amount
        total, before = rounding.apply(booked) - before, rounding.apply(booked)
        for key, due, amount in _divided(lots, list(shares), total, terms, rounding):
            _cell(cells, key, due, amount)
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
            for cell in _cells(record, terms, through, after).values()
            if after < cell.due and cell.key not in known and cell.exact
        ),
        default=None,
    )


@dataclass(frozen=True, slots=True)
class _Share:
    """Months of a billing period: the ledger's own, or else a part of a month as the proration policy counts it."""

    period: date
    due: date
    months: Fraction
    start: date
    until: date


def _shares(period: StatePeriod, grid: Periods, terms: BillingTerms, through: date, anchor: int) -> Iterator[_Share]:
    """What a state period takes of the billing periods, in months; in order."""
    zone, policy = terms.policy.zone, terms.policy
    start = local_date(period.start, zone)
    end = grid.after(max(start, through)) if period.end is None else local_date(period.end, zone)
    if end <= start:
        # Shorter than a day: all of its amount, if it has one, belongs to that day.
        if not terms.by_months:
            yield _Share(grid.period_at(start).start, start, Fraction(1), start, start)
        return
    by_month = Grid(grid.anchor, grid.day, 1)
    while start < end:
        whole = grid.period_at(start)
        until = min(whole.end, end)
        if terms.by_months:
            months = months_between(start, until, anchor)
        else:
            months = sum((piece.share for piece in pieces(Span(start, until), by_month, policy)), Fraction())
        due = start if terms.when is BillWhen.IN_ADVANCE else until
        yield _Share(whole.start, due, months, start, until)
        start = until


def _divided(
    lots: dict[int, Fraction], shares: Sequence[_Share], total: Decimal, terms: BillingTerms, rounding: Rounding
) -> Iterator[tuple[Key, date, Fraction]]:
    """A period's amount by lots and billing periods: in proportion to price and time, to the last minor unit."""
    places = [(lot, share) for share in shares for lot in lots]
    # Weights are decimals, and these need not be: a common denominator makes them whole.
    weights = [lots[lot] * share.months for lot, share in places]
    common = lcm(*(weight.denominator for weight in weights))
    whole = [Decimal(int(weight * common)) for weight in weights]
    weight_total = sum(whole, ZERO)
    if not weight_total:
        return
    remainder_to = RemainderTo.FIRST if terms.policy.remainder_to is RemainderTo.FIRST else RemainderTo.LAST
    parts = allocate(total, whole, weight_total, rounding, remainder_to).parts
    if min(parts) < 0:
        # So little money that the remainder is more than one part: spread it.
        sums = [
            rounded(Fraction(total) * Fraction(part) / Fraction(weight_total), rounding) for part in accumulate(whole)
        ]
        parts = tuple(after - before for before, after in pairwise([ZERO, *sums]))
    for (lot, share), amount in zip(places, parts, strict=True):
        yield (lot, share.period), share.due, Fraction(amount)


def _once(record: AssetRecord, terms: BillingTerms, through: date) -> Iterator[Cell]:
    """Every lot of something paid once, with the units left of it on the day or at its end: in all the ledger's total."""
    zone = terms.policy.zone
    held: dict[int, int] = {}
    first: dict[int, tuple[date, Decimal]] = {}
    for stretch, holdings in sweep(rows_of(record.active), timeline(record.actions)):
        start = local_date(stretch.start, zone)
        if start > through and first:  # what was sold is known before its day: it may be charged with the sale
            break
        held = dict(holdings.quantities)
        for lot in held:
            first.setdefault(lot, (start, holdings.prices[lot] or ZERO))
    for lot, (start, price) in first.items():
        units = held.get(lot, 0)
        yield Cell((lot, start), start, Fraction(price) * units, [(start, start, units, price, ONCE)])


@dataclass(frozen=True, slots=True)
class Paid:
    """The asset and terms by which parts go that were billed before an end of them was agreed, until it comes."""

    record: AssetRecord
    terms: BillingTerms
    keys: Collection[Key]


View = tuple[AssetRecord, BillingTerms]


@dataclass(frozen=True, slots=True)
class _Booked:
    """What was charged for each lot and billing period by the schedule, what credits have left of it, and its parts in JSON."""

    rounding: Rounding
    charged: dict[Key, Decimal]
    left: dict[Key, Decimal]
    stands: dict[Key, str]

    @classmethod
    def of(cls, record: AssetRecord, billed: Sequence[BillLine]) -> _Booked:
        booked = cls(rounding_of(record.asset.currency), defaultdict(Decimal), defaultdict(Decimal), {})
        for line in billed:
            key = line.lot, line.period
            booked.charged[key] += line.scheduled
            booked.left[key] += line.amount
            if line.stands is not None:
                booked.stands[key] = line.stands
        return booked

    @property
    def unit(self) -> Decimal:
        return Decimal(1).scaleb(-self.rounding.decimals)

    def parts(self, key: Key) -> tuple[LinePart, ...] | None:
        """What a period was charged as; null if it is not on record, or does not come to what was charged."""
        if key not in self.charged:
            return ()
        if (stands := self.stands.get(key)) is None:
            return None
        parts = read_parts(stands)
        off = abs(sum((part.worth for part in parts), Fraction()) - Fraction(self.charged[key]))
        return parts if off <= Fraction(2 * self.unit) else None


def _booked_as(cells: Cells, booked: _Booked) -> Cells:
    """Cells by the lots and periods for which their days were charged, where those are charged for less: see `netting`."""
    unit = booked.unit
    less = [key for key, net in booked.charged.items() if key not in cells or net - unit > cells[key].exact]
    stood = {key: parts for key in less if (parts := booked.parts(key))}
    if not stood:
        return cells
    first = min(part.start for parts in stood.values() for part in parts)
    until = max(part.until for parts in stood.values() for part in parts)
    for key, cell in cells.items():
        more = key not in stood and cell.exact > booked.charged.get(key, ZERO)
        if more and any(start < until and first < end for start, end, *_ in cell.stretches):
            stood[key] = booked.parts(key) or ()
    now = {key: cells[key].parts if key in cells else () for key in stood}
    for costs, charged, part in staying(now, stood):
        if charged not in cells:
            cells[charged] = Cell(charged, part.start, Fraction())
        for key, moved in ((costs, part._replace(units=-part.units)), (charged, part)):
            cells[key].exact += moved.worth
            cells[key].stretches = [*together([*cells[key].parts, moved])]
    return {key: cell for key, cell in cells.items() if cell.stretches or key in booked.charged or cell.exact}


def charged_as(
    record: AssetRecord, billed: Sequence[BillLine], ways: Sequence[Sequence[View]], through: date
) -> list[set[Key]]:
    """The parts that were billed as one view of each way says, by the way that comes nearest; the first of those that do."""
    booked = _Booked.of(record, billed)
    costs = [[_booked_as(_cells(*view, through), booked) for view in views] for views in ways]
    found: list[set[Key]] = [set() for _ in ways]
    for key in booked.charged:
        found[_nearest(key, costs, booked)].add(key)
    return found


def _nearest(key: Key, costs: Sequence[Sequence[Cells]], booked: _Booked) -> int:
    """By which of several ways a part was billed. Amounts that are near each other may be rounded: then its days and units say it."""
    net = Fraction(booked.charged[key])
    off = [
        (min(abs(net - (cost[key].exact if key in cost else 0)) for cost in each), number)
        for number, each in enumerate(costs)
        if each
    ]
    least, first = min(off)
    close = [number for far, number in off if far <= least + 2 * Fraction(booked.unit)]
    if any(far > least for far, number in off if number in close):
        stood = booked.parts(key)
        alike = (number for number in close if any(key in cost and cost[key].parts == stood for cost in costs[number]))
        return next(alike, first)
    return first


def bill(
    record: AssetRecord,
    terms: BillingTerms,
    billed: Sequence[BillLine],
    through: date,
    paid: Sequence[Paid] = (),
) -> tuple[BillLine, ...]:
    """The lines to invoice on `through`: what has fallen due, and what amendments make of periods that were billed.

    `billed` are all lines of the asset so far. The lines come to what all that is due costs, rounded once, less what was
    billed. A period that was billed too high is credited, but never by more than what earlier credits have left of it
    (unless the policy ignores them); what is missing comes off what else the asset is charged for that time. `paid`: by
    what periods go that were billed, if not the same.
    """
    booked = _Booked.of(record, billed)
    charged = booked.charged
    expected = _booked_as(_cells(record, terms, through), booked)
    for part in paid:
        as_paid = _booked_as(_cells(part.record, part.terms, through), booked)
        expected = {key: cell for key, cell in expected.items() if key not in part.keys}
        expected |= {key: cell for key, cell in as_paid.items() if key in part.keys}
    due = {key: cell.exact for key, cell in expected.items() if key in charged or cell.due <= through}
    lines: list[BillLine] = []
    asset = record.asset
    carried = asset.carried
    if asset.carried_first is not None and len({period for _, period in due.keys() | charged.keys()}) == 1:
        carried = asset.carried_first
    for key, change in changes_of(due, charged, booked.rounding, carried).items():
        cell = expected.get(key)
        now = cell.parts if cell and key in due else ()
        before = booked.parts(key)
        said = _Said(
            () if before is None else changed(before, now), kept(now), None if before is not None else Why.DIFFERENCE
        )
        if change > 0:
            on = cell.due if cell and key not in charged else through
            lines.append(_bill_line(record, key, BillKind.CHARGE, on, change, change, said))
        elif change < 0:
            amount = -creditable(-change, charged[key], booked.left[key], terms.policy, record.asset.currency)
            capped = Why.CAPPED if amount > change else said.why
            said = replace(said, parts=turned(said.parts), why=capped)
            lines.append(_bill_line(record, key, BillKind.CREDIT, through, amount, change, said))
    if terms.policy.adjustment_rule is AdjustmentRule.CAP:
        lines += _set_off(record, lines, booked.left, through)
    return tuple(lines)


def _set_off(
    record: AssetRecord, lines: Sequence[BillLine], left: Mapping[Key, Decimal], on: date
) -> Iterator[BillLine]:
    """Credits of what is charged with `lines`, then of what is left of other lots in the same period, for credits that found
    too little left of their own charge: whatever took that, what replaces it becomes no dearer."""
    short = [line for line in lines if line.kind is BillKind.CREDIT and line.amount > line.scheduled]
    missing = sum((line.amount - line.scheduled for line in short), ZERO)
    rest = dict(left)
    for line in lines:
        rest[line.key] = rest.get(line.key, ZERO) + line.amount
    charges = [line.key for line in lines if line.kind is BillKind.CHARGE]
    periods = {line.period for line in short}
    others = sorted((key for key in left if key[1] in periods and key not in charges), reverse=True)
    for key in [*charges, *others]:
        part = min(missing, rest[key])
        if part > 0:
            missing -= part
            yield _bill_line(record, key, BillKind.CREDIT, on, -part, ZERO, _Said(why=Why.SET_OFF))


@dataclass(frozen=True, slots=True)
class _Said:
    """What a line says of itself: see `BillLine`."""

    parts: tuple[LinePart, ...] = ()
    stands: str | None = None
    why: Why | None = None


def changes_of(
    due: Mapping[Key, Fraction], charged: Mapping[Key, Decimal], rounding: Rounding, carried: Fraction = Fraction()
) -> dict[Key, Decimal]:
    """What is to be charged (or, below zero, given back) of each part: in all what is due, rounded once, less what was charged.

    A part that was charged to within a minor unit is left alone: its rounding is carried by what else there is to charge.
    Nothing is given back of a part beyond what was charged for it. `carried`: where the sum begins that is rounded.
    """
    unit = Fraction(1, 10**rounding.decimals)
    keys = sorted(due.keys() | charged.keys(), key=lambda key: (key[1], key[0]))
    # Most parts are charged to the last digit, which a decimal finds out sooner than fractions do.
    open_ = {
        key: due.get(key, Fraction()) - Fraction(charged.get(key, ZERO))
        for key in keys
        if charged.get(key, ZERO) != due.get(key, 0)
    }
    settled = {key for key in keys if key in charged and due.get(key) and abs(open_.get(key, Fraction())) <= unit}
    begun = rounded(carried, rounding)
    done = sum(charged.values(), begun)
    so_far = carried - Fraction(begun) + Fraction(done)
    exact = so_far + sum((more for key, more in open_.items() if key in settled), Fraction())
    changes: dict[Key, Decimal] = {}
    for key in keys:
        if key not in settled:
            exact += open_.get(key, Fraction())
            change = max(rounded(exact, rounding) - done, -charged.get(key, ZERO))
            done += change
            changes[key] = change
    rest = rounded(sum(open_.values(), so_far), rounding) - done
    if not rest:
        return {key: change for key, change in changes.items() if change}
    step = Decimal(1).scaleb(-rounding.decimals).copy_sign(rest)
    # What no change explains is rounding that has come to a minor unit: it goes where most is missing.
    for key in sorted(keys, key=lambda key: open_.get(key, Fraction()), reverse=step > 0):
        if rest == 0:
            break
        if charged.get(key, ZERO) + changes.get(key, ZERO) + step >= 0:
            changes[key] = changes.get(key, ZERO) + step
            rest -= step
    return {key: changes[key] for key in keys if changes.get(key)}


def creditable(unused: Decimal, charged: Decimal, left: Decimal, policy: ProrationPolicy, currency: str) -> Decimal:
    """What is given back for an unused part of a charge, of which other credits have left `left`; never below zero."""
    if policy.adjustment_rule is AdjustmentRule.IGNORE:
        return unused
    if policy.adjustment_rule is AdjustmentRule.REDUCE_BASE and charged > 0:
        share = Fraction(unused) / Fraction(charged)
        return rounded(Fraction(max(ZERO, left)) * share, rounding_of(currency))
    return max(ZERO, min(unused, left))


def goodwill(record: AssetRecord, billed: Sequence[BillLine], key: Key, amount: Decimal, on: date) -> BillLine:
    """A credit on a charge beside the schedule.

    Raises:
        BillingError: It is not above zero, or more than what is left of the charge.
    """
    left = sum((line.amount for line in billed if line.key == key), ZERO)
    if not 0 < amount <= left:
        raise BillingError(f"lot {key[0]} from {key[1]}: a credit of {amount}; choose more than 0 and at most {left}")
    return _bill_line(record, key, BillKind.GOODWILL, on, -amount, ZERO, _Said(why=Why.AGREED))


def _bill_line(
    record: AssetRecord, key: Key, kind: BillKind, due: date, amount: Decimal, scheduled: Decimal, said: _Said
) -> BillLine:
    lot, period = key
    return BillLine(
        asset_id=record.asset.asset_id,
        lot=lot,
        period=period,
        kind=kind,
        due=due,
        currency=record.asset.currency,
        amount=amount,
        scheduled=scheduled,
        parts=said.parts,
        why=said.why,
        stands=said.stands,
    )


def invoice(lines: Sequence[BillLine], open_balance: Decimal, account_credit: Decimal, currency: str) -> InvoiceResult:
    """Book lines as one document: below zero it is a credit memo, above it consumes account credit.

    Raises:
        BillingError: The lines are in more than one currency.
    """
    others = {line.currency for line in lines} - {currency}
    if others:
        raise BillingError(f"an invoice in {currency} has lines in {', '.join(sorted(others))}; invoice them apart")
    booked = [InvoiceLine(unit_price=line.amount, quantity=1) for line in lines]
    return apply_invoice(booked, open_balance, account_credit, rounding_of(currency))
