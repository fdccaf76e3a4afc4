"""The daily look at the health of all customers: a batch over tables, after which the journeys hear of a change of band alone."""

from __future__ import annotations

import asyncio
from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta

from temporalio import activity
from temporalio.client import Client
from temporalio.service import RPCError

from activities.frame.errors import business_errors
from activities.kernel.clock import present
from activities.kernel.engine import is_unknown
from activities.kernel.heartbeats import heartbeats
from activities.kernel.pool import Pool
from activities.kernel.queries import Column, Value
from activities.success.scoring import score_accounts
from domain.frame.batches import Batch, BatchCall, BatchReport
from domain.kernel.ids import journey_id
from domain.success.health_plays import ScoreNews

AT_ONCE = 500
SIGNALS_AT_ONCE = 20
_ELSEWHERE = timedelta(hours=1)

# Customers of a rehearsal live in a time of their own, ahead of the present; they are looked at in theirs.
_LIVING = """
from account a where closed_at is null and since <= $1
  and exists (select from effect e where e.account_id = a.account_id and e.as_of > $2::timestamptz) = $3
  and ($3 is false or not exists (select from effect e where e.account_id = a.account_id and e.as_of > $1))
"""
_count = Value[int](f"select count(*) {_LIVING}")
_page = Column[str](f"select account_id {_LIVING} and account_id > $4 order by account_id limit $5")


@dataclass
class HealthRun:
    """What a look at many customers came to: how many were scored, by band, how many scores went on record, and how many journeys
    were told; `untold`: those that could not be, which are told the next time."""

    scored: int = 0
    written: int = 0
    told: int = 0
    untold: int = 0
    bands: Counter[str] = field(default_factory=Counter)

    def counts(self) -> dict[str, int]:
        """All of it by name."""
        of = {"scored": self.scored, "written": self.written, "told": self.told, "untold": self.untold}
        return {**of, **self.bands}


async def run_health(
    pool: Pool,
    temporal: Client | None,
    as_of: datetime,
    accounts: Sequence[str] | None = None,
    on_progress: Callable[[int, int], None] = lambda done, total: None,
) -> HealthRun:
    """Scores these accounts at `as_of`, all that live in that time by default, a part at a time, each in a transaction of its own.

    Without `temporal` no journey is told. Begun again after an end in the middle, with the same `as_of`, it comes to the same.
    """
    run, done, after = HealthRun(), 0, ""
    since = present() + _ELSEWHERE
    living = (as_of, since, as_of > since)
    async with pool.acquire() as connection:
        total = len(accounts) if accounts is not None else await _count(connection, *living)
    while True:
        async with pool.acquire() as connection:
            if accounts is None:
                part = await _page(connection, *living, after, AT_ONCE)
            else:
                part = list(accounts[done : done + AT_ONCE])
            if not part:
                return run
            async with connection.transaction():
                chunk = await score_accounts(connection, part, as_of)
        run.scored += sum(chunk.bands.values())
        run.written += chunk.written
        run.bands.update({band: many for band, many in chunk.bands.items() if many})
        await _tell(temporal, chunk.news, run)
        done, after = done + len(part), part[-1]
        on_progress(done, total)


async def _tell(temporal: Client | None, news: Sequence[tuple[str, ScoreNews]], run: HealthRun) -> None:
    """One signal for each journey that has something to hear, the latest: it looks at all of it."""
    latest = dict(news)
    if temporal is None:
        run.untold += len(latest)
        return
    few = asyncio.Semaphore(SIGNALS_AT_ONCE)

    async def one(account_id: str, its: ScoreNews) -> bool:
        async with few:
            return await _signal(temporal, account_id, its)

    heard = await asyncio.gather(*(one(account_id, its) for account_id, its in latest.items()))
    run.told += sum(heard)
    run.untold += len(heard) - sum(heard)


async def _signal(temporal: Client, account_id: str, news: ScoreNews) -> bool:
    signal = {"id": f"{news.at:%Y%m%dT%H%M%S}", "at": news.at.isoformat(), "band": news.band.value}
    try:
        await temporal.get_workflow_handle(journey_id(account_id)).signal("health_changed", signal)
    except RPCError as error:
        if not is_unknown(error):
            raise
        return False  # no journey looks after them
    return True


class HealthBatch:
    """The daily look, as a batch."""

    def __init__(self, pool: Pool, temporal: Client) -> None:
        self._pool = pool
        self._temporal = temporal

    @activity.defn(name=Batch.HEALTH.value)
    async def score_all(self, call: BatchCall) -> BatchReport:
        """Scores all customers who live in real time."""
        async with business_errors(), heartbeats():
            run = await run_health(self._pool, self._temporal, call.as_of)
            return BatchReport(counts=run.counts())
