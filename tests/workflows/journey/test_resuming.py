"""A journey that goes on after a pause: what is still of use leaves at the promised hours, one mail a morning; the rest is told."""

from __future__ import annotations

import re
from datetime import date, datetime, timedelta
from typing import Any
from zoneinfo import ZoneInfo

import pytest

from activities.journey.timeline import timeline_page
from activities.kernel.clock import present
from domain.kernel.calendar import add_months, is_business_day
from domain.kernel.refusals import Refusal
from domain.success.usage import UsageRow
from tests.builders import order
from tests.conftest import Servers
from tests.e2e.lives import account_of, onboard, settled

TOKYO = ZoneInfo("Asia/Tokyo")
STEP = "relationship/anniversary-{}"


async def customer_mails(servers: Servers, account: str) -> list[tuple[datetime, str]]:
    """When each mail to the customer left, local, and its template."""
    rows = await servers.pool.fetch(
        "select coalesce(settled_at, created_at) as at, body->>'template' as template from outbox"
        " where account_id = $1 and channel = 'deliver_mail' order by at, delivery_id",
        account,
    )
    return [(row["at"].astimezone(TOKYO), row["template"]) for row in rows]


async def titles(servers: Servers, account: str) -> list[str]:
    return [row["title"] for row in await servers.journal(account)]


async def report_low_use(servers: Servers, account: str) -> None:
    """The meter says that hardly a seat is in use."""
    today = (await servers.client.now(account)).date()
    days = [today - timedelta(days=n) for n in range(28)]
    await servers.client.record_usage(
        [UsageRow(account_id=account, product="SEATS", day=day, active_users=2) for day in days]
    )


async def slept(servers: Servers, days: int, **pause: Any) -> str:
    """A new customer whose journey was paused on its first day, `days` ago."""
    document = order()
    account = account_of(document)
    await servers.client.place_order(document)
    await servers.client.ask(account, "pause", {"reason": "the shop is rebuilt", **pause})
    await servers.client.fast_forward(account, timedelta(days=days))
    return account


@pytest.mark.parametrize("by_itself", [False, True])
async def test_what_came_due_in_a_pause_leaves_one_mail_a_morning_or_not_at_all(
    servers: Servers, by_itself: bool
) -> None:
    until = {"until": (present().astimezone(TOKYO) + timedelta(days=40)).isoformat()} if by_itself else {}
    account = await slept(servers, 40, **until)
    resumed_at = await servers.client.now(account)
    if not by_itself:
        await report_low_use(servers, account)
        answer = await servers.client.ask(account, "resume", {})
        assert answer["dropped"]
    await settled(servers.pool, account)
    await servers.client.fast_forward(account, timedelta(days=20))
    await settled(servers.pool, account)
    late = [(at, template) for at, template in await customer_mails(servers, account) if at > resumed_at]
    assert late
    # What is told between nine and ten goes out at once: the test may run in that hour.
    assert all(at.hour == 9 and is_business_day(at.date(), "JP") for at, _ in late), late
    # Accounting gets the documents; a new date is told with what moved it.
    days = [at.date() for at, template in late if template not in ("documents", "onboarding_moved")]
    assert len(days) == len(set(days)), late
    assert "touch_day_1" not in {template for _, template in late}
    told = await titles(servers, account)
    assert any(re.fullmatch(r"Dropped: short mail: day 1, order SO-\S+; \d+ days late", one) for one in told), told


