"""The door for orders: what is accepted has its effect once, what is refused leaves nothing behind."""

from __future__ import annotations

import asyncio
import copy
from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pytest
from temporalio.client import WorkflowExecutionStatus, WorkflowUpdateFailedError
from temporalio.exceptions import ApplicationError

from domain.kernel.refusals import Refusal
from tests.builders import goods_order, order
from tests.conftest import Servers
from tests.e2e.lives import account_of, ended, place, rows_at_rest, rows_of, run_id, settled, steps_of

pytestmark = pytest.mark.engine  # orders that meet at the server


async def effect_of(servers: Servers, order_id: str) -> tuple[int, int, int]:
    """How often an order is on record: as an order, as an effect, and as a line of the journal."""
    count = servers.pool.fetchval
    return (
        await count("select count(*) from sales_order where order_id = $1", order_id),
        await count("select count(*) from effect where key like '%/order:' || $1", order_id),
        await count("select count(*) from journal where key like '%/order:' || $1", order_id),
    )


async def test_the_first_order_starts_the_journey_and_later_ones_join_it(servers: Servers) -> None:
    first = order()
    account = account_of(first)
    answer = await servers.client.place_order(first)
    assert (answer.order_id, answer.account_id) == (first["order_id"], account)
    assert answer.contracts == [first["contracts"][0]["contract_id"]]
    assert sorted(answer.assets) == [f"{first['order_id']}.{line}" for line in "123"]
    began = await run_id(servers.temporal, account)
    second = goods_order(first, answer.accepted_at)
    joined = await servers.client.place_order(second)
    assert joined.order_id == second["order_id"]
    assert await run_id(servers.temporal, account) == began
    orders = await servers.pool.fetch("select order_id from sales_order where account_id = $1", account)
    assert {row["order_id"] for row in orders} == {first["order_id"], second["order_id"]}
    open_stages = await servers.pool.fetch(
        "select distinct stage from onboarding_task where account_id = $1 and status = 'open'", account
    )
    assert f"onboarding:{first['order_id']}" in {row["stage"] for row in open_stages}


async def test_a_repeated_order_gets_its_first_answer_also_after_a_rollover(servers: Servers) -> None:
    document = order()
    account = account_of(document)
    first = await place(servers.temporal, document, start={"roll_over_after_events": 30})
    began = await run_id(servers.temporal, account)
    assert (await servers.client.place_order(document)).model_dump(mode="json") == first
    await servers.client.fast_forward(account, timedelta(days=30))
    assert await run_id(servers.temporal, account) != began
    await settled(servers.pool, account)
    before = await rows_at_rest(servers.temporal, servers.pool, account)
    again = await servers.client.place_order(document)
    assert again.model_dump(mode="json") == first
    assert await rows_of(servers.pool, account) == before
    changed = copy.deepcopy(document)
    changed["contracts"][0]["lines"][0]["quantity"] = 41
    with pytest.raises(Refusal, match="other content") as refused:
        await servers.client.place_order(changed)
    assert refused.value.type == "OrderConflict"
    await servers.client.fast_forward(account, timedelta(days=2))
    assert await effect_of(servers, document["order_id"]) == (1, 1, 1)
    welcomes = [row for row in await servers.journal(account) if row["key"].endswith("/welcome")]
    assert len(welcomes) == 1


async def test_equal_content_in_other_spelling_is_the_same_order(servers: Servers) -> None:
    document = order()
    first = await servers.client.place_order(document)
    spelt = copy.deepcopy(document)
    spelt["contracts"][0]["lines"][0]["unit_price"] = "1200.00"
    spelt["account"]["segment"] = "standard"
    assert await servers.client.place_order(dict(reversed(spelt.items()))) == first
    assert await effect_of(servers, document["order_id"]) == (1, 1, 1)


async def test_an_order_id_used_again_with_other_content_is_refused_and_nothing_is_written(servers: Servers) -> None:
    document = order()
    account = account_of(document)
    await servers.client.place_order(document)
    await servers.client.fast_forward(account, timedelta(minutes=1))  # the welcome is out
    await settled(servers.pool, account)
    before = await rows_at_rest(servers.temporal, servers.pool, account)
    changed = copy.deepcopy(document)
    changed["contracts"][0]["lines"][0]["unit_price"] = "1100"
    changed["products"].append({"code": f"NEW-{account}", "name": "New", "kind": "goods"})
    with pytest.raises(Refusal, match="nothing was changed") as refused:
        await servers.client.place_order(changed)
    assert refused.value.type == "OrderConflict"
    assert document["order_id"] in str(refused.value)
    assert await rows_of(servers.pool, account) == before
    assert not await servers.pool.fetchval("select count(*) from product where code = $1", f"NEW-{account}")
    price = await servers.pool.fetchval(
        "select unit_price from order_line where order_id = $1 and line_id = '1'", document["order_id"]
    )
    assert price == 1200


