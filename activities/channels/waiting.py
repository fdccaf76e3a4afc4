"""What is on its way out, over all customers: read only."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from activities.kernel.pool import Connection

Row = dict[str, Any]


async def waiting(connection: Connection, channels: Sequence[str], account_id: str | None = None) -> list[Row]:
    """Rows of the outbox that have not left, the oldest first: delivery_id, account_id, channel, stage, contact_id, staff_id,
    template, created_at, and
    `before`, how often they were tried until it was said that they are late."""
    rows = await connection.fetch(
        "select delivery_id, account_id, channel, stage, contact_id, staff_id, body->>'template' as template, created_at,"
        " tried as before"
        " from outbox where status = 'waiting' and channel = any($1) and ($2::text is null or account_id = $2)"
        " order by created_at, delivery_id limit 1000",
        list(channels),
        account_id,
    )
    return [dict(row) for row in rows]


async def count_waiting(connection: Connection, channels: Sequence[str]) -> int:
    """How many rows of the outbox have not left."""
    return await connection.fetchval(_COUNT, list(channels)) or 0


_COUNT = "select count(*) from outbox where status = 'waiting' and channel = any($1)"
