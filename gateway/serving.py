"""The gateway's server: uvicorn in the loop of whoever runs it, on one address, until the end of the block."""

from __future__ import annotations

import asyncio
import socket
from collections.abc import AsyncIterator
from contextlib import AbstractContextManager, asynccontextmanager, nullcontext, suppress
from typing import Protocol, runtime_checkable

import uvicorn
from fastapi import FastAPI

_PATIENCE = 10
"""Seconds that a call in flight gets to end."""


@runtime_checkable
class Ends(Protocol):
    """A route with calls that go on until they are told that the server ends."""

    def end(self) -> None: ...


_ONLY_HERE = "127.0.0.1"
"""Whose word counts on how somebody came to it: a proxy on this machine's."""


class _Server(uvicorn.Server):
    def capture_signals(self) -> AbstractContextManager[None]:  # type: ignore[override] # theirs is a generator
        """Signals are those of whoever runs the server."""
        return nullcontext()


_TRIES = 100


def listening_near(host: str, port: int) -> socket.socket:
    """A socket that listens on the first port from `port` upwards that nobody else has. Raises OSError if there is none."""
    for further in range(_TRIES):
        with suppress(OSError):
            return _listening(host, port + further)
    return _listening(host, 0)


def _listening(host: str, port: int) -> socket.socket:
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    return socket.create_server((host, port), family=family, backlog=1024)


@asynccontextmanager
async def served(app: FastAPI, host: str, port: int, trusted: str = _ONLY_HERE) -> AsyncIterator[int]:
    """The application answers on `host` until the end of the block; the port that it listens on, a free one for 0. trusted: the
    proxies in front of it.

    Raises OSError if it cannot listen there.
    """
    async with served_by(app, _listening(host, port), trusted) as taken:
        yield taken


@asynccontextmanager
async def served_by(app: FastAPI, listens: socket.socket, trusted: str = _ONLY_HERE) -> AsyncIterator[int]:
    """The application answers on a socket that listens until the end of the block; its port."""
    with listens as listening:
        # asyncio sets it only where the socket says that it is TCP; without it a head and its body, two writes, wait for each other.
        listening.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        config = uvicorn.Config(
            app,
            lifespan="on",
            log_config=None,
            access_log=False,
            server_header=False,
            proxy_headers=True,
            forwarded_allow_ips=trusted,
            timeout_graceful_shutdown=_PATIENCE,
        )
        server = _Server(config)
        running = asyncio.create_task(server.serve([listening]))
        try:
            yield int(listening.getsockname()[1])
        finally:
            for route in app.routes:
                if isinstance(route, Ends):
                    route.end()
            server.should_exit = True
            await running
