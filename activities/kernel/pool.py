"""The connection pool, as every process that reads or writes facts makes it."""

from __future__ import annotations

import json
from typing import Any, TypeAlias

import asyncpg

Pool: TypeAlias = "asyncpg.Pool[asyncpg.Record]"
Connection: TypeAlias = "asyncpg.Connection[asyncpg.Record] | asyncpg.pool.PoolConnectionProxy[asyncpg.Record]"
Record: TypeAlias = asyncpg.Record

TRANSPORT_ERRORS: tuple[type[BaseException], ...] = (
    OSError,
    TimeoutError,
    asyncpg.PostgresConnectionError,
    asyncpg.InterfaceError,
    asyncpg.InternalClientError,  # what the driver makes of a connection that breaks in the middle of a statement
    asyncpg.OperatorInterventionError,
    asyncpg.InsufficientResourcesError,
    asyncpg.TransactionRollbackError,
    asyncpg.ObjectNotInPrerequisiteStateError,
    asyncpg.ReadOnlySQLTransactionError,
    asyncpg.InvalidAuthorizationSpecificationError,
    asyncpg.InvalidCatalogNameError,
)
"""What another attempt may find mended: the server is away, starting or full, a transaction has to be tried again; a standby
that cannot be written yet, a password on its way to everybody, a database that is being restored."""


_JSONB_VERSION = b"\x01"


def _dumps(value: Any) -> bytes:
    return _JSONB_VERSION + json.dumps(value, ensure_ascii=False, separators=(",", ":")).encode()


def _loads(value: bytes) -> Any:
    return json.loads(value[len(_JSONB_VERSION) :])


async def _prepare(connection: Connection) -> None:
    # Binary, because COPY takes nothing else.
    await connection.set_type_codec("jsonb", encoder=_dumps, decoder=_loads, schema="pg_catalog", format="binary")


async def _nothing_to_reset(_: Connection) -> None:
    """Nothing of ours outlives its transaction: settings are `set local`, locks `xact`, temporary tables `on commit drop`. So a
    connection goes back without asking the server. A transaction that is still open is ended by the driver."""


async def open_pool(dsn: str, *, pooled: bool = False, size: int = 10) -> Pool:
    """A pool of at most `size` connections on `dsn`; a statement may take 20 seconds. It connects at the first use, and remembers what it
    has prepared, the longest statements as well.

    pooled: a pooler stands between, which gives another session to each transaction: no statement keeps a name there.
    """
    return await asyncpg.create_pool(
        dsn,
        min_size=0,
        max_size=size,
        init=_prepare,
        reset=_nothing_to_reset,
        command_timeout=20,
        statement_cache_size=0 if pooled else 200,
        max_cacheable_statement_size=1 << 16,
    )
