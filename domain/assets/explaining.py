"""Why a period comes to its amount, line by line: each lot with its price and months, and who sold it or took from it."""

from __future__ import annotations

from datetime import datetime
from decimal import Decimal

from domain.assets.dates import Instant
from domain.assets.ledger import period_at
from domain.assets.model import AssetRecord, Category, SellingModel
from domain.assets.views import Explanation, explain_at
from domain.assets.worth import LedgerPolicy, month_anchors, units_worth
from domain.kernel.base import Carried

ZERO = Decimal(0)


class LotMove(Carried):
    """What an action did to a lot that still shows in the period: units sold (positive) or taken."""

    sequence: int
    category: Category
    effective: Instant
    units: int


class LotLine(Carried):
    """A lot's part of the amount: `units` at `unit_price` for the period's months; None without a price or an end."""

    lot: int
    units: int
    unit_price: Decimal | None
    amount: Decimal | None
    reference: str | None
    moves: tuple[LotMove, ...]


class AmountLines(Carried):
    """The lines of an amount. Lots, less what earlier periods of a one-time price count, and rounding make up `amount`."""

    explanation: Explanation
    lots: tuple[LotLine, ...]
    counted_before: Decimal
    rounding: Decimal
    amount: Decimal | None


def amount_lines(record: AssetRecord, at: datetime, policy: LedgerPolicy) -> AmountLines | None:
    """The amount of the period that covers `at`, taken apart; None outside the asset's life."""
    explanation, period = explain_at(record, at, policy), period_at(record.periods, at)
    if explanation is None or period is None:
        return None
    anchors = month_anchors(record.asset, record.active)
    lots = tuple(
        LotLine(
            lot=share.lot,
            units=share.quantity,
            unit_price=share.unit_price,
            amount=units_worth(
                share.unit_price, share.quantity, (period.start, period.end), record.asset, policy, anchors
            ),
            reference=share.reference,
            moves=_moves(record, share.lot, period.start),
        )
        for share in explanation.lots
    )
    once = record.asset.selling_model is SellingModel.ONE_TIME
    earlier = (p.amount for p in record.periods if p.start < period.start)
    before = sum((amount for amount in earlier if amount is not None), ZERO) if once else ZERO
    known = sum((line.amount for line in lots if line.amount is not None), ZERO) - before
    return AmountLines(
        explanation=explanation,
        lots=lots,
        counted_before=before,
        rounding=ZERO if period.amount is None else period.amount - known,
        amount=period.amount,
    )


def _moves(record: AssetRecord, lot: int, at: datetime) -> tuple[LotMove, ...]:
    """The actions in force that change what the lot holds at an instant, in order."""
    moves = []
    for action in record.active:
        rows = (
            row for row in action.sources if row.lot == lot and row.start <= at and (row.end is None or at < row.end)
        )
        if units := sum(row.quantity for row in rows):
            moves.append(
                LotMove(sequence=action.sequence, category=action.category, effective=action.effective, units=units)
            )
    return tuple(moves)
