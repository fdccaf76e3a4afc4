"""Health scores on record, each with all that explains it."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal
from typing import Any

from activities.kernel.pool import Connection

_SCORES = """
select at, score, band, parts from health_score where account_id = $1 and at <= $2 order by at desc limit 2
"""


@dataclass(frozen=True)
class ScoredPart:
    """An input of a score: its points from 0 to 100 (null: not known), its weight, and what it says."""

    name: str
    points: Decimal | None
    weight: int
    says: str


@dataclass(frozen=True)
class KeptScore:
    """A score as it was on record at an instant; null if too little was known."""

    at: datetime
    score: int | None
    band: str
    parts: tuple[ScoredPart, ...]

    def share_of(self, part: ScoredPart) -> Decimal | None:
        """The points of the score that an input brings: what is not known brings none, and its weight falls to the others."""
        known = sum(one.weight for one in self.parts if one.points is not None)
        return None if part.points is None or not known else part.points * part.weight / known


async def latest_scores(connection: Connection, account_id: str, at: datetime) -> list[KeptScore]:
    """The score of an account in force at an instant and the one before it, as far as there are any."""
    return [
        KeptScore(row["at"], row["score"], row["band"], tuple(_part(part) for part in row["parts"]))
        for row in await connection.fetch(_SCORES, account_id, at)
    ]


def _part(stored: dict[str, Any]) -> ScoredPart:
    value = stored["value"]
    return ScoredPart(stored["name"], None if value is None else Decimal(value), stored["weight"], stored["says"])
