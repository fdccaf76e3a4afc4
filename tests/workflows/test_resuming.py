"""A journey that goes on after a pause: what is still of use leaves at the promised hours, one mail a morning; the rest is told."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Any
from zoneinfo import ZoneInfo

import pytest

from activities.clock import present
from domain.calendar import is_business_day
from domain.refusals import Refusal
from tests.builders import order
from tests.conftest import Servers
from tests.e2e.lives import account_of, settled

TOKYO = ZoneInfo("Asia/Tokyo")
STEP = "relationship/anniversary-{}"


async def customer_mails(servers: Servers, account: str) -> list[tuple[datetime, str]]:
    """When each mail to the customer was decided, local, and its template."""
    rows = await servers.pool.fetch(
        "select created_at, body->>'template' as template from outbox"
        " where account_id = $1 and channel = 'deliver_mail' order by created_at, delivery_id",
        account,
    )
    return [(row["created_at"].astimezone(TOKYO), row["template"]) for row in rows]


async def titles(servers: Servers, account: str) -> list[str]:
    return [row["title"] for row in await servers.journal(account)]


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
        answer = await servers.client.ask(account, "resume", {})
        assert answer["dropped"]
    await settled(servers.pool, account)
    await servers.client.fast_forward(account, timedelta(days=20))
    await settled(servers.pool, account)
    late = [(at, template) for at, template in await customer_mails(servers, account) if at > resumed_at]
    assert late
    assert all((at.hour, at.minute) == (9, 0) and is_business_day(at.date(), "JP") for at, _ in late), late
    days = [at.date() for at, _ in late]
    assert len(days) == len(set(days)), late
    assert "touch_day_1" not in {template for _, template in late}
    assert any(title.startswith("Not done any more: touch") for title in await titles(servers, account)), "\n".join(
        await titles(servers, account)
    )
    invitations = await servers.pool.fetch(
        "select created_at, body->'context'->>'due' as due from outbox"
        " where account_id = $1 and body->>'template' = 'onboarding_invite'",
        account,
    )
    assert all(row["due"] >= row["created_at"].astimezone(TOKYO).date().isoformat() for row in invitations)


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
    assert any(line.startswith("Not done any more: anniversary-") for line in lines)


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
    second = STEP.format(int(moved["day"][:4]) + 1)
    answer = await servers.client.ask(account, "skip_step", {"step": second, "reason": "they are in mourning"})
    assert answer["skipped"] == second
    assert any("they are in mourning" in title for title in await titles(servers, account))
    with pytest.raises(Refusal, match="no step"):
        await servers.client.ask(account, "skip_step", {"step": second, "reason": "again"})
    third = STEP.format(int(moved["day"][:4]) + 2)
    answer = await servers.client.ask(account, "skip_step", {"step": third, "reason": "for good"})
    assert answer["skipped"] == third
