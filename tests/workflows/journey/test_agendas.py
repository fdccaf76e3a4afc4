"""What moves a journey's agenda moves the one that follows from the facts alike: after each test the two are compared."""

from __future__ import annotations

import json
from datetime import timedelta
from typing import Any

import pytest

from activities.kernel.clock import present
from domain.frame.state import Step
from domain.journey.agenda import Running
from gateway.cases import CaseClient
from tests.agendas import apart
from tests.builders import goods_order, order
from tests.cases import case, customer, staffed
from tests.conftest import Servers
from tests.e2e.lives import account_of, ended, onboard, settled, until

NEW_YORK = "America/New_York"
MORNINGS = {"adoption_check_in", "relationship_anniversary", "reorder_check_in"}


async def begun(servers: Servers, days: float = 1, **account_changes: Any) -> tuple[dict[str, Any], str]:
    document = await customer(servers, **account_changes)
    account = account_of(document)
    await forward(servers, account, days)
    return document, account


async def forward(servers: Servers, account: str, days: float) -> None:
    await servers.client.fast_forward(account, timedelta(days=days))
    await settled(servers.pool, account)


async def running(servers: Servers, account: str) -> Running:
    found: Running = await servers.handle(account).query("agenda", result_type=Running)
    return found


async def planned(servers: Servers, account: str, kind: str) -> Step:
    (step,) = [step for step in (await running(servers, account)).steps if step.kind == kind]
    return step


async def years_said(servers: Servers, account: str) -> list[int]:
    rows = await servers.pool.fetch(
        "select body->'context'->'years' as years from outbox where account_id = $1 and body->>'template' = 'touch_anniversary'"
        " order by created_at",
        account,
    )
    return [int(json.loads(row["years"]) if isinstance(row["years"], str) else row["years"]) for row in rows]


@pytest.mark.engine
async def test_an_anniversary_that_is_kept_early_is_of_its_own_year_and_the_next_one_follows(servers: Servers) -> None:
    _, account = await begun(servers)
    first = await planned(servers, account, "relationship_anniversary")
    day = (await servers.client.now(account)).date() + timedelta(days=20)
    await servers.client.ask(account, "reschedule_step", {"step": first.key, "day": day.isoformat()})
    await forward(servers, account, 40)
    assert await years_said(servers, account) == [1]
    second = await planned(servers, account, "relationship_anniversary")
    assert (second.on.year, second.on.month) == (first.on.year + 1, first.on.month)


async def test_an_anniversary_that_was_left_out_stays_so_if_an_order_of_the_past_comes_to_light(
    servers: Servers,
) -> None:
    document, account = await begun(servers)
    first = await planned(servers, account, "relationship_anniversary")
    await servers.client.ask(account, "skip_step", {"step": first.key, "reason": "they do not like them"})
    came = present() - timedelta(days=100)
    await servers.client.import_order(goods_order(document, came))
    following = await planned(servers, account, "relationship_anniversary")
    assert following.on.year > first.on.year
    assert (following.on - came.date()).days % 365 < 4


async def test_an_order_of_the_past_changes_the_rhythm_that_goods_are_ordered_in(servers: Servers) -> None:
    document, account = await begun(servers)
    await servers.client.place_order(goods_order(document, present()))
    before = await planned(servers, account, "reorder_lapse")
    await servers.client.import_order(goods_order(document, present() - timedelta(days=25)))
    after = await planned(servers, account, "reorder_lapse")
    assert after.key == before.key
    assert after.on < before.on


async def test_a_check_in_that_a_pause_put_off_gives_way_to_a_go_live(servers: Servers) -> None:
    _, account = await begun(servers, 3)
    first = await planned(servers, account, "adoption_check_in")
    await servers.client.ask(account, "pause", {"reason": "stocktaking"})
    await servers.client.fast_forward_to(account, first.at + timedelta(hours=6))
    await servers.client.ask(account, "resume", {})
    assert (await planned(servers, account, "adoption_check_in")).key == first.key
    assert await apart(servers, account) == []
    await onboard(servers.client, account)
    assert (await planned(servers, account, "adoption_check_in")).key != first.key


async def test_a_good_rating_ends_the_time_in_which_sales_keeps_quiet(servers: Servers) -> None:
    document, account = await begun(servers, segment="enterprise")
    team = await staffed(servers, "AG-RATED")
    cases = CaseClient(servers.temporal, servers.pool)
    opened = await cases.open_case(case(document, team=team, impact="high", urgency="high"))
    await cases.ask(opened.case_id, "resolve", {"code": "fixed", "text": "A new cable.", "by": "AG-RATED"})
    await forward(servers, account, 0.2)
    held = "select count(*) from sales_hold where account_id = $1 and reason = 'cooling_down' and lifted_at is null"
    assert await servers.pool.fetchval(held, account) == 1
    await cases.ask(opened.case_id, "answer_csat", {"score": 5})

    async def over() -> bool:
        return bool(await servers.pool.fetchval(held, account) == 0)

    await until(over, "sales may go on")


