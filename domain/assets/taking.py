"""Taking units from lots: newest first, separately in every period of a term."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from datetime import datetime

from domain.assets.errors import OverReductionError
from domain.assets.model import ActionSource, AssetAction, AssetRecord, Category, SellingModel
from domain.assets.periods import Holdings, Slice, add_cut, boundaries, lot_slices, rows_of, slices, sweep


def cut_at(record: AssetRecord, effective: datetime) -> list[Slice]:
    """The asset's timeline with a boundary at `effective`."""
    cuts = boundaries(record.active)
    add_cut(cuts, effective)
    return slices(cuts, record.end)


def take(record: AssetRecord, effective: datetime, quantity: int) -> list[ActionSource]:
    """Negative rows that take `quantity` units out of every period from `effective` on, in time order, then lot order: the newest lots first.

    In a term every period is planned by itself. Otherwise the lots are chosen once, at `effective`; where a scheduled
    change leaves less of them, the rest comes from the next lots.

    Raises:
        OverReductionError: An affected period holds less.
    """
    active = record.active
    rows = rows_of(active)
    samples = {row.lot: row for row in rows}
    termed = record.asset.selling_model is SellingModel.TERMED
    plan: dict[int, int] = {}
    taken: list[ActionSource] = []
    for stretch, holdings in sweep(rows, cut_at(record, effective)):
        if stretch.start < effective:
            continue
        if holdings.quantity < quantity:
            first = record.asset.day_of(stretch.start)
            raise OverReductionError(
                f"{record.asset.asset_id} holds {holdings.quantity} units from {first}, not {quantity}"
            )
        parts = _plan(holdings, quantity, {} if termed else plan)
        plan = plan or parts
        taken.extend(_row(samples[lot], stretch, -part) for lot, part in parts.items())
    return taken if termed else _joined(taken)


def _plan(holdings: Holdings, quantity: int, preferred: dict[int, int]) -> dict[int, int]:
    parts = {lot: min(part, holdings.quantities.get(lot, 0)) for lot, part in preferred.items()}
    parts = {lot: part for lot, part in parts.items() if part}
    missing = quantity - sum(parts.values())
    for lot in reversed(holdings.lots):
        if missing == 0:
            break
        part = min(missing, holdings.quantities[lot] - parts.get(lot, 0))
        if part:
            parts[lot] = parts.get(lot, 0) + part
            missing -= part
    return parts


def _row(sample: ActionSource, stretch: Slice, quantity: int) -> ActionSource:
    return sample.having(start=stretch.start, end=stretch.end, quantity=quantity, product_amount=None)


def _joined(rows: list[ActionSource]) -> list[ActionSource]:
    """Rows of one lot and quantity that follow each other as one, in the order in which they began."""
    joined: list[ActionSource] = []
    last: dict[int, int] = {}
    for row in rows:
        place = last.get(row.lot)
        if place is not None and joined[place].end == row.start and joined[place].quantity == row.quantity:
            joined[place] = joined[place].having(end=row.end)
        else:
            last[row.lot] = len(joined)
            joined.append(row)
    return joined


def close_lots(record: AssetRecord, start: datetime) -> list[ActionSource]:
    """Negative rows for everything that is held from `start` on."""
    return lot_slices(rows_of(record.active), start, -1)


def quantities_from(record: AssetRecord, effective: datetime) -> list[tuple[Slice, int]]:
    """The quantity in each stretch from `effective` on, which becomes a boundary."""
    stretches = cut_at(record, effective)
    return [
        (stretch, holdings.quantity)
        for stretch, holdings in sweep(rows_of(record.active), stretches)
        if stretch.start >= effective
    ]


def next_lot(record: AssetRecord) -> int:
    return 1 + max((row.lot for action in record.actions for row in action.sources), default=0)


def last_lot(record: AssetRecord) -> ActionSource | None:
    """The newest lot in force: its price is the last one that was agreed."""
    return max((row for row in rows_of(record.active) if row.quantity > 0), key=lambda row: row.lot, default=None)


def lot_agreed_at(record: AssetRecord, at: datetime) -> ActionSource | None:
    """The newest lot that has begun by `at`: its price is the last one that was agreed for then. If none has, the newest."""
    begun = (row for since, row in _agreed(record.active) if since <= at)
    return max(begun, key=lambda row: row.lot, default=None) or last_lot(record)


def _agreed(actions: Sequence[AssetAction]) -> Iterator[tuple[datetime, ActionSource]]:
    """The lots with the instant from which their prices are agreed: a new price of all units also where there are none yet."""
    for action in actions:
        of_all = any(row.quantity < 0 for row in action.sources)
        for row in action.sources:
            if row.quantity > 0:
                yield action.effective if of_all else row.start, row


def agreed_from(record: AssetRecord, at: datetime) -> list[tuple[datetime, ActionSource | None]]:
    """The lots whose prices count for units added at `at`, each with the instant from which it does.

    A renewal or a new price that is agreed for later is theirs from then on, as it is everybody's; units that are added later
    at a price of their own change nothing.
    """
    found = [(at, lot_agreed_at(record, at))]
    rows = rows_of(record.active)
    for begins, opened in sorted(_anew(record.active), key=lambda one: one[0]):
        if begins <= at:
            continue
        held = {row.lot for row in lot_slices(rows, begins) if row.start == begins}
        of_all = [row for row in opened if row.start == begins and row.lot in held]
        if of_all:
            found.append((begins, max(of_all, key=lambda row: row.lot)))
    return found


def _anew(actions: Sequence[AssetAction]) -> Iterator[tuple[datetime, list[ActionSource]]]:
    """When all units cost something else, by renewals and new prices, with the lots that are sold then."""
    for action in actions:
        opened = [row for row in action.sources if row.quantity > 0]
        if action.category is Category.RENEWALS or len(opened) < len(action.sources):
            yield action.effective, opened
        elif action.related_asset is not None:
            # What was taken over has the prices that were agreed ahead of it.
            for begins in {row.start for row in opened}:
                before = {row.lot for row in opened if row.start < begins}
                held = [row for row in opened if row.start <= begins and (row.end is None or begins < row.end)]
                if all(row.lot not in before for row in held):
                    yield begins, held


def as_lots(rows: Sequence[ActionSource], first: int) -> list[ActionSource]:
    """The same rows with positive quantities, as lots of another asset or term, numbered from `first` in lot order."""
    numbers = {lot: first + place for place, lot in enumerate(sorted({row.lot for row in rows}))}
    return [row.having(lot=numbers[row.lot], quantity=abs(row.quantity), product_amount=None) for row in rows]
