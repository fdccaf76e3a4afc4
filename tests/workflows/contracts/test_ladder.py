"""The ladder before a renewal: tasks of our people with an owner, a day and a reason, by the size of the deal."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

from activities.contracts.renewal_work import look_at_renewals
from activities.frame.unit_of_work import Performer
from domain.kernel.calendar import local_day
from tests.agendas import apart
from tests.conftest import Servers
from tests.e2e.lives import account_of
from tests.workflows.contracts.test_in_grace import from_today


async def tasks(servers: Servers, account: str) -> list[Any]:
    """The tasks of the ladder, in the order in which they were opened."""
    return await servers.pool.fetch(
        "select * from staff_task where account_id = $1 and starts_with(key, 'renewal/ladder') order by opened_at, key",
        account,
    )


async def lived(servers: Servers, **contract: Any) -> tuple[str, str, Any]:
    """A customer whose contract begins today, with the end of its term."""
    document = from_today()
    document["contracts"][0] |= contract
    await servers.client.place_order(document)
    contract_id = document["contracts"][0]["contract_id"]
    ends_at = await servers.pool.fetchval("select ends_at from contract_term where contract_id = $1", contract_id)
    return account_of(document), contract_id, ends_at


async def day_by_day(servers: Servers, account: str, ends_at: Any, *days: int) -> list[list[str]]:
    """Which rungs became tasks on each of these days before the end."""
    found = []
    for before in days:
        await servers.client.fast_forward_to(account, ends_at - timedelta(days=before) + timedelta(hours=12))
        known = {row["task_id"] for row in await tasks(servers, account)}
        await servers.client.look_at_renewals(account)
        found.append(
            [row["title"].partition(": ")[2] for row in await tasks(servers, account) if row["task_id"] not in known]
        )
    return found


async def test_each_step_is_a_task_on_its_day_and_once(servers: Servers) -> None:
    account, contract_id, ends_at = await lived(servers)
    found = await day_by_day(servers, account, ends_at, 130, 121, 91, 61, 46, 31, 15, 8)
    assert found == [
        [],
        ["check the data"],
        ["review the risk"],
        [],
        ["meet who decides"],
        ["follow up on the proposal"],
        ["ask for the answer"],
        ["call before it is too late"],
    ]
    rows = await tasks(servers, account)
    assert {row["staff_id"] for row in rows} == {"S-1", "S-2"}
    last = local_day(ends_at - timedelta(days=1), "Asia/Tokyo")
    for row in rows:
        assert row["opened_at"] <= row["due_at"]
        assert local_day(row["due_at"], "Asia/Tokyo") <= last
        assert row["reason"].startswith(f"636000 JPY a year is to be decided by {last}.")
    assert "No contact is sponsor or billing." in rows[0]["reason"]
    assert "No sponsor is known." in rows[1]["reason"]
    assert await servers.client.look_at_renewals(account) == {"customers": 1, "steps": 0}
    await servers.client.ask(account, "answer_renewal", {"contract_id": contract_id, "decision": "accept"})
    assert {row["closed_at"] is not None for row in await tasks(servers, account)} == {True}
    assert await apart(servers, account) == []


async def test_a_large_deal_begins_earlier(servers: Servers) -> None:
    lines = [{"line_id": "1", "product": "SEATS", "quantity": 1000, "unit_price": "1200"}]
    account, _, ends_at = await lived(servers, lines=lines)
    assert await day_by_day(servers, account, ends_at, 190, 181) == [[], ["check the data"]]


async def test_the_day_of_notice_counts_where_it_comes_before_the_end(servers: Servers) -> None:
    account, contract_id, ends_at = await lived(servers, auto_renew=True, notice_days=60)
    found = await day_by_day(servers, account, ends_at, 152, 149, 91, 66, 50)
    assert found == [
        ["check the data"],
        ["review the risk"],
        ["meet who decides"],
        ["see that they know the day of notice, ask for the answer, call before it is too late"],
        [],
    ]
    row = (await tasks(servers, account))[-1]
    assert "without an answer it renews by itself" in row["reason"]
    assert f"{contract_id} by " in row["title"]


async def test_a_late_start_is_one_task_with_all_that_is_due(servers: Servers) -> None:
    account, _, ends_at = await lived(servers)
    [[merged]] = await day_by_day(servers, account, ends_at, 40)
    assert merged == "check the data, review the risk, meet who decides"
    assert await day_by_day(servers, account, ends_at, 29) == [["follow up on the proposal"]]


async def test_contracts_that_end_together_are_one_task(servers: Servers) -> None:
    document = from_today()
    first = document["contracts"][0]
    line = {"line_id": "7", "product": "CARE", "quantity": 1, "unit_price": "100", "per": "month"}
    document["contracts"].append({**first, "contract_id": f"{first['contract_id']}-b", "lines": [line]})
    await servers.client.place_order(document)
    account = account_of(document)
    ends_at = await servers.pool.fetchval(
        "select ends_at from contract_term where contract_id = $1", first["contract_id"]
    )
    await day_by_day(servers, account, ends_at, 119)
    [row] = await tasks(servers, account)
    assert f"{first['contract_id']}, {first['contract_id']}-b" in row["title"]
    decline = {"contract_id": first["contract_id"], "decision": "decline", "reason": "price"}
    await servers.client.ask(account, "answer_renewal", decline)
    assert (await tasks(servers, account))[0]["closed_at"] is None
    await servers.client.ask(account, "answer_renewal", {**decline, "contract_id": f"{first['contract_id']}-b"})
    assert (await tasks(servers, account))[0]["closed_at"] is not None


async def test_a_term_of_years_is_reviewed_in_its_middle(servers: Servers) -> None:
    from_now = from_today()["contracts"][0]["term"]
    account, _, ends_at = await lived(servers, term={**from_now, "months": 24})
    found = await day_by_day(servers, account, ends_at, 380, 360)
    assert found == [[], ["review the first half of the term"]]


async def test_the_batch_looks_at_all_who_live_in_real_time(servers: Servers) -> None:
    account, _, ends_at = await lived(servers)
    counts = await look_at_renewals(Performer(servers.pool, "InfintraBytes"), ends_at - timedelta(days=100))
    assert counts["steps"] >= 1
    assert [row["title"].partition(": ")[2] for row in await tasks(servers, account)] == ["check the data"]


async def test_a_review_of_the_risk_says_the_health_of_now(servers: Servers) -> None:
    account, _, ends_at = await lived(servers)
    await day_by_day(servers, account, ends_at, 121)
    for hours, score, band in ((10, 88, "healthy"), (11, 55, "watch")):
        await servers.pool.execute(
            "insert into health_score (account_id, at, score, band, parts) values ($1, $2, $3, $4, '{}')",
            *(account, ends_at - timedelta(days=91, hours=-hours), score, band),
        )
    await day_by_day(servers, account, ends_at, 91)
    (review,) = [task for task in await tasks(servers, account) if "review the risk" in task["title"]]
    assert "Health is watch, 55." in review["reason"]
