"""What customers are invoiced, and when: in the transaction that sells it, or on its day; changed assets bring their credits along."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from decimal import Decimal
from typing import Any

import pytest

from activities.billing.credits import book_credit
from activities.kernel.clock import present
from domain.billing.billing import Credit, CreditLine
from tests.builders import goods_order, order
from tests.conftest import Servers
from tests.e2e.lives import account_of


def with_contract(**changes: Any) -> dict[str, Any]:
    document = order()
    document["contracts"][0].update(changes)
    return document


async def invoices(servers: Servers, account: str) -> list[tuple[int, Decimal]]:
    rows = await servers.pool.fetch("select number, total from invoice where account_id = $1 order by number", account)
    return [(row["number"], row["total"]) for row in rows]


async def billing_steps(servers: Servers, account: str) -> int:
    count: int = await servers.pool.fetchval(
        "select count(*) from journal where account_id = $1 and kind = 'billing_invoice'", account
    )
    return count


async def ledger_total(servers: Servers, account: str) -> Decimal:
    """What all assets cost, by the ledger."""
    total: Decimal = await servers.pool.fetchval(
        "select sum(p.amount) from asset_state_period p join asset a using (asset_id) where a.account_id = $1", account
    )
    return total


@pytest.mark.engine
async def test_a_year_is_invoiced_in_the_transaction_that_begins_it(servers: Servers) -> None:
    document = with_contract(auto_renew=True)
    account = account_of(document)
    await servers.client.place_order(document)
    await servers.client.place_order(document)
    # Five terminals at once; 40 seats at 1,200 for twelve months and care for a year when they begin.
    first, year = Decimal(5 * 80000), Decimal(40 * 1200 * 12 + 60000)
    assert await invoices(servers, account) == [(1, first)]
    await servers.client.fast_forward(account, timedelta(days=400))
    assert await invoices(servers, account) == [(1, first), (2, year), (3, year)]
    assert await billing_steps(servers, account) == 1
    assert sum(total for _, total in await invoices(servers, account)) == await ledger_total(servers, account)


async def test_a_renewal_accepted_ahead_of_time_is_invoiced_when_its_term_begins(servers: Servers) -> None:
    document = with_contract()
    account, contract = account_of(document), document["contracts"][0]["contract_id"]
    await servers.client.place_order(document)
    await servers.client.fast_forward(account, timedelta(days=330))
    await servers.client.ask(account, "answer_renewal", {"contract_id": contract, "decision": "accept"})
    assert len(await invoices(servers, account)) == 2
    await servers.client.fast_forward(account, timedelta(days=70))
    assert (await invoices(servers, account))[2:] == [(3, Decimal(40 * 1200 * 12 + 60000))]


@pytest.mark.parametrize(("billing", "parts"), [("quarterly", 4), ("monthly", 12), ("whole_term", 1)])
async def test_a_term_is_invoiced_by_its_frequency(servers: Servers, billing: str, parts: int) -> None:
    document = with_contract(billing=billing)
    account = account_of(document)
    await servers.client.place_order(document)
    await servers.client.fast_forward(account, timedelta(days=380))
    found = await invoices(servers, account)
    year = 40 * 1200 * 12 + 60000
    assert [total for _, total in found] == [5 * 80000, *[year // parts] * parts]
    rows = await servers.pool.fetch(
        "select distinct l.due from invoice_line l join invoice i using (invoice_id) join asset using (asset_id)"
        " where i.account_id = $1 and contract_id = $2",
        account,
        document["contracts"][0]["contract_id"],
    )
    days = {row["due"] for row in rows}
    start = document["contracts"][0]["term"]["start"]
    assert [day.day for day in days] == [int(start[-2:])] * parts
    assert await billing_steps(servers, account) == parts
    assert start in {day.isoformat() for day in days}


async def test_two_years_are_invoiced_year_by_year_unless_agreed_otherwise(servers: Servers) -> None:
    document = with_contract()
    document["contracts"][0]["term"]["months"] = 24
    account = account_of(document)
    await servers.client.place_order(document)
    await servers.client.fast_forward(account, timedelta(days=420))
    year = 40 * 1200 * 12 + 60000
    assert [total for _, total in await invoices(servers, account)] == [5 * 80000, year, year]


async def test_goods_are_invoiced_with_their_order_and_the_past_is_not_ours(servers: Servers) -> None:
    document = with_contract()
    account = account_of(document)
    start = (present() - timedelta(days=500)).date().replace(day=1)
    document |= {"activated_at": datetime(start.year, start.month, 1, tzinfo=UTC).isoformat()}
    document["contracts"][0]["term"] = {"start": start.isoformat(), "months": 36}
    await servers.client.import_order(document)
    assert await invoices(servers, account) == []
    elsewhere = await servers.pool.fetchval(
        "select sum(amount) from billed_elsewhere b join asset a using (asset_id) where a.account_id = $1", account
    )
    year = 40 * 1200 * 12 + 60000
    assert elsewhere == 2 * year + 5 * 80000
    # The third year is ours.
    await servers.client.fast_forward(account, timedelta(days=300))
    assert await invoices(servers, account) == [(1, Decimal(year))]
    await servers.client.place_order(goods_order(document, await servers.client.now(account)))
    assert (await invoices(servers, account))[1:] == [(2, Decimal(12 * 900))]


async def test_a_credit_takes_no_more_than_what_is_left_and_is_booked_once(servers: Servers) -> None:
    document = with_contract()
    account = account_of(document)
    await servers.client.place_order(document)
    asset = f"{document['order_id']}.3"
    as_of = await servers.client.now(account)

    async def credit(key: str, amount: int, **place: str) -> Any:
        line = CreditLine(
            key=f"{key}/1", amount=Decimal(amount), kind="price_protection", description="price match", **place
        )
        memo = Credit(key=key, currency="JPY", reason="price protection", lines=(line,))
        async with servers.pool.acquire() as connection, connection.transaction():
            return await book_credit(connection, account, memo, as_of=as_of, on=as_of.date())

    first = await credit(f"{account}/pp-1", 300_000, asset_id=asset)
    assert (first.total, first.again) == (Decimal(300_000), False)
    assert (await credit(f"{account}/pp-1", 300_000, asset_id=asset)).again
    rest = await credit(f"{account}/pp-2", 300_000, order_id=document["order_id"], line_id="3")
    assert rest.total == Decimal(100_000)
    assert await credit(f"{account}/pp-3", 1, asset_id=asset) is None
    with pytest.raises(LookupError, match="was not sold to"):
        await credit(f"{account}/pp-4", 1, asset_id="SO-0.1")
    memos = await servers.pool.fetchval("select count(*) from credit_memo where account_id = $1", account)
    assert memos == 2
