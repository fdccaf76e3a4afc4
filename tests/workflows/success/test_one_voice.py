"""Check-in and follow-up look at the same thing: whoever is in charge hears it once, and not before help can have helped."""

from __future__ import annotations

from datetime import datetime, timedelta
from zoneinfo import ZoneInfo

import pytest

from tests.conftest import Servers
from tests.e2e.lives import report_usage, settled
from tests.workflows.service_side import onboarded

TOKYO = ZoneInfo("Asia/Tokyo")


async def helped(servers: Servers) -> tuple[str, str, str]:
    """A customer who uses 8 of 40 seats: the account, and the keys of the follow-up and of the next check-in."""
    _, account = await onboarded(servers)
    await report_usage(servers.client, account, 8)
    await servers.client.fast_forward(account, timedelta(hours=1))
    running = await servers.client.agenda_of(account)
    assert running is not None
    keys = {step.kind: step.key for step in running.steps}
    return account, keys["adoption_follow_up"], keys["adoption_check_in"]


async def told(servers: Servers, account: str) -> list[tuple[str, str]]:
    """The local days on which the owner was told that use is still low, and to whom."""
    await settled(servers.pool, account)
    rows = await servers.pool.fetch(
        "select created_at, staff_id from outbox where account_id = $1 and channel = 'deliver_notice'"
        " and body->>'title' like 'Adoption of % still low%' order by created_at",
        account,
    )
    return [(row["created_at"].astimezone(TOKYO).date().isoformat(), row["staff_id"]) for row in rows]


async def at_of(servers: Servers, account: str, key: str) -> datetime:
    running = await servers.client.agenda_of(account)
    assert running is not None
    return next(step.at for step in running.steps if step.key == key)


@pytest.mark.parametrize("days", [0, 1, 5, 11])
async def test_a_check_in_beside_the_follow_up_tells_it_once(servers: Servers, days: int) -> None:
    account, follow_up, check_in = await helped(servers)
    at = await at_of(servers, account, follow_up)
    day = (at + timedelta(days=days)).astimezone(TOKYO).date()
    await servers.client.ask(account, "reschedule_step", {"step": check_in, "day": day.isoformat()})
    await servers.client.fast_forward_to(account, at + timedelta(days=13))  # before the next step of help
    assert len(await told(servers, account)) == 1
    looked = [row["key"].rsplit("/", 1)[1] for row in await servers.journal(account) if "/adoption/" in row["key"]]
    assert {follow_up.rpartition("/")[2], check_in.rpartition("/")[2]} <= set(looked)


@pytest.mark.engine
async def test_a_check_in_before_help_can_have_helped_leaves_it_to_the_follow_up(servers: Servers) -> None:
    account, follow_up, check_in = await helped(servers)
    soon = (await servers.client.now(account)).astimezone(TOKYO).date() + timedelta(days=2)
    await servers.client.ask(account, "reschedule_step", {"step": check_in, "day": soon.isoformat()})
    at = await at_of(servers, account, follow_up)
    await servers.client.fast_forward_to(account, at - timedelta(hours=1))
    assert await told(servers, account) == []
    await servers.client.fast_forward_to(account, at + timedelta(hours=1))
    assert [day for day, _ in await told(servers, account)] == [at.astimezone(TOKYO).date().isoformat()]


async def test_both_overdue_after_a_pause_are_one_look(servers: Servers) -> None:
    account, _, _ = await helped(servers)
    await servers.client.ask(account, "pause", {"reason": "they move"})
    await servers.client.fast_forward(account, timedelta(days=45))
    await report_usage(servers.client, account, 8)
    await servers.client.ask(account, "resume", {})
    await servers.client.fast_forward(account, timedelta(days=8))
    assert len(await told(servers, account)) == 1
