"""A database of a test's own on the shared server, for tests that count everything or damage something."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass

import asyncpg

from activities.store.pool import Pool, open_pool
from workers.embedded.stack import EmbeddedStack

TEMPLATE = "schema_of_tests"


@dataclass(frozen=True)
class OwnDatabase:
    """An empty database with the schema."""

    dsn: str
    pool: Pool


async def keep_template(stack: EmbeddedStack) -> None:
    """A copy of the stack's own database, migrated and still empty: others are made from it in a moment."""
    elsewhere = await asyncpg.connect(stack.postgres_dsn.rpartition("/")[0] + "/postgres")
    try:
        await elsewhere.execute(f'create database "{TEMPLATE}" template "{stack.postgres_dsn.rpartition("/")[2]}"')
    finally:
        await elsewhere.close()


@asynccontextmanager
async def own_database(stack: EmbeddedStack, name: str) -> AsyncIterator[OwnDatabase]:
    """Made for the block, dropped after it."""
    dsn = stack.postgres_dsn.rpartition("/")[0] + f"/{name}"
    server = await asyncpg.connect(stack.postgres_dsn)
    await server.execute(f'create database "{name}" template "{TEMPLATE}"')
    try:
        pool = await open_pool(dsn)
        try:
            yield OwnDatabase(dsn, pool)
        finally:
            await pool.close()
    finally:
        await server.execute(f'drop database "{name}" with (force)')
        await server.close()
