"""How amounts and last days are written on a terminal."""

from __future__ import annotations

from datetime import datetime, timedelta
from decimal import Decimal

from domain.kernel.calendar import local_day
from domain.kernel.money import grouped

OPEN = "open"


def last_day(end: datetime | None, zone: str) -> str:
    """The last local day before `end`, which itself is excluded."""
    return str(local_day(end - timedelta(microseconds=1), zone)) if end else ""


def money(amount: Decimal | None, currency: str) -> str:
    """An amount at the currency's minor unit, thousands grouped."""
    return OPEN if amount is None else grouped(amount, currency)
