"""Records the histories that the replay tests hold each new version of the workflow against.

    python -m tests.replay.record

Lives those representative journeys that have no files yet on the embedded stack, and writes each run's history to
`tests/replay/histories`. What was recorded stays as it is: every release must replay what earlier ones did. A journey that
shows something new is added beside the old ones, under a name of its own.
"""

from __future__ import annotations

import asyncio
import copy
import json
import tempfile
from collections.abc import Awaitable, Callable
from datetime import timedelta
from pathlib import Path
from typing import Any

from temporalio.client import Client, WorkflowUpdateFailedError

from activities.catalogue.catalogue import save_catalogue, save_price_book
from activities.kernel.clock import present
from activities.kernel.pool import open_pool
from domain.kernel.ids import journey_id
from domain.orders.order import read_order
from gateway.client import PerennialClient
from gateway.connection import connect
from tests.activities.channels.fake_provisioning import Behaviour
from tests.builders import goods_order, order
from tests.conftest import Servers
from tests.e2e.lives import account_of, onboard, place, report_usage, settled
from tests.e2e.outages import Outside, outside
from tests.webhook_receiver import Receiver
from tests.workflows.quotes.test_quotes import BOOK, CATALOGUE, CRM, NOW, asked, sale
from tests.workflows.service_side import open_case, resolve_case
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
    survey = await world.servers.pool.fetchval(
        "select survey_id from survey where account_id = $1 and kind = 'nps'", account
    )
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


async def taken_over_together(world: Outside) -> str:
    """Orders of the past in one request, one of them refused."""
    document = order()
    wrong = goods_order(document, present() - timedelta(days=90))
    wrong["lines"][0]["product"] = "NOBODY-KNOWS-IT"
    orders = [*(goods_order(document, present() - timedelta(days=days)) for days in (120, 60)), wrong]
    await world.client.import_orders(
        [read_order(one) for one in sorted(orders, key=lambda one: str(one["activated_at"]))]
    )
    await world.client.fast_forward(account_of(document), timedelta(days=200))
    return account_of(document)


async def moved_away(world: Outside) -> str:
    """A customer who goes to live elsewhere, and comes back: mornings go along, what ends at an instant stays."""
    document = order()
    account, client = account_of(document), world.client
    await client.place_order(document)
    for zone, days in (("America/New_York", 12), (document["account"]["time_zone"], 30)):
        await client.fast_forward(account, timedelta(days=3))
        await client.ask(account, "change_account", {"time_zone": zone, "reason": "They moved", "by": "S-1"})
        await client.fast_forward(account, timedelta(days=days))
    return account


async def sold_held_and_handed_over(world: Outside) -> str:
    """A quote that somebody approves, an amendment, an offer that waits for a case, units for another customer, and webhooks."""
    servers, client = world.servers, world.client
    async with servers.pool.acquire() as connection, connection.transaction():
        await save_catalogue(connection, CATALOGUE, as_of=NOW)
        await save_price_book(connection, BOOK, as_of=NOW)
    document, taker = order(), order()
    account = account_of(document)
    for one in (document, taker):
        await client.place_order(one)
    await client.fast_forward(account, timedelta(days=45))
    await onboard(client, account)
    case = await open_case(servers, account)
    await report_usage(client, account, 39)
    await client.fast_forward(account, timedelta(days=3))
    await resolve_case(servers, account, case)
    await client.fast_forward(account, timedelta(days=8))
    (offer,) = await servers.pool.fetch("select offer_id from offer where account_id = $1", account)
    await client.ask(account, "answer_offer", {"offer_id": offer["offer_id"], "decision": "decline"})
    quote_id = f"Q-{account}"
    await client.ask(account, "request_quote", asked(quote_id, sale("1", CRM, 10), off="20"))
    await client.ask(account, "approve", {"quote_id": quote_id, "role": "manager", "by": "m-1"})
    await client.ask(account, "accept_quote", {"quote_id": quote_id})
    seats = f"{document['order_id']}.1"
    await client.ask(account, "amend_assets", {"assets": [{"asset_id": seats, "remove": 2}], "by": "s-1"})
    request = {"to_account": account_of(taker), "assets": [{"asset_id": seats, "quantity": 5}], "by": "s-1"}
    await client.ask(account, "transfer_assets", request)
    await client.fast_forward(account, timedelta(days=2))
    return account


async def paused_for_long(world: Outside) -> str:
    """A pause without an end, in which something becomes due, a request moves the agenda, and a run ends."""
    document = order()
    account, client = account_of(document), world.client
    await place(world.servers.temporal, document, start={"roll_over_after_events": 60}, task_queue=world.task_queue)
    await client.fast_forward(account, timedelta(days=3))
    await client.ask(account, "pause", {"reason": "the shop is rebuilt"})
    for task in ("kickoff", "training"):
        await client.ask(account, "complete_task", {"task": task})
    await client.fast_forward(account, timedelta(days=40))
    await client.ask(account, "complete_task", {"task": "first_value"})
    await client.ask(account, "resume", {})
    until = await client.now(account) + timedelta(days=9)
    await client.ask(account, "pause", {"reason": "stocktaking", "until": until.isoformat()})
    await client.fast_forward(account, timedelta(days=15))
    return account


