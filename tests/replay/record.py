"""Records the histories that the replay tests hold each new version of the workflow against.

    python -m tests.replay.record

Lives a few representative journeys on the embedded stack and writes each run's history to `tests/replay/histories`. Needed
when a release changes what the workflow does on purpose; the histories of journeys that still run then need a patch
(`workflow.patched`), and their old files stay.
"""

from __future__ import annotations

import asyncio
import json
import tempfile
from collections.abc import Awaitable, Callable
from datetime import timedelta
from pathlib import Path
from typing import Any

from temporalio.client import WorkflowHistory, WorkflowUpdateFailedError

from activities.store.pool import open_pool
from gateway.client import PerennialClient, journey_id
from gateway.connection import connect
from tests.activities.channels.fake_provisioning import Behaviour
from tests.builders import goods_order, order
from tests.conftest import Servers
from tests.e2e.lives import account_of, onboard, place, report_usage, settled
from tests.e2e.outages import Outside, outside
from workers.embedded.stack import EmbeddedStack
from workers.migrating import migrate
from workers.settings import Settings
from workflows.visibility import SEARCH_ATTRIBUTES

HISTORIES = Path(__file__).parent / "histories"


async def first_half_year(world: Outside) -> str:
    """Onboarding with a late task, usage that falls and recovers, an offer accepted, a survey answered."""
    document = order()
    account, client = account_of(document), world.client
    await client.place_order(document)
    await client.fast_forward(account, timedelta(days=12))  # the kickoff is late
    await client.ask(account, "complete_task", {"task": "kickoff", "request_id": "crm-1"})
    await client.fast_forward(account, timedelta(days=30))
    for task in ("training", "first_value", "go_live"):
        await client.ask(account, "complete_task", {"task": task})
    for users, days in ((8, 30), (30, 28), (39, 7)):
        await report_usage(client, account, users)
        await client.fast_forward(account, timedelta(days=days))
    for offer in await world.servers.pool.fetch("select offer_id from offer where account_id = $1", account):
        await client.ask(account, "answer_offer", {"offer_id": offer["offer_id"], "decision": "accept"})
    survey = await world.servers.pool.fetchval("select survey_id from survey where account_id = $1", account)
    await client.ask(account, "answer_survey", {"survey_id": survey, "score": 9})
    await client.fast_forward(account, timedelta(days=20))
    return account


async def renewal_refused(world: Outside) -> str:
    """Notices, a quote, a refused renewal, the end of the contract, and the end of the journey by an operator."""
    document = order()
    document["contracts"][0]["term"]["months"] = 4
    account, client = account_of(document), world.client
    await client.place_order(document)
    await onboard(client, account)
    await client.fast_forward(account, timedelta(days=100))
    contract = document["contracts"][0]["contract_id"]
    await client.ask(account, "answer_renewal", {"contract_id": contract, "decision": "decline", "reason": "price"})
    await client.fast_forward(account, timedelta(days=80))
    await client.ask(account, "close_journey", {"reason": "gone"})
    return account


async def goods(world: Outside) -> str:
    """Orders in a rhythm that breaks off."""
    first = order(contracts=[], lines=[{"line_id": "1", "product": "BEANS", "quantity": 9, "unit_price": "900"}])
    first["account"]["segment"] = "wholesale"
    account, client = account_of(first), world.client
    await client.place_order(first)
    for days in (30, 25):
        now = await client.fast_forward(account, timedelta(days=days))
        await client.place_order(goods_order(first, now))
    await client.fast_forward(account, timedelta(days=90))
    return account


async def troubles(world: Outside) -> str:
    """A dead mail server, nonsense from provisioning, signals nobody understands, a pause that ends by itself, a refused address."""
    document = order(contacts=[{"contact_id": "P-1", "name": "Nobody", "email": "nobody@customer.example"}])
    account, client = account_of(document), world.client
    world.provisioning.behaviour = Behaviour.NOT_JSON
    await world.mail_goes_down()
    await client.place_order(document)
    await client.fast_forward(account, timedelta(days=5))
    await world.mail_comes_up()
    await client.fast_forward(account, timedelta(hours=7))
    handle = world.servers.handle(account)
    await handle.signal("party", args=[])
    await handle.signal("usage_changed", {"id": 1})
    world.provisioning.behaviour = Behaviour.RIGHT
    await client.ask(account, "resume", {})
    until = await client.now(account) + timedelta(days=9)
    await client.ask(account, "pause", {"reason": "the office moves", "until": until.isoformat()})
    await client.fast_forward(account, timedelta(days=15))
    return account


