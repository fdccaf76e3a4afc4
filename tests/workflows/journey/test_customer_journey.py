"""A customer's life on the real engine: what happens, when, and what the customer hears."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest

from domain.kernel.refusals import Refusal
from domain.success.usage import UsageRow
from tests.builders import goods_order, order
from tests.conftest import Servers

pytestmark = pytest.mark.engine  # a whole life, step by step, as the real server has it


def account_of(document: dict[str, Any]) -> str:
    return str(document["account"]["account_id"])


async def keys(servers: Servers, account_id: str) -> list[str]:
    return [row["key"].split("/", 1)[1] for row in await servers.journal(account_id)]


async def complete_onboarding(servers: Servers, account_id: str) -> None:
    for task in ("kickoff", "training", "first_value", "go_live"):
        await servers.client.ask(account_id, "complete_task", {"task": task})


async def report_usage(servers: Servers, account_id: str, users: int, days: int = 28) -> None:
    today = (await servers.client.now(account_id)).date()
    rows = [
        UsageRow(account_id=account_id, product="SEATS", day=today - timedelta(days=n), active_users=users)
        for n in range(days)
    ]
    await servers.client.record_usage(rows)


async def test_onboarding_ends_with_go_live_and_measures_time_to_value(servers: Servers) -> None:
    document = order()
    account = account_of(document)
    await servers.client.place_order(document)
    await servers.client.fast_forward(
        account, timedelta(days=6)
    )  # its first task is due on the seventh, whatever day it is today
    await complete_onboarding(servers, account)
    await servers.client.fast_forward(account, timedelta(days=20))
    stages = {row["key"]: row["title"] for row in await servers.journal(account)}
    assert f"journey:{account}/onboarding:{document['order_id']}/kickoff-escalate" not in stages
    row = await servers.pool.fetchrow("select since, first_value_at from account where account_id = $1", account)
    assert row is not None
    assert (row["first_value_at"] - row["since"]).days == 6
    subjects = [mail.subject for mail in servers.mails_to(document["contacts"][0]["email"])]
    assert len(subjects) == len(set(subjects))
    open_tasks = await servers.pool.fetchval(
        "select count(*) from onboarding_task where account_id = $1 and status = 'open'", account
    )
    assert open_tasks == 0


async def test_low_use_brings_help_and_recovery_ends_it(servers: Servers) -> None:
    document = order()
    account = account_of(document)
    await servers.client.place_order(document)
    await servers.client.fast_forward(account, timedelta(days=45))
    await complete_onboarding(servers, account)
    await report_usage(servers, account, users=8)
    await servers.client.fast_forward(account, timedelta(days=1))
    kinds = [row["kind"] for row in await servers.journal(account)]
    assert kinds.count("adoption_outreach") == 1
    assert await servers.pool.fetchval(
        "select count(*) from staff_task where account_id = $1 and key = 'adoption/help' and closed_at is null", account
    )
    await servers.client.fast_forward(account, timedelta(days=28))
    await report_usage(servers, account, users=30)
    await servers.client.fast_forward(account, timedelta(days=1))
    kinds = [row["kind"] for row in await servers.journal(account)]
    assert kinds.count("adoption_recovered") == 1
    assert not await servers.pool.fetchval(
        "select count(*) from staff_task where account_id = $1 and key = 'adoption/help' and closed_at is null", account
    )


async def test_a_threshold_is_crossed_by_reports_a_week_apart_as_by_daily_ones(servers: Servers) -> None:
    """Between two weekly reports days pass, and those that fall out of the mean must not hide that it rose."""
    document = order()
    account = account_of(document)
    await servers.client.place_order(document)
    await servers.client.fast_forward(account, timedelta(days=40 + 16 * 7))
    today = (await servers.client.now(account)).date() - timedelta(days=16 * 7)

    def week(number: int, users: int) -> list[UsageRow]:
        days = [today + timedelta(days=7 * number + n) for n in range(7)]
        return [UsageRow(account_id=account, product="SEATS", day=day, active_users=users) for day in days]

    told = [await servers.client.record_usage(week(n, 28)) for n in range(4)]
    told += [await servers.client.record_usage(week(n, 37)) for n in range(4, 8)]
    assert told == [1, 0, 0, 0, 0, 0, 0, 1]
    assert await servers.client.record_usage(week(3, 37)) == 0  # a late correction: still above it
    assert [await servers.client.record_usage(week(n, 30)) for n in range(8, 12)] == [0] * 4  # calls for nothing
    assert sum([await servers.client.record_usage(week(n, 38)) for n in range(12, 16)]) == 1


async def test_an_accepted_offer_amends_the_asset_to_the_end_of_its_term(servers: Servers) -> None:
    document = order()
    account = account_of(document)
    await servers.client.place_order(document)
    await servers.client.fast_forward(account, timedelta(days=45))
    await complete_onboarding(servers, account)
    await report_usage(servers, account, users=39)
    await servers.client.fast_forward(account, timedelta(days=6))  # a question went along with the news of go-live
    offer = await servers.pool.fetchrow("select * from offer where account_id = $1", account)
    assert offer is not None
    assert offer["add_quantity"] == 9  # 39 active at 80 percent of the seats: 49 seats
    answer = await servers.client.ask(account, "answer_offer", {"offer_id": offer["offer_id"], "decision": "accept"})
    assert answer["quantity"] == 49
    periods = await servers.pool.fetch(
        "select * from asset_state_period where asset_id = $1 order by starts_at", offer["asset_id"]
    )
    assert [(p["quantity"], int(p["mrr"])) for p in periods] == [(40, 48000), (49, 58800)]
    assert periods[0]["ends_at"] == periods[1]["starts_at"]
    with pytest.raises(Refusal, match="not open"):
        await servers.client.ask(account, "answer_offer", {"offer_id": offer["offer_id"], "decision": "accept"})


@pytest.mark.parametrize(
    ("auto_renew", "decision", "terms", "status"),
    [
        (False, "accept", 2, "active"),
        (True, None, 2, "active"),
        (False, None, 1, "ended"),
        (False, "decline", 1, "ended"),
    ],
)
async def test_a_term_ends_as_was_decided(
    servers: Servers, auto_renew: bool, decision: str | None, terms: int, status: str
) -> None:
    document = order()
    document["contracts"][0]["auto_renew"] = auto_renew
    account, contract = account_of(document), document["contracts"][0]["contract_id"]
    await servers.client.place_order(document)
    await servers.client.fast_forward(account, timedelta(days=340))
    if decision:
        request = {"contract_id": contract, "decision": decision, "reason": "price"}
        await servers.client.ask(account, "answer_renewal", request)
    await servers.client.fast_forward(account, timedelta(days=90))
    found = await servers.pool.fetchrow("select status from contract where contract_id = $1", contract)
    assert found is not None
    assert found["status"] == status
    assert await servers.pool.fetchval("select count(*) from contract_term where contract_id = $1", contract) == terms
    ends = await servers.pool.fetchval("select max(lifecycle_end) from asset where contract_id = $1", contract)
    term_end = await servers.pool.fetchval("select max(ends_at) from contract_term where contract_id = $1", contract)
    assert ends == term_end


async def test_goods_live_by_the_customers_own_rhythm(servers: Servers) -> None:
    first = order(contracts=[], lines=[])
    first["account"]["segment"] = "wholesale"
    first["lines"] = [{"line_id": "1", "product": "BEANS", "quantity": 10, "unit_price": "900"}]
    account = account_of(first)
    await servers.client.place_order(first)
    for days in (30, 25, 25):
        now = await servers.client.fast_forward(account, timedelta(days=days))
        await servers.client.place_order(goods_order(first, now))
    await servers.client.fast_forward(account, timedelta(days=120))
    found = await keys(servers, account)
    last = (now.astimezone()).date()
    assert sum(key.startswith("reorder/check-in-") for key in found) == 1
    assert sum(key.startswith("reorder/lapse-") for key in found) == 1
    lapse = next(row for row in await servers.journal(account) if "/reorder/lapse-" in row["key"])
    assert 50 <= (lapse["at"].date() - last).days <= 54  # twice the median of 30, 25 and 25 days
    assert await servers.pool.fetchval("select count(*) from asset where account_id = $1", account) == 0
