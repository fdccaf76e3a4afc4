"""Whoever wants no optional mails still hears of what they order: that we have it, and that it is set up."""

from __future__ import annotations

from datetime import timedelta

from tests.agendas import apart
from tests.builders import order
from tests.conftest import Servers
from tests.e2e.lives import account_of, settled


async def test_the_second_product_of_whoever_opted_out_is_confirmed_and_told_ready(servers: Servers) -> None:
    first = order()
    account = account_of(first)
    await servers.client.place_order(first)
    await servers.client.fast_forward(account, timedelta(days=70))
    await servers.client.ask(account, "note_mail", {"event": "unsubscribed", "contact_id": "P-1"})
    now = await servers.client.now(account)
    contract = first["contracts"][0]
    lines = [{"line_id": "21", "product": "SEATS", "quantity": 3, "unit_price": "900"}]
    term = {"start": (now + timedelta(days=1)).date().isoformat(), "months": 12}
    second = {
        **first,
        "order_id": f"{first['order_id']}-2",
        "activated_at": now.isoformat(),
        "contracts": [{**contract, "contract_id": f"{contract['contract_id']}-2", "term": term, "lines": lines}],
        "lines": [],
    }
    await servers.client.place_order(second)
    await servers.client.fast_forward(account, timedelta(days=20))
    await settled(servers.pool, account)
    rows = await servers.pool.fetch(
        "select body->>'template' as template, body->>'unsubscribe' as stop from outbox"
        " where account_id = $1 and created_at >= $2 and channel = 'deliver_mail' and status = 'sent'",
        account,
        now,
    )
    told = [row["template"] for row in rows]
    assert (told.count("order_confirmed"), told.count("provisioning_done")) == (1, 1)
    assert set(told) <= {"order_confirmed", "provisioning_done", "documents"}
    assert {row["stop"] for row in rows} == {None}
    assert await apart(servers, account) == []
