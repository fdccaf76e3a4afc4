"""An invoice that nobody waits for comes on the morning of a business day, and not before the order that it is for takes effect."""

from __future__ import annotations

from datetime import datetime, timedelta
from zoneinfo import ZoneInfo

import pytest

from activities.kernel.clock import present
from domain.kernel.calendar import business_day_from, is_business_day
from tests.agendas import apart
from tests.builders import order
from tests.conftest import Servers
from tests.e2e.lives import account_of, settled

TOKYO = ZoneInfo("Asia/Tokyo")


async def left_at(servers: Servers, account: str) -> dict[str, datetime]:
    """When the first mail of each template left, by the customer's clock."""
    await settled(servers.pool, account)
    rows = await servers.pool.fetch(
        "select body->>'template' as template, min(settled_at) as at from outbox"
        " where account_id = $1 and channel = 'deliver_mail' and status = 'sent' group by 1",
        account,
    )
    return {row["template"]: row["at"].astimezone(TOKYO) for row in rows}


async def test_what_is_bought_for_a_later_day_is_billed_on_that_morning_with_the_welcome(servers: Servers) -> None:
    begins = business_day_from(present().astimezone(TOKYO).date() + timedelta(days=8), "JP")
    document = order(activated_at=datetime(begins.year, begins.month, begins.day, 11, tzinfo=TOKYO).isoformat())
    document["contracts"][0]["term"]["start"] = begins.isoformat()
    account = account_of(document)
    await servers.client.place_order(document)
    invoiced = await servers.pool.fetchval("select count(*) from invoice where account_id = $1", account)
    assert invoiced
    assert await apart(servers, account) == []
    assert "documents" not in await left_at(servers, account)
    await servers.client.fast_forward(account, timedelta(days=12))
    left = await left_at(servers, account)
    assert (left["documents"].date(), left["documents"].hour) == (begins, 9)
    assert left["documents"].date() == left["welcome"].date()
    assert await apart(servers, account) == []


@pytest.mark.parametrize("hour", [2, 20])
async def test_what_is_billed_by_night_is_told_on_the_next_morning(servers: Servers, hour: int) -> None:
    document = order()
    billing = {"contact_id": "P-2", "name": "小林 由美", "role": "billing"}
    document["contacts"].append({**billing, "email": f"bills.{document['contacts'][0]['email']}"})
    account = account_of(document)
    await servers.client.place_order(document)
    await servers.client.fast_forward(account, timedelta(days=3))
    now = (await servers.client.now(account)).astimezone(TOKYO)
    night = (now + timedelta(days=1)).replace(hour=hour, minute=0)
    await servers.client.fast_forward_to(account, night)
    await settled(servers.pool, account)
    lines = [{"line_id": "9", "product": "TERMINAL", "quantity": 1, "unit_price": "80000"}]
    more = {**document, "order_id": f"{document['order_id']}-2", "activated_at": night.isoformat()}
    await servers.client.place_order({**more, "contracts": [], "lines": lines})
    await servers.client.fast_forward(account, timedelta(days=6))
    await settled(servers.pool, account)
    rows = await servers.pool.fetch(
        "select body->>'template' as template, settled_at from outbox where account_id = $1 and created_at >= $2"
        " and channel = 'deliver_mail' and jsonb_array_length(body->'documents') > 0 order by settled_at",
        account,
        night,
    )
    assert {row["template"] for row in rows} == {"documents"}
    left = [row["settled_at"].astimezone(TOKYO) for row in rows]
    assert all(at.hour == 9 and is_business_day(at.date(), "JP") for at in left)
    assert min(left) - night < timedelta(days=5)
