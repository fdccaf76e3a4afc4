"""Whoever's contract renews by itself knows the price before the last day on which they can say no, whatever that day is."""

from __future__ import annotations

from datetime import date, timedelta
from itertools import pairwise
from typing import Any
from zoneinfo import ZoneInfo

import pytest

from activities.kernel.clock import present
from domain.kernel.calendar import business_day_from, business_day_until, local_day
from domain.kernel.refusals import Refusal
from tests.agendas import apart
from tests.builders import order
from tests.conftest import Servers
from tests.e2e.lives import account_of, settled

LEAD = timedelta(days=14)


async def noticed(servers: Servers, notice: int, months: int, **account: Any) -> list[dict[str, Any]]:
    """What the notices of a contract's first term said, in order, each with the day on which it left."""
    document = order()
    document["account"] |= account
    contract = document["contracts"][0]
    contract |= {"auto_renew": True, "notice_days": notice, "term": {**contract["term"], "months": months}}
    await servers.client.place_order(document)
    account_id = account_of(document)
    ends_at = await servers.pool.fetchval(
        "select max(ends_at) from contract_term where contract_id = $1", contract["contract_id"]
    )
    await servers.client.fast_forward_to(account_id, ends_at - timedelta(hours=1))
    await settled(servers.pool, account_id)
    assert await apart(servers, account_id) == []
    rows = await servers.pool.fetch(
        "select body->'context' as said, (settled_at at time zone 'Asia/Tokyo')::date as day from outbox"
        " where account_id = $1 and body->>'template' = 'renewal_notice' order by settled_at",
        account_id,
    )
    return [{**row["said"], "day": row["day"]} for row in rows]


@pytest.mark.parametrize(
    ("notice", "months", "segment"),
    [
        (69, 12, "standard"),
        (170, 12, "standard"),
        (30, 12, "tech_touch"),
        (200, 12, "standard"),
        (45, 3, "standard"),
        (60, 3, "standard"),
        (10, 1, "standard"),
        (0, 3, "standard"),
    ],
)
async def test_the_price_is_known_before_it_is_too_late(
    servers: Servers, notice: int, months: int, segment: str
) -> None:
    said = await noticed(servers, notice, months, segment=segment)
    priced = [one for one in said if one["quote"]]
    last = date.fromisoformat(priced[0]["notice_by"])
    # A term that is too short for it has the price as early as it can.
    begins = 5 if months == 1 else 14
    assert last - priced[0]["day"] >= min(LEAD, timedelta(days=begins))
    assert {one["notice_by"] for one in said} == {last.isoformat()}
    assert last == date.fromisoformat(said[0]["term_end"]) - timedelta(days=max(0, notice - 1))
    for one in said:
        assert one["notice_over"] is (one["day"] > last)
    days = [one["day"] for one in said]
    assert len(days) == len(set(days))
    assert sum(one["notice_over"] for one in said) <= 1
    in_time = last
    for _ in range(3):
        in_time = business_day_until(in_time - timedelta(days=1), "JP")
    assert max(one["day"] for one in said if not one["notice_over"]) <= in_time


@pytest.mark.parametrize(
    ("notice", "days", "refused"), [(69, 0, False), (69, 1, True), (200, 0, False), (200, 1, True)]
)
async def test_the_day_that_the_notice_names_is_the_last_one(
    servers: Servers, notice: int, days: int, refused: bool
) -> None:
    document = order()
    contract = document["contracts"][0]
    contract |= {"auto_renew": True, "notice_days": notice}
    account, contract_id = account_of(document), contract["contract_id"]
    await servers.client.place_order(document)
    ends_at = await servers.pool.fetchval("select max(ends_at) from contract_term where contract_id = $1", contract_id)
    await servers.client.fast_forward_to(account, ends_at - timedelta(days=notice - days) + timedelta(hours=23))
    decline = {"contract_id": contract_id, "decision": "decline", "reason": "price", "by": "S-1"}
    if refused:
        with pytest.raises(Refusal, match="notice could be given until"):
            await servers.client.ask(account, "answer_renewal", decline)
    else:
        assert (await servers.client.ask(account, "answer_renewal", decline))["status"] == "declined"


@pytest.mark.engine
async def test_without_a_notice_the_last_day_of_the_term_is_the_last_one(servers: Servers) -> None:
    document = order()
    contract = document["contracts"][0]
    contract |= {"auto_renew": True, "notice_days": 0}
    account, contract_id = account_of(document), contract["contract_id"]
    await servers.client.place_order(document)
    ends_at = await servers.pool.fetchval("select max(ends_at) from contract_term where contract_id = $1", contract_id)
    await servers.client.fast_forward_to(account, ends_at - timedelta(minutes=5))
    said = "select distinct body->'context'->>'notice_by' from outbox where account_id = $1 and body->>'template' = $2"
    named = await servers.pool.fetchval(said, account, "renewal_notice")
    assert named == (ends_at - timedelta(minutes=5)).astimezone(ZoneInfo("Asia/Tokyo")).date().isoformat()
    decline = {"contract_id": contract_id, "decision": "decline", "reason": "price", "by": "S-1"}
    assert (await servers.client.ask(account, "answer_renewal", decline))["status"] == "declined"


async def test_the_same_notice_is_not_given_twice_within_days(servers: Servers) -> None:
    """A contract that comes late: the notice that was missed goes out at once, and the next one, a day later, has nothing to add."""
    document = order()
    today = local_day(present(), "Asia/Tokyo")
    soon = business_day_from(today + timedelta(days=1), "JP")
    until = business_day_from(soon + timedelta(days=1), "JP") + timedelta(days=60)
    term = {"start": (until - timedelta(days=180)).isoformat(), "end": (until - timedelta(days=1)).isoformat()}
    document["contracts"][0] |= {"auto_renew": True, "notice_days": 10, "term": term}
    account = account_of(document)
    await servers.client.place_order(document)
    await servers.client.fast_forward_to(account, await servers.client.now(account) + timedelta(days=45))
    await settled(servers.pool, account)
    assert await apart(servers, account) == []
    rows = await servers.pool.fetch(
        "select settled_at as at, body->'context'->'quote' as quote from outbox"
        " where account_id = $1 and body->>'template' = 'renewal_notice' and status = 'sent' order by settled_at",
        account,
    )
    assert len(rows) >= 2
    assert rows[0]["quote"] is not None
    assert all(later["at"] - earlier["at"] > timedelta(days=3) for earlier, later in pairwise(rows))