async def test_an_order_id_of_another_account_is_refused_and_its_journey_ends(servers: Servers) -> None:
    document = order()
    await servers.client.place_order(document)
    other = order(order_id=document["order_id"])
    with pytest.raises(Refusal, match=f"by account {account_of(document)}") as refused:
        await servers.client.place_order(other)
    assert refused.value.type == "OrderConflict"
    assert await ended(servers.temporal, f"journey-{account_of(other)}") is WorkflowExecutionStatus.COMPLETED
    assert await rows_of(servers.pool, account_of(other)) == {}
    assert await effect_of(servers, document["order_id"]) == (1, 1, 1)


def set_in(path: str, value: Any) -> Callable[[dict[str, Any]], None]:
    """A change of one place of a document: `contracts.0.lines.0.quantity`."""

    def change(document: dict[str, Any]) -> None:
        *parents, last = [int(part) if part.isdigit() else part for part in path.split(".")]
        place: Any = document
        for part in parents:
            place = place[part]
        if value is ...:
            del place[last]
        else:
            place[last] = value

    return change


SEATS = "contracts.0.lines.0"
REFUSED: list[tuple[str, Callable[[dict[str, Any]], None], str, str, str]] = [
    (
        "unknown product",
        set_in(f"{SEATS}.product", "SEATZ"),
        "UnknownProduct",
        "contracts[0].lines[0].product",
        "did you mean SEATS",
    ),
    ("unknown segment", set_in("account.segment", "galactic"), "InvalidOrder", "account.segment", "standard"),
    ("unknown currency", set_in("currency", "XXQ"), "InvalidOrder", "currency", "XXQ"),
    ("negative seats", set_in(f"{SEATS}.quantity", -3), "InvalidOrder", "contracts[0].lines[0].quantity", "at least 1"),
    ("no seats", set_in(f"{SEATS}.quantity", 0), "InvalidOrder", "contracts[0].lines[0].quantity", "at least 1"),
    ("fractional seats", set_in(f"{SEATS}.quantity", 2.5), "InvalidOrder", "contracts[0].lines[0].quantity", "whole"),
    (
        "term ends before it starts",
        set_in("contracts.0.term", {"start": "2027-03-01", "end": "2027-02-28"}),
        "InvalidOrder",
        "contracts[0].term",
        "on or after its start",
    ),
    ("no contacts", set_in("contacts", []), "InvalidOrder", "contacts", "at least 1"),
    ("contacts missing", set_in("contacts", ...), "InvalidOrder", "contacts", "is missing"),
    (
        "malformed address",
        set_in("contacts.0.email", "aoi at customer"),
        "InvalidOrder",
        "contacts[0].email",
        "name@company.example",
    ),
    ("contact without a name", set_in("contacts.0.name", ""), "InvalidOrder", "contacts[0].name", "at least 1"),
    ("misspelt field", set_in("contactz", []), "InvalidOrder", "contactz", "check its spelling"),
    ("zone of nowhere", set_in("account.time_zone", "Mars/Olympus"), "InvalidOrder", "account.time_zone", "Mars"),
    ("device in a contract", set_in(f"{SEATS}.product", "TERMINAL"), "InvalidOrder", "lines[0].product", "own lines"),
]


@pytest.mark.parametrize(
    ("spoil", "type", "field", "says"), [case[1:] for case in REFUSED], ids=[c[0] for c in REFUSED]
)
async def test_a_refused_first_order_leaves_no_fact_and_its_journey_ends_at_once(
    servers: Servers, spoil: Callable[[dict[str, Any]], None], type: str, field: str, says: str
) -> None:
    document = order()
    account = account_of(document)
    document["products"].append({"code": f"NEW-{account}", "name": "New", "kind": "goods"})
    spoil(document)
    with pytest.raises(Refusal) as by_client:
        await servers.client.place_order(document)
    with pytest.raises(WorkflowUpdateFailedError) as by_service:
        await place(servers.temporal, document)
    assert await ended(servers.temporal, f"journey-{account}") is WorkflowExecutionStatus.COMPLETED
    assert await rows_of(servers.pool, account) == {}
    assert not await servers.pool.fetchval("select count(*) from product where code = $1", f"NEW-{account}")
    cause = by_service.value.cause
    assert isinstance(cause, ApplicationError)
    assert by_client.value.type == cause.type == type
    assert str(by_client.value) == cause.message
    problems = {problem.field: problem.problem for problem in by_client.value.problems}
    assert [name for name in problems if name.endswith(field)], problems
    assert says in str(by_client.value)
    assert cause.details[0] == [problem.model_dump() for problem in by_client.value.problems]


