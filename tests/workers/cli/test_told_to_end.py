"""A worker that is told to end while it still starts, or serves several queues, ends in time."""

from __future__ import annotations

import asyncio
import os
import signal
import time
from typing import Any, Self, cast

import pytest
from temporalio.client import Client

from activities.kernel.pool import Pool
from tests.conftest import Servers
from tests.workers.cli.running import beside
from workers import wiring
from workers.cli import processes
from workers.settings import Settings


class Draining:
    """A worker that takes a while to bring what it has begun to its end."""

    def __init__(self, *_: object, **__: object) -> None:
        self._done: asyncio.Task[None] | None = None

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(self, *_: object) -> None:
        await self.shutdown()

    async def shutdown(self) -> None:
        self._done = self._done or asyncio.create_task(asyncio.sleep(0.5))
        await self._done


async def test_workers_of_all_queues_end_at_the_same_time(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(wiring, "build_worker", Draining)
    monkeypatch.setattr(wiring, "_build_apart", Draining)
    settings = Settings.model_validate({"queues_apart": "deliveries,imports,batches"})
    async with wiring.working(cast(Client, None), cast(Pool, None), settings):
        began = time.monotonic()
    assert 0.4 < time.monotonic() - began < 1.2, "one after the other it would be two seconds"


@pytest.mark.engine
async def test_a_worker_that_still_starts_lets_what_it_has_begun_come_to_its_end(
    servers: Servers, tmp_path: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    beside(servers, tmp_path)
    monkeypatch.chdir(tmp_path)
    for name in ("TEMPORAL_ADDRESS", "PERENNIAL_DATABASE_URL"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("PERENNIAL_TASK_QUEUE", "told-to-end")
    starting, loop = asyncio.Event(), asyncio.get_running_loop()

    async def hangs(_: object) -> None:
        starting.set()
        await asyncio.sleep(600)

    monkeypatch.setattr(processes, "_known_to_the_engine", hangs)
    monkeypatch.setattr(processes, "set_up", lambda form: None)
    loop.add_signal_handler(signal.SIGTERM, lambda: None)  # so that no test ends with a worker that does not heed it
    work = asyncio.create_task(cast(Any, processes.worker).__wrapped__(check=False))
    try:
        await asyncio.wait_for(starting.wait(), 30)
        os.kill(os.getpid(), signal.SIGTERM)
        await asyncio.wait_for(work, 40)
    finally:
        work.cancel()
        await asyncio.gather(work, return_exceptions=True)
        for sign in (signal.SIGTERM, signal.SIGINT):
            loop.remove_signal_handler(sign)
