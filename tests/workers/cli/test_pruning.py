"""What is forgotten after a time, and what never is."""

from __future__ import annotations

from datetime import timedelta

import pytest

from activities.kernel.clock import present
from activities.kernel.pruning import forget
from tests.builders import order
from tests.conftest import Servers
from tests.e2e.lives import account_of, report_usage

EVENTS, USAGE = timedelta(days=400), timedelta(days=1100)


async def test_old_events_and_usage_go_and_all_else_stays(servers: Servers) -> None:
    document = order()
    account, pool = account_of(document), servers.pool
    await servers.client.place_order(document)
    await report_usage(servers.client, account, 30)
    now = present()
    event = (
        "insert into outbox (delivery_id, account_id, channel, stage, body, created_at, status, settled_at)"
        " values ($1, $2, $3, '', '{}', $4, $5, $6)"
    )
    for name, channel, status, days in (
        ("old", "deliver_webhook", "sent", 401),
        ("refused", "deliver_webhook", "rejected", 500),
        ("young", "deliver_webhook", "sent", 399),
        ("on-its-way", "deliver_webhook", "waiting", 900),
        ("mail", "deliver_mail", "sent", 900),
    ):
        at = now - timedelta(days=days)
        await pool.execute(event, f"{account}/{name}", account, channel, at, status, at)
    await pool.execute("update usage_day set day = day - 1101 where account_id = $1", account)
    days = await pool.fetchval("select count(*) from usage_day where account_id = $1", account)
    async with pool.acquire() as connection:
        gone = await forget(connection, now, events=EVENTS, usage=USAGE, at_once=1)
        assert gone == {"events": 2, "days of usage": days - 1}
        assert await forget(connection, now, events=EVENTS, usage=USAGE) == {"events": 0, "days of usage": 0}
    left = await pool.fetch("select delivery_id from outbox where starts_with(delivery_id, $1)", f"{account}/")
    assert {row["delivery_id"].rpartition("/")[2] for row in left} == {"young", "on-its-way", "mail"}


@pytest.mark.parametrize("days", ["89", "-1", "x"])
def test_nobody_forgets_what_is_looked_at(days: str, monkeypatch: pytest.MonkeyPatch) -> None:
    from workers.settings import Settings

    monkeypatch.setenv("PERENNIAL_KEEP_USAGE_DAYS", days)
    with pytest.raises(ValueError, match="keep_usage_days"):
        Settings()
