"""How much of what was bought is used, with the accounts behind each figure."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from decimal import Decimal
from typing import Any

from activities.kernel.pool import Connection
from activities.success.use_reports import usage_without_account, uses_at
from domain.kernel.money import half_up
from domain.success.adoption_report import AdoptionFigures, ProductUse, adoption_figures

FIFTHS = ("under 20 %", "20 to 39 %", "40 to 59 %", "60 to 79 %", "80 to 99 %", "100 % or more")
Waiting = list[dict[str, Any]]


async def adoption(connection: Connection, at: datetime) -> tuple[list[AdoptionFigures], Waiting]:
    """Use by product and segment at an instant; and the use of accounts that no order has opened."""
    return adoption_figures(await uses_at(connection, at)), await usage_without_account(connection)


def adoption_document(at: datetime, found: Sequence[AdoptionFigures], waiting: Waiting) -> dict[str, Any]:
    """The figures as a document."""
    return {"at": at.isoformat(), "figures": list(map(_as_json, found)), "without_account": waiting}


def _as_json(one: AdoptionFigures) -> dict[str, Any]:
    return {
        "product": one.product,
        "segment": one.segment or None,
        "seats": one.seats,
        "active": _figure(one.active),
        **_shares(one),
        "spread": dict(zip(FIFTHS, one.spread(), strict=True)),
        "accounts": [
            {
                "account_id": use.account_id,
                "segment": use.segment,
                "seats": use.seats,
                "reported": use.reported,
                "latest_day": use.latest_day,
                "active": _figure(use.active) if use.fresh else None,
                **_shares(use),
                "features": use.used,
            }
            for use in one.uses
        ],
    }


def _shares(one: AdoptionFigures | ProductUse) -> dict[str, str | None]:
    return {
        "utilisation": _figure(one.utilisation),
        "activation": _figure(one.activation),
        "breadth": _figure(one.breadth),
        "trend": _figure(one.trend),
    }


def _figure(value: Decimal | None) -> str | None:
    return None if value is None else str(half_up(4).apply(value))