@pytest.mark.engine
async def test_after_a_pause_words_are_true_of_the_day_on_which_they_leave(servers: Servers) -> None:
    account = await slept(servers, 40)
    answer = await servers.client.ask(account, "resume", {})
    await servers.client.fast_forward(account, timedelta(days=20))
    await servers.client.ask(account, "complete_task", {"task": "kickoff"})  # the training comes after it
    await servers.client.fast_forward(account, timedelta(days=10))
    await settled(servers.pool, account)
    rows = await servers.pool.fetch(
        "select created_at, body from outbox where account_id = $1 and channel in ('deliver_mail', 'deliver_notice')"
        " order by created_at, delivery_id",
        account,
    )
    invited: set[str] = set()
    for row in rows:
        today = row["created_at"].astimezone(TOKYO).date().isoformat()
        body, context = row["body"], row["body"].get("context", {})
        match body.get("template"):
            case "onboarding_invite":
                assert (context["due"] < today) is context["late"], (today, context)
                invited.add(context["title"]["en"])
            case "onboarding_reminder":
                assert (context["due"] < today) is (context["days_late"] > 0)
            case None if body["title"].startswith("Due soon"):
                assert body["due"] > row["created_at"].isoformat(), (today, body)
            case None if body["title"].startswith("Overdue"):
                assert body["due"] is None or body["due"] > row["created_at"].isoformat(), (today, body)
    assert {"Kickoff meeting", "Training"} <= invited, "who was never invited is invited before anybody is reminded"
    notices = [row["body"]["title"] for row in rows if "title" in row["body"]]
    assert "Overdue: Kickoff meeting" in notices, notices
    first = {name: next(n for n, row in enumerate(rows) if name in str(row["body"])) for name in invited}
    assert all(rows[n]["body"].get("template") in ("welcome", "onboarding_invite") for n in first.values())
    dropped = [row for row in await servers.journal(account) if row["kind"] == "dropped"]
    assert [row["detail"]["step"] for row in dropped] == answer["dropped"]
    assert all(row["detail"]["why"] in row["title"] for row in dropped)
    async with servers.pool.acquire() as connection:
        page = await timeline_page(connection, account, limit=500)
    assert {row["title"] for row in dropped} <= {item.title for item in page.items}


async def test_a_welcome_that_waited_names_no_days_that_are_gone(servers: Servers) -> None:
    document = order()
    account = account_of(document)
    await servers.client.place_order(document)
    await onboard(servers.client, account)  # so that the second order speaks for itself
    await servers.client.ask(account, "pause", {"reason": "the shop is rebuilt"})
    second = order(account, order_id=f"{document['order_id']}-2")
    second.update(account=document["account"], contacts=document["contacts"])
    second["activated_at"] = (await servers.client.now(account)).isoformat()
    await servers.client.place_order(second)
    await servers.client.fast_forward(account, timedelta(days=40))
    await servers.client.ask(account, "resume", {})
    await servers.client.fast_forward(account, timedelta(days=20))
    late = await servers.pool.fetchrow(
        "select created_at, body->'context'->'tasks' as tasks from outbox where account_id = $1"
        " and body->>'template' = 'welcome' order by created_at desc limit 1",
        account,
    )
    assert late is not None
    today = late["created_at"].astimezone(TOKYO).date().isoformat()
    assert {"en": "Kickoff meeting", "ja": "キックオフミーティング"} in [task["title"] for task in late["tasks"]]
    assert all(task["due"] is None or task["due"] >= today for task in late["tasks"]), late["tasks"]


@pytest.mark.parametrize("auto_renew", [True, False])
async def test_a_notice_after_its_deadline_says_so(servers: Servers, auto_renew: bool) -> None:
    document = order()
    document["contracts"][0].update(auto_renew=auto_renew, notice_days=60)
    account, contract = account_of(document), document["contracts"][0]
    await servers.client.place_order(document)
    ends = datetime.fromisoformat(add_months(date.fromisoformat(contract["term"]["start"]), 12).isoformat())
    await servers.client.fast_forward_to(account, ends.replace(tzinfo=TOKYO) - timedelta(days=95))
    await servers.client.ask(account, "pause", {"reason": "they move"})
    await servers.client.fast_forward(account, timedelta(days=50))
    await servers.client.ask(account, "resume", {})
    await servers.client.fast_forward(account, timedelta(days=5))
    told = await servers.pool.fetch(
        "select created_at, body->'context' as context from outbox where account_id = $1"
        " and body->>'template' = 'renewal_notice' and created_at > $2",
        account,
        ends.replace(tzinfo=TOKYO) - timedelta(days=46),
    )
    assert len(told) == 1
    assert told[0]["context"]["notice_over"] is auto_renew
    last = (ends - timedelta(days=60 if auto_renew else 1)).date().isoformat()
    assert told[0]["context"]["notice_by"] == last
    decline = {"contract_id": contract["contract_id"], "decision": "decline", "reason": "price"}
    if auto_renew:
        with pytest.raises(Refusal, match=f"notice could be given until {last}"):
            await servers.client.ask(account, "answer_renewal", decline)
    else:
        assert (await servers.client.ask(account, "answer_renewal", decline))["status"] == "declined"


