"""Transfers that meet: there and back under one request id, both ways at once, for a day to come, into a contract that runs."""

from __future__ import annotations

import asyncio
from datetime import timedelta
from decimal import Decimal

import pytest

from domain.kernel.calendar import add_months
from tests.agendas import apart
from tests.asset_life import Life
from tests.conftest import Servers
from tests.workflows.contracts.test_transfers import has_ended, record_of


@pytest.mark.engine
async def test_what_came_by_a_request_goes_back_by_one_of_the_same_id(servers: Servers) -> None:
    """A request id is its sender's own: two customers may both call their first transfer `t-1`."""
    giver, taker = await Life.begin(servers, auto_renew=True), await Life.begin(servers, auto_renew=True)
    line = {"asset_id": giver.seats, "quantity": 15, "to_asset_id": f"{taker.account}.x"}
    there = await giver.ask("transfer_assets", to_account=taker.account, assets=[line], request_id="t-1")
    assert await has_ended(servers, there["transfer_id"]) == "received"
    line = {"asset_id": f"{taker.account}.x", "to_asset_id": f"{giver.account}.y"}
    back = await taker.ask("transfer_assets", to_account=giver.account, assets=[line], request_id="t-1")
    assert await has_ended(servers, back["transfer_id"]) == "received"
    held = [(await record_of(servers, asset)).periods[-1].quantity for asset in (giver.seats, f"{giver.account}.y")]
    assert held == [25, 15]
    assert (await record_of(servers, f"{taker.account}.x")).periods[-1].quantity == 0
    await giver.check()
    await taker.check()


@pytest.mark.engine
async def test_two_customers_hand_over_to_each_other_at_once(servers: Servers) -> None:
    one, other = await Life.begin(servers), await Life.begin(servers)
    answers = await asyncio.gather(
        one.ask("transfer_assets", to_account=other.account, assets=[{"asset_id": one.seats, "quantity": 10}]),
        other.ask("transfer_assets", to_account=one.account, assets=[{"asset_id": other.seats, "quantity": 5}]),
    )
    for answer in answers:
        assert await has_ended(servers, answer["transfer_id"]) == "received"
    got = [(await record_of(servers, a["assets"][0]["to_asset_id"])).periods[-1].quantity for a in answers]
    assert got == [10, 5]
    for life, left in ((one, 30), (other, 35)):
        seats = await record_of(servers, life.seats)
        assert (seats.lock, seats.periods[-1].quantity) == (None, left)
        await life.check()


async def test_a_transfer_of_a_day_to_come_is_told_on_its_day_to_both(servers: Servers) -> None:
    giver, taker = await Life.begin(servers), await Life.begin(servers)
    line = {"asset_id": giver.seats, "quantity": 15}
    answer = await giver.ask(
        "transfer_assets", to_account=taker.account, assets=[line], effective=giver.month(4), request_id="t-4"
    )
    assert await has_ended(servers, answer["transfer_id"]) == "received"
    for life, says in ((giver, "40 to 25 units"), (taker, "0 to 15 units")):
        await life.reach(life.day(4) + timedelta(days=1))
        told = [title for title in await life.titles() if title.startswith("Takes effect")]
        assert [says in title for title in told] == [True], (told, await life.titles())
        assert not any("overtaken" in title for title in await life.titles())


async def test_what_comes_into_a_contract_in_the_middle_of_a_month_is_invoiced_by_its_months(servers: Servers) -> None:
    giver, taker = await Life.begin(servers), await Life.begin(servers, billing="monthly")
    line = {"asset_id": giver.seats, "quantity": 10, "to_asset_id": f"{taker.account}.m"}
    answer = await giver.ask("transfer_assets", to_account=taker.account, assets=[line], to_contract_id=taker.contract)
    assert await has_ended(servers, answer["transfer_id"]) == "received"
    await taker.reach(taker.day(5))
    lines = await servers.pool.fetch(
        "select amount from invoice_line where asset_id = $1 order by due", f"{taker.account}.m"
    )
    assert [int(row["amount"]) for row in lines][1:] == [12000] * 4
    total = (await record_of(servers, f"{taker.account}.m")).periods[0].amount
    await taker.reach(taker.day(12) - timedelta(days=2))
    assert total == await servers.pool.fetchval(
        "select sum(amount) from invoice_line where asset_id = $1", f"{taker.account}.m"
    )


@pytest.mark.parametrize("way", ["handed over", "swapped"])
async def test_what_is_renewed_off_its_months_ahead_is_invoiced_by_those_of_the_new_term_wherever_it_goes(
    servers: Servers, way: str
) -> None:
    giver = await Life.begin(servers, days=40, billing="monthly", auto_renew=True)
    taker = await Life.begin(servers, days=40)
    day = giver.day(2) + timedelta(days=9)
    await giver.ask("renew_assets", contract_id=giver.contract, start=day.isoformat(), months=6, uplift_percent="5")
    line, owner = {"asset_id": giver.seats, "quantity": 15}, giver
    if way == "swapped":
        new = f"{giver.contract}-P"
        await giver.ask("swap_assets", assets=[{**line, "to_product": "PRO", "unit_price": "1260", "to_asset_id": new}])
    else:
        answer = await giver.ask("transfer_assets", to_account=taker.account, assets=[line])
        assert await has_ended(servers, answer["transfer_id"]) == "received"
        new, owner = answer["assets"][0]["to_asset_id"], taker
    await giver.reach(day + timedelta(days=100))
    await taker.reach(day + timedelta(days=100))
    months = [add_months(day, number) for number in range(4)]
    rows = await servers.pool.fetch(
        "select issued_on, amount from invoice_line join invoice using (invoice_id)"
        " where asset_id = $1 and issued_on >= $2 order by 1",
        new,
        day,
    )
    assert [(row["issued_on"], row["amount"]) for row in rows] == [(month, Decimal(15 * 1260)) for month in months]
    assert await apart(servers, owner.account) == []
    terms = await servers.pool.fetch(
        "select start_on, until from contract_term join asset using (contract_id) where asset_id = $1 order by number",
        new,
    )
    assert [(row["start_on"], row["until"]) for row in terms][-1] == (day, add_months(day, 6))
