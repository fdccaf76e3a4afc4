"""What a journey that sleeps costs in memory, of the worker and of the server, beside the same on bare Temporal."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator, Sequence

import psutil

from tests.bench.floor import floor
from tests.bench.lives import Life, recorded, some_days
from tests.bench.many import side_by_side
from tests.bench.rows import Row, Size
from tests.bench.stand import Stand, stand

WARM = 100
REACH = {"worker": 100, "server": 25}


async def rows(size: Size) -> AsyncIterator[Row]:
    """After a hundred journeys that have had their first morning, and after many more; each way on a stack of its own."""
    journeys = size.count("journeys", 400, 60)
    life = await recorded(some_days)
    async with stand() as place, place.worker() as worker:
        lives = (Life(place.client, place.pool, f"ours-{number}") for number in range(WARM + journeys))
        ours = await _grown(place, worker, journeys, ((one.account, [one.order, one.morning]) for one in lives))
    async with stand() as place, floor(place, life, WARM + journeys) as bare:
        theirs = ((one.account, [one.play, one.play, one.play]) for one in bare.lives)
        least = await _grown(place, bare.worker, journeys, theirs)
    how = f"growth of the process by {journeys} journeys, cached, after {WARM} before them"
    for part, grown in ours.items():
        figure = f"{part}'s memory of a journey asleep"
        yield Row(figure, grown, "kB", REACH[part], floor=f"{least[part]:.0f} kB", how=how)


async def _grown(
    place: Stand,
    worker: psutil.Process,
    journeys: int,
    lives: Iterator[tuple[str, Sequence[Callable[[], Awaitable[None]]]]],
) -> dict[str, float]:
    """By how many kB a journey the processes have grown."""
    server = psutil.Process(place.stack.temporal.pid)

    async def lived(count: int) -> tuple[int, int]:
        some = [next(lives) for _ in range(count)]

        async def one(account: str, parts: Sequence[Callable[[], Awaitable[None]]]) -> None:
            for play in parts:
                await play()
                await place.quiet(account)

        await side_by_side([lambda account=account, parts=parts: one(account, parts) for account, parts in some], 10)  # type: ignore[misc]
        await asyncio.sleep(3)
        return worker.memory_info().rss, server.memory_info().rss

    before, after = await lived(WARM), await lived(journeys)
    each = [(later - earlier) / journeys / 1000 for later, earlier in zip(after, before, strict=True)]
    return {"worker": each[0], "server": each[1]}
