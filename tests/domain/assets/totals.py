"""Sums over assets at an instant, straight from their records."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime

from domain.assets.ledger import period_at
from domain.assets.model import AssetRecord, StatePeriod
from domain.assets.totals import Totals
from domain.assets.views import ZERO


def state_at(record: AssetRecord, at: datetime) -> StatePeriod | None:
    """The period that covers an instant; None outside the asset's life."""
    return period_at(record.periods, at)


def totals_at(records: Iterable[AssetRecord], at: datetime, account_id: str | None = None) -> dict[str, Totals]:
    """Assets in force, quantity and recurring revenue at an instant, by currency; of one account or of all."""
    found: dict[str, Totals] = {}
    for record in records:
        period = period_at(record.periods, at)
        if period is None or period.quantity == 0 or account_id not in (None, record.asset.account_id):
            continue
        currency = record.asset.currency
        old = found.get(currency) or Totals(currency=currency)
        found[currency] = Totals(
            currency=currency,
            assets=old.assets + 1,
            quantity=old.quantity + period.quantity,
            mrr=old.mrr + (period.mrr or ZERO),
            unpriced=old.unpriced + (period.mrr is None),
        )
    return found
