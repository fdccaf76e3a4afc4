"""A term of a contract, as facts show it."""

from __future__ import annotations

from datetime import date, datetime

from pydantic import AwareDatetime

from domain.kernel.base import Carried
from domain.kernel.calendar import FOR_EVER

UNTIL_NOTICE = "until further notice"
"""So long runs what has no end."""


class TermFacts(Carried):
    """A term by local dates (`until` is the first day after it) and the instants planned from them."""

    number: int
    start_on: date
    until: date
    starts_at: AwareDatetime
    ends_at: AwareDatetime
    moves: int = 0
    """how often its dates were changed"""

    @property
    def is_open(self) -> bool:
        """True if it has no end: its dates lie beyond all others."""
        return self.until == FOR_EVER

    @property
    def end_of_assets(self) -> datetime | None:
        """Where what is sold under it ends; null: nowhere."""
        return None if self.is_open else self.ends_at
