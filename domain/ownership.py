"""What happens to an asset's state periods when it is sold, amended or renewed. Periods are derived; the actions are the facts."""

from __future__ import annotations

from datetime import datetime
from decimal import Decimal

from domain.customer import AssetFacts, PeriodFacts
from domain.decision import AssetChange

Period = tuple[datetime, datetime | None, int, Decimal, Decimal]


def sold(asset: AssetFacts) -> AssetChange:
    """The initial sale of an asset that has one period."""
    first = asset.periods[0]
    return AssetChange(
        asset_id=asset.asset_id,
        category="Initial Sale",
        type="Generate",
        effective_at=first.starts_at,
        quantity_change=first.quantity,
        mrr_change=first.mrr,
        unit_price=first.unit_price,
        lot_quantity=first.quantity,
        lot_ends_at=first.ends_at,
        cut=first.starts_at,
        periods=[_as_row(first)],
    )


def upsold(asset: AssetFacts, add: int, unit_price: Decimal, at: datetime) -> AssetChange:
    """`add` units more from `at` on, in every period from then to the asset's end."""
    current = asset.at(at)
    if current is None:
        raise ValueError(f"asset {asset.asset_id} is not in force at {at}; only an asset in force can be amended")
    added_mrr = asset.mrr_of(add, unit_price)
    periods: list[Period] = []
    if current.starts_at < at:
        periods.append((current.starts_at, at, current.quantity, current.mrr, current.unit_price))
    for period in asset.periods:
        if period is current or period.starts_at >= at:
            quantity, mrr = period.quantity + add, period.mrr + added_mrr
            starts = max(period.starts_at, at)
            periods.append((starts, period.ends_at, quantity, mrr, period.unit_price))
    return AssetChange(
        asset_id=asset.asset_id,
        category="Upsells",
        type="Change",
        effective_at=at,
        quantity_change=add,
        mrr_change=added_mrr,
        unit_price=unit_price,
        lot_quantity=add,
        lot_ends_at=asset.periods[-1].ends_at,
        cut=current.starts_at,
        periods=periods,
    )


def renewed(asset: AssetFacts, starts_at: datetime, ends_at: datetime, uplift_percent: Decimal) -> AssetChange | None:
    """The asset for another term at its last price with the uplift; null if nothing of it is left at the end of the old term."""
    if not asset.periods or asset.periods[-1].quantity == 0:
        return None
    last = asset.periods[-1]
    price = uplifted(last.unit_price, uplift_percent)
    mrr = asset.mrr_of(last.quantity, price)
    return AssetChange(
        asset_id=asset.asset_id,
        category="Renewals",
        type="Change",
        effective_at=starts_at,
        quantity_change=0,
        mrr_change=mrr - last.mrr,
        unit_price=price,
        lot_quantity=last.quantity,
        lot_ends_at=ends_at,
        cut=starts_at,
        periods=[(starts_at, ends_at, last.quantity, mrr, price)],
    )


def uplifted(unit_price: Decimal, percent: Decimal) -> Decimal:
    """A unit price raised by `percent`, to four decimals."""
    raised = unit_price * (1 + percent / 100)
    return raised.quantize(Decimal("0.0001")) if percent else unit_price


def _as_row(period: PeriodFacts) -> Period:
    return (period.starts_at, period.ends_at, period.quantity, period.mrr, period.unit_price)