async def test_a_case_that_went_quiet_holds_sales_back_again_once_the_customer_writes(servers: Servers) -> None:
    document, account = await begun(servers)
    team = await staffed(servers, "AG-QUIET")
    cases = CaseClient(servers.temporal, servers.pool)
    opened = await cases.open_case(case(document, team=team, impact="high", urgency="high"))
    await cases.ask(opened.case_id, "respond", {"body": "Is it still down?", "by": "AG-QUIET"})
    await cases.ask(opened.case_id, "wait", {"reason": "is it still down?", "by": "AG-QUIET"})
    await forward(servers, account, 32)
    levels = "select level from sales_hold where account_id = $1 and lifted_at is null"
    assert await servers.pool.fetchval(levels, account) == "warn"
    await cases.ask(opened.case_id, "customer_message", {"body": "Yes, it is.", "channel": "phone"})

    async def back() -> bool:
        return bool(await servers.pool.fetchval(levels, account) == "block")

    await until(back, "sales is held back")


async def test_what_is_asked_about_holds_in_a_pause_is_looked_at_when_it_is_over(servers: Servers) -> None:
    _, account = await begun(servers)
    placed = await servers.client.ask(account, "place_hold", {"reason": "their director is ill", "by": "S-2"})
    await servers.client.ask(account, "pause", {"reason": "stocktaking"})
    await servers.client.ask(account, "lift_hold", {"hold_id": placed["hold_id"], "by": "S-2"})
    assert await apart(servers, account) == []
    await servers.client.ask(account, "resume", {})
    assert await apart(servers, account) == []

    async def looked_at() -> bool:
        return "service" not in (await running(servers, account)).stages

    await until(looked_at, "the look that was held back")


async def test_units_that_arrive_when_their_contract_is_over_leave_nothing_to_do(servers: Servers) -> None:
    _, giver = await begun(servers)
    _, taker = await begun(servers, 90)
    again = order(account_id=giver)
    again["contracts"][0]["term"] = {"start": present().date().isoformat(), "months": 1}
    await servers.client.place_order(again)
    asset = f"{again['order_id']}.1"
    handed_over = {"to_account": taker, "assets": [{"asset_id": asset, "quantity": 10}]}
    await servers.client.ask(giver, "transfer_assets", handed_over)
    await forward(servers, giver, 1)
    assert await apart(servers, taker) == []
    came = await servers.pool.fetch(
        "select status, status_reason from contract where account_id = $1 and order_id is null", taker
    )
    assert [(row["status"], row["status_reason"]) for row in came] == [("ended", "over before it was recorded")]


@pytest.mark.parametrize("until_days", [None, 20])
async def test_a_pause_outlives_the_engines_database(servers: Servers, until_days: int | None) -> None:
    _, calm = await begun(servers)
    _, account = await begun(servers)
    for one in (calm, account):
        now = await servers.client.now(one)
        end = {"until": (now + timedelta(days=until_days)).isoformat()} if until_days else {}
        await servers.client.ask(one, "pause", {"reason": "the shop is rebuilt", "by": "S-2", **end})
        await forward(servers, one, 10)
    resumed_at = await servers.client.now(calm)
    before = (await running(servers, account)).paused
    await servers.handle(account).terminate("lost")
    await ended(servers.temporal, f"journey-{account}")
    await servers.client.reconcile(account)
    after = (await running(servers, account)).paused
    assert before is not None
    assert after is not None
    assert (after.reason, after.by, after.until, after.lets) == (before.reason, "S-2", before.until, before.lets)
    assert abs(after.since - before.since) < timedelta(seconds=5)
    assert await apart(servers, account) == []
    await servers.client.fast_forward_to(account, resumed_at)  # it began at the last instant that is on record
    for one in (calm, account):
        if until_days is None:
            await servers.client.ask(one, "resume", {})
        await forward(servers, one, 30)
    mails = "select body->>'template' as t from outbox where account_id = $1 and channel = 'deliver_mail' order by created_at, 1"
    lived, twin = [[row["t"] for row in await servers.pool.fetch(mails, one)] for one in (account, calm)]
    assert lived == twin


