"""The health of a customer: the score, each input with what it brings, and what would make it another one."""

from __future__ import annotations

from datetime import datetime
from decimal import Decimal
from typing import Any

from pydantic import AwareDatetime

from activities.kernel.pool import Connection
from activities.success.scores import KeptScore, ScoredPart, latest_scores, scores_of
from domain.journey.customer_timeline import Cursor
from domain.kernel.money import half_up
from domain.kernel.shown import words
from gateway.views.pages import Page, page_of
from gateway.views.shown import View
from gateway.views.whose import Whose

_SHOWN = 3
_WOULD_END = {
    "declined": "a renewal after all",
    "grace": "an answer to the renewal",
    "pressing_case": "the urgent case resolved",
    "blocked": "service done, so that nothing holds sales back",
    "sponsor_left": "a new sponsor among the contacts",
    "overdue": "the invoices paid",
    "override": "the end of what a person said",
    "hysteresis": "some points more, or less, than the edge of the band",
}


class HealthInput(View):
    """One input of a score. `points`: 0 to 100, null if not known; `brings` and `costs`: in points of the whole score."""

    name: str
    points: Decimal | None
    weight: float
    brings: Decimal | None
    costs: Decimal | None
    state: str
    source: str
    day: str | None
    says: str


class HealthScore(View):
    """A score as it was on record at an instant; null if too little was known. `rules`: what capped or overrode it, in words."""

    at: AwareDatetime
    score: int | None
    band: str
    since: AwareDatetime | None
    profile: str
    version: int
    rules: list[dict[str, str]]
    trend: dict[str, Any] | None
    why: str
    inputs: list[HealthInput]


class Health(HealthScore):
    """The score of a customer with its why: what would change it, and how it was before."""

    account_id: str
    would_change: list[str]
    before: HealthScore | None


class ScoreLine(View):
    """A score of the past."""

    at: AwareDatetime
    score: int | None
    band: str
    why: str


async def health_of(connection: Connection, account_id: str, at: datetime | None) -> Health | None:
    """The score in force at an instant (null: the latest); null if there is none."""
    scores = await latest_scores(connection, account_id, at)
    return explained(account_id, scores) if scores else None


async def scores_page(connection: Connection, whose: Whose, place: Cursor | None, limit: int) -> Page[ScoreLine]:
    """The scores of a customer, the latest first."""
    return await page_of(ScoreLine, scores_of, connection, place, limit, whose.account_id)


def explained(account_id: str, scores: list[KeptScore]) -> Health:
    """A score, and the one before it if there was one, as people read them."""
    now, before = scores[0], scores[1] if len(scores) > 1 else None
    return Health(
        account_id=account_id,
        **_fields(now),
        would_change=would_change(now),
        before=HealthScore(**_fields(before)) if before else None,
    )


def would_change(kept: KeptScore) -> list[str]:
    """What would make a score another one, the most effective first: what caps it, what costs most, what is not known."""
    found = [_WOULD_END[rule["name"]] for rule in kept.rules if rule["name"] in _WOULD_END]
    costly = sorted((part for part in kept.parts if _costs(part) >= 1), key=lambda part: (-_costs(part), part.name))
    found += [f"{words(part.name)}: up to {tenth(part.costs)} points more" for part in costly[:_SHOWN]]
    if kept.score is None:
        lacking = sorted((part for part in kept.parts if part.state in ("missing", "stale")), key=lambda p: -p.weight)
        found += [f"{words(part.name)}, once it is known: {part.says}" for part in lacking[:_SHOWN]]
    return found


def tenth(value: Decimal | None) -> Decimal | None:
    """Points to one digit."""
    return None if value is None else half_up(1).apply(value)


def _costs(part: ScoredPart) -> Decimal:
    return part.costs or Decimal(0)


def _fields(kept: KeptScore) -> dict[str, Any]:
    inputs = [
        HealthInput(
            name=one.name,
            points=one.points,
            weight=float(one.weight),
            brings=tenth(one.brings),
            costs=tenth(one.costs),
            state=one.state,
            source=one.source,
            day=one.day,
            says=one.says,
        )
        for one in kept.parts
    ]
    return {
        "at": kept.at,
        "score": kept.score,
        "band": kept.band,
        "since": kept.since,
        "profile": kept.profile,
        "version": kept.version,
        "rules": list(kept.rules),
        "trend": kept.trend,
        "why": kept.why,
        "inputs": inputs,
    }
