"""`perennial report ttv`: days to first value and to go-live, of whom, inside which target, and whose waiting it was."""

from __future__ import annotations

import json
from datetime import timedelta
from pathlib import Path

from activities.kernel.clock import present
from tests.conftest import Servers
from tests.workers.cli.running import perennial
from tests.workflows.success.test_onboarding_dates import Start


async def test_time_to_value_is_a_distribution_with_the_orders_behind_it(servers: Servers, tmp_path: Path) -> None:
    quick, slow, never = [await Start.begin(servers) for _ in range(3)]
    await quick.days(12)
    await quick.ask("complete_task", task="first_value", evidence="90 orders in a day")
    await slow.days(10)
    await slow.ask("block_task", task="training", waits_for="customer", reason="no list of users")
    await slow.days(20)
    await slow.ask("unblock_task", task="training")
    await slow.days(6)
    await slow.ask("complete_task", task="first_value")
    await slow.ask("complete_task", task="go_live")
    dsn = servers.settings.database_url.get_secret_value()
    to = str((present() + timedelta(days=2)).date())
    asked = ("report", "ttv", "--to", to)
    said = json.loads((await perennial(*asked, "--json", dsn=dsn, folder=tmp_path)).out)

    everyone = next(one for one in said["figures"] if (one["milestone"], one["group"]) == ("first_value", None))
    ours = {
        one["account_id"]: one
        for one in everyone["orders"]
        if one["account_id"] in {s.account for s in (quick, slow, never)}
    }
    assert {one["account_id"]: one["days"] for one in ours.values()} == {
        quick.account: 12,
        slow.account: 36,
        never.account: None,
    }
    assert [ours[one.account]["in_time"] for one in (quick, slow, never)] == [True, False, False], (
        "30 days were promised"
    )
    assert (ours[slow.account]["waited"], ours[slow.account]["waited_for_customer"]) == ("customer", 20)
    assert ours[quick.account]["evidence"] == "90 orders in a day"
    assert everyone["began"] >= 3, "who never got there counts among those who began"
    groups = {one["group"] for one in said["figures"] if one["milestone"] == "first_value"}
    assert {"waited for customer", "waited for nobody"} <= groups
    live = next(one for one in said["figures"] if (one["milestone"], one["group"]) == ("go_live", None))
    assert next(one["days"] for one in live["orders"] if one["account_id"] == slow.account) == 36

    shown = (await perennial(*asked, "--accounts", dsn=dsn, folder=tmp_path, width=200)).out
    assert "90 orders in a day" in shown
    assert "█" in shown
    refused = await perennial("report", "ttv", "--from", to, "--to", "2026-01-01", dsn=dsn, folder=tmp_path)
    assert "lies after" in refused.err