async def rollovers(world: Outside) -> str:
    """Several runs, with a renewal by itself and a message on each side of a boundary."""
    document = order()
    document["contracts"][0].update(auto_renew=True)
    document["contracts"][0]["term"]["months"] = 4
    account, client = account_of(document), world.client
    await place(world.servers.temporal, document, start={"roll_over_after_events": 70}, task_queue=world.task_queue)
    await onboard(client, account)
    for _ in range(5):
        await client.fast_forward(account, timedelta(days=30))
        await client.ask(account, "pause", {"reason": "stocktaking"})
        await client.ask(account, "resume", {})
    return account


async def refused_order(world: Outside) -> str:
    """A first order that the facts refuse: its journey ends at once."""
    document = order()
    document["account"]["segment"] = "galactic"
    try:
        await place(world.servers.temporal, document, task_queue=world.task_queue)
    except WorkflowUpdateFailedError:
        return account_of(document)
    raise AssertionError("the order should have been refused")


async def taken_over(world: Outside) -> str:
    """An order of the past."""
    document = order()
    document["activated_at"] = "2025-04-01T03:00:00Z"
    document["contracts"][0]["term"] = {"start": "2025-05-01", "months": 24}
    await world.client.import_order(document)
    await world.client.fast_forward(account_of(document), timedelta(days=40))
    return account_of(document)


JOURNEYS: tuple[Callable[[Outside], Awaitable[str]], ...] = (
    first_half_year,
    renewal_refused,
    goods,
    troubles,
    rollovers,
    refused_order,
    taken_over,
)


def without_machine(value: Any) -> Any:
    """A history without the names of the processes, the host and the folders that made it."""
    if isinstance(value, list):
        return [without_machine(item) for item in value]
    if not isinstance(value, dict):
        return value
    if value.get("kind") == "TASK_QUEUE_KIND_STICKY":
        return {**value, "name": "sticky"}
    kept = {key: item for key, item in value.items() if key != "stackTrace"}
    return {key: "worker" if key == "identity" else without_machine(item) for key, item in kept.items()}


async def histories_of(world: Outside, account: str) -> list[WorkflowHistory]:
    """The runs of a journey, the first one first."""
    found = []
    async for run in world.servers.temporal.list_workflows(f"WorkflowId = '{journey_id(account)}'"):
        handle = world.servers.temporal.get_workflow_handle(journey_id(account), run_id=run.run_id)
        found.append(await handle.fetch_history())
    return sorted(found, key=lambda history: history.events[0].event_time.ToDatetime())


async def record(folder: Path) -> None:
    """Writes the histories of all journeys."""
    for old in HISTORIES.glob("*.json"):
        old.unlink()
    HISTORIES.mkdir(exist_ok=True)
    async with EmbeddedStack(folder / "stack", SEARCH_ATTRIBUTES, keep=False) as stack:
        await migrate(stack.postgres_dsn)
        temporal, pool = await connect(stack.temporal_address), await open_pool(stack.postgres_dsn)
        settings = Settings.model_validate({"database_url": stack.postgres_dsn})
        servers = Servers(stack, temporal, pool, settings, PerennialClient(temporal, pool))
        for journey in JOURNEYS:
            async with outside(servers, folder / journey.__name__) as world:
                account = await journey(world)
                await settled(pool, account)
                for n, history in enumerate(await histories_of(world, account), start=1):
                    path = HISTORIES / f"{journey.__name__}-{n}.json"
                    document = without_machine(json.loads(history.to_json()))
                    text = json.dumps(document, ensure_ascii=False, separators=(",", ":"))
                    path.write_text(text + "\n", encoding="utf-8")
                    print(f"{path.name}: {len(history.events)} events, {len(text) // 1024} KiB")
        await pool.close()


if __name__ == "__main__":
    with tempfile.TemporaryDirectory(prefix="perennial-record-") as place_for_it:
        asyncio.run(record(Path(place_for_it)))
