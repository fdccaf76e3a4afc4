"""Engines that have no clock to move: lives are driven beside the engine, in its process; what is due is done at once, in its order."""

from __future__ import annotations

import asyncio
import json
import resource
import sys
import time
from collections import defaultdict, deque
from collections.abc import Callable
from contextlib import AbstractAsyncContextManager
from pathlib import Path
from typing import Any, Protocol

from activities.kernel.pool import Pool, open_pool
from tests.bench.peers.work import Work
from tests.bench.recording import Recorded
from workers.settings import Settings


class Engine(Protocol):
    """How an engine is asked."""

    async def begin(self, account: str) -> None:
        """The first order; returns with its answer."""

    async def ask(self, account: str, number: int) -> None:
        """A request; returns with its answer."""

    async def tell(self, account: str, number: int) -> None:
        """Something is told."""


class Watched(Work):
    """Knows what was done, so that whoever drives can wait for it."""

    def __init__(self, *given: Any) -> None:
        super().__init__(*given)
        self._done: defaultdict[str, set[int]] = defaultdict(set)
        self._changed = asyncio.Condition()

    async def done(self, account: str, number: int) -> None:
        """An act was done, and is committed."""
        self._done[account].add(number)
        async with self._changed:
            self._changed.notify_all()

    async def reached(self, account: str, number: int) -> None:
        """Waits until all acts before this one are done."""
        async with asyncio.timeout(120), self._changed:
            await self._changed.wait_for(lambda: len(self._done[account]) >= number)


async def live(engine: Engine, work: Watched, pool: Pool, life: Recorded) -> None:
    """A whole life, as its turns were."""
    asked = deque(act.number for act in life.acts[1:] if act.came_by == "update")
    told = deque(act for act in life.acts if act.came_by == "signal")
    uses = deque(life.uses)
    for place, turn in enumerate(life.turns):
        after = life.turns[place + 1].at if place + 1 < len(life.turns) else None
        if turn.what == "order":
            await engine.begin(life.account)
        elif turn.what == "ask":
            await work.reached(life.account, asked[0])
            await engine.ask(life.account, asked.popleft())
        elif turn.what == "use":
            async with pool.acquire() as connection, connection.transaction():
                for statement in uses.popleft():
                    await connection.execute(statement.text, *statement.values)
            if told and (after is None or told[0].at < after):
                await work.reached(life.account, told[0].number)
                await engine.tell(life.account, told.popleft().number)
    await work.reached(life.account, len(life.acts))


async def measured(opened: Callable[[Watched, Pool, str], AbstractAsyncContextManager[Engine]], lives: Path) -> None:
    """Says `ready` after a first life, lives the others once it is told to, and says what that took."""
    settings = Settings()
    dsn = settings.database_url.get_secret_value()
    pool = await open_pool(dsn)
    work = Watched(pool, settings, lives)
    first, *others = work.lives.values()
    async with opened(work, pool, dsn) as engine:
        await live(engine, work, pool, first)
        print("ready", flush=True)
        await asyncio.to_thread(sys.stdin.readline)
        before, began = resource.getrusage(resource.RUSAGE_SELF), time.perf_counter()
        places = asyncio.Semaphore(4)

        async def one(life: Recorded) -> None:
            async with places:
                await live(engine, work, pool, life)

        await asyncio.gather(*map(one, others))
        after, wall = resource.getrusage(resource.RUSAGE_SELF), time.perf_counter() - began
        cpu = after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime
        print(json.dumps({"cpu": cpu, "wall": wall}), flush=True)
        await asyncio.to_thread(sys.stdin.readline)
    await pool.close()


def main(opened: Callable[[Watched, Pool, str], AbstractAsyncContextManager[Engine]]) -> None:
    """The process of an engine."""
    asyncio.run(measured(opened, Path(sys.argv[1])))
