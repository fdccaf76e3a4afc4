"""Orders of the past that come together: one request and one agenda, each order with an answer of its own."""

from __future__ import annotations

import copy
import json
import re
from dataclasses import replace
from datetime import datetime, timedelta
from typing import Any

import pytest
from temporalio.testing import ActivityEnvironment

from activities.frame.unit_of_work import Performer
from activities.journey.taking_over import OrderImports
from activities.kernel.clock import present
from activities.playbooks import FOLDER, read_playbooks
from domain.frame.calls import RequestCall
from domain.journey.agenda import Running
from domain.journey.taking_over import OrderTaken
from domain.kernel.ids import journey_id
from domain.kernel.refusals import Refusal
from domain.orders.order import read_order
from gateway.histories import find_scheduled, remember
from tests.agendas import apart
from tests.builders import goods_order, order
from tests.conftest import Servers
from tests.e2e.lives import account_of, settled


def _of_the_past(days: int) -> datetime:
    return present().replace(microsecond=0) - timedelta(days=days)


def _orders(sold: dict[str, Any] | None = None) -> list[dict[str, Any]]:
    """Goods twice, a contract with a device, and goods again from another country, all of one customer who is not known yet."""
    document = sold or order()
    start = _of_the_past(200)
    contract = {**document["contracts"][0], "term": {"start": f"{start:%Y-%m-%d}", "months": 12}}
    moved = copy.deepcopy(goods_order(document, _of_the_past(20)))
    moved["account"] |= {"country": "DE"}
    return [
        goods_order(document, _of_the_past(400)),
        goods_order(document, _of_the_past(370), 5),
        {**document, "activated_at": start.isoformat(), "contracts": [contract]},
        goods_order(document, _of_the_past(190)),
        moved,
    ]


async def _together(servers: Servers, documents: list[dict[str, Any]]) -> list[OrderTaken]:
    return await servers.client.import_orders([read_order(document) for document in documents])


async def _running(servers: Servers, account: str) -> Running:
    found: Running = await servers.handle(account).query("agenda", result_type=Running)
    return found


_FACTS = {
    "journal": "key, kind, title, at, detail::text",
    "effect": "key",
    "account": "name, country, since, segment",
    "contact": "contact_id, name, email, position",
    "sales_order": "order_id, activated_at, activated_on, sells_goods, imported",
    "contract": "contract_id, order_id, status",
    "asset": "asset_id, product_code, version",
    "onboarding_task": "stage, name, status, due_on",
    "outbox": "delivery_id",
    "timeline_item": "key, kind, title, at",
}


async def _facts(servers: Servers, account: str) -> dict[str, list[str]]:
    """What is on record of an account, by the names of the first of two. A journey that runs also looks at its holds after a move."""
    found = {}
    for table, columns in _FACTS.items():
        rows = await servers.pool.fetch(f"select {columns} from {table} where account_id = $1", account)
        said = (_as_first(repr(tuple(row.values()))) for row in rows)
        found[table] = sorted(one for one in said if "/service/review-" not in one)
    return found


def _twin(documents: list[dict[str, Any]]) -> list[dict[str, Any]]:
    """The same orders of another customer."""
    found: list[dict[str, Any]] = json.loads(re.sub(r"\b(SO|A|K)-(\d+)-", r"\1-\2twin-", json.dumps(documents)))
    return found


def _as_first(said: str) -> str:
    return re.sub(r"\b(SO|A|K)-(\d+)twin-", r"\1-\2-", said)


async def _steps(servers: Servers, account: str) -> list[str]:
    return [_as_first(f"{step.key} {step.on}") for step in (await _running(servers, account)).steps]


async def test_orders_that_come_together_are_what_they_are_one_by_one(servers: Servers) -> None:
    together = _orders()
    one_by_one = _twin(together)
    account, other = account_of(together[0]), account_of(one_by_one[0])
    answers = [await servers.client.import_order(document) for document in one_by_one]

    taken = await _together(servers, together)

    assert not any(one.before or one.refused for one in taken)
    said = [one.answer.having(accepted_at=None).model_dump_json() for one in taken if one.answer]
    assert said == [_as_first(one.having(accepted_at=None).model_dump_json()) for one in answers]
    assert await _facts(servers, account) == await _facts(servers, other)
    assert await _steps(servers, account) == await _steps(servers, other)
    assert await apart(servers, account) == []


async def test_more_orders_of_the_past_change_a_journey_that_runs_as_each_of_them_does(servers: Servers) -> None:
    sold = order()
    first, more = [sold], [goods_order(sold, _of_the_past(days), days) for days in (90, 61, 30)]
    account, other = account_of(sold), account_of(_twin(first)[0])
    for document in (*first, *_twin(first)):
        await servers.client.place_order(document)
        await settled(servers.pool, account_of(document))
    for document in _twin(more):
        await servers.client.import_order(document)

    taken = await _together(servers, more)

    assert [one.refused for one in taken] == [None] * 3
    assert await _steps(servers, account) == await _steps(servers, other)
    assert [key for key in await _steps(servers, account) if key.startswith("reorder/")]
    assert await apart(servers, account) == []


