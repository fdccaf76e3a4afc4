"""Usage that comes in: much of it at once, and two reports at the same time."""

from __future__ import annotations

import asyncio
from datetime import date, datetime, timedelta

import pytest

from domain.kernel.refusals import Refusal
from domain.success.usage import UsageRow
from gateway.calling import Call, NoAnswerError
from gateway.clock import Clocks
from tests.asset_life import Life
from tests.conftest import Servers


def report(account: str, product: str, day: date, users: int) -> UsageRow:
    return UsageRow.model_validate({"account_id": account, "product": product, "day": day, "active_users": users})


async def test_tens_of_thousands_of_figures_of_one_customer_are_taken(servers: Servers) -> None:
    life = await Life.begin(servers)
    first = date(1700, 1, 1)
    rows = [report(life.account, "SEATS", first + timedelta(days=n % 40_000), n % 41) for n in range(60_000)]
    await servers.client.record_usage(rows)
    known = await servers.pool.fetchrow(
        "select count(*) as days, sum(active_users) as users from usage_day where account_id = $1", life.account
    )
    assert known is not None
    last = {row.day: row.active_users for row in rows}
    assert (known["days"], known["users"]) == (40_000, sum(last.values()))


@pytest.mark.engine
async def test_of_two_reports_at_once_one_tells_of_the_threshold(servers: Servers) -> None:
    life = await Life.begin(servers)
    product = await servers.pool.fetchval("select product_code from asset where asset_id = $1", life.seats)
    today = (await servers.client.now(life.account)).date()
    days = [today - timedelta(days=n) for n in range(1, 9)]
    await servers.client.record_usage([report(life.account, product, day, 30) for day in days])
    # Neither half lifts the average over the threshold; both together do.
    halves = [[report(life.account, product, day, 40) for day in part] for part in (days[::2], days[1::2])]
    told = await asyncio.gather(*(servers.client.record_usage(half) for half in halves))
    assert sorted(told) == [0, 1]


async def test_days_of_a_customers_own_time_are_taken_and_those_to_come_are_not(
    servers: Servers, monkeypatch: pytest.MonkeyPatch
) -> None:
    life = await Life.begin(servers)
    product = await servers.pool.fetchval("select product_code from asset where asset_id = $1", life.seats)
    today = (await servers.client.fast_forward(life.account, timedelta(days=100))).date()

    async def reported(day: date) -> int:
        await servers.client.record_usage([report(life.account, product, day, 30)])
        return int(await servers.pool.fetchval("select count(*) from usage_day where account_id = $1", life.account))

    assert await reported(today) == 1
    with pytest.raises(Refusal, match="is still to come"):
        await reported(today + timedelta(days=2))

    # While nobody can be asked for their time, what is on record says it; of what is beyond that nobody knows yet.
    async def away(_: Clocks, workflow_id: str) -> datetime:
        raise Call("the question for its time", workflow_id).unanswered(timedelta(), "away")

    await servers.client.ask(life.account, "pause", {"reason": "stocktaking"})
    monkeypatch.setattr(Clocks, "told", away)
    assert await reported(today - timedelta(days=1)) == 2
    with pytest.raises(NoAnswerError):
        await reported(today + timedelta(days=2))
