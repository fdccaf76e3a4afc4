"""What the tables say of a case, and a customer whose promises count at every hour."""

from __future__ import annotations

from typing import Any

from tests.conftest import Servers


async def kinds(servers: Servers, case_id: str) -> list[str]:
    rows = await servers.pool.fetch("select kind from case_event where case_id = $1 order by sequence", case_id)
    return [row["kind"] for row in rows]


async def row_of(servers: Servers, case_id: str) -> Any:
    return await servers.pool.fetchrow("select * from service_case where case_id = $1", case_id)


async def promise(servers: Servers, case_id: str, name: str) -> Any:
    return await servers.pool.fetchrow(
        "select * from case_milestone where case_id = $1 and milestone = $2 order by number desc limit 1", case_id, name
    )


async def templates(servers: Servers, case_id: str) -> list[str]:
    rows = await servers.pool.fetch(
        "select template from case_message where case_id = $1 and template is not null order by number", case_id
    )
    return [row["template"] for row in rows]


async def notices(servers: Servers, case_id: str) -> list[str]:
    """Who was told what: `M late`, the first letter of a staff id and the end of the action's key."""
    rows = await servers.pool.fetch(
        "select staff_id, delivery_id from outbox where stage = $1 and channel = 'deliver_notice' order by delivery_id",
        f"service:{case_id}",
    )
    return [f"{row['staff_id'][0]} {row['delivery_id'].split('#')[0].rsplit('/', 1)[1]}" for row in rows]


ENTERPRISE: dict[str, Any] = {"segment": "enterprise"}
"""Customers whose promises count at every hour: first response within one, resolution within twelve when it is urgent."""
