"""What begins later is invoiced on its first day, sooner only where its contract says so; and once, whatever happens meanwhile."""

from __future__ import annotations

from datetime import timedelta
from decimal import Decimal
from typing import Any

import pytest

from activities.kernel.clock import present
from domain.kernel.calendar import add_months
from domain.kernel.refusals import Refusal
from tests.asset_life import Life
from tests.builders import order
from tests.conftest import Servers
from tests.e2e.lives import until

YEAR = Decimal(40 * 1200 * 12 + 60000)
"""What the contract of `order` costs in a year."""


class Signed(Life):
    """A customer who has signed today a contract that begins in about three months."""

    @classmethod
    async def today_for_later(cls, servers: Servers, **contract: Any) -> Signed:
        document = order(lines=[])
        document["products"].append({"code": "PRO", "name": "Workspace Pro", "kind": "subscription"})
        begins = add_months(present().date().replace(day=1), 4)
        document["contracts"][0].update({"term": {"start": begins.isoformat(), "months": 12}, **contract})
        life = cls(servers, document)
        await servers.client.place_order(document)
        return life

    async def documents(self, account: str | None = None) -> list[tuple[str, Decimal]]:
        """Day and total of all invoices and, below zero, credit memos, in order."""
        rows = await self.servers.pool.fetch(
            "select issued_on, number, total from invoice where account_id = $1 union all"
            " select issued_on, number, -total from credit_memo where account_id = $1 order by 1, 2",
            account or self.account,
        )
        return [(row["issued_on"].isoformat(), row["total"]) for row in rows]

    async def around_the_start(self, start: str | None = None) -> None:
        """To the eve of a day, by default the first of the term, where nothing is invoiced yet, and over it."""
        day = self.start if start is None else type(self.start).fromisoformat(start)
        await self.reach(day - timedelta(days=1))
        assert await self.documents() == []
        await self.reach(day)


@pytest.mark.engine
async def test_a_contract_of_a_later_day_is_invoiced_on_that_day(servers: Servers) -> None:
    document = order()
    begins = add_months(present().date().replace(day=1), 4)
    document["contracts"][0]["term"] = {"start": begins.isoformat(), "months": 12}
    life = Signed(servers, document)
    answer = await servers.client.place_order(document)
    assert answer.first_invoices == {life.contract: life.start}
    signed = (await life.today()).isoformat()
    at_once = [(signed, Decimal(5 * 80000))]
    assert await life.documents() == at_once, "what is bought once is invoiced with its order"
    says = f"First invoice on {life.start}: contract {life.contract}"
    assert says in await life.titles()
    told = await servers.pool.fetchrow("select kind, link from timeline_item where title = $1", says)
    assert told is not None
    assert tuple(told) == ("purchase", f"contract/{life.contract}")

    async def shown() -> bool:
        return says in await servers.client.briefing(life.account)

    await until(shown, "the briefing says when the first invoice comes")
    await life.reach(life.start - timedelta(days=1))
    assert await life.documents() == at_once
    await life.reach(life.start + timedelta(days=40))
    assert await life.documents() == [*at_once, (life.start.isoformat(), YEAR)]


async def test_a_contract_can_have_its_first_invoice_with_the_order(servers: Servers) -> None:
    life = await Signed.today_for_later(servers, first_invoice="order", billing="quarterly")
    signed = (await life.today()).isoformat()
    assert await life.documents() == [(signed, YEAR / 4)]
    await life.reach(life.day(3))
    assert await life.documents() == [(signed, YEAR / 4), (life.month(3), YEAR / 4)]


async def test_another_word_for_it_is_refused_by_its_field(servers: Servers) -> None:
    document = order()
    document["contracts"][0]["first_invoice"] = "later"
    with pytest.raises(Refusal) as refused:
        await servers.client.place_order(document)
    assert [problem.field for problem in refused.value.problems] == ["contracts[0].first_invoice"]


@pytest.mark.parametrize("asked", [False, True])
async def test_a_pause_over_the_first_day_loses_nothing(servers: Servers, asked: bool) -> None:
    """Also if the first to look at the asset afterwards is a request."""
    life = await Signed.today_for_later(servers, billing="monthly")
    await life.ask("pause", reason="the shop is rebuilt")
    await life.reach(life.day(1) + timedelta(days=10))
    assert await life.documents() == []
    both, late = 2 * YEAR / 12, (await life.today()).isoformat()
    if asked:
        await life.ask("amend_assets", assets=[{"asset_id": life.seats, "fields": {"level": "gold"}}])
    await life.ask("resume")
    await life.reach(life.day(1) + timedelta(days=12))
    found = await life.documents()
    assert sum(total for _, total in found) == both
    assert {day for day, _ in found} == {late}
    await life.reach(life.day(2))
    assert (await life.documents())[len(found) :] == [(life.month(2), YEAR / 12)]


