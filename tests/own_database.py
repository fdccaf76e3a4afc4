"""A database of a test's own on the shared server, for tests that count everything or damage something."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass

import asyncpg

from activities.kernel.pool import Pool, open_pool
from workers.embedded.stack import EmbeddedStack

TEMPLATE = "schema_of_tests"


@dataclass(frozen=True)
class OwnDatabase:
    """An empty database with the schema."""

    dsn: str
    pool: Pool


async def keep_template(stack: EmbeddedStack) -> None:
    """A copy of the stack's own database, migrated and still empty: others are made from it in a moment."""
    elsewhere = stack.postgres_dsn.rpartition("/")[0] + "/postgres"
    await _execute(elsewhere, f'create database "{TEMPLATE}" template "{stack.postgres_dsn.rpartition("/")[2]}"')


@asynccontextmanager
async def own_database(stack: EmbeddedStack, name: str) -> AsyncIterator[OwnDatabase]:
    """Made for the block, dropped after it."""
    dsn = stack.postgres_dsn.rpartition("/")[0] + f"/{name}"
    await _execute(stack.postgres_dsn, f'create database "{name}" template "{TEMPLATE}"')
    try:
        pool = await open_pool(dsn)
        try:
            yield OwnDatabase(dsn, pool)
        finally:
            await pool.close()
    finally:
        await _execute(stack.postgres_dsn, f'drop database "{name}" with (force)')


async def _execute(dsn: str, statement: str) -> None:
    """On a connection of its own: tests throw out whoever is connected for long."""
    server = await asyncpg.connect(dsn)
    try:
        await server.execute(statement)
    finally:
        await server.close()
