"""What a journey that sleeps costs in memory: of the worker, and of the server."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator

import psutil

from tests.bench.rows import Row, Size
from tests.bench.stand import Stand, stand
from tests.builders import order


async def rows(size: Size) -> AsyncIterator[Row]:
    """`perennial worker`, while no other worker runs: its memory after a hundred journeys, and after many more."""
    journeys = size.count("journeys", 400, 100)
    async with stand() as place, place.worker() as worker:
        server = psutil.Process(place.stack.temporal.pid)
        await _place(place, 100)
        before = worker.memory_info().rss, server.memory_info().rss
        await _place(place, journeys)
        after = worker.memory_info().rss, server.memory_info().rss
    each = [(later - earlier) / journeys / 1000 for later, earlier in zip(after, before, strict=True)]
    yield Row("worker's memory of a journey asleep", each[0], "kB", 100, how=f"{journeys} journeys, cached")
    yield Row("server's memory of a journey asleep", each[1], "kB", 25)


async def _place(place: Stand, journeys: int) -> None:
    for _ in range(journeys // 10):
        documents = [order() for _ in range(10)]
        await asyncio.gather(*(place.client.place_order(document) for document in documents))
    await place.quiet(*(str(document["account"]["account_id"]) for document in documents))
    await asyncio.sleep(2)
