"""What happens at midnight, or is made up for after a pause, is told at nine of a business day, and only if it is still so."""

from __future__ import annotations

from datetime import date, datetime, time, timedelta
from typing import Any
from zoneinfo import ZoneInfo

import pytest

from domain.kernel.calendar import is_business_day
from tests.agendas import apart
from tests.builders import order
from tests.conftest import Servers
from tests.e2e.lives import account_of, settled

TOKYO = ZoneInfo("Asia/Tokyo")
ABOUT_AN_END = ("renewal_grace", "contract_ended", "renewal_confirmed")


async def ending(servers: Servers, **contract: Any) -> tuple[str, str, datetime]:
    """A customer with a contract of a month: the account, the contract, and the instant at which the term ends."""
    document = order()
    document["contracts"][0] |= {"term": {**document["contracts"][0]["term"], "months": 1}, **contract}
    account, contract_id = account_of(document), document["contracts"][0]["contract_id"]
    await servers.client.place_order(document)
    ends_at = await servers.pool.fetchval("select max(ends_at) from contract_term where contract_id = $1", contract_id)
    return account, contract_id, ends_at


async def told(servers: Servers, account: str) -> list[tuple[str, datetime, str]]:
    """The mails about the end of a term: template, when each left by the customer's clock, and what became of it."""
    await settled(servers.pool, account)
    rows = await servers.pool.fetch(
        "select body->>'template' as template, settled_at, created_at, status, body->>'at' as at from outbox"
        " where account_id = $1 and body->>'template' = any($2) order by settled_at",
        account,
        list(ABOUT_AN_END),
    )
    for row in rows:
        if row["status"] == "sent":
            assert abs(datetime.fromisoformat(row["at"]) - row["settled_at"]) < timedelta(minutes=5)
    return [
        (row["template"], (row["settled_at"] or row["created_at"]).astimezone(TOKYO), row["status"]) for row in rows
    ]


def in_the_morning(at: datetime) -> bool:
    return at.hour == 9 and at.minute < 5 and is_business_day(at.date(), "JP")


@pytest.mark.parametrize(
    ("contract", "templates"),
    [
        ({"auto_renew": False}, ["renewal_grace", "contract_ended"]),
        ({"auto_renew": True, "notice_days": 10}, ["renewal_confirmed"]),
    ],
)
async def test_the_end_of_a_term_is_told_at_nine_of_a_business_day(
    servers: Servers, contract: dict[str, Any], templates: list[str]
) -> None:
    account, _, ends_at = await ending(servers, **contract)
    await servers.client.fast_forward_to(account, ends_at + timedelta(minutes=1))
    assert await apart(servers, account) == []
    assert [one for one in await told(servers, account) if one[2] != "held"] == []
    await servers.client.fast_forward_to(account, ends_at + timedelta(days=28))
    found = await told(servers, account)
    assert [template for template, _, _ in found] == templates
    assert all(status == "sent" and in_the_morning(at) for _, at, status in found), found
    assert await apart(servers, account) == []
    notices = await servers.pool.fetch(
        "select settled_at from outbox where account_id = $1 and channel = 'deliver_notice'"
        " and created_at between $2 and $2 + interval '1 hour'",
        account,
        ends_at,
    )
    assert notices
    assert all(in_the_morning(row["settled_at"].astimezone(TOKYO)) for row in notices)


@pytest.mark.engine
async def test_what_ended_in_a_pause_is_told_on_the_morning_after_it(servers: Servers) -> None:
    account, _, ends_at = await ending(servers, auto_renew=True, notice_days=10)
    await servers.client.fast_forward_to(account, ends_at - timedelta(days=2))
    await servers.client.ask(account, "pause", {"reason": "stocktaking"})
    await servers.client.fast_forward_to(account, ends_at + timedelta(days=3, hours=14, minutes=20))
    await servers.client.ask(account, "resume", {})
    resumed_at = await servers.client.now(account)
    await servers.client.fast_forward(account, timedelta(minutes=5))
    assert [one for one in await told(servers, account) if one[2] != "held"] == []
    assert await apart(servers, account) == []
    await servers.client.fast_forward(account, timedelta(days=9))
    ((template, at, status),) = await told(servers, account)
    assert (template, status) == ("renewal_confirmed", "sent")
    assert in_the_morning(at)
    assert at > resumed_at


