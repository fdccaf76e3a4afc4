"""Tax on both sides: invoices and credit memos by net, tax of each rate and gross, rounded once for each rate and document."""

from __future__ import annotations

from decimal import Decimal
from typing import Any

import pytest

from activities.kernel.clock import present
from domain.kernel.calendar import local_day
from domain.kernel.refusals import Refusal
from tests.conftest import Servers
from tests.e2e.lives import until
from tests.pricing import Shop, open_shop


async def documents(shop: Shop, kind: str) -> list[tuple[Decimal, Decimal, Decimal]]:
    """Net, tax and gross of a customer's invoices or credit memos, oldest first."""
    rows = await shop.servers.pool.fetch(
        f"select net, tax, total from {kind} where account_id = $1 order by number", shop.account_id
    )
    return [(row["net"], row["tax"], row["total"]) for row in rows]


async def left_of(shop: Shop) -> tuple[Decimal, Decimal]:
    """Net and tax of all invoices less all credit memos."""
    charged, given = await documents(shop, "invoice"), await documents(shop, "credit_memo")
    return (
        sum((one[0] for one in charged), Decimal(0)) - sum((one[0] for one in given), Decimal(0)),
        sum((one[1] for one in charged), Decimal(0)) - sum((one[1] for one in given), Decimal(0)),
    )


async def taxed_shop(servers: Servers, rates: list[str], **more: Any) -> Shop:
    """A customer whose contract begins today, with tax on the terminals and on the seats."""
    start = local_day(present(), "Asia/Tokyo").isoformat()
    return await open_shop(servers, term={"start": start}, seat_rates=rates, tax_rates=rates, **more)


@pytest.mark.engine
async def test_an_invoice_and_its_price_match_have_the_same_tax(servers: Servers) -> None:
    shop = await open_shop(servers, quantity=2, unit_price="10005", tax_rates=["10"])
    # Two terminals with tax, beans without.
    net, tax, total = (await documents(shop, "invoice"))[0]
    assert (tax, total - net) == (Decimal(2001), Decimal(2001))
    await shop.publish("9005", await shop.day())
    answer = await shop.claim(await shop.open_case())
    assert answer["refund"]["amount"] == "2200"
    assert await documents(shop, "credit_memo") == [(Decimal(2000), Decimal(200), Decimal(2200))]
    [claim] = await shop.claims()
    assert (claim.gross, claim.tax) == (Decimal(2000), Decimal(200))


async def test_a_wholly_credited_invoice_credits_its_tax_however_it_came(servers: Servers) -> None:
    """Three refunds of 33.35 each would round to another tax than their sum."""
    shop = await open_shop(servers, quantity=3, unit_price="335", tax_rates=["10"])
    await shop.delivered_units(3)
    for n in range(3):
        back = {"order_id": shop.order_id, "line_id": "3", "step": "returned", "quantity": 1, "request_id": f"b-{n}"}
        await servers.client.ask(shop.account_id, "report_fulfilment", {**back, "by": "warehouse"})
    taxes = [tax for _, tax, _ in await documents(shop, "credit_memo")]
    assert sum(taxes) == 101  # 10 % of 1,005, half up
    assert [tax for _, tax, _ in await documents(shop, "invoice")] == [101]


async def test_goodwill_is_an_amount_with_tax_and_the_rest_takes_the_rest(servers: Servers) -> None:
    shop = await taxed_shop(servers, ["10"])
    case_id = await shop.open_case(order_id=shop.order_id, line_id="1")
    grant = {"amount": "1000", "reason": "a bad start", "by": shop.manager, "role": "manager"}
    await shop.cases.ask(case_id, "grant_goodwill", grant)
    assert await documents(shop, "credit_memo") == [(Decimal(909), Decimal(91), Decimal(1000))]
    seats = {"assets": [{"asset_id": f"{shop.order_id}.1"}, {"asset_id": f"{shop.order_id}.2"}]}
    await servers.client.ask(shop.account_id, "cancel_assets", seats)
    # What is left are the terminals with their tax, and the beans.
    assert await left_of(shop) == (Decimal(5 * 80000 + 12 * 900), Decimal(5 * 8000))


