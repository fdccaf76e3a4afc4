"""Payments of a customer: whoever tells of them, in whatever order and at the same time, each settles once what it is for."""

from __future__ import annotations

import asyncio
from decimal import Decimal
from typing import Any

import pytest

from activities.billing.bill_pages import bills_of
from domain.kernel.refusals import Refusal
from tests.conftest import Servers
from tests.gateway.api.test_reading import placed


async def _billed(servers: Servers) -> tuple[str, Any]:
    account = (await placed(servers))["account"]["account_id"]
    (invoice,) = await servers.pool.fetch("select * from invoice where account_id = $1", account)
    return account, invoice


async def _pay(servers: Servers, account: str, id: str, amount: Any, **more: Any) -> dict[str, Any]:
    request = {"payment_id": id, "amount": str(amount), "currency": "JPY", "by": "bank", **more}
    return await servers.client.ask(account, "book_payment", request)


async def _stands(servers: Servers, account: str) -> tuple[Decimal, str | None]:
    row = await servers.pool.fetchrow(
        "select paid_of(i) as paid, y.status from invoice i left join invoice_payment y using (invoice_id)"
        " where i.account_id = $1 order by i.number limit 1",
        account,
    )
    assert row is not None
    return row["paid"], row["status"]


@pytest.mark.engine
async def test_two_who_tell_of_one_payment_at_once_book_it_once_and_two_payments_are_one_too_much(
    servers: Servers,
) -> None:
    account, invoice = await _billed(servers)
    answers = await asyncio.gather(
        *(_pay(servers, account, "p-1", invoice["total"], number=1, by=who) for who in ("bank", "shop")),
        _pay(servers, account, "p-2", invoice["total"], number=1),
    )
    assert await _stands(servers, account) == (invoice["total"], "paid")
    assert sorted(answer.get("booked_before", False) for answer in answers) == [False, False, True]
    over = [Decimal(answer["over"]["amount"]) for answer in answers if "over" in answer]
    assert sorted(over) == [0, invoice["total"]]
    tasks = await servers.pool.fetch(
        "select staff_id from staff_task where account_id = $1 and key like 'payment/%'", account
    )
    assert [task["staff_id"] for task in tasks] == ["S-1"]


async def test_an_invoice_is_paid_in_parts_and_a_credit_leaves_less_to_pay(servers: Servers) -> None:
    account, invoice = await _billed(servers)
    first = await _pay(servers, account, "p-1", 100_000, invoice=invoice["invoice_id"])
    assert first["invoices"][0]["owed"] == {"amount": str(invoice["total"] - 100_000), "currency": "JPY"}
    assert await _stands(servers, account) == (Decimal(100_000), None)
    asset = await servers.pool.fetchval(
        "select asset_id from asset where account_id = $1 and product_code = 'SEATS'", account
    )
    fewer = {"assets": [{"asset_id": asset, "remove": 10}], "reason": "fewer", "by": "S-1"}
    await servers.client.ask(account, "amend_assets", fewer)
    credit = await servers.pool.fetchval("select sum(total) from credit_memo where account_id = $1", account)
    assert credit > 0
    rest = invoice["total"] - 100_000 - credit
    async with servers.pool.acquire() as connection:
        bills = await bills_of.behind(connection, None, 9, account, None)
    assert {bill["id"]: bill["owed"] for bill in bills if bill["owed"] is not None} == {invoice["invoice_id"]: rest}
    last = await _pay(servers, account, "p-2", rest)
    assert (last["over"]["amount"], await _stands(servers, account)) == ("0", (100_000 + rest, "paid"))


async def test_what_goes_back_is_owed_again_and_what_is_unknown_is_told(servers: Servers) -> None:
    account, invoice = await _billed(servers)
    for request, type in (({"of": "p-1", "kind": "refund"}, "UnknownPayment"), ({"number": 7}, "UnknownInvoice")):
        with pytest.raises(Refusal) as refused:
            await _pay(servers, account, "r-1", 10, **request)
        assert refused.value.type == type
    await _pay(servers, account, "p-1", invoice["total"])
    await _pay(servers, account, "r-1", invoice["total"], of="p-1", kind="chargeback")
    assert await _stands(servers, account) == (Decimal(0), None)
    with pytest.raises(Refusal, match="is more than the 0 JPY"):
        await _pay(servers, account, "r-2", 1, of="p-1", kind="refund")
    await _pay(servers, account, "p-3", invoice["total"], number=1)
    assert await _stands(servers, account) == (invoice["total"], "paid")
    titles = [line["title"] for line in await servers.journal(account)]
    assert any("taken back by the customer's bank" in title for title in titles)
