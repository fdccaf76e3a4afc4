"""Timelines of any length for tests, and what a query on them reads."""

from __future__ import annotations

import json
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

from activities.kernel.pool import Connection
from domain.journey.customer_timeline import TimelineKind

START = datetime(2026, 1, 5, 9, tzinfo=UTC)

_FILL = """
insert into timeline_item (key, account_id, at, kind, title, actor, link, visibility)
select $1 || '/' || n, $1, $2::timestamptz + n * interval '1 minute', ($4::text[])[1 + n % 17],
       'Something happened, number ' || n, 'system', null, (array['customer', 'staff', 'service'])[1 + n % 3]
from generate_series(1, $3::int) n
"""


async def fill(connection: Connection, items: int, account: str) -> str:
    """The account with so many items of all kinds and visibilities, a minute apart, beside a tenth as many of another."""
    kinds = [kind.value for kind in TimelineKind]
    for owner, count in ((account, items), (f"{account}-other", items // 10)):
        await connection.execute(_FILL, owner, START, count, kinds, timeout=120)
    return account


@dataclass(frozen=True)
class Plan:
    """How many rows a query gave and its scans read, what it sorted, and which tables it read from end to end."""

    returned: int
    read: int
    sorts: int
    sequential: tuple[str, ...]


async def explained(connection: Connection, query: str, *args: Any) -> Plan:
    """What `explain analyze` says of a query."""
    text = await connection.fetchval(f"explain (analyze, format json) {query}", *args)
    plan = (json.loads(text) if isinstance(text, str) else text)[0]["Plan"]
    nodes = _nodes(plan)
    scans = [node for node in nodes if "Relation Name" in node]
    read = sum((node["Actual Rows"] + node.get("Rows Removed by Filter", 0)) * node["Actual Loops"] for node in scans)
    return Plan(
        returned=int(plan["Actual Rows"]),
        read=int(read),
        sorts=sum(node["Node Type"] == "Sort" for node in nodes),
        sequential=tuple(node["Relation Name"] for node in scans if node["Node Type"] == "Seq Scan"),
    )


def _nodes(plan: dict[str, Any]) -> list[dict[str, Any]]:
    return [plan, *(node for child in plan.get("Plans", []) for node in _nodes(child))]