async def test_what_is_overdue_is_planned_in_order_of_time_and_the_rest_stays(servers: Servers) -> None:
    account = await slept(servers, 400)
    await servers.client.ask(account, "resume", {})
    await servers.client.fast_forward(account, timedelta(minutes=1))
    await settled(servers.pool, account)
    rows = await servers.pool.fetch(
        "select contract_id, number, start_on from contract_term join contract using (contract_id) where account_id = $1",
        account,
    )
    contract = await servers.pool.fetchrow("select status from contract where account_id = $1", account)
    assert contract is not None
    # The term that ended in the pause has ended; nobody is told of a renewal that is past.
    assert contract["status"] != "active" or len(rows) == 2
    await servers.client.fast_forward(account, timedelta(days=10))
    assert "renewal_notice" not in [template for _, template in await customer_mails(servers, account)]
    # The year that went by in the pause is no news any more; the next one is planned.
    lines = await titles(servers, account)
    assert any(line.startswith("Dropped: anniversary") for line in lines)


async def test_a_step_is_left_out_or_moved_by_request(servers: Servers) -> None:
    document = order()
    account = account_of(document)
    await servers.client.place_order(document)
    now = await servers.client.now(account)
    year = now.astimezone(TOKYO).year + 1
    first = STEP.format(year)
    day = now.astimezone(TOKYO).date().replace(day=1) + timedelta(days=400)
    with pytest.raises(Refusal, match="has passed"):
        await servers.client.ask(account, "reschedule_step", {"step": first, "day": "2026-01-31"})
    term_end = f"renewal:{document['contracts'][0]['contract_id']}:1/term-end"
    for request in ("skip_step", "reschedule_step"):
        more = {"reason": "x"} if request == "skip_step" else {"day": day.isoformat()}
        with pytest.raises(Refusal, match="cannot be left out"):
            await servers.client.ask(account, request, {"step": term_end, **more})
    moved = await servers.client.ask(account, "reschedule_step", {"step": first, "day": day.isoformat()})
    assert moved["day"] >= day.isoformat()
    await servers.client.fast_forward_to(account, datetime.fromisoformat(moved["at"]) + timedelta(minutes=1))
    await settled(servers.pool, account)
    happy = [at for at, template in await customer_mails(servers, account) if template == "touch_anniversary"]
    assert [at.date().isoformat() for at in happy] == [moved["day"]]
    told = await titles(servers, account)
    assert any(title.startswith(f"Moved to {moved['day']}: anniversary") for title in told), told
    second = STEP.format(year + 1)
    answer = await servers.client.ask(account, "skip_step", {"step": second, "reason": "they are in mourning"})
    assert answer["skipped"] == second
    assert any("anniversary" in title and "they are in mourning" in title for title in await titles(servers, account))
    with pytest.raises(Refusal, match="no step"):
        await servers.client.ask(account, "skip_step", {"step": second, "reason": "again"})
    third = STEP.format(year + 2)
    answer = await servers.client.ask(account, "skip_step", {"step": third, "reason": "for good"})
    assert answer["skipped"] == third
