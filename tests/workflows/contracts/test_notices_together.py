"""Renewal notices of several contracts of a customer leave as one mail."""

from __future__ import annotations

from collections import Counter
from datetime import date, timedelta
from itertools import pairwise
from typing import Any
from zoneinfo import ZoneInfo

import pytest

from tests.agendas import apart
from tests.builders import order
from tests.conftest import Servers
from tests.e2e.lives import account_of, settled

TOKYO = ZoneInfo("Asia/Tokyo")


async def noticed(servers: Servers, account: str) -> list[dict[str, Any]]:
    """The renewal notices that left, with their local day and the mail that they left with."""
    await settled(servers.pool, account)
    rows = await servers.pool.fetch(
        "select delivery_id, body->'context' as said, created_at, left_with from outbox where account_id = $1"
        " and body->>'template' = 'renewal_notice' and status = 'sent' order by created_at, delivery_id",
        account,
    )
    return [{**row["said"], "day": row["created_at"].astimezone(TOKYO).date(), **dict(row)} for row in rows]


@pytest.mark.engine
async def test_notices_of_contracts_that_end_in_one_month_leave_as_one_mail(servers: Servers) -> None:
    document = order()
    first = document["contracts"][0]
    starts = date.fromisoformat(first["term"]["start"])
    for days, name in ((9, "B"), (19, "C")):
        document["contracts"].append(
            {
                **first,
                "contract_id": f"{first['contract_id']}-{name}",
                "lines": [{**first["lines"][0], "line_id": name}],
                "term": {**first["term"], "start": (starts + timedelta(days=days)).isoformat()},
            }
        )
    account = account_of(document)
    await servers.client.place_order(document)
    await servers.client.fast_forward_to(account, await ends_at(servers, account) - timedelta(days=1))
    assert await apart(servers, account) == []
    told = await noticed(servers, account)
    by_day = Counter(one["day"] for one in told)
    assert set(by_day.values()) == {3}, "all three at once"
    assert sum(one["left_with"] is None for one in told) == len(by_day), "in one mail"
    mornings = sorted(by_day)
    assert all((after - before).days >= 14 for before, after in pairwise(mornings))


async def ends_at(servers: Servers, account: str) -> Any:
    return await servers.pool.fetchval(
        "select min(ends_at) from contract_term t join contract using (contract_id) where account_id = $1", account
    )
