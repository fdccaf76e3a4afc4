"""The faults: which kinds there are, in which order a seed has them come, and how each of them is done."""

from __future__ import annotations

import asyncio
import time
from collections import Counter
from collections.abc import Awaitable, Callable, Coroutine
from dataclasses import dataclass, field
from random import Random
from typing import Any

from tests.faults.gate import Gate
from tests.faults.world import PROGRAMS, ROUTES, SERVERS, WORKERS, World

Fault = Callable[[World, Random], Awaitable[None]]
LONG = (15.0, 40.0)
"""seconds for which a database is away that is away for long"""
FULL = "full_"


async def _kill_program(world: World, name: str, dice: Random) -> None:
    with world.held(name):
        await world.kill(name)
        await asyncio.sleep(dice.uniform(0, 0.5))
        await world.start(name)


async def _kill_server(world: World, name: str, pause: float) -> None:
    with world.held(name):
        await world.kill(name)
        await asyncio.sleep(pause)
        await world.start_server(name)


async def _kill_worker(world: World, dice: Random) -> None:
    await _kill_program(world, dice.choice(WORKERS), dice)


async def _cut(world: World, dice: Random) -> None:
    world.connections(dice.choice(ROUTES), cut=(seconds := dice.uniform(0.1, 3)))
    await asyncio.sleep(seconds)


async def _slow(world: World, dice: Random) -> None:
    seconds = dice.uniform(1, 4)
    world.connections(dice.choice(ROUTES), slow=dice.uniform(0.02, 0.3), **{"for": seconds})
    await asyncio.sleep(seconds)


async def _silent(world: World, dice: Random) -> None:
    world.connections(dice.choice(ROUTES), silent=(seconds := dice.uniform(1, 6)))
    await asyncio.sleep(seconds)


async def _freeze(world: World, dice: Random) -> None:
    await world.freeze(dice.choice(SERVERS), dice.uniform(1, 8))


async def _postgres_for_long(world: World, dice: Random) -> None:
    with world.held("postgres"):
        await world.stop("postgres")
        await asyncio.sleep(dice.uniform(*LONG))
        await world.start_server("postgres")


def _full(disk: str) -> Fault:
    async def fill(world: World, dice: Random) -> None:
        await world.fill(disk, dice.uniform(2, 6))

    return fill


def _program_killed(name: str) -> Fault:
    return lambda world, dice: _kill_program(world, name, dice)


def _server_killed(name: str) -> Fault:
    return lambda world, dice: _kill_server(world, name, dice.uniform(0, 0.5))


OF_PARTS: dict[str, tuple[int, Fault]] = {
    "kill_worker": (5, _kill_worker),
    "kill_gateway": (3, _program_killed("gateway")),
    "kill_inbox": (3, _program_killed("inbox")),
    "kill_mail": (4, _program_killed("mail")),
    "kill_postgres": (4, _server_killed("postgres")),
    "kill_temporal": (4, _server_killed("temporal")),
    "freeze": (2, _freeze),
    "full_mail": (2, _full("mail")),
    "full_postgres": (2, _full("postgres")),
    "full_temporal": (2, _full("temporal")),
    "postgres_for_long": (1, _postgres_for_long),
}
"""how often of so many, and how"""
OF_CONNECTIONS: dict[str, tuple[int, Fault]] = {"cut": (5, _cut), "slow": (4, _slow), "silent": (3, _silent)}


@dataclass
class Failing:
    """Has faults come, one after the other of parts and beside them of connections, and counts them."""

    world: World
    gate: Gate
    dice: Random
    counted: Counter[str] = field(default_factory=Counter)
    left_out: list[str] = field(default_factory=list)
    recovered: list[float] = field(default_factory=list)
    """seconds from when the whole stack was killed to the first step that was done after"""

    async def run(self, kinds: dict[str, tuple[int, Fault]], every: float) -> None:
        """Faults of these kinds, each `every` seconds or as soon as the one before is over, until it is cancelled."""
        rounds = [name for name, (weight, _) in kinds.items() for _ in range(weight) if self._can(name)]
        while True:
            self.dice.shuffle(rounds)
            first = {name: rounds.index(name) for name in dict.fromkeys(rounds)}
            # Every kind comes once before any comes again: a short run has all of them.
            for name in [*first, *(name for n, name in enumerate(rounds) if first[name] != n)]:
                began = time.monotonic()
                async with self.gate.passing():
                    await kinds[name][1](self.world, self.dice)
                    self.counted[name] += 1
                await asyncio.sleep(max(0.1, every * self.dice.uniform(0.7, 1.3) - (time.monotonic() - began)))

    def _can(self, name: str) -> bool:
        if name.startswith(FULL) and not self.world.disks:
            if "full disks: only root may mount small ones" not in self.left_out:
                self.left_out.append("full disks: only root may mount small ones")
            return False
        return True

    async def kill_everything(self, first_step: Callable[[], Coroutine[Any, Any, None]]) -> None:
        """The whole stack by SIGKILL, and back; `first_step` returns once something was done after."""
        began = time.monotonic()
        everything = (*SERVERS, *PROGRAMS)
        with self.world.held(*everything):
            await asyncio.gather(*(self.world.kill(name) for name in everything))
            stepping = asyncio.create_task(first_step())
            await asyncio.gather(*(self.world.start_server(name) for name in SERVERS))
            await asyncio.gather(*(self.world.start(name) for name in PROGRAMS))
        await stepping
        self.recovered.append(time.monotonic() - began)
        self.counted["kill_everything"] += 1
