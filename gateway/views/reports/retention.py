"""What is kept of recurring revenue and of customers, with the accounts behind each figure."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import date, timedelta
from typing import Any

from activities.assets.portfolio import revenue_at
from activities.kernel.pool import Connection
from domain.success.retention import Cohort, RevenueRetention, cohorts, quarter_ends, revenue_retention
from gateway.views.reports.periods import midnight
from gateway.views.shown import plain

_QUARTERS = 8
"""So many quarters back cohorts are followed."""

Kept = tuple[RevenueRetention, Sequence[Cohort]]


async def retention(connection: Connection, start: date, end: date) -> list[Kept]:
    """What was kept from one day to another, and cohorts by quarter, of each currency in which anybody had revenue."""
    ends = quarter_ends(end - timedelta(days=92 * _QUARTERS), end)
    days = list(dict.fromkeys([start, end, *ends]))
    revenue = await revenue_at(connection, [midnight(day) for day in days])
    found: list[Kept] = []
    for currency, at in revenue.items():
        by_day = dict(zip(days, at, strict=True))
        kept = revenue_retention(currency, by_day[start], by_day[end])
        if kept.movements:
            found.append((kept, cohorts(ends, [by_day[day] for day in ends])))
    return found


def retention_document(start: date, end: date, found: Sequence[Kept]) -> dict[str, Any]:
    """The figures as a document."""
    return {"from": start, "to": end, "currencies": [_as_json(*one) for one in found]}


def _as_json(kept: RevenueRetention, of_quarters: Sequence[Cohort]) -> Mapping[str, Any]:
    cohort = kept.cohort
    return {
        "currency": kept.currency,
        "starting": plain(cohort.starting),
        "churn": plain(cohort.churn),
        "contraction": plain(cohort.contraction),
        "expansion": plain(cohort.expansion),
        "new": plain(kept.new),
        "end": plain(kept.end),
        "gross_percent": cohort.rates.gross_percent,
        "net_percent": cohort.rates.net_percent,
        "logo_percent": cohort.logo_percent,
        "from_existing_percent": kept.from_existing_percent,
        "accounts": [
            {"account_id": one.account_id, "kind": one.kind, "start": plain(one.start), "end": plain(one.end)}
            for one in kept.movements
        ],
        "cohorts": [
            {
                "quarter": one.quarter,
                "customers": list(one.customers),
                "revenue": [plain(amount) for amount in one.revenue],
            }
            for one in of_quarters
        ],
    }
