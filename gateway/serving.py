"""The gateway's server: uvicorn in the loop of whoever runs it, on one address, until the end of the block."""

from __future__ import annotations

import asyncio
import socket
from collections.abc import AsyncIterator
from contextlib import AbstractContextManager, asynccontextmanager, nullcontext

import uvicorn
from fastapi import FastAPI

_PATIENCE = 10
"""Seconds that a call in flight gets to end."""


class _Server(uvicorn.Server):
    def capture_signals(self) -> AbstractContextManager[None]:  # type: ignore[override] # theirs is a generator
        """Signals are those of whoever runs the server."""
        return nullcontext()


@asynccontextmanager
async def served(app: FastAPI, host: str, port: int) -> AsyncIterator[int]:
    """The application answers on `host` until the end of the block; the port that it listens on, a free one for 0.

    Raises OSError if it cannot listen there.
    """
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    with socket.create_server((host, port), family=family, backlog=1024) as listening:
        # asyncio sets it only where the socket says that it is TCP; without it a head and its body, two writes, wait for each other.
        listening.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        config = uvicorn.Config(
            app,
            lifespan="on",
            log_config=None,
            access_log=False,
            server_header=False,
            timeout_graceful_shutdown=_PATIENCE,
        )
        server = _Server(config)
        running = asyncio.create_task(server.serve([listening]))
        try:
            yield int(listening.getsockname()[1])
        finally:
            server.should_exit = True
            await running
