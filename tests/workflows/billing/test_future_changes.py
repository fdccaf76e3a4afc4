"""What was invoiced and is not wanted from a later day on is credited on that day, whichever way it was agreed, and not before."""

from __future__ import annotations

from datetime import date, timedelta
from decimal import Decimal
from typing import Any

import pytest

from tests.asset_life import Life
from tests.conftest import Servers

SEATS = Decimal(40 * 1200)
"""A month of all seats."""


async def moved(life: Life) -> dict[date, Decimal]:
    """What the customer was invoiced less what they were credited, by day, after the invoice of the first day."""
    rows = await life.servers.pool.fetch(
        "select issued_on, sum(net) as net from (select issued_on, net from invoice where account_id = $1 union all"
        " select issued_on, -net from credit_memo where account_id = $1) d where issued_on > $2 group by 1 order by 1",
        life.account,
        life.start,
    )
    return {row["issued_on"]: row["net"] for row in rows}


async def sums(life: Life) -> tuple[Decimal, Decimal]:
    """What was charged less what was credited of all that is sold for a term, and what it costs."""
    row = await life.servers.pool.fetchrow(
        "select (select coalesce(sum(amount), 0) from invoice_line l join asset a using (asset_id)"
        "        where a.account_id = $1 and a.contract_id is not null)"
        "     - (select coalesce(sum(amount), 0) from credit_memo_line l join asset a using (asset_id)"
        "        where a.account_id = $1 and a.contract_id is not null) as booked,"
        " (select sum(p.amount) from asset_state_period p join asset a using (asset_id)"
        "  where a.account_id = $1 and a.contract_id is not null) as cost",
        life.account,
    )
    assert row is not None
    return row["booked"], row["cost"]


def last_before(life: Life, months: int) -> str:
    """The day before a month of the term."""
    return (life.day(months) - timedelta(days=1)).isoformat()


def way(life: Life, name: str) -> tuple[str, dict[str, Any], Decimal]:
    """An update with its request, by which six months of the seats or a part of them change, and what that is worth on its day."""
    day, seats = life.month(6), {"asset_id": life.seats}
    match name:
        case "fewer":
            return "amend_assets", {"assets": [{**seats, "remove": 10}], "effective": day}, -SEATS / 4 * 6
        case "cheaper":
            return "amend_assets", {"assets": [{**seats, "price": "900"}], "effective": day}, -SEATS / 4 * 6
        case "cancelled":
            return "cancel_assets", {"assets": [seats], "effective": day}, -SEATS * 6
        case "end":
            return "amend_assets", {"assets": [{**seats, "end": last_before(life, 6)}]}, -SEATS * 6
        case "swapped":
            line = {**seats, "to_product": "PRO", "unit_price": "900", "to_asset_id": f"{life.contract}-P"}
            return "swap_assets", {"assets": [line], "effective": day}, -SEATS / 4 * 6
        case _:
            request = {"contract_id": life.contract, "start": day, "months": 24, "uplift_percent": "0"}
            return "renew_assets", request, Decimal(0)


WAYS = ("fewer", "cheaper", "cancelled", "end", "swapped", "renewed")


@pytest.mark.parametrize("name", WAYS)
async def test_a_change_of_a_later_day_is_settled_on_that_day_and_says_so(servers: Servers, name: str) -> None:
    life = await Life.begin(servers, days=40)
    update, request, worth = way(life, name)
    answer = await life.ask(update, **request)
    assert {told["settled_on"] for told in answer["assets"]} == {life.month(6)}
    await life.reach(life.day(6) - timedelta(days=1))
    assert await moved(life) == {}
    await life.reach(life.day(6) + timedelta(days=20))
    assert await moved(life) == (
        {life.day(6): worth} if worth else {}
    )  # what goes on at the same price stays on its invoice
    if name != "renewed":  # whose second year is to come
        assert len(set(await sums(life))) == 1


@pytest.mark.parametrize("name", ["cancelled", "fewer", "renewed"])
async def test_what_is_taken_back_before_its_day_was_never_credited(servers: Servers, name: str) -> None:
    life = await Life.begin(servers, days=40)
    update, request, _ = way(life, name)
    await life.ask(update, **request)
    await life.reach(life.day(4))
    answer = await life.ask("rollback", asset_id=life.seats)
    assert {told["settled_on"] for told in answer["assets"]} == {life.month(4)}
    await life.reach(life.day(6) + timedelta(days=3))
    assert await moved(life) == {}


