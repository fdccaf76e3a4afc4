"""Selling beside a case: no quote while service blocks, one sale from the case itself within an agent's limits."""

from __future__ import annotations

from decimal import Decimal
from typing import Any
from uuid import uuid4

import pytest

from domain.kernel.refusals import Refusal
from tests.conftest import Servers
from tests.e2e.lives import rows_at_rest, settled
from tests.workflows.quotes.test_quotes import BOOK, CRM, ROUTER, asked, begun, sale
from tests.workflows.service_side import live_holds, open_case, resolve_case


async def counts(servers: Servers, account: str) -> dict[str, int]:
    """What a sale writes: none of it is there after a refusal."""
    found = await rows_at_rest(servers.temporal, servers.pool, account)
    return {table: found.get(table, 0) for table in ("sales_order", "asset", "contract", "journal", "outbox")}


@pytest.mark.engine
async def test_no_quote_is_made_while_a_case_burns(servers: Servers) -> None:
    document, account = await begun(servers)
    case = await open_case(servers, account)
    before = await counts(servers, account)
    request = asked(f"Q-{uuid4().hex[:8]}", sale("1", ROUTER, 1))
    with pytest.raises(Refusal, match=f"holds sales back.*{case}") as refused:
        await servers.client.ask(account, "request_quote", request)
    assert refused.value.type == "SalesHeld"
    assert [problem.field for problem in refused.value.problems] == [case]
    assert await counts(servers, account) == before
    await resolve_case(servers, account, case, rating=5)
    low = await open_case(servers, account, priority="low")
    with pytest.raises(Refusal, match="acknowledge_hold"):
        await servers.client.ask(account, "request_quote", request)
    assert (await servers.client.ask(account, "acknowledge_hold", {"by": "s-1"}))["acknowledged"] == [low]
    with pytest.raises(Refusal, match="acknowledge_hold"):
        await servers.client.ask(account, "request_quote", {**request, "by": "s-2"})
    answer = await servers.client.ask(account, "request_quote", request)
    assert answer["state"] == "presented"
    await settled(servers.pool, account)
    subjects = [mail.subject for mail in servers.mails_to(document["contacts"][0]["email"])]
    assert any(request["quote_id"] in subject for subject in subjects)


async def test_a_case_about_one_product_lets_another_be_quoted(servers: Servers) -> None:
    _, account = await begun(servers)
    await open_case(servers, account, product=CRM)
    with pytest.raises(Refusal, match="holds sales back"):
        await servers.client.ask(account, "request_quote", asked(f"Q-{uuid4().hex[:8]}", sale("1", CRM, 1)))
    request = asked(f"Q-{uuid4().hex[:8]}", sale("1", ROUTER, 1))
    assert (await servers.client.ask(account, "request_quote", request))["state"] == "presented"


async def test_service_sells_in_the_case_what_solves_it(servers: Servers) -> None:
    document, account = await begun(servers)
    case = await open_case(servers, account)
    request: dict[str, Any] = {
        "by": "S-2",
        "case_id": case,
        "lines": [sale("1", ROUTER, 2)],
        "price_book": BOOK.name,
        "request_id": "sold-1",
    }
    before = await counts(servers, account)
    with pytest.raises(Refusal, match="solve it first"):
        await servers.client.ask(account, "sell_from_case", request)
    solving = {**request, "solves": True}
    for more, says in (
        ({"lines": [sale("1", ROUTER, 6)]}, "service may sell 150000 JPY"),
        ({"lines": [{**sale("1", ROUTER, 1), "kind": "price"}]}, "new units only"),
        ({"lines": [{**sale("1", ROUTER, 1), "kind": []}]}, "new units only"),
        ({"lines": [{"line_id": "1", "kind": "quantity", "asset_id": "x", "delta": -1}]}, "new units only"),
        ({"case_id": "C-none"}, "no case of this customer"),
    ):
        with pytest.raises(Refusal, match=says):
            await servers.client.ask(account, "sell_from_case", {**solving, **more, "request_id": uuid4().hex})
    other = await open_case(servers, account)
    with pytest.raises(Refusal, match="something else holds sales back"):
        await servers.client.ask(account, "sell_from_case", {**solving, "request_id": uuid4().hex})
    await resolve_case(servers, account, other, rating=5)
    answer = await servers.client.ask(account, "sell_from_case", solving)
    assert answer["state"] == "accepted"
    assert Decimal(answer["totals"]["amount"]) == Decimal(2 * 30_000)
    again = await servers.client.ask(account, "sell_from_case", solving)
    assert again == answer
    after = await counts(servers, account)
    assert (after["sales_order"], after["asset"]) == (before["sales_order"] + 1, before["asset"] + 1)
    asset = await servers.pool.fetchrow("select * from asset where asset_id = $1", answer["new_assets"][0])
    assert asset is not None
    assert asset["account_id"] == account
    lead = await servers.pool.fetchrow("select * from lead where lead_id = $1", answer["lead_id"])
    assert lead is not None
    assert (lead["status"], lead["sourced_by"], lead["closed_by"]) == ("won", "S-2", "S-2")
    assert lead["order_id"] == answer["order_id"]
    events = await servers.pool.fetch("select detail from case_event where case_id = $1 and kind = 'custom'", case)
    assert [event["detail"]["name"] for event in events] == ["sold"]
    # The block of the case itself is still there, and the customer has it in writing all the same.
    assert await live_holds(servers, account) == [("block", "pressing_case")]
    await settled(servers.pool, account)
    subjects = [mail.subject for mail in servers.mails_to(document["contacts"][0]["email"])]
    assert sum(answer["quote_id"] in subject for subject in subjects) == 1
    assert "quote" not in (await servers.client.briefing(account)).splitlines()[0]
