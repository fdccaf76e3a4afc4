"""Signs of life of activities that wait long for somebody else: a worker that died is noticed soon, one that waits is not."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from temporalio import activity

BEAT_SECONDS = 3.0


@asynccontextmanager
async def heartbeats() -> AsyncIterator[None]:
    """While the block takes, Temporal hears that somebody still works on it."""
    beating = asyncio.create_task(_beat())
    try:
        yield
    finally:
        beating.cancel()


async def _beat() -> None:
    while True:
        await asyncio.sleep(BEAT_SECONDS)
        activity.heartbeat()