async def test_what_an_older_release_invoiced_on_the_day_of_signing_is_not_invoiced_again(servers: Servers) -> None:
    life = await Signed.today_for_later(servers, first_invoice="order")
    signed = (await life.today()).isoformat()
    await servers.pool.execute("update contract set first_invoice = 'start' where contract_id = $1", life.contract)
    await life.reach(life.start + timedelta(days=5))
    assert await life.documents() == [(signed, YEAR)]
    await life.ask("amend_assets", assets=[{"asset_id": life.seats, "remove": 40}], effective=life.month(6))
    await life.reach(life.day(6))
    assert (await life.documents())[1:] == [(life.month(6), Decimal(-40 * 1200 * 6))]


@pytest.mark.parametrize("months", [-1, 2])
async def test_a_start_that_moves_takes_the_first_invoice_along(servers: Servers, months: int) -> None:
    life = await Signed.today_for_later(servers)
    moved = life.month(months)
    both = [{"asset_id": asset, "start": moved} for asset in (life.seats, life.care)]
    await life.ask("amend_assets", assets=both)
    await life.around_the_start(moved)
    year = min(12, 12 - months)
    assert await life.documents() == [(moved, YEAR * year / 12)]
    await life.reach(life.day(11))
    total = sum(total for _, total in await life.documents())
    assert total == YEAR * (12 - months) / 12


async def test_what_is_given_up_before_it_begins_was_never_invoiced(servers: Servers) -> None:
    life = await Signed.today_for_later(servers)
    await life.ask("cancel_assets", contract_id=life.contract)
    await life.reach(life.start + timedelta(days=40))
    assert await life.documents() == []


async def test_what_changes_before_it_begins_is_invoiced_as_it_is_on_its_first_day(servers: Servers) -> None:
    life = await Signed.today_for_later(servers)
    await life.ask("amend_assets", assets=[{"asset_id": life.seats, "remove": 10}])
    await life.ask("amend_assets", assets=[{"asset_id": life.care, "price": "90000"}])
    await life.around_the_start()
    assert await life.documents() == [(life.start.isoformat(), Decimal(30 * 1200 * 12 + 90000))]


@pytest.mark.parametrize("first_invoice", ["start", "order"])
async def test_an_add_on_of_a_later_day_is_invoiced_as_its_contract_says(servers: Servers, first_invoice: str) -> None:
    life = await Life.begin(servers, days=10, first_invoice=first_invoice)
    add_on = {"contract_id": life.contract, "product": "PRO", "quantity": 2, "unit_price": "1000", "asset_id": "X"}
    add_on["asset_id"] = f"{life.contract}-X"
    asked_on = (await life.today()).isoformat()
    await life.ask("amend_assets", add_ons=[add_on], effective=life.month(3))
    await life.reach(life.day(4))
    days = await servers.pool.fetch(
        "select i.issued_on, l.amount from invoice_line l join invoice i using (invoice_id) where asset_id = $1",
        add_on["asset_id"],
    )
    expected = asked_on if first_invoice == "order" else life.month(3)
    assert [(row["issued_on"].isoformat(), row["amount"]) for row in days] == [(expected, Decimal(2 * 1000 * 9))]


async def test_what_is_handed_over_before_it_begins_is_invoiced_to_the_taker_on_its_first_day(servers: Servers) -> None:
    giver = await Signed.today_for_later(servers)
    taker = await Signed.today_for_later(servers)
    await taker.ask("cancel_assets", contract_id=taker.contract)
    await giver.ask("transfer_assets", to_account=taker.account, assets=[{"asset_id": giver.seats, "quantity": 15}])
    for life in (giver, taker):
        await life.reach(giver.start - timedelta(days=1))
        assert await life.documents() == []
        await life.reach(giver.start)
    assert await giver.documents() == [(giver.start.isoformat(), Decimal(25 * 1200 * 12 + 60000))]
    assert await taker.documents() == [(giver.start.isoformat(), Decimal(15 * 1200 * 12))]


async def test_an_order_of_before_whose_contract_has_not_begun_is_invoiced_on_its_first_day(servers: Servers) -> None:
    document = order(lines=[])
    begins = add_months(present().date().replace(day=1), 4)
    document["contracts"][0]["term"] = {"start": begins.isoformat(), "months": 12}
    document["activated_at"] = (present() - timedelta(days=40)).isoformat()
    life = Signed(servers, document)
    await servers.client.import_order(document)
    await life.around_the_start()
    assert await life.documents() == [(life.start.isoformat(), YEAR)]