async def test_a_contract_id_that_is_taken_is_refused(servers: Servers) -> None:
    first, second = order(), order()
    await servers.client.place_order(first)
    second["contracts"][0]["contract_id"] = first["contracts"][0]["contract_id"]
    with pytest.raises(Refusal, match="give each contract its own id") as refused:
        await servers.client.place_order(second)
    assert [problem.field for problem in refused.value.problems] == ["contracts[0].contract_id"]
    assert await ended(servers.temporal, f"journey-{account_of(second)}") is WorkflowExecutionStatus.COMPLETED
    assert await rows_of(servers.pool, account_of(second)) == {}


async def test_an_order_sent_to_the_wrong_journey_is_refused_with_the_right_one(servers: Servers) -> None:
    document = order()
    with pytest.raises(WorkflowUpdateFailedError) as refused:
        await place(servers.temporal, document, workflow_id=f"journey-other-{account_of(document)}")
    cause = refused.value.cause
    assert isinstance(cause, ApplicationError)
    assert cause.type == "InvalidOrder"
    assert f"'journey-{account_of(document)}'" in cause.message
    assert "account.account_id" in cause.message
    assert await rows_of(servers.pool, account_of(document)) == {}
    with pytest.raises(WorkflowUpdateFailedError, match="update failed"):
        await place(servers.temporal, document, workflow_id=account_of(document))  # without its prefix
    assert await rows_of(servers.pool, account_of(document)) == {}


async def test_a_refused_order_does_not_keep_the_right_one_out(servers: Servers) -> None:
    document = order()
    account = account_of(document)
    with pytest.raises(Refusal):
        await servers.client.place_order(order(account, account={**document["account"], "segment": "galactic"}))
    await servers.client.place_order(document)
    assert await servers.client.is_running(account)
    assert await effect_of(servers, document["order_id"]) == (1, 1, 1)


@pytest.mark.parametrize("same_update", [True, False], ids=["by our client", "by services that name no update id"])
async def test_the_same_order_sent_ten_times_at_once_has_one_effect(servers: Servers, same_update: bool) -> None:
    document = order()
    account = account_of(document)
    if same_update:
        answers = [a.model_dump(mode="json") for a in await asyncio.gather(*_times(10, servers, document))]
    else:
        answers = await asyncio.gather(*(place(servers.temporal, document) for _ in range(10)))
    assert all(answer == answers[0] for answer in answers)
    await servers.client.fast_forward(account, timedelta(days=1))
    assert await effect_of(servers, document["order_id"]) == (1, 1, 1)
    found = await steps_of(servers.pool, account)
    assert sum(key.endswith("/welcome") for key in found) == 1
    actions = await servers.pool.fetch(
        "select asset_id, category from asset_action where asset_id like $1 || '.%'", document["order_id"]
    )
    assert sorted(row["asset_id"] for row in actions) == [f"{document['order_id']}.{line}" for line in "123"]


def _times(count: int, servers: Servers, document: dict[str, Any]) -> list[Any]:
    return [servers.client.place_order(copy.deepcopy(document)) for _ in range(count)]


async def test_two_services_send_two_orders_of_a_new_account_at_once(servers: Servers) -> None:
    first, second = order(), order()
    second["account"] = first["account"]
    account = account_of(first)
    answers = await asyncio.gather(servers.client.place_order(first), servers.client.place_order(second))
    assert {answer.order_id for answer in answers} == {first["order_id"], second["order_id"]}
    for document in (first, second):
        assert await effect_of(servers, document["order_id"]) == (1, 1, 1)
    assert (await rows_of(servers.pool, account))["account"] == 1
    runs = [w async for w in servers.temporal.list_workflows(f"WorkflowId = 'journey-{account}'")]
    assert len([w for w in runs if w.status is WorkflowExecutionStatus.RUNNING]) <= 1
    contracts = await servers.pool.fetchval("select count(*) from contract where account_id = $1", account)
    assert contracts == 2


async def test_a_refused_order_and_a_right_one_at_once_do_not_disturb_each_other(servers: Servers) -> None:
    pairs = []
    for n in range(6):
        good, bad = order(), order()
        bad["account"] = copy.deepcopy(good["account"])
        spoil = set_in(f"{SEATS}.quantity", 2.5) if n % 2 else set_in(f"{SEATS}.product", "SEATZ")
        spoil(bad)
        pairs.append((good, bad))
    sent = [place(servers.temporal, document) for good, bad in pairs for document in (bad, good)]
    answers = await asyncio.gather(*sent, return_exceptions=True)
    for (good, bad), refused, accepted in zip(pairs, answers[::2], answers[1::2], strict=True):
        assert isinstance(refused, WorkflowUpdateFailedError)
        assert not isinstance(accepted, BaseException), accepted
        assert accepted["order_id"] == good["order_id"]
        assert await effect_of(servers, bad["order_id"]) == (0, 0, 0)
        assert await servers.client.is_running(account_of(good))