async def test_a_pause_that_the_record_does_not_know_is_over(servers: Servers) -> None:
    """A journey of before it was resumed or paused, by the facts of afterwards."""
    _, account = await begun(servers)
    await servers.client.ask(account, "pause", {"reason": "stocktaking", "request_id": "p-1", "by": "S-2"})
    key = f"journey:{account}/pause_journey:p-1"
    await servers.pool.execute("update journal set kind = 'paused_elsewhere' where key = $1", key)
    (said,) = (await servers.client.reconcile(account))["differences"]
    assert said["kind"] == "pause_other"
    assert said["says"] == "the journey is paused by S-2 (stocktaking), and ought to be going on"
    assert (await running(servers, account)).paused is None
    await servers.pool.execute("update journal set kind = 'pause_journey' where key = $1", key)
    (said,) = (await servers.client.reconcile(account))["differences"]
    assert said["says"] == "the journey is going on, and ought to be paused by S-2 (stocktaking)"
    paused = (await running(servers, account)).paused
    assert paused is not None
    assert (paused.reason, paused.by) == ("stocktaking", "S-2")


async def test_adoption_begins_once_more_with_a_contract_that_is_renewed_when_it_was_over(servers: Servers) -> None:
    document = order()
    document["contracts"][0]["term"] = {"start": present().date().isoformat(), "months": 2}
    account, contract = account_of(document), document["contracts"][0]["contract_id"]
    await servers.client.place_order(document)
    await forward(servers, account, 2)
    await onboard(servers.client, account)
    await forward(servers, account, 120)
    status = "select status from contract where contract_id = $1"
    assert await servers.pool.fetchval(status, contract) == "ended"
    assert "adoption" not in (await running(servers, account)).stages
    await servers.client.ask(account, "renew_assets", {"contract_id": contract, "months": 12})
    assert await servers.pool.fetchval(status, contract) == "active"
    assert "adoption" in (await running(servers, account)).stages
    assert await apart(servers, account) == []
    await forward(servers, account, 40)


async def test_an_order_that_brings_a_lost_journey_back_does_not_end_its_pause(servers: Servers) -> None:
    document, account = await begun(servers)
    await servers.client.ask(account, "pause", {"reason": "the shop is rebuilt", "by": "S-2"})
    await servers.handle(account).terminate("lost")
    await ended(servers.temporal, f"journey-{account}")
    await servers.client.place_order(goods_order(document, present()))
    paused = (await running(servers, account)).paused
    assert paused is not None
    assert (paused.reason, paused.by) == ("the shop is rebuilt", "S-2")
    assert await apart(servers, account) == []
    await servers.client.ask(account, "resume", {})
    await forward(servers, account, 10)


async def test_a_notice_that_is_left_out_does_not_end_those_that_follow(servers: Servers) -> None:
    document, account = await begun(servers)
    stage = f"renewal:{document['contracts'][0]['contract_id']}:1"
    first = await planned(servers, account, "renewal_notice")
    skipped = await servers.client.ask(account, "skip_step", {"step": first.key, "reason": "they asked for quiet"})
    assert skipped["skipped"] == first.key
    second = await planned(servers, account, "renewal_notice")
    assert second.at > first.at
    assert second.stage == first.stage == stage
    assert await apart(servers, account) == []
    await servers.client.ask(account, "skip_step", {"step": second.key, "reason": "they asked for quiet"})
    third = await planned(servers, account, "renewal_notice")
    assert third.at > second.at
    await servers.client.fast_forward_to(account, second.at + timedelta(hours=1))
    assert await apart(servers, account) == []
    await servers.client.fast_forward_to(account, third.at + timedelta(hours=1))
    await settled(servers.pool, account)
    said = await servers.pool.fetch(
        "select created_at from outbox where account_id = $1 and body->>'template' = 'renewal_notice'", account
    )
    assert [row["created_at"].date() for row in said] == [third.at.date()]
    assert await apart(servers, account) == []


async def test_what_was_due_when_it_was_sold_in_a_pause_is_overdue_whenever_it_was_due(servers: Servers) -> None:
    document, account = await begun(servers)
    await servers.client.ask(account, "pause", {"reason": "stocktaking"})
    await forward(servers, account, 60)
    now = await servers.client.now(account)
    again = order(account_id=account, account=document["account"], contacts=document["contacts"])
    start = now.date() - timedelta(days=40)  # most of its notices would have been due in the pause
    again["contracts"][0]["term"] = {"start": start.isoformat(), "months": 4}
    again["activated_at"] = now.isoformat()
    await servers.client.place_order(again)
    contract = again["contracts"][0]["contract_id"]
    due = [step for step in (await running(servers, account)).steps if step.stage == f"renewal:{contract}:1"]
    assert any(step.kind == "renewal_notice" and step.at >= now for step in due)
    await forward(servers, account, 1)
    assert await apart(servers, account) == []
