"""What cannot leave is shown within the hour, is tried for as long as it takes, and leaves at once when somebody asks for it."""

from __future__ import annotations

import re
from datetime import date, datetime, time, timedelta
from itertools import pairwise
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

import pytest

from domain.frame.pace import ANSWERS, QUIET_DAYS
from domain.kernel.calendar import is_business_day
from domain.kernel.refusals import Refusal
from gateway.cases import CaseClient
from gateway.outgoing import Outgoing
from tests.activities.channels.fake_provisioning import Behaviour
from tests.agendas import apart
from tests.builders import order
from tests.conftest import Servers
from tests.e2e.lives import account_of, attention_of, onboard, settled, until
from tests.e2e.outages import outside
from tests.workflows.service_side import report_full_use

TOKYO = ZoneInfo("Asia/Tokyo")

pytestmark = pytest.mark.engine  # workers of their own


async def test_a_dead_mail_server_needs_attention_within_two_hours_and_its_backlog_leaves_at_once(
    servers: Servers, tmp_path: Path
) -> None:
    async with outside(servers, tmp_path) as world:
        document = order()
        account = account_of(document)
        await world.mail_goes_down()
        await world.client.place_order(document)
        await world.client.fast_forward(account, timedelta(days=4))

        async def shown() -> bool:
            return "delivery" in await attention_of(servers.temporal, account)

        await until(shown, "what cannot leave is shown")
        briefing = await world.client.briefing(account)
        assert "has not left for an hour" in briefing
        assert "retry_deliveries" in briefing
        waits = "select count(*) from outbox where account_id = $1 and status = 'waiting'"
        assert await servers.pool.fetchval(waits, account) > 0
        cases = CaseClient(servers.temporal, servers.pool, task_queue=world.task_queue)
        outgoing = Outgoing(servers.temporal, servers.pool, world.client, cases)
        rows = await outgoing.list("mail", account)
        assert rows
        assert all(row["tried"] is not None and row["tried"].attempts >= 1 for row in rows)
        said = {row["tried"].said for row in rows}
        assert any("connect" in one.lower() for one in said), said
        by_then = re.findall(r"By then it had been tried (\d+) times", briefing)
        assert by_then, "the briefing says how often it was tried"
        await world.client.fast_forward(account, timedelta(days=1))
        later = await outgoing.list("mail", account)
        assert max(row["tried"].attempts for row in later) > max(map(int, by_then))
        await world.mail_comes_up()
        assert [said async for _, said in outgoing.retry("mail", account)] == ["tried again"]

        async def left() -> bool:
            return not await servers.pool.fetchval(waits, account)

        await until(left, "the backlog has left without waiting for its next try")

        async def hidden() -> bool:
            return not await shown()

        await until(hidden, "what has left needs no attention any more")
        to = document["contacts"][0]["email"]
        ids = [mail.message_id for mail in world.mailbox.list() if to in mail.to]
        assert ids
        assert len(ids) == len(set(ids))


async def test_one_message_alone_is_tried_now_and_the_others_keep_their_hour(servers: Servers, tmp_path: Path) -> None:
    async with outside(servers, tmp_path) as world:
        document = order()
        account = account_of(document)
        await world.mail_goes_down()
        await world.client.place_order(document)
        await world.client.fast_forward(account, timedelta(days=4))
        cases = CaseClient(servers.temporal, servers.pool, task_queue=world.task_queue)
        outgoing = Outgoing(servers.temporal, servers.pool, world.client, cases)

        async def waiting() -> list[str]:
            return [row["delivery_id"] for row in await outgoing.list("mail", account)]

        one, other, *_ = await waiting()
        await world.mail_comes_up()
        assert await outgoing.retry_alone(one) == ("tried again", True)

        async def left() -> bool:
            return one not in await waiting()

        await until(left, "the one that was named has left")
        said, tried = await outgoing.retry_alone(one)
        assert ("does not wait to leave" in said, tried) == (True, False)
        with pytest.raises(Refusal, match="is not on its way"):
            await world.client.ask(account, "retry_deliveries", {"delivery": one})
        assert other in await waiting()
        assert f"Tried again: {one}" in await world.client.briefing(account)


async def test_dead_provisioning_is_shown_long_before_forty_days(servers: Servers, tmp_path: Path) -> None:
    async with outside(servers, tmp_path) as world:
        document = order()
        account = account_of(document)
        world.provisioning.behaviour = Behaviour.DOWN
        await world.client.place_order(document)
        await world.client.fast_forward(account, timedelta(days=5))
        briefing = await world.client.briefing(account)
        assert "provisioning of order" in briefing
        assert "delivery" in await attention_of(servers.temporal, account)
        world.provisioning.behaviour = Behaviour.RIGHT
        await world.client.ask(account, "retry_deliveries", {})
        await world.client.fast_forward(account, timedelta(minutes=5))
        await settled(servers.pool, account)
        assert "delivery" not in await attention_of(servers.temporal, account)


async def test_what_leaves_within_the_hour_is_never_shown(servers: Servers, tmp_path: Path) -> None:
    async with outside(servers, tmp_path) as world:
        document = order()
        account = account_of(document)
        world.provisioning.behaviour = Behaviour.DOWN
        await world.client.place_order(document)
        running = await world.client.agenda_of(account)
        assert running is not None
        asked = next(step.at for step in running.steps if step.kind == "onboarding_provisioning")
        await world.client.fast_forward_to(account, asked + timedelta(minutes=29))
        described = await servers.handle(account).describe()
        tried = {one.activity_type.name: one for one in described.raw_description.pending_activities}
        assert tried["provision"].attempt > 3, "it was tried and failed"
        assert "delivery" not in await attention_of(servers.temporal, account)
        world.provisioning.behaviour = Behaviour.RIGHT
        await world.client.fast_forward(account, timedelta(minutes=28))
        await settled(servers.pool, account)
        assert "delivery" not in await attention_of(servers.temporal, account)
        assert "has not left" not in await world.client.briefing(account)


