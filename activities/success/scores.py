"""Health scores on record, each with all that explains it."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal
from typing import Any

from activities.kernel.pages import Paged
from activities.kernel.pool import Connection

_SCORES = """
select at, score, band, parts, profile, profile_version, rules, trend, since, why from health_score
where account_id = $1 and ($2::timestamptz is null or at <= $2) order by at desc limit 2
"""


@dataclass(frozen=True)
class ScoredPart:
    """An input of a score: its points from 0 to 100 (null: not known), its weight, what it brings to the score and what it costs,
    and what it says. `state`: known, missing, stale or absent."""

    name: str
    points: Decimal | None
    weight: Decimal
    says: str
    state: str
    brings: Decimal | None
    costs: Decimal | None
    source: str = ""
    day: str | None = None


@dataclass(frozen=True)
class KeptScore:
    """A score as it was on record at an instant; null if too little was known. `rules`: what capped or overrode it, in words."""

    at: datetime
    score: int | None
    band: str
    parts: tuple[ScoredPart, ...]
    profile: str
    version: int
    rules: tuple[dict[str, str], ...]
    trend: dict[str, Any] | None
    since: datetime | None
    why: str


scores_of = Paged("select at, '' as id, score, band, why from health_score where account_id = $4")
"""Every score of an account, the latest first."""


async def latest_scores(connection: Connection, account_id: str, at: datetime | None) -> list[KeptScore]:
    """The score of an account in force at an instant (null: the latest) and the one before it, as far as there are any."""
    return [
        KeptScore(
            row["at"],
            row["score"],
            row["band"],
            _parts(row["parts"]),
            row["profile"],
            row["profile_version"],
            tuple(row["rules"]),
            row["trend"],
            row["since"],
            row["why"],
        )
        for row in await connection.fetch(_SCORES, account_id, at)
    ]


def _parts(stored: list[dict[str, Any]]) -> tuple[ScoredPart, ...]:
    """The parts as they are stored; those of scores that are older than the profiles say by their weights what they bring."""
    known = sum((Decimal(str(one["weight"])) for one in stored if one["value"] is not None), Decimal(0))
    return tuple(_part(one, known) for one in stored)


def _part(stored: dict[str, Any], known: Decimal) -> ScoredPart:
    points = None if stored["value"] is None else Decimal(stored["value"])
    weight = Decimal(str(stored["weight"]))
    brings = None if points is None else points * weight / known
    return ScoredPart(
        stored["name"],
        points,
        weight,
        stored["says"],
        stored.get("state", "known" if points is not None else "missing"),
        _decimal(stored.get("brings"), brings),
        _decimal(stored.get("costs"), None if points is None or brings is None else 100 * weight / known - brings),
        stored.get("source", ""),
        stored.get("day"),
    )


def _decimal(stored: str | None, otherwise: Decimal | None) -> Decimal | None:
    return otherwise if stored is None else Decimal(stored)
