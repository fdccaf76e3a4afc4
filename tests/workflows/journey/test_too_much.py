"""What is too much at once: refused in words, done beside everybody else, or set aside where people see it; never tried in silence."""

from __future__ import annotations

import asyncio
import os
import threading
from datetime import timedelta
from typing import Any

import pytest

from activities.frame import customers, errors
from activities.kernel.pool import Connection
from domain.frame.customer import Customer
from domain.journey import activation
from domain.kernel.refusals import Refusal
from gateway.client import PerennialClient
from tests.asset_life import Life
from tests.builders import order
from tests.conftest import Servers
from tests.e2e.lives import account_of, attention_of, rows_at_rest, rows_of, until
from workers.documents import DOCUMENTS
from workers.wiring import build_worker
from workflows import calls


def large(contracts: int, lines: int, purchases: int = 0) -> dict[str, Any]:
    """An order with so many contracts of so many lines, and so many purchases."""
    document = order()
    first = document["contracts"][0]
    document["contracts"] = [
        {
            **first,
            "contract_id": f"{first['contract_id']}-{k}",
            "lines": [
                {"line_id": f"{k}-{n}", "product": "SEATS", "quantity": 1, "unit_price": "100"} for n in range(lines)
            ],
        }
        for k in range(contracts)
    ]
    document["lines"] = [
        {"line_id": f"p-{n}", "product": "TERMINAL", "quantity": 1, "unit_price": "9"} for n in range(purchases)
    ]
    return document


@pytest.mark.parametrize(
    ("contracts", "lines", "purchases"), [(2, 501, 0), (1, 1000, 1), (5, 1000, 0), (1, 1, 1000), (200, 6, 0)]
)
async def test_more_lines_than_go_into_one_order_are_refused_with_the_limit_in_words(
    servers: Servers, contracts: int, lines: int, purchases: int
) -> None:
    document = large(contracts, lines, purchases)
    with pytest.raises(Refusal, match=r"has \d,\d+ lines; at most 1,000 go into one: split it into several"):
        await servers.client.place_order(document)
    assert await rows_of(servers.pool, account_of(document)) == {}


@pytest.mark.engine
async def test_a_setting_lowers_the_limit(servers: Servers) -> None:
    settings = servers.settings.model_copy(update={"order_lines": 3, "task_queue": f"few-{os.getpid()}"})
    document = large(1, 4)
    async with build_worker(servers.temporal, servers.pool, settings):
        client = PerennialClient(servers.temporal, servers.pool, task_queue=settings.task_queue)
        with pytest.raises(Refusal, match="has 4 lines; at most 3 go into one"):
            await client.place_order(document)


def test_the_schema_says_the_limit() -> None:
    assert "at most 1,000 lines, contracts included" in DOCUMENTS["order"].model_json_schema()["description"]


async def test_as_many_lines_as_go_into_one_order_are_accepted_and_live(servers: Servers) -> None:
    document = large(4, 200, 200)
    answer = await servers.client.place_order(document)
    assert len(answer.assets) == 1000
    assert (await servers.client.place_order(document)) == answer
    contract = document["contracts"][1]["contract_id"]
    told = await servers.client.ask(account_of(document), "cancel_assets", {"contract_id": contract})
    assert len(told["assets"]) == 200
    assert await attention_of(servers.temporal, account_of(document)) == []


@pytest.mark.engine
async def test_while_one_customers_order_is_computed_others_are_served(
    servers: Servers, monkeypatch: pytest.MonkeyPatch
) -> None:
    """By the same worker: the large order's decision goes on only once another customer's order was answered."""
    accept, small_is_done, began = activation.accept, threading.Event(), threading.Event()
    slow = large(1, 100)
    await servers.client.place_order(order())  # the first of a database writes its playbook down, on which others wait

    def held(situation: Any, *args: Any, **kwargs: Any) -> Any:
        if situation.customer.account.account_id == account_of(slow):
            began.set()
            assert small_is_done.wait(30), "nobody else was served meanwhile"
        return accept(situation, *args, **kwargs)

    monkeypatch.setattr(activation, "accept", held)
    monkeypatch.setattr(calls, "STEP_TIMEOUT", timedelta(seconds=40))
    large_order = asyncio.create_task(servers.client.place_order(slow))
    await asyncio.to_thread(began.wait, 20)
    await servers.client.place_order(order())
    assert not large_order.done()
    small_is_done.set()
    assert len((await large_order).assets) == 100


@pytest.mark.engine
async def test_what_is_not_done_in_its_time_is_set_aside_and_everything_else_goes_on(
    servers: Servers, monkeypatch: pytest.MonkeyPatch
) -> None:
    life, other = await Life.begin(servers), await Life.begin(servers)
    before = await rows_at_rest(servers.temporal, servers.pool, life.account)
    load, slow = customers.load_customer_and, {life.account}

    async def slowly(connection: Connection, account_id: str, *how: Any) -> tuple[Customer | None, Any]:
        if account_id in slow:
            await asyncio.sleep(60)
        return await load(connection, account_id, *how)

    monkeypatch.setattr(customers, "load_customer_and", slowly)
    monkeypatch.setattr(calls, "STEP_TIMEOUT", timedelta(seconds=2))
    monkeypatch.setattr(errors, "PATIENT_ATTEMPTS", 2)
    with pytest.raises(Refusal, match=r"not done in 1 seconds, 2 times.*nothing was changed") as told:
        await life.ask("amend_assets", assets=[{"asset_id": life.seats, "add": 1}])
    assert told.value.type == "TookTooLong"
    assert await rows_of(servers.pool, life.account) == before

    await other.ask("amend_assets", assets=[{"asset_id": other.seats, "add": 1}])
    forward = asyncio.create_task(life.reach(life.day(3)))

    async def seen() -> bool:
        return "parked" in await attention_of(servers.temporal, life.account)

    await until(seen, "the step is set aside")
    slow.clear()
    await forward
    assert "not done in 1 seconds, 2 times" in await servers.client.briefing(life.account)
    await life.ask("resume", by="operator")
    await life.reach(life.day(3) + timedelta(days=1))
    assert "parked" not in await attention_of(servers.temporal, life.account)
    await life.check()
