"""What holds after every transaction. The checks look at the stored facts and derive them a second way."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Sequence
from datetime import datetime
from decimal import Decimal
from itertools import pairwise

from domain.assets.errors import LedgerCorruptError, SegmentError
from domain.assets.ledger import check_rebuild, total_amount
from domain.assets.model import ActionSource, AssetRecord, Category, SellingModel, StatePeriod
from domain.assets.worth import LedgerPolicy

ZERO = Decimal(0)


def check_periods(periods: Sequence[StatePeriod]) -> None:
    """Raise `SegmentError` unless the periods follow each other without gap or overlap and only the last is open."""
    for before, after in pairwise(periods):
        if before.end is None or before.end > after.start:
            raise SegmentError(f"the period from {after.start} begins before the one from {before.start} ends")
        if before.end < after.start:
            raise SegmentError(f"nothing from {before.end} to {after.start}; a gap is a period of quantity zero")
    for period in periods:
        if period.end is not None and period.end <= period.start:
            raise SegmentError(f"the period from {period.start} is empty")
        if period.quantity < 0:
            raise SegmentError(f"the period from {period.start} has the quantity {period.quantity}")


def violations(record: AssetRecord, policy: LedgerPolicy) -> list[str]:
    """Everything about one asset that does not hold; empty if all is well."""
    found: list[str] = []
    try:
        check_periods(record.periods)
        check_rebuild(record, policy)
    except (SegmentError, LedgerCorruptError) as error:
        found.append(str(error))
    rows = [row for action in record.actions for row in action.sources]
    return [
        *found,
        *_lifecycle(record),
        *(problem for period in record.periods for problem in _lots(record, rows, period)),
        *_amounts(record),
    ]


def _lifecycle(record: AssetRecord) -> list[str]:
    if not record.periods:
        return [] if record.start == record.end else ["the asset has no period"]
    first, last = record.periods[0], record.periods[-1]
    problems = []
    if first.start != record.start:
        problems.append(f"the first period starts at {first.start}, the lifecycle at {record.start}")
    if last.end != record.end:
        problems.append(f"the last period ends at {last.end}, the lifecycle at {record.end}")
    if [action.sequence for action in record.actions] != list(range(1, len(record.actions) + 1)):
        problems.append("actions are not numbered one by one")
    return problems


def held_at(rows: Sequence[ActionSource], at: datetime) -> dict[int, tuple[int, Decimal | None]]:
    """Units and price of every lot at an instant, straight from all rows, undone ones and their opposites included."""
    held: dict[int, int] = defaultdict(int)
    prices: dict[int, Decimal | None] = {}
    for row in rows:
        if row.start <= at and (row.end is None or at < row.end):
            held[row.lot] += row.quantity
            prices[row.lot] = row.unit_price
    return {lot: (quantity, prices[lot]) for lot, quantity in held.items() if quantity}


def _lots(record: AssetRecord, rows: Sequence[ActionSource], period: StatePeriod) -> list[str]:
    held = held_at(rows, period.start)
    problems = [f"lot {lot} holds {units} units at {period.start}" for lot, (units, _) in held.items() if units < 0]
    quantity = sum(units for units, _ in held.values())
    if quantity != period.quantity:
        problems.append(f"the lots hold {quantity} units at {period.start}, the period {period.quantity}")
    if record.asset.selling_model is SellingModel.ONE_TIME or period.mrr is None:
        return problems
    mrr = sum((price * units for units, price in held.values() if price is not None), ZERO)
    if mrr != period.mrr:
        problems.append(f"the lots cost {mrr} a month at {period.start}, the period {period.mrr}")
    return problems


def _amounts(record: AssetRecord) -> list[str]:
    problems = []
    by_category: dict[Category, Decimal] = defaultdict(Decimal)
    known = True
    for action in record.actions:
        if action.amount_change is None:
            known = False
            continue
        by_category[action.category] += action.amount_change
        parts = (action.product_amount_change, action.adjustment_amount_change)
        if None not in parts and sum((part for part in parts if part is not None), ZERO) != action.amount_change:
            problems.append(f"the parts of action {action.sequence} do not add up to {action.amount_change}")
    total = total_amount(record.periods)
    if known and total is not None and sum(by_category.values(), ZERO) != total:
        problems.append(f"the actions come to {sum(by_category.values(), ZERO)}, the periods to {total}")
    return problems