async def test_several_rates_are_counted_each_by_itself_and_told(servers: Servers) -> None:
    shop = await open_shop(servers, quantity=1, unit_price="333", tax_rates=["8", "10"])
    rows = await servers.pool.fetch(
        "select t.rate, t.net, t.tax from invoice_tax t join invoice i using (invoice_id) where i.account_id = $1"
        " order by rate",
        shop.account_id,
    )
    assert [tuple(row) for row in rows] == [(8, 333, 27), (10, 333, 33)]
    title = await servers.pool.fetchval(
        "select title from journal where account_id = $1 and kind = 'invoice'", shop.account_id
    )
    assert "E+" not in title
    assert title.endswith("and 60 tax)")


async def test_what_comes_without_an_order_is_taxed_as_the_customer_is(servers: Servers) -> None:
    shop = await taxed_shop(servers, ["10"])
    contract = await servers.pool.fetchval("select contract_id from contract where account_id = $1", shop.account_id)
    add_on = {"contract_id": contract, "product": "CARE", "quantity": 2, "unit_price": "1000"}
    await servers.client.ask(shop.account_id, "amend_assets", {"add_ons": [add_on]})
    net, tax, _ = (await documents(shop, "invoice"))[-1]
    assert tax == net / 10 == 2400


async def test_one_unit_of_three_is_matched_and_the_others_stay_claimable(servers: Servers) -> None:
    shop = await open_shop(servers, quantity=3, unit_price="80000")
    await shop.publish("67000", await shop.day())
    assert (await shop.claim(await shop.open_case(), quantity=1))["refund"]["amount"] == "13000"
    with pytest.raises(Refusal, match="claim 2"):
        await shop.claim(await shop.open_case(), quantity=3)
    assert (await shop.claim(await shop.open_case()))["refund"]["amount"] == "26000"
    with pytest.raises(Refusal) as told:
        await shop.claim(await shop.open_case())
    assert told.value.type == "AlreadyClaimed"
    # A later price pays each unit what it adds.
    await shop.publish("66000", await shop.later(1))
    assert (await shop.claim(await shop.open_case()))["refund"]["amount"] == "3000"


async def test_what_was_matched_at_a_lower_price_takes_nothing_from_the_other_units(servers: Servers) -> None:
    shop = await open_shop(servers, quantity=4, unit_price="4659", tax_rates=["8"])
    await shop.publish("3727", await shop.day())
    assert (await shop.claim(await shop.open_case(), quantity=3))["refund"]["amount"] == str(3 * 932 + 224)
    await shop.publish("3913", await shop.later(1))
    with pytest.raises(Refusal, match="claim 1"):
        await shop.claim(await shop.open_case(), quantity=2)
    assert (await shop.claim(await shop.open_case()))["refund"]["amount"] == str(746 + 59)
    with pytest.raises(Refusal) as told:
        await shop.claim(await shop.open_case())
    assert told.value.type == "AlreadyClaimed"


async def test_amounts_are_told_in_plain_digits(servers: Servers) -> None:
    """Also those that end in four zeros, for which the driver writes 6.5E+5."""
    shop = await open_shop(servers, quantity=1, unit_price="639200")
    rows = await servers.journal(shop.account_id)
    [told] = [row for row in rows if row["kind"] == "invoice"]
    assert told["detail"]["total"] == told["detail"]["net"] == "650000"
    assert " 650000 JPY" in told["title"]


async def test_what_changes_hands_is_taxed_as_before(servers: Servers) -> None:
    giver, taker = await taxed_shop(servers, ["10"]), await open_shop(servers)
    contract = await servers.pool.fetchval("select contract_id from contract where account_id = $1", giver.account_id)
    before = len(await documents(taker, "invoice"))
    seats = await servers.pool.fetchval(
        "select asset_id from asset where account_id = $1 and contract_id = $2 limit 1", giver.account_id, contract
    )
    await servers.client.ask(
        giver.account_id,
        "transfer_assets",
        {"to_account": taker.account_id, "assets": [{"asset_id": seats, "quantity": 1}]},
    )

    async def billed() -> bool:
        return len(await documents(taker, "invoice")) > before

    await until(billed, "the taker is charged")
    [credited] = await documents(giver, "credit_memo")
    charged = (await documents(taker, "invoice"))[-1]
    assert credited[1] > 0
    assert charged[1] == round(charged[0] / 10)
