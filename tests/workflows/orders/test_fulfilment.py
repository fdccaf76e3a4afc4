"""What becomes of an order's lines: in part, late, and back again, with what is given back for it."""

from __future__ import annotations

from datetime import datetime, timedelta
from decimal import Decimal
from typing import Any

import pytest

from activities.kernel.pool import Connection
from domain.kernel.refusals import Refusal
from tests.builders import goods_order, order
from tests.conftest import Servers
from tests.e2e.lives import account_of, attention_of, steps_of


async def returned_quantity(connection: Connection, order_id: str, line_id: str) -> int:
    """How many units of a line went back."""
    count: int = await connection.fetchval(
        "select coalesce(sum(quantity), 0)::integer from fulfilment_event"
        " where order_id = $1 and line_id = $2 and step = 'returned'",
        order_id,
        line_id,
    )
    return count


async def delivered_at(connection: Connection, order_id: str, line_id: str) -> datetime | None:
    """When the last unit of a line was delivered; null until all were. Warranty and price protection begin there."""
    at: datetime | None = await connection.fetchval(
        "select max(e.at) from fulfilment_event e join order_line l using (order_id, line_id)"
        " where e.order_id = $1 and e.line_id = $2 and e.step = 'delivered'"
        " having sum(e.quantity) >= max(l.quantity)",
        order_id,
        line_id,
    )
    return at


async def begun(servers: Servers) -> tuple[dict[str, Any], str]:
    document = order()
    await servers.client.place_order(document)
    return document, account_of(document)


@pytest.mark.engine
async def test_units_move_on_step_by_step_in_parts(servers: Servers) -> None:
    document, account = await begun(servers)
    line = {"order_id": document["order_id"], "line_id": "3"}

    async def report(step: str, quantity: int | None = None, **more: Any) -> dict[str, Any]:
        request = {**line, "step": step, **({"quantity": quantity} if quantity else {}), **more}
        return await servers.client.ask(account, "report_fulfilment", request)

    with pytest.raises(Refusal) as refused:
        await report("delivered", 1)
    assert refused.value.type == "FulfilmentNotValid"
    assert (await report("shipped", 3, request_id="s-1"))["shipped"] == 3
    assert (await report("shipped", 3, request_id="s-1"))["shipped"] == 3
    answer = await report("shipped")
    assert (answer["state"], answer["shipped"], answer["in_part"]) == ("shipped", 5, False)
    await servers.client.fast_forward(account, timedelta(days=2))
    answer = await report("delivered", 4)
    assert (answer["state"], answer["delivered"], answer["in_part"]) == ("shipped", 4, True)
    async with servers.pool.acquire() as connection:
        assert await delivered_at(connection, line["order_id"], "3") is None
    assert (await report("delivered"))["state"] == "delivered"
    async with servers.pool.acquire() as connection:
        at = await delivered_at(connection, line["order_id"], "3")
    assert at is not None
    assert timedelta(0) <= await servers.client.now(account) - at < timedelta(hours=1)
    assert (await report("installed"))["state"] == "installed"
    with pytest.raises(Refusal, match="no unit left to be installed"):
        await report("installed")
    with pytest.raises(Refusal, match="is not this customer's"):
        await servers.client.ask(account, "report_fulfilment", {**line, "line_id": "9", "step": "shipped"})
    later = (await servers.client.now(account) + timedelta(days=1)).isoformat()
    with pytest.raises(Refusal, match="still to come"):
        await report("returned", 1, at=later)


async def test_what_is_late_is_told_and_settled_by_the_delivery(servers: Servers) -> None:
    document, account = await begun(servers)
    line = {"order_id": document["order_id"], "line_id": "3"}
    await servers.client.ask(account, "complete_task", {"task": "kickoff"})  # which would be late by then, too
    promised = (await servers.client.now(account) + timedelta(days=5)).isoformat()
    ordered = {**line, "step": "ordered", "promised_at": promised}
    assert (await servers.client.ask(account, "report_fulfilment", ordered))["late"] == 0
    await servers.client.fast_forward(account, timedelta(days=10))
    assert "late" in await attention_of(servers.temporal, account)
    assert sum("late-3-" in key for key in await steps_of(servers.pool, account)) == 1
    await servers.client.ask(account, "report_fulfilment", {**line, "step": "shipped"})
    assert (await servers.client.ask(account, "report_fulfilment", {**line, "step": "delivered"}))["late"] == 0
    assert "late" not in await attention_of(servers.temporal, account)


async def test_what_comes_back_leaves_the_ledger_and_is_credited_once(servers: Servers) -> None:
    document, account = await begun(servers)
    line = {"order_id": document["order_id"], "line_id": "3"}
    for step in ("shipped", "delivered"):
        await servers.client.ask(account, "report_fulfilment", {**line, "step": step})
    back = {**line, "step": "returned", "quantity": 2, "reason": "broken", "request_id": "back-1"}
    for _ in range(2):
        assert (await servers.client.ask(account, "report_fulfilment", back))["returned"] == 2
    memos = await servers.pool.fetch("select total, reason from credit_memo where account_id = $1", account)
    assert [row["total"] for row in memos] == [Decimal(2 * 80000)]
    held = await servers.pool.fetchval(
        "select quantity from asset_state_period where asset_id = $1 order by starts_at desc limit 1",
        f"{line['order_id']}.3",
    )
    assert held == 3
    async with servers.pool.acquire() as connection:
        assert await returned_quantity(connection, line["order_id"], "3") == 2


async def test_goods_that_come_back_are_credited_by_the_price_of_their_order(servers: Servers) -> None:
    document, account = await begun(servers)
    goods = goods_order(document, await servers.client.now(account))
    await servers.client.place_order(goods)
    line = {"order_id": goods["order_id"], "line_id": "1"}
    for step, quantity in (("shipped", 12), ("delivered", 12), ("returned", 5)):
        await servers.client.ask(account, "report_fulfilment", {**line, "step": step, "quantity": quantity})
    memo = await servers.pool.fetchrow(
        "select m.total, l.kind, l.order_id, l.line_id, l.quantity from credit_memo m join credit_memo_line l"
        " using (credit_memo_id) where m.account_id = $1",
        account,
    )
    assert memo is not None
    assert tuple(memo) == (Decimal(5 * 900), "return", line["order_id"], "1", 5)
