"""What commands and a worker cost until they are there."""

from __future__ import annotations

import asyncio
import resource
import sys
from asyncio.subprocess import DEVNULL
from collections.abc import AsyncIterator, Mapping

from tests.bench.lives import Life
from tests.bench.meter import seconds_of
from tests.bench.rows import Row, Size
from tests.bench.stand import PROGRAM, stand

FLOOR = (sys.executable, "-c", "import rich, typer")


async def seconds(*command: str, environment: Mapping[str, str] | None = None) -> float:
    """Seconds of CPU of a command."""
    before = resource.getrusage(resource.RUSAGE_CHILDREN)
    process = await asyncio.create_subprocess_exec(*command, env=environment, stdout=DEVNULL, stderr=DEVNULL)
    assert await process.wait() == 0, command
    after = resource.getrusage(resource.RUSAGE_CHILDREN)
    return after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime


async def rows(size: Size) -> AsyncIterator[Row]:
    """Each command some times in turn with the least that any of them needs."""
    rounds = size.count("rounds", 5, 2)
    commands = {"perennial --help": (PROGRAM, "--help"), "perennial asset list": (PROGRAM, "asset", "list", "small")}
    taken: dict[str, list[float]] = {name: [] for name in commands}
    least: list[float] = []
    async with stand() as place:
        async with place.worker():
            await Life(place.client, place.pool, "small").order()
        for command in (FLOOR, *commands.values()):
            await seconds(*command, environment=place.environment)  # compiles what it imports
        for _ in range(rounds):
            least.append(await seconds(*FLOOR, environment=place.environment))
            for name, command in commands.items():
                taken[name].append(await seconds(*command, environment=place.environment))
        ready = []
        for _ in range(rounds):
            async with place.worker() as worker:
                ready.append(seconds_of(worker))
    how = f"best of {rounds}; the floor imports typer and rich alone"
    for name, times in taken.items():
        yield Row(f"`{name}`, CPU", min(times), "s", 0.8, floor=f"{min(least):.2f} s", how=how)
    yield Row("a worker until it asks for work, CPU", min(ready), "s", 3, how=f"best of {rounds}")
