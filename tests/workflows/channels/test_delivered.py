"""Done means delivered: what a mail completes is done once a mail server has taken it; the journal says where each message stands."""

from __future__ import annotations

import re
from datetime import date, timedelta
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

import pytest

from activities.journey import reports
from activities.journey.timeline import timeline_page
from activities.kernel.clock import present
from domain.kernel.calendar import local_day
from domain.mail.message_words import message_in_words
from tests.builders import order
from tests.conftest import Servers
from tests.e2e.lives import account_of, settled, until
from tests.e2e.outages import Outside, outside

pytestmark = pytest.mark.engine  # workers of their own

WELCOME = "select * from onboarding_task where account_id = $1 and name = 'welcome'"


async def messages(servers: Servers, account: str) -> list[str]:
    """Where each message of the journal stands, in words."""
    async with servers.pool.acquire() as connection:
        lines = await reports.latest_journal(connection, account, 200)
    return [message_in_words(message, "Asia/Tokyo") for line in reversed(lines) for message in line["messages"]]


async def timeline(servers: Servers, account: str) -> dict[str, Any]:
    async with servers.pool.acquire() as connection:
        page = await timeline_page(connection, account, limit=500)
    return {item.title: item.at for item in page.items}


async def ordered(world: Outside, **changes: Any) -> str:
    document = order(**changes)
    await world.client.place_order(document)
    return account_of(document)


async def test_a_welcome_is_done_once_the_mail_server_has_taken_it(servers: Servers, tmp_path: Path) -> None:
    async with outside(servers, tmp_path) as world:
        await world.mail_goes_down()
        account = await ordered(world)
        placed = await world.client.now(account)
        await world.client.fast_forward(account, timedelta(days=2))
        task = await servers.pool.fetchrow(WELCOME, account)
        assert task is not None
        assert (task["status"], task["completed_at"]) == ("open", None)
        briefing = await world.client.briefing(account)
        assert "open tasks welcome, kickoff" in briefing
        assert "Welcome done" not in briefing
        assert not {"Welcome done", "Sent: welcome mail"} & set(await timeline(servers, account))
        (welcome,) = [one for one in await messages(servers, account) if one.startswith("welcome mail")]
        assert welcome.startswith("welcome mail to 山本 葵 (main contact): on its way since ")
        await world.mail_comes_up()
        await world.client.ask(account, "retry_deliveries", {})
        await settled(servers.pool, account)
        await world.client.fast_forward(account, timedelta(days=5))  # by then there was an hour at which it may leave

        async def is_told() -> bool:
            return "Welcome done" in await world.client.briefing(account)

        await until(is_told, "the welcome is done")
        task = await servers.pool.fetchrow(WELCOME, account)
        assert task is not None
        assert task["status"] == "done"
        taken = task["completed_at"]
        assert placed + timedelta(days=2) <= taken
        assert 9 <= taken.astimezone(ZoneInfo("Asia/Tokyo")).hour < 18
        assert "open tasks kickoff" in await world.client.briefing(account)
        told = await timeline(servers, account)
        assert abs(told["Welcome done"] - taken) < timedelta(minutes=5)
        assert abs(told["Sent: welcome mail"] - taken) < timedelta(minutes=5)
        (welcome,) = [one for one in await messages(servers, account) if one.startswith("welcome mail")]
        assert welcome.startswith("welcome mail to 山本 葵 (main contact): sent ")
        await world.client.fast_forward(account, timedelta(days=1))


async def test_a_welcome_that_is_refused_for_good_stays_open_and_is_a_matter_for_the_owner(
    servers: Servers, tmp_path: Path
) -> None:
    async with outside(servers, tmp_path) as world:
        nobody = [{"contact_id": "P-1", "name": "Nobody", "email": "nobody@customer.example"}]
        account = await ordered(world, contacts=nobody)
        await settled(servers.pool, account)
        await world.client.fast_forward(account, timedelta(days=9))
        await settled(servers.pool, account)
        task = await servers.pool.fetchrow(WELCOME, account)
        assert task is not None
        assert task["status"] == "open"
        assert any(
            one.startswith("welcome mail to Nobody (main contact): refused ")
            for one in await messages(servers, account)
        )
        titles = [row["title"] for row in await servers.journal(account)]
        assert any(title.startswith("Escalated: Welcome is ") for title in titles), titles
        await world.client.ask(account, "complete_task", {"task": "welcome", "by": "S-2", "evidence": "by phone"})
        assert "Welcome was due" not in await world.client.briefing(account)


async def test_a_welcome_to_whoever_wants_no_mails_completes_nothing_and_holds_nothing_up(
    servers: Servers, tmp_path: Path
) -> None:
    async with outside(servers, tmp_path) as world:
        first = order()
        account = account_of(first)
        await world.client.place_order(first)
        await settled(servers.pool, account)
        event = {"event": "unsubscribed", "contact_id": "P-1", "request_id": "u-1"}
        await world.client.ask(account, "note_mail", event)
        second = {**order(account), "account": first["account"], "contacts": first["contacts"]}
        second["activated_at"] = (await world.client.now(account)).isoformat()
        await world.client.place_order(second)
        await world.client.fast_forward(account, timedelta(days=1))
        done = await servers.pool.fetch(WELCOME, account)
        assert [row["status"] for row in done] == ["done", "done"]
        titles = [row["title"] for row in await servers.journal(account)]
        assert "The welcome mail was not sent: 山本 葵 (main contact) wants no optional mails" in titles


@pytest.mark.slow("outage")
async def test_what_waited_for_a_server_says_what_is_so_when_it_leaves(servers: Servers, tmp_path: Path) -> None:
    """Forty days without a mail server: what is over by then is dropped, and said to be; of two notices the later one leaves, and
    counts the days from the day on which it does."""
    async with outside(servers, tmp_path) as world:
        await world.mail_goes_down()
        document = order()
        account, contract = account_of(document), document["contracts"][0]
        start = local_day(present(), "Asia/Tokyo")
        contract |= {"auto_renew": True, "notice_days": 10, "term": {"start": start.isoformat(), "months": 2}}
        await world.client.place_order(document)
        await world.client.fast_forward(account, timedelta(days=40))
        await world.mail_comes_up()
        await world.client.ask(account, "retry_deliveries", {"by": "S-1"})
        await settled(servers.pool, account)
        rows = await servers.pool.fetch(
            "select body->>'template' as template, status, reason, message_id, body->'context' as said from outbox"
            " where account_id = $1 and channel = 'deliver_mail' order by created_at",
            account,
        )
        became = {
            template: [row for row in rows if row["template"] == template] for template in {r["template"] for r in rows}
        }
        assert {row["status"] for row in became["documents"]} == {"sent"}
        assert {row["status"] for row in became["onboarding_invite"]} == {"withdrawn"}
        notices = became["renewal_notice"]
        assert [row["status"] for row in notices] == ["withdrawn"] * (len(notices) - 1) + ["sent"]
        assert {row["reason"] for row in notices[:-1]} <= {"a later one says it, too"}
        titles = [row["title"] for row in await servers.journal(account)]
        assert any(re.fullmatch("Dropped: .*; the day that it is about is over", title) for title in titles)
        today = local_day(await world.client.now(account), "Asia/Tokyo")
        left = (date.fromisoformat(notices[-1]["said"]["term_end"]) - today).days
        mail = next(one for one in world.mailbox.list() if one.message_id == notices[-1]["message_id"])
        assert f"あと{left}日" in (world.mailbox.read(mail.id).text or "")
