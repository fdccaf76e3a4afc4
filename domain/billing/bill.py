"""What is to be invoiced now: what the schedule says, less what was billed; amendments as compensating lines, credits capped."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import date
from decimal import Decimal
from enum import StrEnum
from fractions import Fraction

from domain.assets.model import AssetRecord
from domain.billing.line_parts import LinePart, Why, changed, kept, read_parts, turned
from domain.billing.netting import Key, staying, together
from domain.billing.periods import BillingTerms
from domain.billing.schedule import ZERO, Cell, Cells, cells_of
from domain.kernel.base import Carried
from domain.kernel.money import CurrencyCode, Rounding, rounding_of


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

    asset_id: str
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
    costs = [[_booked_as(cells_of(*view, through), booked) for view in views] for views in ways]
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
    billed. A period that was billed too high is credited, but never by more than what earlier credits have left of it;
    what is missing comes off what else the asset is charged for that time. `paid`: by
    what periods go that were billed, if not the same.
    """
    booked = _Booked.of(record, billed)
    charged = booked.charged
    expected = _booked_as(cells_of(record, terms, through), booked)
    for part in paid:
        as_paid = _booked_as(cells_of(part.record, part.terms, through), booked)
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
            amount = -max(ZERO, min(-change, booked.left[key]))
            capped = Why.CAPPED if amount > change else said.why
            said = replace(said, parts=turned(said.parts), why=capped)
            lines.append(_bill_line(record, key, BillKind.CREDIT, through, amount, change, said))
    return (*lines, *_set_off(record, lines, booked.left, through))


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
    begun = rounding.apply(carried)
    done = sum(charged.values(), begun)
    so_far = carried - Fraction(begun) + Fraction(done)
    exact = so_far + sum((more for key, more in open_.items() if key in settled), Fraction())
    changes: dict[Key, Decimal] = {}
    for key in keys:
        if key not in settled:
            exact += open_.get(key, Fraction())
            change = max(rounding.apply(exact) - done, -charged.get(key, ZERO))
            done += change
            changes[key] = change
    rest = rounding.apply(sum(open_.values(), so_far)) - done
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
