"""What falls due for renewal, how far it has come, and what it is likely to bring."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import date, timedelta
from decimal import Decimal
from typing import Any

from activities.contracts.due_renewals import due_renewals, renewed_in
from activities.kernel.clock import present
from activities.kernel.pool import Connection
from domain.contracts.forecast import PROBABILITIES, Forecast, RenewalCategory, Speed, forecast, speed
from gateway.views.shown import plain

_A_YEAR = timedelta(days=365)


async def renewals(
    connection: Connection, first: date, within: int, likely: Mapping[RenewalCategory, Decimal] = PROBABILITIES
) -> tuple[list[Forecast], Speed]:
    """The renewals due within so many days from a first one on, and how fast wishes were renewed in the last year."""
    due = await due_renewals(connection, first + timedelta(days=1), first + timedelta(days=within + 1))
    pace = speed(await renewed_in(connection, present() - _A_YEAR, present()))
    return forecast(due, present().date(), likely), pace


def renewals_document(first: date, within: int, found: Sequence[Forecast], pace: Speed) -> dict[str, Any]:
    """The renewals as a document."""
    return {
        "from": first,
        "within": within,
        "renewals": [_as_json(one) for one in found],
        "request_to_renewed": _pace_as_json(pace),
    }


def _pace_as_json(pace: Speed) -> dict[str, Any]:
    hours = None if pace.median is None else round(pace.median / timedelta(hours=1), 2)
    return {"renewals": pace.renewals, "median_hours": hours, "within": pace.within}


def _as_json(one: Forecast) -> dict[str, Any]:
    due = one.due
    return {
        "contract_id": due.contract_id,
        "account_id": due.account_id,
        "account": due.account,
        "owner": due.owner,
        "last_day": due.until - timedelta(days=1),
        "currency": due.currency,
        "arr": plain(due.arr),
        "likely": plain(one.likely),
        "category": one.category.value,
        "why": one.why,
        "churn_reason": due.churn,
    }
