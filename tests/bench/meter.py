"""Time and CPU: of all processes, by part; two ways of the same in turn; shares of many times."""

from __future__ import annotations

import asyncio
import gc
import statistics
import time
from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import psutil

Parts = Mapping[str, float]
"""Seconds of CPU by part: worker, server, PostgreSQL, client."""


def seconds_of(process: psutil.Process, *, family: bool = True) -> float:
    """Seconds of CPU so far of a process; of its children too, those that have ended included."""
    try:
        own = process.cpu_times()
        children = process.children() if family else []
    except psutil.NoSuchProcess:
        return 0.0
    ended = own.children_user + own.children_system if family else 0.0
    return float(own.user + own.system + ended) + sum(map(seconds_of, children))


class Meter:
    """Reads the CPU of everything that works for us. Each part has its processes; this one is the client."""

    def __init__(self, **parts: int) -> None:
        self._parts = {name: psutil.Process(pid) for name, pid in parts.items()}
        self._self = psutil.Process()

    def watch(self, part: str, pid: int | None) -> None:
        """Another process for a part; none takes it away."""
        self._parts.pop(part, None)
        if pid is not None:
            self._parts[part] = psutil.Process(pid)

    def read(self) -> dict[str, float]:
        """Seconds so far."""
        read = {part: seconds_of(process) for part, process in self._parts.items()}
        return read | {"client": seconds_of(self._self, family=False)}

    async def spent(self, work: Callable[[], Awaitable[Any]]) -> Spent:
        """What something takes, on the clock and of CPU."""
        before, began = self.read(), time.perf_counter()
        await work()
        wall, after = time.perf_counter() - began, self.read()
        return Spent(wall, {part: after[part] - before.get(part, 0.0) for part in after})


@dataclass(frozen=True)
class Spent:
    """What something took."""

    wall: float
    parts: Parts = field(default_factory=dict)

    @property
    def cpu(self) -> float:
        """Seconds of CPU of all parts together."""
        return sum(self.parts.values())

    def each(self, count: int) -> Spent:
        """What one of so many took."""
        return Spent(self.wall / count, {part: spent / count for part, spent in self.parts.items()})

    def __str__(self) -> str:
        by_part = ", ".join(f"{part} {spent * 1000:.0f}" for part, spent in self.parts.items() if spent >= 0.0005)
        return f"{self.cpu * 1000:.0f} ms ({by_part})"


@dataclass
class Turns:
    """The same by two ways, in turn: what each turn took, ours and the floor's."""

    ours: list[Spent] = field(default_factory=list)
    floor: list[Spent] = field(default_factory=list)

    @property
    def cpu(self) -> float:
        """How many times the floor's CPU, the median of the turns."""
        return statistics.median(our.cpu / bare.cpu for our, bare in zip(self.ours, self.floor, strict=True))

    @property
    def wall(self) -> float:
        """How many times the floor's time, the median of the turns."""
        return statistics.median(our.wall / bare.wall for our, bare in zip(self.ours, self.floor, strict=True))


def middle(spent: Sequence[Spent]) -> Spent:
    """The one in the middle by CPU."""
    return sorted(spent, key=lambda one: one.cpu)[len(spent) // 2]


def at(times: Sequence[float], share: float) -> float:
    """The value that this share of the times does not exceed, in milliseconds."""
    return sorted(times)[min(int(len(times) * share), len(times) - 1)] * 1000


def both(times: Sequence[float]) -> str:
    """The median and the 99th percentile."""
    return f"p50 {at(times, 0.5):.0f} ms, p99 {at(times, 0.99):.0f} ms"


def best(action: Callable[[], object], rounds: int) -> float:
    """The least of several runs, in milliseconds of CPU, without garbage collection: others on the machine do not count."""
    taken = []
    gc.collect()
    gc.disable()
    for _ in range(rounds):
        began = time.process_time()
        action()
        taken.append((time.process_time() - began) * 1000)
    gc.enable()
    return min(taken)


async def timed(work: Awaitable[Any]) -> float:
    """Seconds that something takes."""
    began = time.perf_counter()
    await work
    return time.perf_counter() - began


async def none(left: Callable[[], Awaitable[int]], within: float = 300) -> None:
    """Waits until nothing is left. Raises TimeoutError."""
    until = time.monotonic() + within
    while await left():
        if time.monotonic() > until:
            raise TimeoutError(f"something is left after {within:g} s")
        await asyncio.sleep(0.04)
