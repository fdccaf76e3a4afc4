"""A customer's first months: nobody gets two optional mails within three days, and what was put off is done."""

from __future__ import annotations

from datetime import datetime, time, timedelta
from itertools import pairwise
from zoneinfo import ZoneInfo

import pytest

from domain.frame.pace import ANSWERS, QUIET_DAYS
from domain.kernel.calendar import is_business_day
from tests.agendas import apart
from tests.builders import order
from tests.conftest import Servers
from tests.e2e.lives import account_of, onboard, settled
from tests.workflows.service_side import report_full_use

TOKYO = ZoneInfo("Asia/Tokyo")


@pytest.mark.parametrize("segment", ["standard", "tech_touch"])
async def test_optional_mails_keep_their_distance(servers: Servers, segment: str) -> None:
    document = order()
    document["account"]["segment"] = segment
    account, zone = account_of(document), ZoneInfo(document["account"]["time_zone"])
    await servers.client.place_order(document)
    await servers.client.fast_forward(account, timedelta(days=32))
    if segment == "standard":
        await onboard(servers.client, account)
    await servers.client.fast_forward(account, timedelta(days=80))
    await settled(servers.pool, account)
    rows = await servers.pool.fetch(
        "select body->>'template' as template, settled_at from outbox where account_id = $1 and channel = 'deliver_mail'"
        " and status = 'sent' and body->>'unsubscribe' is not null and left_with is null order by settled_at",
        account,
    )
    sent = [(row["settled_at"].astimezone(zone), row["template"]) for row in rows if row["template"] not in ANSWERS]
    assert len(sent) >= 4
    for (before, _), (after, template) in pairwise(sent):
        assert (after.date() - before.date()).days >= QUIET_DAYS, (template, after)
        assert after.hour == 9, template
    put_off = [line["key"] for line in await servers.journal(account) if line["kind"] == "put_off"]
    assert put_off
    agenda = await servers.client.agenda_of(account)
    assert agenda is not None
    done = {line["key"].partition("/")[2] for line in await servers.journal(account)}
    for key in put_off:
        step = key.partition("reschedule_pace:")[2].partition("@")[0]
        assert step in done | {one.key for one in agenda.steps}, "what is put off is done, or still to come"


async def by_night(servers: Servers) -> tuple[str, datetime]:
    """A customer in Tokyo whose onboarding is done, at two in the morning."""
    document = order()
    account = account_of(document)
    await servers.client.place_order(document)
    await servers.client.fast_forward(account, timedelta(days=45))
    await onboard(servers.client, account)
    day = (await servers.client.now(account)).astimezone(TOKYO).date() + timedelta(days=2)
    night = datetime.combine(day, time(2), TOKYO)
    await servers.client.fast_forward_to(account, night)
    return account, night


async def use_is(servers: Servers, account: str, users: int, at: datetime) -> None:
    """The meter says how many seats are in use, and the journey has looked at it."""
    await report_full_use(servers, account, users)
    await servers.client.fast_forward_to(account, at)
    await settled(servers.pool, account)


async def optional(servers: Servers, account: str) -> list[tuple[str, datetime]]:
    """The optional mails that left, and when by the customer's clock."""
    rows = await servers.pool.fetch(
        "select body->>'template' as template, settled_at from outbox where account_id = $1 and channel = 'deliver_mail'"
        " and status = 'sent' and body->>'unsubscribe' is not null and left_with is null order by settled_at",
        account,
    )
    return [(row["template"], row["settled_at"].astimezone(TOKYO)) for row in rows if row["template"] not in ANSWERS]


def at_their_hours(sent: list[tuple[str, datetime]]) -> bool:
    """Each at nine of a business day, three days after the one before at least."""
    apart_enough = all((b.date() - a.date()).days >= QUIET_DAYS for (_, a), (_, b) in pairwise(sent))
    return apart_enough and all(at.hour == 9 and is_business_day(at.date(), "JP") for _, at in sent)


@pytest.mark.engine
async def test_help_is_offered_in_the_morning_and_our_people_know_at_once(servers: Servers) -> None:
    account, night = await by_night(servers)
    await use_is(servers, account, 8, night + timedelta(minutes=10))
    tasks = "select count(*) from staff_task where account_id = $1 and key = 'adoption/help' and closed_at is null"
    assert await servers.pool.fetchval(tasks, account) == 1
    assert "outreach" not in dict(await optional(servers, account))
    assert await apart(servers, account) == []
    await servers.client.fast_forward_to(account, night + timedelta(days=12))
    await settled(servers.pool, account)
    sent = await optional(servers, account)
    assert "outreach" in dict(sent)
    assert at_their_hours(sent), sent


async def test_help_that_nobody_needs_any_more_is_not_offered(servers: Servers) -> None:
    account, night = await by_night(servers)
    await use_is(servers, account, 8, night + timedelta(minutes=10))
    await use_is(servers, account, 30, night + timedelta(minutes=20))
    assert await apart(servers, account) == []
    await servers.client.fast_forward_to(account, night + timedelta(days=12))
    await settled(servers.pool, account)
    sent = await optional(servers, account)
    assert "outreach" not in dict(sent)
    assert "recovered" in dict(sent)
    assert at_their_hours(sent), sent
    dropped = [line["title"] for line in await servers.journal(account) if line["kind"] == "dropped"]
    title = "Low adoption of Workspace: 8 of 40 seats in use on average"
    # Which of them has its morning first depends on the day.
    assert sorted(dropped) == [
        f"Dropped: notice “{title}”; what it asks for is settled",
        "Dropped: offer of help; it is not so any more",
    ]


async def test_more_seats_are_offered_at_an_hour_at_which_people_work(servers: Servers) -> None:
    account, night = await by_night(servers)
    await use_is(servers, account, 39, night + timedelta(minutes=10))
    assert not await servers.pool.fetchval("select count(*) from offer where account_id = $1", account)
    assert await apart(servers, account) == []
    await servers.client.fast_forward_to(account, night + timedelta(days=12))
    await settled(servers.pool, account)
    sent = await optional(servers, account)
    assert "upsell_offer" in dict(sent)
    assert at_their_hours(sent), sent
    offered_at = await servers.pool.fetchval("select offered_at from offer where account_id = $1", account)
    assert offered_at.astimezone(TOKYO).date() == dict(sent)["upsell_offer"].date()