async def test_a_refused_order_refuses_only_itself(servers: Servers) -> None:
    first, second, third = (goods_order(order(), _of_the_past(days)) for days in (90, 60, 30))
    second["lines"][0]["product"] = "NOBODY-KNOWS-IT"
    for document in (second, third):
        document["account"] = first["account"]
    again = {**first, "lines": [{**first["lines"][0], "quantity": 99}]}

    taken = await _together(servers, [first, again, second, third])

    refused = [one.refused.type if one.refused else None for one in taken]
    assert refused == [None, "OrderConflict", "UnknownProduct", None]
    assert taken[2].refused is not None
    assert "lines[0].product" in str(taken[2].refused.refusal())
    kept = await servers.pool.fetch(
        "select order_id from sales_order where account_id = $1 order by activated_at, order_id", account_of(first)
    )
    assert [row["order_id"] for row in kept] == [first["order_id"], third["order_id"]]
    assert await apart(servers, account_of(first)) == []


async def test_if_all_are_refused_nothing_is_begun(servers: Servers) -> None:
    sold = order()
    wrong = [goods_order(sold, _of_the_past(days)) for days in (90, 60)]
    for document in wrong:
        document["lines"][0]["product"] = "NOBODY-KNOWS-IT"

    with pytest.raises(Refusal, match=r"none of the 2 orders can be accepted; the first: .*NOBODY-KNOWS-IT"):
        await _together(servers, wrong)

    found = await servers.pool.fetchval("select count(*) from account where account_id = $1", account_of(sold))
    assert found == 0


async def test_what_is_sent_again_gets_its_first_answers_and_changes_nothing(servers: Servers) -> None:
    documents = _orders()
    account = account_of(documents[0])
    single = await servers.client.import_order(documents[0])
    first = await _together(servers, documents)
    before, steps = await _facts(servers, account), await _steps(servers, account)

    again = await _together(servers, documents)
    alone = await servers.client.import_order(documents[3])

    assert (first[0].before, first[0].answer) == (True, single)
    assert [one.answer for one in again] == [one.answer for one in first]
    assert all(one.before for one in again)
    assert alone == first[3].answer
    assert await _facts(servers, account) == before
    assert await _steps(servers, account) == steps
    assert await apart(servers, account) == []


async def test_an_attempt_whose_answer_was_lost_gets_all_of_it_again(servers: Servers) -> None:
    documents = _orders()
    account = account_of(documents[0])
    imports = OrderImports(Performer(servers.pool, "InfintraBytes"), read_playbooks(FOLDER))
    environment = ActivityEnvironment()
    environment.info = replace(
        environment.info, activity_type="take_over_orders", attempt=2, start_to_close_timeout=timedelta(minutes=5)
    )
    call = RequestCall(
        account_id=account,
        request_id="R-1",
        body={"request_id": "R-1", "orders": documents},
        as_of=present(),
        run="a-run",
        opening=True,
    )

    first = await environment.run(imports.take_over_orders, call)
    again = await environment.run(imports.take_over_orders, call)
    later = await environment.run(imports.take_over_orders, call.having(request_id="R-2", opening=False))

    assert first.plan
    plain = {"plan", "stages", "attention", "deliveries", "account", "done_as", "said"}
    assert again.model_dump(include=plain) == first.model_dump(include=plain)
    assert (later.repeated, later.plan) == (True, [])
    assert later.answer is not None
    assert [one["answer"] for one in later.answer["orders"]] == [
        one["answer"] for one in (first.answer or {})["orders"]
    ]


@pytest.mark.engine
async def test_histories_know_each_of_them(servers: Servers) -> None:
    documents = _orders()
    account = account_of(documents[0])
    documents[1]["lines"][0]["product"] = "NOBODY-KNOWS-IT"
    await _together(servers, documents)

    remembered = await remember(servers.temporal, account)

    accepted = [document["order_id"] for n, document in enumerate(documents) if n != 1]
    assert [act.key for act in remembered.done] == [f"journey:{account}/order:{id}" for id in accepted]
    assert [act.given["body"] for act in remembered.done] == [
        read_order(document).model_dump(mode="json", exclude_unset=True)
        for n, document in enumerate(documents)
        if n != 1
    ]
    assert {act.activity for act in remembered.done} == {"take_over_order"}
    recorded = "select as_of from effect where account_id = $1 and key like '%/order:%' order by as_of, key"
    at = [row["as_of"] for row in await servers.pool.fetch(recorded, account)]
    assert [act.as_of for act in remembered.done] == at
    assert len({*at}) == len(at), "it shows which one was the first"
    key = f"journey:{account}/order:{accepted[2]}"
    found = await find_scheduled(servers.temporal, journey_id(account), key, None)
    assert found is not None
    assert found.given["body"]["order_id"] == accepted[2]
