"""A TCP proxy between the parts, in a process of its own: connections are cut, slowed down, or go silent.

    python -m tests.faults.proxy postgres=20100:20101 smtp=20102:20103

Each line on its standard input is a JSON object: `{"route": "smtp", "cut": 2}` breaks what is open and refuses what comes for two
seconds, `{"route": "smtp", "slow": 0.05, "for": 3}` holds every piece back for so long, `{"route": "smtp", "silent": 4}` passes nothing on
for four seconds and breaks what was open then.
"""

from __future__ import annotations

import asyncio
import json
import sys
from dataclasses import dataclass, field
from typing import Any

LOOPBACK = "127.0.0.1"
READY = "routes are open"


@dataclass
class Route:
    """Where it listens, where that leads to, and how it is at present."""

    name: str
    port: int
    target: int
    pipes: set[Pipe] = field(default_factory=set)
    delay: float = 0.0
    refuses_until: float = 0.0
    silent: bool = False

    def command(self, said: dict[str, Any]) -> None:
        """Does what a line asks for."""
        loop = asyncio.get_running_loop()
        if "cut" in said:
            self.refuses_until = loop.time() + float(said["cut"])
            self.cut()
        if "slow" in said:
            self.delay = float(said["slow"])
            loop.call_later(float(said["for"]), self._as_ever)
        if "silent" in said:
            self.silent = True
            loop.call_later(float(said["silent"]), self._speaks)

    def cut(self) -> None:
        """Breaks whatever is open."""
        for pipe in list(self.pipes):
            pipe.abort()

    def _as_ever(self) -> None:
        self.delay = 0.0

    def _speaks(self) -> None:
        self.silent = False
        self.cut()


class Pipe(asyncio.Protocol):
    """One side of a connection; `other` is the side to which everything is passed on."""

    def __init__(self, route: Route, other: Pipe | None = None) -> None:
        self.route = route
        self.other = other
        self.transport: asyncio.Transport | None = None
        self._waiting: list[bytes] = []
        self._next = 0.0

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        assert isinstance(transport, asyncio.Transport)
        self.transport = transport
        self.route.pipes.add(self)
        loop = asyncio.get_running_loop()
        if self.other is None:
            if self.route.silent or loop.time() < self.route.refuses_until:
                transport.abort()
                return
            self._reaching = loop.create_task(self._reach())
            return
        self.other.other = self
        for piece in self.other._waiting:
            transport.write(piece)
        self.other._waiting.clear()
        if self.other.transport is None or self.other.transport.is_closing():
            transport.abort()

    async def _reach(self) -> None:
        loop = asyncio.get_running_loop()
        try:
            await loop.create_connection(lambda: Pipe(self.route, self), LOOPBACK, self.route.target)
        except OSError:
            self.abort()

    def data_received(self, data: bytes) -> None:
        if self.route.silent:
            return
        if self.other is None or self.other.transport is None:
            self._waiting.append(data)
            return
        loop = asyncio.get_running_loop()
        # Later pieces never overtake earlier ones, also when a slow time ends.
        self._next = max(self._next + 1e-6, loop.time() + self.route.delay)
        if self.route.delay or self._next > loop.time() + 1e-3:
            loop.call_at(self._next, self.other.pass_on, data)
        else:
            self.other.pass_on(data)

    def pass_on(self, data: bytes) -> None:
        """Sends what the other side has received."""
        if self.transport is not None and not self.transport.is_closing():
            self.transport.write(data)

    def pause_writing(self) -> None:
        if self.other is not None and self.other.transport is not None:
            self.other.transport.pause_reading()

    def resume_writing(self) -> None:
        if self.other is not None and self.other.transport is not None:
            self.other.transport.resume_reading()

    def eof_received(self) -> bool:
        return False

    def connection_lost(self, error: Exception | None) -> None:
        self.route.pipes.discard(self)
        other = self.other
        if other is not None and other.transport is not None and not other.transport.is_closing():
            # What is still held back goes out first.
            asyncio.get_running_loop().call_at(self._next + 2e-6, other.transport.close)

    def abort(self) -> None:
        """Breaks this side."""
        if self.transport is not None:
            self.transport.abort()


async def main(routes: dict[str, Route]) -> None:
    """Passes on and obeys until the standard input ends."""
    loop = asyncio.get_running_loop()
    for route in routes.values():
        await loop.create_server(lambda route=route: Pipe(route), LOOPBACK, route.port)  # type: ignore[misc]
    print(READY, flush=True)
    lines = asyncio.StreamReader()
    await loop.connect_read_pipe(lambda: asyncio.StreamReaderProtocol(lines), sys.stdin)
    while line := await lines.readline():
        said = json.loads(line)
        routes[said["route"]].command(said)


def read_route(text: str) -> Route:
    """`name=port:target`."""
    name, _, ports = text.partition("=")
    port, _, target = ports.partition(":")
    return Route(name, int(port), int(target))


if __name__ == "__main__":
    asyncio.run(main({route.name: route for route in map(read_route, sys.argv[1:])}))
