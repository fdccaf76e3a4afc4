"""A ledger by the conventions of other systems: a started month counts whole."""

from __future__ import annotations

from datetime import datetime
from fractions import Fraction

from domain.assets.worth import LedgerPolicy
from domain.kernel.calendar import add_months, month_index
from domain.kernel.zones import wall_clock


class StartedMonths(LedgerPolicy):
    """Months by the time of day too, one that has started counting whole."""

    counted: str = "ceil"

    def months(self, start: datetime, end: datetime, zone: str, anchor: datetime | None = None) -> Fraction:
        if end <= start:
            return Fraction()
        first, last = wall_clock(start, zone), wall_clock(end, zone)
        months = month_index(last) - month_index(first)
        return Fraction(months + (add_months(first, months) < last))
