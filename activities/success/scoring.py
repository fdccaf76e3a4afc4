"""Scoring: one customer within a step of their journey, or many at once over tables."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from activities.frame.telling import AS_TOLD, INTO
from activities.health_profiles import read_score_profiles
from activities.kernel.computing import computed
from activities.kernel.inserts import Insert, or_update
from activities.kernel.pool import Connection
from activities.kernel.queries import Value
from activities.success.health_evidence import load_evidence
from domain.contracts.writes import SetContractStatus
from domain.frame.customer import ContractStatus
from domain.frame.health_facts import HealthEvidence
from domain.frame.sales_holds import HoldLevel
from domain.holds.writes import KeepHolds, PlaceManualHold
from domain.journey.telling import Told, health_told
from domain.kernel.base import Write
from domain.success.health import Health, News, assess
from domain.success.health_plays import ScoreNews
from domain.success.score_profiles import ScoreProfile
from domain.success.score_rules import Band

KEPT_FOR = timedelta(days=7)
"""A score that stays what it is goes on record again after so long."""
HEARD_WITHIN = timedelta(days=30)
"""Of what is older a journey does not hear any more."""

_COLUMNS = "score band parts profile profile_version=version why cause rules trend since news at_once"
_STORED = _COLUMNS.replace("=version", "")
_ROW = Insert("health_score", f"account_id at {_COLUMNS}", or_update("account_id at", _STORED)).of(
    Health, "account_id at band parts rules trend news at_once"
)
_SEEN_WITHIN = timedelta(minutes=10)
"""A band that a journey found by itself so shortly before or after is no news to it: both looked at the same time."""
_UNTOLD = """
select account_id, at, score, band, since, news, why, cause from health_score h
where account_id = any($1) and news is not null and told_at is null and at > $2::timestamptz - $3::interval
  and not exists (select from health_score own where own.account_id = h.account_id and own.told_at is not null
    and own.news = h.news and own.band = h.band and own.at between h.at - $4::interval and h.at + $4::interval)
order by account_id, at
"""
_on_record = Value[str | None]("select band from health_score where account_id = $1 order by at desc limit 1")
_AT_ONCE = """
select a.account_id from unnest($1::text[]) a (account_id), lateral (
  select at_once from health_score h where h.account_id = a.account_id and at < $2 order by at desc limit 1) shown
where at_once order by a.account_id
"""
_LATER = "select distinct account_id from health_score where account_id = any($1) and at > $2"
_TELL = f"{INTO} select * from jsonb_populate_recordset(null::timeline_item, $1) {AS_TOLD}"


async def untold_of(connection: Connection, accounts: Sequence[str], as_of: datetime) -> list[tuple[str, ScoreNews]]:
    """The scores on record of which the journeys of these accounts have not heard yet, in their order, each with its account."""
    rows = await connection.fetch(_UNTOLD, list(accounts), as_of, HEARD_WITHIN, _SEEN_WITHIN)
    return [(row["account_id"], _news(dict(row))) for row in rows]


def _news(row: Mapping[str, Any]) -> ScoreNews:
    return ScoreNews(
        row["at"], row["score"], Band(row["band"]), row["since"], News(row["news"]), row["why"], row["cause"]
    )


@dataclass(frozen=True)
class ScoredChunk:
    """What came of some accounts: how many were scored, by band, how many scores went on record, and who has to hear of theirs."""

    bands: dict[str, int]
    written: int
    news: list[tuple[str, ScoreNews]]


async def score_accounts(connection: Connection, accounts: Sequence[str], as_of: datetime) -> ScoredChunk:
    """Scores these accounts at `as_of`, in a transaction of the caller's. Again at the same instant it comes to the same.

    A score goes on record if it is another one, or if the last one is a week old or was made at once. Whoever has nothing any more is
    left out.
    """
    evidence = [one for one in await load_evidence(connection, accounts, as_of) if one.stays]
    profiles = read_score_profiles()
    found = await computed(len(evidence) * 10, _assess_all, evidence, profiles)
    shown = {row["account_id"] for row in await connection.fetch(_AT_ONCE, list(accounts), as_of)}
    later = {row["account_id"] for row in await connection.fetch(_LATER, list(accounts), as_of)}
    rows: list[tuple[object, ...]] = []
    told: list[Told] = []
    bands = dict.fromkeys(Band, 0)
    for one, health in zip(evidence, found, strict=True):
        bands[health.band] += 1
        if one.account_id not in shown and not _is_new(one, health):
            continue
        news = health.news.value if health.news and one.account_id not in later else None
        rows.append(_row(one.account_id, as_of, health, news))
        if one.last is None or one.last.band != health.band.value:
            before = (one.last.score, one.last.band) if one.last else None
            told += health_told(one.account_id, as_of, health.score, health.band.value, before)
    if rows:
        await _ROW.insert.add(connection, rows)
    if told:
        await connection.execute(_TELL, told)
    return ScoredChunk(
        {band.value: many for band, many in bands.items()}, len(rows), await untold_of(connection, accounts, as_of)
    )


def never_healthy(writes: Iterable[Write]) -> bool:
    """Whether something of it bars its customer from being healthy: service holds sales back, or a renewal is declined or overdue."""
    return any(
        (isinstance(write, KeepHolds) and any(hold.level is HoldLevel.BLOCK for hold in write.holds))
        or (isinstance(write, PlaceManualHold) and write.level is HoldLevel.BLOCK)
        or (isinstance(write, SetContractStatus) and write.status in (ContractStatus.DECLINED, ContractStatus.GRACE))
        for write in writes
    )


async def score_no_longer_healthy(connection: Connection, account_id: str, as_of: datetime) -> None:
    """Scores a customer anew who is healthy on record, so that nobody is shown as that until the next nightly look. The journey hears
    from that one, with what is so by then."""
    if await _on_record(connection, account_id) != Band.HEALTHY:
        return
    for one in await load_evidence(connection, [account_id], as_of):
        health = assess(one, read_score_profiles())
        await _ROW.insert.add(connection, [_row(account_id, as_of, health, None, at_once=True)])


def _assess_all(evidence: Sequence[HealthEvidence], profiles: Sequence[ScoreProfile]) -> list[Health]:
    return [assess(one, profiles) for one in evidence]


def _is_new(evidence: HealthEvidence, health: Health) -> bool:
    last = evidence.last
    if last is None or health.news is not None or evidence.as_of - last.at >= KEPT_FOR:
        return True
    return (last.score, last.band) != (health.score, health.band.value)


def _row(
    account_id: str, as_of: datetime, health: Health, news: str | None, *, at_once: bool = False
) -> tuple[object, ...]:
    return _ROW.row(
        health,
        account_id=account_id,
        at=as_of,
        band=health.band.value,
        parts=[part.as_json() for part in health.parts],
        rules=[rule.as_json() for rule in health.rules],
        trend=health.trend.as_json() if health.trend else None,
        news=news,
        at_once=at_once,
    )
