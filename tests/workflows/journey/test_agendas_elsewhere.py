"""Customers who order from another zone or country, or move there: the days of their agenda."""

from __future__ import annotations

from datetime import datetime, timedelta
from zoneinfo import ZoneInfo

import pytest

from activities.kernel.clock import present
from domain.kernel.calendar import is_business_day
from tests.agendas import apart
from tests.builders import goods_order, order
from tests.conftest import Servers
from tests.e2e.lives import account_of, onboard, until
from tests.workflows.journey.test_agendas import MORNINGS, NEW_YORK, begun, forward, running


async def test_whoever_moves_to_another_zone_keeps_the_days_that_were_planned(servers: Servers) -> None:
    """Also where the day of then is another one by the zone of now."""
    document, account = await begun(servers, 40)
    await onboard(servers.client, account)
    await servers.client.place_order(goods_order(document, await servers.client.now(account)))
    before = {step.key: step.on for step in (await running(servers, account)).steps}
    await servers.client.ask(account, "change_account", {"time_zone": NEW_YORK, "by": "S-1"})
    after = {step.key: step for step in (await running(servers, account)).steps}
    assert {key: after[key].on for key in before} == before
    for kind in ("adoption_check_in", "relationship_anniversary", "reorder_check_in"):
        (step,) = [step for step in after.values() if step.kind == kind]
        assert step.at.astimezone(ZoneInfo(NEW_YORK)).replace(tzinfo=None) == datetime.combine(
            step.on, datetime.min.time()
        ) + timedelta(hours=9)
    assert await apart(servers, account) == []
    await forward(servers, account, 100)


async def invoiced(servers: Servers, account: str, contract: str) -> list[str]:
    """The days, of those on which terms of a contract begin, from which on something of it is on an invoice."""
    rows = await servers.pool.fetch(
        "select t.start_on from contract_term t where t.contract_id = $2 and exists ("
        " select from invoice i join invoice_line l using (invoice_id) join asset a using (asset_id)"
        " where i.account_id = $1 and a.contract_id = $2 and l.due = t.start_on) order by t.number",
        account,
        contract,
    )
    return [str(row["start_on"]) for row in rows]


@pytest.mark.parametrize("past", [False, True])
async def test_whoever_orders_from_another_zone_is_written_to_at_nine_o_clock_there(
    servers: Servers, past: bool
) -> None:
    document, account = await begun(servers, 40)
    before = {step.key: step.on for step in (await running(servers, account)).steps}
    now = await servers.client.now(account)
    later = goods_order(document, now - timedelta(days=3) if past else now)
    later["account"]["time_zone"] = NEW_YORK
    await (servers.client.import_order(later) if past else servers.client.place_order(later))
    after = {step.key: step for step in (await running(servers, account)).steps}
    assert {key: after[key].on for key in before} == before
    nine = {step.at.astimezone(ZoneInfo(NEW_YORK)).hour for step in after.values() if step.kind in MORNINGS}
    assert nine == {9}
    assert {step.kind for step in after.values()} >= MORNINGS
    assert await apart(servers, account) == []


async def test_whoever_orders_from_another_country_is_written_to_on_business_days_there(servers: Servers) -> None:
    """In Saudi Arabia people work on Sundays, and not on Fridays."""
    document, account = await begun(servers)
    for country in ("SA", "JP"):
        later = goods_order(document, await servers.client.now(account))
        later["account"]["country"] = country
        await servers.client.place_order(later)
        assert await apart(servers, account) == []
        steps = [step for step in (await running(servers, account)).steps if step.kind.startswith("onboarding_")]
        mornings = [
            step for step in steps if step.kind != "onboarding_touch"
        ]  # one may have been put off to a day by then
        assert [(step.kind, step.on) for step in mornings if not is_business_day(step.on, country)] == [], country


async def terms_begun(servers: Servers, contract: str, by: datetime) -> list[str]:
    rows = await servers.pool.fetch(
        "select start_on from contract_term where contract_id = $1 and starts_at <= $2 order by number", contract, by
    )
    return [str(row["start_on"]) for row in rows]


@pytest.mark.parametrize("billing", ["monthly", "whole_term"])
async def test_whoever_has_moved_west_is_invoiced_for_each_next_term(servers: Servers, billing: str) -> None:
    """Where a term ends at midnight in Tokyo, it is the day before in Paris."""
    document = order()
    terms = {"term": {"start": present().date().isoformat(), "months": 1}, "renewal_months": 1, "auto_renew": True}
    document["contracts"][0].update({**terms, "billing": billing})
    account, contract = account_of(document), document["contracts"][0]["contract_id"]
    await servers.client.place_order(document)
    await servers.client.ask(account, "change_account", {"time_zone": "Europe/Paris", "by": "S-1"})
    for days, begun_then in ((35, 2), (30, 3)):  # what was forgotten would be invoiced with the next term
        await forward(servers, account, days)
        assert await apart(servers, account) == []
        terms_by_then = await terms_begun(servers, contract, await servers.client.now(account))
        assert len(terms_by_then) == begun_then
        assert await invoiced(servers, account, contract) == terms_by_then


async def test_whoever_takes_over_from_the_west_is_invoiced_for_each_next_term(servers: Servers) -> None:
    """Their term ends at noon, so that the next one begins on the day after it."""
    document = order()
    document["account"]["time_zone"] = NEW_YORK
    terms = {"term": {"start": present().date().isoformat(), "months": 1}, "renewal_months": 1, "auto_renew": True}
    document["contracts"][0].update(terms)
    giver = account_of(document)
    await servers.client.place_order(document)
    await forward(servers, giver, 1)
    _, taker = await begun(servers)
    handed_over = {"to_account": taker, "assets": [{"asset_id": f"{document['order_id']}.1", "quantity": 10}]}
    await servers.client.ask(giver, "transfer_assets", handed_over)
    came = "select contract_id from contract where account_id = $1 and order_id is null"

    async def arrived() -> bool:
        return bool(await servers.pool.fetchval(came, taker))

    await until(arrived, "the units are there")
    contract = await servers.pool.fetchval(came, taker)
    charged = "select count(*) from invoice_line l join asset a using (asset_id) where a.account_id = $1 and a.contract_id = $2"
    for days, begun_then in ((35, 2), (30, 3)):
        before = await servers.pool.fetchval(charged, taker, contract)
        await forward(servers, taker, days)
        assert await apart(servers, taker) == []
        assert len(await terms_begun(servers, contract, await servers.client.now(taker))) == begun_then
        assert await servers.pool.fetchval(charged, taker, contract) > before
