"""From actions to periods: one sweep over the boundaries, with the lots in force kept at hand.

The cost is that of sorting the rows, so a history of n actions is rebuilt in n log n.
"""

from __future__ import annotations

from bisect import bisect_left, insort
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from decimal import Decimal
from itertools import pairwise
from typing import NamedTuple

from domain.assets.errors import LedgerCorruptError
from domain.assets.model import Act, ActionSource, AssetAction, Attributes, active_actions

ZERO = Decimal(0)
Prices = dict[int, Decimal | None]
"""The unit price of each lot."""
Changes = dict[datetime, dict[int, int]]
"""By how many units each lot changes, and when."""


@dataclass(slots=True)
class Holdings:
    """The lots in force at one instant."""

    prices: Prices
    quantities: dict[int, int] = field(default_factory=dict)
    lots: list[int] = field(default_factory=list)
    quantity: int = 0
    unpriced: int = 0
    worth: Decimal = ZERO

    def change(self, lot: int, delta: int, at: datetime) -> None:
        held = self.quantities.get(lot, 0) + delta
        if held < 0:
            raise _below_zero(lot, held, at)
        if held == 0:
            del self.quantities[lot], self.lots[bisect_left(self.lots, lot)]
        elif held == delta:
            insort(self.lots, lot)
        if held:
            self.quantities[lot] = held
        price = self.prices[lot]
        self.quantity += delta
        if price is None:
            self.unpriced += delta
        else:
            self.worth += price * delta

    @property
    def mrr(self) -> Decimal | None:
        """The monthly price of all units; None while one of them has no price."""
        return None if self.unpriced else self.worth


class Slice(NamedTuple):
    """A stretch of the timeline."""

    start: datetime
    end: datetime | None


def boundaries(actions: Iterable[Act]) -> list[datetime]:
    """The starts of all periods, from the actions in force."""
    cuts: list[datetime] = []
    last: Act | None = None
    for last in actions:
        clears, at = last.clears_from, last.effective
        if clears is not None:
            del cuts[bisect_left(cuts, clears) :]
        if not cuts or cuts[-1] < at:
            cuts.append(at)
        else:
            add_cut(cuts, at)
        for cut in last.cuts:
            add_cut(cuts, cut)
    if last is None or not cuts:
        return []
    start, end = last.lifecycle_start, last.lifecycle_end
    if start <= cuts[0] and (end is None or cuts[-1] < end):
        return cuts
    return [cut for cut in cuts if start <= cut and (end is None or cut < end)]


def add_cut(cuts: list[datetime], cut: datetime) -> None:
    """Put `cut` into the sorted `cuts` unless it is there."""
    place = bisect_left(cuts, cut)
    if place == len(cuts) or cuts[place] != cut:
        cuts.insert(place, cut)


def slices(cuts: Sequence[datetime], end: datetime | None) -> list[Slice]:
    """The stretches between `cuts`, the last one up to `end`."""
    if not cuts:
        return []
    return [*(Slice(*pair) for pair in pairwise(cuts)), Slice(cuts[-1], end)]


def sweep(rows: Iterable[ActionSource], stretches: Sequence[Slice]) -> Iterator[tuple[Slice, Holdings]]:
    """Go through the stretches with the lots in force in each; the holdings are one object that moves on.

    Raises:
        LedgerCorruptError: A lot falls below zero, or a quantity changes inside a stretch or after the last.
    """
    prices, changes = _changes(rows)
    _check_changes(changes, [stretch.start for stretch in stretches], stretches[-1].end if stretches else None)
    holdings = Holdings(prices)
    for stretch in stretches:
        for lot, delta in changes.get(stretch.start, {}).items():
            if delta:
                holdings.change(lot, delta, stretch.start)
        yield stretch, holdings


def sums(
    rows: Iterable[ActionSource], starts: Sequence[datetime], end: datetime | None
) -> list[tuple[int, Decimal | None]]:
    """What is held from each of `starts` on, the last up to `end`: the units and what they cost a month, as `Holdings` has them.

    Raises:
        LedgerCorruptError: As `sweep`.
    """
    prices, changes = _changes(rows)
    _check_changes(changes, starts, end)
    held: dict[int, int] = {}
    quantity, unpriced, worth = 0, 0, ZERO
    found: list[tuple[int, Decimal | None]] = []
    for start in starts:
        for lot, delta in changes.get(start, {}).items():
            if not delta:
                continue
            held[lot] = now = held.get(lot, 0) + delta
            if now < 0:
                raise _below_zero(lot, now, start)
            quantity += delta
            if (price := prices[lot]) is None:
                unpriced += delta
            else:
                worth += price * delta
        found.append((quantity, None if unpriced else worth))
    return found