async def test_what_waits_for_the_morning_leaves_wherever_the_customer_is_by_then(servers: Servers) -> None:
    account, _, ends_at = await ending(servers, auto_renew=True, notice_days=10)
    await servers.client.fast_forward_to(account, ends_at + timedelta(minutes=1))
    await servers.client.ask(account, "change_account", {"time_zone": "Pacific/Auckland"})
    assert await apart(servers, account) == []
    await servers.client.fast_forward(account, timedelta(days=9))
    ((template, at, status),) = await told(servers, account)
    assert (template, status, at.astimezone(ZoneInfo("Pacific/Auckland")).hour) == ("renewal_confirmed", "sent", 9)


async def test_who_renewed_before_the_morning_is_not_told_that_the_contract_ran_out(servers: Servers) -> None:
    account, contract, ends_at = await ending(servers, auto_renew=False)
    await servers.client.fast_forward_to(account, ends_at + timedelta(hours=6))
    await servers.client.ask(account, "answer_renewal", {"contract_id": contract, "decision": "accept", "by": "S-1"})
    await servers.client.fast_forward(account, timedelta(days=8))
    statuses = {template: status for template, _, status in await told(servers, account)}
    assert statuses == {"renewal_grace": "withdrawn", "renewal_confirmed": "sent"}
    titles = [row["title"] for row in await servers.journal(account)]
    assert "Dropped: mail about a contract that has run out; it is not so any more" in titles
    assert await apart(servers, account) == []


@pytest.mark.parametrize("answered", [True, False])
async def test_grace_is_to_the_end_of_the_day_that_it_names(servers: Servers, answered: bool) -> None:
    account, contract, ends_at = await ending(servers, auto_renew=False)
    await servers.client.fast_forward_to(account, ends_at + timedelta(days=5))
    said = "select body->'context' from outbox where account_id = $1 and body->>'template' = $2"
    named = date.fromisoformat((await servers.pool.fetchval(said, account, "renewal_grace"))["grace_until"])
    late = datetime.combine(named, time(23, 50), TOKYO)
    await servers.client.fast_forward_to(account, late)
    if answered:
        accept = {"contract_id": contract, "decision": "accept", "by": "S-1"}
        assert (await servers.client.ask(account, "answer_renewal", accept))["status"] == "renewed"
        return
    assert await apart(servers, account) == []
    await servers.client.fast_forward_to(account, late + timedelta(days=7))
    assert (await servers.pool.fetchval(said, account, "contract_ended"))["ended_on"] == named.isoformat()
    last = (await told(servers, account))[-1]
    assert (last[0], last[2]) == ("contract_ended", "sent")
    assert in_the_morning(last[1])
    assert last[1].date() > named


async def test_who_declines_in_grace_hears_that_it_is_over(servers: Servers) -> None:
    account, contract, ends_at = await ending(servers, auto_renew=False)
    await servers.client.fast_forward_to(account, ends_at + timedelta(days=4, hours=12))
    decline = {"contract_id": contract, "decision": "decline", "reason": "price", "by": "S-1"}
    today = (ends_at + timedelta(days=4, hours=12)).astimezone(TOKYO).date().isoformat()
    assert (await servers.client.ask(account, "answer_renewal", decline))["runs_until"] == today
    said = "select body->'context' from outbox where account_id = $1 and body->>'template' = 'renewal_declined'"
    context = await servers.pool.fetchval(said, account)
    assert (context["term_end"], context["over"]) == (today, True)