@pytest.mark.parametrize("effective", ["a later day", "period_end"])
async def test_a_cancellation_of_a_later_day_and_what_takes_it_back_are_told_as_they_are(
    servers: Servers, effective: str
) -> None:
    life = await Life.begin(servers, days=40)
    when, last = (
        (life.month(6), last_before(life, 6)) if effective == "a later day" else (effective, last_before(life, 12))
    )
    answer = await life.ask("cancel_assets", assets=[{"asset_id": life.seats}], effective=when)
    assert [told["until"] for told in answer["assets"]] == [last]
    answer = await life.ask("rollback", asset_id=life.seats)
    assert [told["quantity"] for told in answer["assets"]] == [40]
    said = await servers.pool.fetch("select title from journal where account_id = $1", life.account)
    titles = [row["title"] for row in said]
    assert any(f"cancelled, ends on {last}" in title for title in titles), titles
    assert any("is taken back, 40 units stay" in title for title in titles), titles
    assert not any("before it began" in title for title in titles)


@pytest.mark.engine
async def test_an_end_that_is_moved_back_before_it_comes_was_never_credited(servers: Servers) -> None:
    life = await Life.begin(servers, days=40)
    for months in (6, 12):
        await life.ask("amend_assets", assets=[{"asset_id": life.seats, "end": last_before(life, months)}])
    await life.reach(life.day(6) + timedelta(days=3))
    assert await moved(life) == {}


@pytest.mark.parametrize("billing", ["monthly", "yearly", "whole_term"])
async def test_a_renewal_off_the_months_of_its_contract_is_settled_on_its_first_day(
    servers: Servers, billing: str
) -> None:
    life = await Life.begin(servers, days=40, billing=billing)
    day = life.day(4) + timedelta(days=9)
    request = {"contract_id": life.contract, "start": day.isoformat(), "months": 12, "uplift_percent": "0"}
    answer = await life.ask("renew_assets", **request)
    assert {told["settled_on"] for told in answer["assets"]} == {day.isoformat()}
    await life.reach(day - timedelta(days=1))
    before = await moved(life)
    assert all(net > 0 for net in before.values()), before
    if billing == "monthly":  # the last month is invoiced to the end that is agreed
        assert before[life.day(4)] < before[life.day(3)] / 2
    else:
        assert before == {}
    await life.reach(day + timedelta(days=3))
    assert set(await moved(life)) - set(before) == {day}
    await life.reach(day + timedelta(days=360))
    assert len(set(await sums(life))) == 1


async def test_what_changes_after_an_end_was_moved_leaves_the_credit_on_its_day(servers: Servers) -> None:
    life = await Life.begin(servers, days=40)
    await life.ask("amend_assets", assets=[{"asset_id": life.seats, "end": last_before(life, 6)}])
    await life.reach(life.day(3))
    await life.ask("amend_assets", assets=[{"asset_id": life.seats, "add": 4}])
    assert await moved(life) == {life.day(3): SEATS / 10 * 3}
    await life.reach(life.day(6) + timedelta(days=3))
    assert await moved(life) == {life.day(3): SEATS / 10 * 3, life.day(6): -SEATS * 6}
    assert len(set(await sums(life))) == 1


async def test_a_month_is_not_invoiced_beyond_an_end_that_is_agreed(servers: Servers) -> None:
    life = await Life.begin(servers, days=40, billing="monthly")
    care = {"asset_id": life.care, "end": last_before(life, 3)}
    await life.ask("amend_assets", assets=[{"asset_id": life.seats, "end": last_before(life, 3)}, care])
    await life.reach(life.day(3) + timedelta(days=3))
    assert set((await moved(life)).values()) == {SEATS + 5000}
    assert len(set(await sums(life))) == 1


async def test_a_start_that_moves_after_it_was_invoiced_is_settled_on_the_old_one(servers: Servers) -> None:
    life = await Life.begin(servers, days=-20, first_invoice="order")
    both = [{"asset_id": asset, "start": life.month(2)} for asset in (life.seats, life.care)]
    answer = await life.ask("amend_assets", assets=both)
    assert {told["settled_on"] for told in answer["assets"]} == {life.start.isoformat()}
    query = "select count(*) from credit_memo where account_id = $1"
    await life.reach(life.start - timedelta(days=1))
    assert await servers.pool.fetchval(query, life.account) == 0
    await life.reach(life.start)
    assert await servers.pool.fetchval(query, life.account) == 1
    await life.reach(life.day(2) + timedelta(days=2))
    assert len(set(await sums(life))) == 1
