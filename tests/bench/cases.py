"""What a case with ordinary traffic costs."""

from __future__ import annotations

from collections import Counter
from collections.abc import AsyncIterator
from datetime import timedelta

from temporalio.api.enums.v1 import EventType

from tests.bench.history import billable, events_of, kinds
from tests.bench.rows import Row, Size
from tests.bench.stand import stand
from tests.cases import case, case_client, customer, staffed
from tests.conftest import Servers

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
    events = await events_of(servers.temporal, f"case-{case_id}")
    return sum(billable(event) + (event.event_type == TOLD) for event in events), len(events), kinds(events)


async def rows(_: Size) -> AsyncIterator[Row]:
    """Actions, events and bytes of one."""
    async with stand() as place, place.in_process() as servers:
        case_id = await ordinary_case(servers)
        actions, events, names = await cost(servers, case_id)
        size = sum(event.ByteSize() for event in await events_of(servers.temporal, f"case-{case_id}"))
    how = "three replies, one pause, resolved, asked, closed"
    yield Row("actions of a case with ordinary traffic", actions, "", 45, how=how)
    yield Row("events of its history", events, "", 180, how=", ".join(f"{n} {c}" for n, c in names.most_common(6)))
    yield Row("bytes of its history", size / 1000, "kB")
