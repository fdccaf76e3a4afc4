"""Servers that answer too late or never, and that whoever calls them notices in time."""

from __future__ import annotations

import asyncio
import time
from collections.abc import AsyncIterator, Callable, Coroutine, Iterator
from contextlib import asynccontextmanager, contextmanager
from typing import Any

import pytest

from activities.channels.errors import ChannelUnavailableError

Server = Callable[[asyncio.StreamReader, asyncio.StreamWriter], Coroutine[Any, Any, None]]
LONG = 20
"""Seconds; those who wait for their time-outs need a small part of it, on any machine."""


def dripping(says: bytes, first: bytes = b"") -> Server:
    """A server that is always about to go on: each piece alone comes well within any time-out."""

    async def drip(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        writer.write(first)
        try:
            while True:
                writer.write(says)
                await writer.drain()
                await asyncio.sleep(0.05)
        except ConnectionError:
            pass
        finally:
            writer.close()

    return drip


@asynccontextmanager
async def served(server: Server) -> AsyncIterator[int]:
    """The port on loopback where a server listens meanwhile."""
    listening = await asyncio.start_server(server, "127.0.0.1", 0)
    yield listening.sockets[0].getsockname()[1]
    listening.close()


@contextmanager
def unavailable_in_time(match: str | None = None) -> Iterator[None]:
    """What is done in it finds that a server is unavailable, long before that would answer."""
    began = time.monotonic()
    with pytest.raises(ChannelUnavailableError, match=match):
        yield
    assert time.monotonic() - began < LONG
