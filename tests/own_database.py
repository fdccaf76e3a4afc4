"""A database of a test's own on the shared server, for tests that count everything or damage something."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass

import asyncpg

from activities.store.pool import Pool, open_pool
from workers.embedded.stack import EmbeddedStack
from workers.migrating import migrate


@dataclass(frozen=True)
class OwnDatabase:
    """An empty database with the schema."""

    dsn: str
    pool: Pool


@asynccontextmanager
async def own_database(stack: EmbeddedStack, name: str) -> AsyncIterator[OwnDatabase]:
    """Made for the block, dropped after it."""
    dsn = stack.postgres_dsn.rpartition("/")[0] + f"/{name}"
    server = await asyncpg.connect(stack.postgres_dsn)
    await server.execute(f'create database "{name}"')
    try:
        await migrate(dsn)
        pool = await open_pool(dsn)
        try:
            yield OwnDatabase(dsn, pool)
        finally:
            await pool.close()
    finally:
        await server.execute(f'drop database "{name}" with (force)')
        await server.close()
