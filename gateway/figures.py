"""The figures of operation, kept for some seconds, so that whoever asks more often costs nothing: from PostgreSQL and from Temporal.

A server that is away is a figure as well, and so is a set of figures that takes too long: each server is asked whether it answers, apart
from what is counted there. Whoever asks waits for a moment and never for a server that says nothing.
"""

from __future__ import annotations

import asyncio
import logging
import time
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator, Mapping, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from datetime import timedelta
from typing import Any, Generic, TypeVar

import asyncpg
from temporalio.client import Client
from temporalio.service import RPCError

from activities.journey.figures import NOW, SELDOM, Counted, counted
from activities.kernel.clock import present
from activities.kernel.pool import TRANSPORT_ERRORS, Connection, Pool
from activities.kernel.queries import Query
from gateway.readiness import engine_answers
from gateway.saved_views import BATCHES, CASES, JOURNEYS, SavedView

OVERDUE_AFTER = timedelta(minutes=5)
"""What is due for less long is just being done."""
STATES: Mapping[tuple[str, str], SavedView] = {
    ("journeys", "running"): JOURNEYS["overdue"].whole(),
    **{("journeys", name): JOURNEYS[name] for name in ("overdue", "attention", "paused", "stuck")},
    ("case_runs", "running"): CASES["cases"],
    **{("case_runs", name): CASES[f"{name}-cases"] for name in ("overdue", "attention", "stuck")},
    ("batch_runs", "running"): BATCHES["stuck-batches"].whole(),
    ("batch_runs", "stuck"): BATCHES["stuck-batches"],
}
"""How runs stand, each by the list that people look at."""
PATIENCE = 4.0
"""Seconds that whoever asks waits for: they give ten at most. A server that says nothing for as long is away."""
LONGEST = 20.0
"""Seconds after which a count is given up."""
CONNECTIONS = 3
"""How many are asked for at one time: two sets, and whether the server answers, which waits for none of them."""

_AWAY: tuple[type[BaseException], ...] = (RPCError, RuntimeError, asyncpg.PostgresError, *TRANSPORT_ERRORS)
_log = logging.getLogger(__name__)
_Found = TypeVar("_Found")


@dataclass
class _Look(Generic[_Found]):
    """What is found out by a task of its own, one at a time and at most once in `kept` seconds; null if it could not be."""

    name: str
    kept: float
    longest: float
    read: Callable[[], Awaitable[_Found]]
    found: _Found | None = None
    task: asyncio.Task[None] | None = None
    begun: float = field(default=float("-inf"))
    ended: float = field(default=float("-inf"))
    took: float = 0.0

    def under_way(self) -> asyncio.Task[None] | None:
        """What is worth waiting for; null if nothing is due, or has been waited for long enough."""
        now = time.monotonic()
        if self.task is not None and not self.task.done():
            return self.task if now - self.begun < PATIENCE else None
        if now - self.ended < max(self.kept, self.took):  # what takes long rests for as long
            return None
        self.begun, self.task = now, asyncio.create_task(self._bring())
        return self.task

    async def _bring(self) -> None:
        found = None
        try:
            async with asyncio.timeout(self.longest):
                found = await self.read()
        except _AWAY as away:
            _log.warning("no figures of %s: %s", self.name, type(away).__name__)
        finally:
            self.found, self.ended = found, time.monotonic()
            self.took = self.ended - self.begun

    @property
    def late(self) -> bool:
        """Whether it takes longer than anybody waits, or could not be done."""
        if self.task is not None and not self.task.done() and time.monotonic() - self.begun >= PATIENCE:
            return True
        return self.found is None or self.took >= PATIENCE


@dataclass(frozen=True)
class Told:
    """The figures that are known; of each server whether it answers; of each set of one that does, whether it is late."""

    figures: Sequence[Counted] = ()
    up: Mapping[str, bool] = field(default_factory=dict)
    late: Mapping[str, bool] = field(default_factory=dict)


class Figures:
    """What is counted, and which server answers. The pool should be nobody else's, so that no other statement is waited for."""

    def __init__(self, temporal: Client, pool: Pool, kept: float = 10) -> None:
        self._temporal = temporal
        self._pool = pool
        self._servers: Mapping[str, _Look[bool]] = {
            "postgresql": _Look("postgresql", kept, PATIENCE, self._postgresql_answers),
            "temporal": _Look("temporal", kept, PATIENCE, self._temporal_answers),
        }
        self._sets: Sequence[tuple[str, _Look[Sequence[Counted]]]] = (
            ("postgresql", _Look("facts", kept, LONGEST, lambda: self._of_facts(NOW))),
            ("postgresql", _Look("seldom", 12 * kept, LONGEST, lambda: self._of_facts(SELDOM))),
            ("temporal", _Look("runs", 3 * kept, LONGEST, self._of_runs)),
        )

    async def now(self) -> Told:
        """What is known. Never fails, and takes no longer than PATIENCE."""
        if waited := [task for one in self._looks() if (task := one.under_way()) is not None]:
            await asyncio.wait(waited, timeout=PATIENCE)
        up = {server: not one.late for server, one in self._servers.items()}
        sets = [one for server, one in self._sets if up[server]]
        return Told([figure for one in sets for figure in one.found or ()], up, {one.name: one.late for one in sets})

    async def end(self) -> None:
        """Ends what is still being counted."""
        running = [one.task for one in self._looks() if one.task is not None and not one.task.done()]
        for task in running:
            task.cancel()
        await asyncio.gather(*running, return_exceptions=True)

    def _looks(self) -> Iterator[_Look[Any]]:
        yield from self._servers.values()
        yield from (one for _, one in self._sets)

    @asynccontextmanager
    async def _connection(self) -> AsyncIterator[Connection]:
        """A connection; what is late is cancelled, and if the server does not hear that either, the connection is dropped."""
        connection = await self._pool.acquire()
        try:
            yield connection
        finally:
            await self._pool.release(connection, timeout=1)

    async def _postgresql_answers(self) -> bool:
        async with self._connection() as connection:
            await connection.execute("select 1")
        return True

    async def _temporal_answers(self) -> bool:
        await engine_answers(self._temporal, timedelta(seconds=PATIENCE))
        return True

    async def _of_facts(self, what: Query) -> Sequence[Counted]:
        async with self._connection() as connection:
            return await counted(connection, what, present())

    async def _of_runs(self) -> Sequence[Counted]:
        before = present() - OVERDUE_AFTER
        counts = await asyncio.gather(*(self._count(view.query(before)) for view in STATES.values()))
        return [Counted(figure, "", state, count) for (figure, state), count in zip(STATES, counts, strict=True)]

    async def _count(self, query: str) -> int:
        return (await self._temporal.count_workflows(query, rpc_timeout=timedelta(seconds=LONGEST))).count
