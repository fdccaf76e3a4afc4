"""The day that a command shows when nobody names one: the customer's own, whether their clock was moved or not."""

from __future__ import annotations

import json
from datetime import datetime, timedelta
from pathlib import Path

from tests import builders
from tests.conftest import Servers
from tests.workers.cli.running import beside, perennial

A_MINUTE = timedelta(minutes=1)


async def test_assets_are_listed_at_the_customers_own_now(servers: Servers, tmp_path: Path) -> None:
    order = builders.order()
    account = str(order["account"]["account_id"])
    await servers.client.place_order(order)
    beside(servers, tmp_path)

    async def listed_at() -> datetime:
        ended = await perennial(
            "asset", "list", account, "--json", dsn=servers.stack.running.database_url, folder=tmp_path
        )
        assert ended.code == 0, ended.err
        return datetime.fromisoformat(json.loads(ended.out)["at"])

    assert abs(await listed_at() - await servers.client.now(account)) < A_MINUTE
    before = await servers.client.now(account)
    await servers.client.fast_forward(account, timedelta(hours=40))  # nothing need be due meanwhile
    shown = await listed_at()
    assert shown - before > timedelta(hours=39)
    assert abs(shown - await servers.client.now(account)) < A_MINUTE
