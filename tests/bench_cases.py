"""What a case costs, measured on a stack of its own: `python -m tests.bench_cases`. Prints; asserts nothing."""

from __future__ import annotations

import asyncio
import tempfile
from collections import Counter
from datetime import timedelta
from pathlib import Path
from typing import Any

from rich.console import Console
from rich.table import Table
from temporalio.api.enums.v1 import EventType

from activities.kernel.pool import open_pool
from gateway.client import PerennialClient
from gateway.connection import connect
from tests.bench import billable, histories_of
from tests.cases import case, case_client, customer, staffed
from tests.conftest import Servers
from workers.embedded.stack import EmbeddedStack
from workers.migrating import migrate
from workers.settings import Settings
from workers.wiring import build_worker
from workflows.visibility import SEARCH_ATTRIBUTES

TOLD = EventType.EVENT_TYPE_SIGNAL_EXTERNAL_WORKFLOW_EXECUTION_INITIATED
"""A signal that a case sends counts for the case; the journey's own event of it counts for the journey."""


async def ordinary_case(servers: Servers) -> str:
    """A case with ordinary traffic: three replies, one pause, resolved, asked, closed. Served around the clock, so that it is
    the same on every day of the year."""
    client, document = case_client(servers), await customer(servers, segment="enterprise")
    team = await staffed(servers, "AG-1")
    opened = await client.open_case(case(document, team=team))

    async def later(**by: float) -> None:
        await client.fast_forward(opened.case_id, timedelta(**by))

    async def reply(body: str) -> None:
        await client.ask(opened.case_id, "respond", {"body": body, "by": "AG-1"})

    await later(minutes=40)
    await reply("Which model is it?")
    await client.ask(opened.case_id, "wait", {"reason": "the model's name", "by": "AG-1"})
    await later(hours=3)
    await client.customer_message(opened.case_id, {"body": "A T-1000."})
    await later(minutes=30)
    await reply("Please hold its button for ten seconds.")
    await later(hours=1)
    await reply("A new one is on its way.")
    await later(hours=8)
    await client.ask(opened.case_id, "resolve", {"code": "replaced", "text": "You have a new one.", "by": "AG-1"})
    await later(days=6)
    await servers.temporal.get_workflow_handle(f"case-{opened.case_id}").result()
    return opened.case_id


async def cost(servers: Servers, case_id: str) -> tuple[int, int, Counter[str]]:
    """Billable actions by the published rules, events, and how many of each kind."""
    runs = await histories_of(servers.temporal, f"case-{case_id}")
    events: list[Any] = [event for run in runs for event in run]
    names = Counter(EventType.Name(event.event_type).removeprefix("EVENT_TYPE_").lower() for event in events)
    return sum(billable(event) + (event.event_type == TOLD) for event in events), len(events), names


async def measure(folder: Path) -> None:
    """Lives an ordinary case and prints what it cost."""
    table = Table("figure", "measured", "to reach")
    async with EmbeddedStack(folder, SEARCH_ATTRIBUTES, keep=False) as stack:
        await migrate(stack.postgres_dsn)
        temporal, pool = await connect(stack.temporal_address), await open_pool(stack.postgres_dsn)
        settings = Settings.model_validate(
            {"database_url": stack.postgres_dsn, "smtp_host": stack.smtp_host, "smtp_port": stack.smtp_port}
        )
        async with build_worker(temporal, pool, settings):
            servers = Servers(stack, temporal, pool, settings, PerennialClient(temporal, pool))
            case_id = await ordinary_case(servers)
            actions, events, names = await cost(servers, case_id)
            histories = await histories_of(temporal, f"case-{case_id}")
        await pool.close()
        console = Console()
        table.add_row("actions of a case with ordinary traffic", str(actions), "45")
        table.add_row("events of its history", str(events), "180")
        size = sum(event.ByteSize() for run in histories for event in run)
        table.add_row("bytes of its history", f"{size / 1000:.1f} kB", "")
        console.print(table)
        for name, count in names.most_common():
            console.print(f"{count:5} {name}")


if __name__ == "__main__":
    with tempfile.TemporaryDirectory(prefix="perennial-bench-cases-") as place:
        asyncio.run(measure(Path(place)))
