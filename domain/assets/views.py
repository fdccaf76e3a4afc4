"""What the ledger says at an instant: states, sums, and which lots and rules made an amount."""

from __future__ import annotations

from datetime import datetime
from decimal import Decimal

from domain.assets.dates import Instant
from domain.assets.ledger import period_at
from domain.assets.model import AssetRecord, Category, SellingModel, StatePeriod
from domain.assets.periods import lot_slices, rows_of
from domain.assets.worth import LedgerPolicy, anchor_at, month_anchors
from domain.kernel.base import Carried

ZERO = Decimal(0)


class LotShare(Carried):
    """What a lot adds to a period: where it comes from, and its part of the monthly price."""

    lot: int
    quantity: int
    unit_price: Decimal | None
    mrr: Decimal | None
    reference: str | None
    opened_by: int
    """sequence number of the action that sold it"""
    category: Category


class Explanation(Carried):
    """How the amount of a period comes about: the lots, the months and the rule that counts them."""

    start: Instant
    end: Instant | None
    quantity: int
    mrr: Decimal | None
    months: Decimal | None
    exact_months: str | None = None
    """the months as a whole number or a fraction, such as 48/31: what the amount is computed from"""
    rule: str
    amount: Decimal | None
    lots: tuple[LotShare, ...]


def explain_at(record: AssetRecord, at: datetime, policy: LedgerPolicy) -> Explanation | None:
    """Why the period that covers `at` has its quantity and amount; None outside the asset's life."""
    period = period_at(record.periods, at)
    if period is None:
        return None
    active = record.active
    opened = {row.lot: action for action in reversed(active) for row in action.sources if row.quantity > 0}
    once = record.asset.selling_model is SellingModel.ONE_TIME
    lots = tuple(
        LotShare(
            lot=row.lot,
            quantity=row.quantity,
            unit_price=row.unit_price,
            mrr=ZERO if once else None if row.unit_price is None else row.unit_price * row.quantity,
            reference=row.reference,
            opened_by=opened[row.lot].sequence,
            category=opened[row.lot].category,
        )
        for row in lot_slices(rows_of(active), period.start)
        if row.start == period.start
    )
    months = None
    if period.end is not None and not once:
        anchor = anchor_at(month_anchors(record.asset, active), period.start)
        months = policy.months(period.start, period.end, record.asset.time_zone, anchor)
    return Explanation(
        start=period.start,
        end=period.end,
        quantity=period.quantity,
        mrr=period.mrr,
        months=None if months is None else Decimal(months.numerator) / months.denominator,
        exact_months=None if months is None else str(months),
        rule=_rule(record, period, policy),
        amount=period.amount,
        lots=lots,
    )


def _rule(record: AssetRecord, period: StatePeriod, policy: LedgerPolicy) -> str:
    if record.asset.selling_model is SellingModel.ONE_TIME:
        return "units sold x price, once"
    if period.end is None:
        return "no end: the amount is open"
    return policy.rule()
