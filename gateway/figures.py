"""The figures of operation, kept for some seconds, so that whoever asks more often costs nothing: from PostgreSQL and from Temporal.

A server that is away is a figure as well: nothing that was counted before is shown as if it were so now.
"""

from __future__ import annotations

import asyncio
import logging
import time
from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import timedelta

import asyncpg
from temporalio.client import Client
from temporalio.service import RPCError

from activities.journey.figures import NOW, SELDOM, Counted, counted
from activities.kernel.clock import present
from activities.kernel.pool import TRANSPORT_ERRORS, Pool
from activities.kernel.queries import Query

JOURNEYS = "WorkflowType = 'CustomerJourney' AND ExecutionStatus = 'Running'"
CASES = "WorkflowType = 'ServiceCase' AND ExecutionStatus = 'Running'"
OVERDUE_AFTER = timedelta(minutes=5)
"""What is due for less long is just being done."""
STATES: Mapping[tuple[str, str], str] = {
    ("journeys", "running"): JOURNEYS,
    ("journeys", "overdue"): f"{JOURNEYS} AND NextActionAt < '{{now}}'",
    ("journeys", "attention"): f"{JOURNEYS} AND AttentionReasons IS NOT NULL",
    ("journeys", "paused"): f"{JOURNEYS} AND AttentionReasons = 'paused'",
    ("journeys", "stuck"): f"{JOURNEYS} AND TemporalReportedProblems IS NOT NULL",
    ("case_runs", "running"): CASES,
    ("case_runs", "overdue"): f"{CASES} AND NextActionAt < '{{now}}'",
    ("case_runs", "attention"): f"{CASES} AND AttentionReasons IS NOT NULL",
    ("case_runs", "stuck"): f"{CASES} AND TemporalReportedProblems IS NOT NULL",
}
"""How runs stand, each by the query that counts them; `{now}` is the instant before which something is overdue."""
PATIENCE = 4.0
"""Seconds that a server gets: whoever asks waits for ten at most."""

_AWAY: tuple[type[BaseException], ...] = (RPCError, RuntimeError, asyncpg.PostgresError, *TRANSPORT_ERRORS)
_log = logging.getLogger(__name__)
_Read = Callable[[], Awaitable[Sequence[Counted]]]


@dataclass
class _Set:
    """Figures that are counted together, at most once in `kept` seconds; null while their server is away."""

    server: str
    kept: float
    read: _Read
    found: Sequence[Counted] | None = None
    at: float = field(default=float("-inf"))

    async def bring(self) -> None:
        if time.monotonic() - self.at < self.kept:
            return
        try:
            async with asyncio.timeout(PATIENCE):
                self.found = await self.read()
        except _AWAY as away:
            _log.warning("no figures from %s: %s", self.server, type(away).__name__)
            self.found = None
        self.at = time.monotonic()


class Figures:
    """What is counted, and which server answered."""

    def __init__(self, temporal: Client, pool: Pool, kept: float = 10) -> None:
        self._temporal = temporal
        self._pool = pool
        self._sets = (
            _Set("postgresql", kept, lambda: self._of_facts(NOW)),
            _Set("postgresql", 12 * kept, lambda: self._of_facts(SELDOM)),
            _Set("temporal", 3 * kept, self._of_runs),
        )
        self._one_at_a_time = asyncio.Lock()

    async def now(self) -> tuple[Sequence[Counted], Mapping[str, bool]]:
        """Every figure that is known, and of each server whether it answered. Never fails."""
        async with self._one_at_a_time:
            for one in self._sets:
                await one.bring()
        up = {one.server: all(o.found is not None for o in self._sets if o.server == one.server) for one in self._sets}
        return [figure for one in self._sets for figure in one.found or ()], up

    async def _of_facts(self, what: Query) -> Sequence[Counted]:
        async with self._pool.acquire() as connection:
            return await counted(connection, what, present())

    async def _of_runs(self) -> Sequence[Counted]:
        before = (present() - OVERDUE_AFTER).isoformat(timespec="seconds")
        counts = await asyncio.gather(*(self._count(query, before) for query in STATES.values()))
        return [Counted(figure, "", state, count) for (figure, state), count in zip(STATES, counts, strict=True)]

    async def _count(self, query: str, before: str) -> int:
        return (
            await self._temporal.count_workflows(query.format(now=before), rpc_timeout=timedelta(seconds=PATIENCE))
        ).count
