"""Steps that people leave out or move: never to where they are of no use, and what belongs to them ends with them."""

from __future__ import annotations

from datetime import date, timedelta
from typing import Any
from uuid import uuid4

import pytest

from activities.kernel.clock import present
from domain.kernel.calendar import business_day_until
from domain.kernel.refusals import Refusal
from tests.agendas import apart
from tests.builders import goods_order, order
from tests.conftest import Servers
from tests.e2e.lives import account_of, settled
from tests.workflows.journey.test_agendas import planned, running
from tests.workflows.quotes.test_quotes import CRM, asked, begun, sale


async def moved(servers: Servers, account: str, step: str, day: date) -> dict[str, Any]:
    return await servers.client.ask(account, "reschedule_step", {"step": step, "day": day.isoformat()})


async def too_late(servers: Servers, account: str, step: str, day: date, last: date, why: str) -> None:
    """Refused for that day with the last one that is possible, on which it is taken."""
    with pytest.raises(Refusal, match=f"{why}.*the last possible day is {last}") as refused:
        await moved(servers, account, step, day)
    assert (refused.value.type, refused.value.problems[0].field) == ("InvalidRequest", "day")
    assert (await moved(servers, account, step, last))["day"] == last.isoformat()
    assert await apart(servers, account) == []


@pytest.mark.parametrize("auto_renew", [False, True])
async def test_a_renewal_notice_comes_while_it_is_of_use(servers: Servers, auto_renew: bool) -> None:
    document = order()
    account, contract = account_of(document), document["contracts"][0]
    contract |= {"auto_renew": auto_renew, "notice_days": 45}
    await servers.client.place_order(document)
    step = await planned(servers, account, "renewal_notice")
    row = await servers.pool.fetchrow("select until from contract_term where contract_id = $1", contract["contract_id"])
    assert row is not None
    end = row["until"] - timedelta(days=1)
    last = end if not auto_renew else row["until"] - timedelta(days=45)
    for day in (end + timedelta(days=1), end + timedelta(days=40), *([end] if auto_renew else [])):
        why = "renews by itself unless it is declined by" if auto_renew else f"the term .* ends on {end}"
        await too_late(servers, account, step.key, day, business_day_until(last, "JP"), why)


@pytest.mark.engine
async def test_a_mail_about_the_first_day_is_not_moved_to_weeks_after_it(servers: Servers) -> None:
    document = order()
    account = account_of(document)
    await servers.client.place_order(document)
    steps = {step.name: step for step in (await running(servers, account)).steps if step.kind == "onboarding_touch"}
    came = (
        await servers.pool.fetchval(
            "select since at time zone 'Asia/Tokyo' from account where account_id = $1", account
        )
    ).date()
    for name, days in (("touch-day_1", 5), ("touch-month_1", 40)):
        last = business_day_until(came + timedelta(days=days), "JP")
        await too_late(servers, account, steps[name].key, came + timedelta(days=60), last, "about their first days")


async def test_an_anniversary_is_not_moved_to_the_next_one(servers: Servers) -> None:
    document = order()
    account = account_of(document)
    await servers.client.place_order(document)
    step = await planned(servers, account, "relationship_anniversary")
    since = (
        await servers.pool.fetchval(
            "select since at time zone 'Asia/Tokyo' from account where account_id = $1", account
        )
    ).date()
    with pytest.raises(Refusal, match=r"the next one is on .*the last possible day is"):
        await moved(servers, account, step.key, since + timedelta(days=800))


async def test_a_reminder_of_an_approval_comes_before_the_approval_is_given_up(servers: Servers) -> None:
    _, account = await begun(servers)
    quote = f"Q-{uuid4().hex[:8]}"
    await servers.client.ask(account, "request_quote", asked(quote, sale("1", CRM, 10), off="20"))
    steps = {step.kind: step for step in (await running(servers, account)).steps if step.stage == f"quote:{quote}"}
    end = steps["quote_give_up"].on
    last = business_day_until(end - timedelta(days=1), "JP")
    await too_late(servers, account, steps["quote_reminder"].key, end, last, f"on {end} the approval is given up")


async def test_a_mail_that_completes_a_task_takes_it_along_when_it_is_left_out(servers: Servers) -> None:
    document = order()
    document |= {"contracts": [], "lines": goods_order(document, present())["lines"]}
    document["account"]["segment"] = "wholesale"
    account, stage = account_of(document), f"onboarding:{document['order_id']}"
    await servers.client.place_order(document)
    await servers.client.fast_forward(account, timedelta(hours=1))
    await settled(servers.pool, account)
    step = f"{stage}/delivery_follow_up"
    answer = await servers.client.ask(account, "skip_step", {"step": step, "reason": "they called", "by": "S-1"})
    assert answer == {"skipped": step, "closed_task": "delivery_follow_up"}
    row = await servers.pool.fetchrow(
        "select status, completed_at, completed_by, evidence from onboarding_task where account_id = $1 and name = $2",
        account,
        "delivery_follow_up",
    )
    assert row is not None
    assert tuple(row) == ("past", None, "S-1", "they called")
    assert stage not in (await running(servers, account)).stages
    assert "delivery_follow_up" not in await servers.client.briefing(account)
    await servers.client.fast_forward(account, timedelta(days=40))
    await settled(servers.pool, account)
    sent = "select count(*) from outbox where account_id = $1 and body->>'template' = 'delivery_follow_up'"
    assert await servers.pool.fetchval(sent, account) == 0
    assert not [title for row in await servers.journal(account) if "late" in (title := row["title"])]
    assert await apart(servers, account) == []