def _changes(rows: Iterable[ActionSource]) -> tuple[Prices, Changes]:
    """The prices of the lots of `rows`, and how their quantities change."""
    prices: Prices = {}
    changes: Changes = {}
    for row in rows:
        lot, quantity, start, end = row.lot, row.quantity, row.start, row.end
        prices[lot] = row.unit_price
        if (at := changes.get(start)) is None:
            changes[start] = {lot: quantity}
        else:
            at[lot] = at.get(lot, 0) + quantity
        if end is None:
            continue
        if (at := changes.get(end)) is None:
            changes[end] = {lot: -quantity}
        else:
            at[lot] = at.get(lot, 0) - quantity
    return prices, changes


def _check_changes(changes: Changes, starts: Sequence[datetime], end: datetime | None) -> None:
    """Raise `LedgerCorruptError` if a quantity changes elsewhere than at `starts` and at `end`."""
    elsewhere = [time for time in changes.keys() - starts if time != end and any(changes[time].values())]
    if elsewhere:
        raise LedgerCorruptError(f"the quantity changes at {min(elsewhere).isoformat()}, where no period starts")


def _below_zero(lot: int, held: int, at: datetime) -> LedgerCorruptError:
    return LedgerCorruptError(f"lot {lot} holds {held} units at {at.isoformat()}")


def lot_slices(rows: Iterable[ActionSource], start: datetime, sign: int = 1) -> list[ActionSource]:
    """What every lot holds from `start` on: one row for each stretch of constant quantity, oldest lot first; with the sign -1, what
    takes it away."""
    firsts: dict[int, ActionSource] = {}
    by_lot: dict[int, dict[datetime, int]] = {}
    for row in rows:
        lot, quantity, begin, end = row.lot, row.quantity, row.start, row.end
        if (changes := by_lot.get(lot)) is None:
            firsts[lot] = row
            changes = by_lot[lot] = {}
        if end is not None:
            if end <= start:
                continue
            changes[end] = changes.get(end, 0) - quantity
        at = max(begin, start)
        changes[at] = changes.get(at, 0) + quantity
    found: list[ActionSource] = []
    for lot in sorted(by_lot):
        held, changes = 0, by_lot[lot]
        times = sorted(time for time, delta in changes.items() if delta)
        for begin, until in zip(times, [*times[1:], None], strict=False):
            held += changes[begin]
            if held:
                made = firsts[lot].having(start=begin, end=until, quantity=sign * held, product_amount=None)
                found.append(made)
    return found


def lots_at(rows: Iterable[ActionSource], at: datetime) -> list[tuple[ActionSource, int]]:
    """What every lot holds at an instant, the oldest lot first: a row of it, and its units."""
    firsts: dict[int, ActionSource] = {}
    held: dict[int, int] = {}
    for row in rows:
        lot, end = row.lot, row.end
        firsts.setdefault(lot, row)
        if row.start <= at and (end is None or at < end):
            held[lot] = held.get(lot, 0) + row.quantity
    return [(firsts[lot], held[lot]) for lot in sorted(held) if held[lot]]


def attributes_at(actions: Sequence[Act], starts: Sequence[datetime]) -> list[Attributes]:
    """The attributes in force at each of the sorted `starts`; a later action overrides earlier ones from its date."""
    settings = [
        (setting.start, number, setting.values)
        for number, action in enumerate(actions)
        if action.attributes
        for setting in action.attributes
    ]
    if not settings:
        return [{} for _ in starts]
    settings.sort(key=lambda item: item[:2])
    current: dict[str, tuple[int, str]] = {}
    result: list[Attributes] = []
    position = 0
    for start in starts:
        while position < len(settings) and settings[position][0] <= start:
            _, number, values = settings[position]
            for key, value in values.items():
                if key not in current or current[key][0] <= number:
                    current[key] = (number, value)
            position += 1
        result.append({key: value for key, (_, value) in current.items()})
    return result


def rows_of(actions: Iterable[Act]) -> list[ActionSource]:
    return [row for action in actions for row in action.sources]


def timeline(actions: tuple[AssetAction, ...]) -> list[Slice]:
    """The stretches that the actions cut an asset's life into."""
    active = active_actions(actions)
    return slices(boundaries(active), active[-1].lifecycle_end) if active else []