async def delivered_together(world: Outside) -> str:
    """A mail and a notice of one request, first to a server that takes them, then to one that is away for two hours; and two
    invoices of one morning."""
    document = order()
    second = copy.deepcopy(document["contracts"][0])
    second["contract_id"] += "-2"
    second["lines"] = [{"line_id": "4", "product": "CARE", "quantity": 2, "unit_price": "60000", "per": "year"}]
    document["contracts"].append(second)
    account, client = account_of(document), world.client
    await client.place_order(document)
    await settled(world.servers.pool, account)
    for added in (2, 3):
        assets = [{"asset_id": f"{document['order_id']}.1", "add": added}]
        await client.ask(account, "amend_assets", {"assets": assets, "by": "S-2"})
        await client.fast_forward(account, timedelta(hours=2))
        await world.mail_goes_down()
    await world.mail_comes_up()
    await client.ask(account, "retry_deliveries", {"by": "S-2"})
    await settled(world.servers.pool, account)
    await client.fast_forward(account, timedelta(days=40))
    return account


async def one_sitting(world: Outside) -> str:
    """Two requests of one kind at once, whose mails leave as one, and one of another kind right behind them."""
    document = order()
    account, client = account_of(document), world.client
    await client.place_order(document)
    await settled(world.servers.pool, account)
    more = ({"assets": [{"asset_id": f"{document['order_id']}.1", "add": added}], "by": "S-2"} for added in (2, 3))
    hold = {"reason": "they asked for a pause", "by": "S-2"}
    asked = [client.ask(account, "amend_assets", one) for one in more]
    await asyncio.gather(*asked, client.ask(account, "place_hold", hold))
    await settled(world.servers.pool, account)
    return account


JOURNEYS: tuple[Callable[[Outside], Awaitable[str]], ...] = (
    first_half_year,
    renewal_refused,
    goods,
    troubles,
    rollovers,
    refused_order,
    taken_over,
    taken_over_together,
    sold_held_and_handed_over,
    paused_for_long,
    moved_away,
    delivered_together,
    one_sitting,
)
TELLING = frozenset({sold_held_and_handed_over})
"""journeys whose events are told by webhook"""
SECRET = "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw"


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


async def write_histories(temporal: Client, workflow_id: str, folder: Path, name: str) -> None:
    """Writes the runs of a workflow, the first one first, as `NAME-1.json` and so on."""
    found = []
    async for run in temporal.list_workflows(f"WorkflowId = '{workflow_id}'"):
        found.append(await temporal.get_workflow_handle(workflow_id, run_id=run.run_id).fetch_history())
    found.sort(key=lambda history: history.events[0].event_time.ToDatetime())
    for n, history in enumerate(found, start=1):
        text = json.dumps(without_machine(json.loads(history.to_json())), ensure_ascii=False, separators=(",", ":"))
        (folder / f"{name}-{n}.json").write_text(text + "\n", encoding="utf-8")
        print(f"{name}-{n}.json: {len(history.events)} events, {len(text) // 1024} KiB")


async def record(folder: Path) -> None:
    """Writes the histories of the journeys that have none yet."""
    HISTORIES.mkdir(exist_ok=True)
    wanted = [journey for journey in JOURNEYS if not (HISTORIES / f"{journey.__name__}-1.json").exists()]
    async with EmbeddedStack(folder / "stack", SEARCH_ATTRIBUTES, keep=False) as stack:
        await migrate(stack.postgres_dsn)
        temporal, pool = await connect(stack.temporal_address), await open_pool(stack.postgres_dsn)
        for journey in wanted:
            with Receiver(SECRET) as receiver:
                told = {"webhook_url": receiver.url, "webhook_secret": SECRET} if journey in TELLING else {}
                settings = Settings.model_validate({"database_url": stack.postgres_dsn, **told})
                servers = Servers(stack, temporal, pool, settings, PerennialClient(temporal, pool))
                await _record_one(journey, servers, folder / journey.__name__)
        await pool.close()


async def _record_one(journey: Callable[[Outside], Awaitable[str]], servers: Servers, folder: Path) -> None:
    async with outside(servers, folder) as world:
        account = await journey(world)
        await settled(servers.pool, account)
        await write_histories(servers.temporal, journey_id(account), HISTORIES, journey.__name__)


if __name__ == "__main__":
    with tempfile.TemporaryDirectory(prefix="perennial-record-") as place_for_it:
        asyncio.run(record(Path(place_for_it)))