async def left_of(servers: Servers, account: str) -> list[tuple[str, datetime]]:
    """The optional mails that left, by the customer's clock."""
    rows = await servers.pool.fetch(
        "select body->>'template' as template, settled_at from outbox where account_id = $1 and channel = 'deliver_mail'"
        " and status = 'sent' and body->>'unsubscribe' is not null and left_with is null order by settled_at, delivery_id",
        account,
    )
    return [(row["template"], row["settled_at"].astimezone(TOKYO)) for row in rows]


def night_after(at: datetime, days: int) -> datetime:
    """Two in the morning, Tokyo, so many days later."""
    return datetime.combine(at.astimezone(TOKYO).date() + timedelta(days=days), time(2), TOKYO)


async def test_optional_mails_that_waited_for_a_server_leave_at_the_promised_hours_one_by_one(
    servers: Servers, tmp_path: Path
) -> None:
    async with outside(servers, tmp_path) as world:
        document = order()
        account = account_of(document)
        await world.mail_goes_down()
        await world.client.place_order(document)
        up_at = night_after(await world.client.now(account), 9)
        await world.client.fast_forward_to(account, up_at)
        waited = await servers.pool.fetchval(
            "select count(*) from outbox where account_id = $1 and status = 'waiting' and body->>'unsubscribe' is not null",
            account,
        )
        assert waited >= 2
        await world.mail_comes_up()
        await world.client.fast_forward(account, timedelta(hours=6, minutes=30))
        await settled(servers.pool, account)
        assert await left_of(servers, account) == []
        assert await apart(servers, account) == []
        await world.client.fast_forward(account, timedelta(hours=1))
        await world.client.ask(
            account, "complete_task", {"task": "kickoff", "by": "S-2"}
        )  # the training comes after it
        await world.client.fast_forward(account, timedelta(days=20))
        await settled(servers.pool, account)
        left = await left_of(servers, account)
        assert "welcome" in dict(left)
        for template, at in left:
            assert 9 <= at.hour < 18, (template, at)
            assert is_business_day(at.date(), "JP"), (template, at)
        paced = [(template, at.date()) for template, at in left if template not in ANSWERS]
        assert len(paced) >= 2
        for (_, before), (template, after) in pairwise(paced):
            assert (after - before).days >= QUIET_DAYS, (template, after)
        titles = [row["title"] for row in await servers.journal(account)]
        assert [title for title in titles if title.endswith("it waits for an hour at which it may leave")]
        assert await apart(servers, account) == []


@pytest.mark.parametrize("taken", [False, True], ids=["refused", "taken"])
@pytest.mark.parametrize(("users", "says"), [(10, 10), (30, None)])
async def test_a_mail_that_waited_for_a_server_says_what_is_so_when_it_leaves(
    servers: Servers, tmp_path: Path, users: int, says: int | None, taken: bool
) -> None:
    """Its server was away; or it has taken the mail and was gone before it said so: then it may have been read as it was."""
    async with outside(servers, tmp_path) as world:
        document = order()
        account = account_of(document)
        await world.client.place_order(document)
        await world.client.fast_forward(account, timedelta(days=45))
        await onboard(world.client, account)
        monday = await a_monday(world.client, account)
        await settled(servers.pool, account)
        if taken:
            world.mails_go_unanswered()
        else:
            await world.mail_goes_down()
        await report_full_use(servers, account, 8)
        await world.client.fast_forward_to(account, monday + timedelta(days=1))

        async def mail() -> Any:
            query = "select * from outbox where account_id = $1 and body->>'template' = 'outreach'"
            return await servers.pool.fetchrow(query, account)

        assert (await mail())["body"]["context"]["active_users"] == 8
        if taken:
            await world.mail_goes_down()
        await report_full_use(servers, account, users)
        await world.client.fast_forward_to(account, monday + timedelta(days=2, hours=1))
        await world.mail_comes_up()
        await world.client.fast_forward(account, timedelta(days=4))
        await settled(servers.pool, account)
        row, titles = await mail(), [one["title"] for one in await servers.journal(account)]
        if says is None:
            assert row["status"] == "withdrawn"
            assert "Dropped: offer of help; it is not so any more" in titles
        else:
            assert (row["status"], row["body"]["context"]["active_users"]) == ("sent", says)
            assert "The offer of help left late, written anew by what is so now" in titles
        in_doubt = (
            f"The offer of help may have arrived on {monday.date()}: whether its mail server took it is not known"
        )
        assert (in_doubt in titles) is taken


async def a_monday(client: Any, account: str) -> datetime:
    """Ten in the morning of the first Monday from now on on which people work; the customer is there then."""
    day: date = (await client.now(account)).astimezone(TOKYO).date() + timedelta(days=1)
    while day.weekday() or not all(is_business_day(day + timedelta(days=n), "JP") for n in range(4)):
        day += timedelta(days=1)
    at = datetime.combine(day, time(10), TOKYO)
    await client.fast_forward_to(account, at)
    return at
