"""`perennial report adoption`: how much of what was bought is used, of whom it is not known, and who is behind each figure."""

from __future__ import annotations

import json
from datetime import date, timedelta
from pathlib import Path
from typing import Any

from domain.success.usage import UsageRow
from tests import builders
from tests.conftest import Servers
from tests.workers.cli.running import perennial

SEATS = 40


async def customer(servers: Servers, product: str, usage: dict[str, Any], segment: str = "standard") -> str:
    """A customer with 40 seats of a product who reported `usage` of the last 56 days; the 28 before at half of it."""
    order = builders.order()
    order["account"]["segment"] = segment
    order["products"].append({"code": product, "name": product, "kind": "subscription"})
    order["contracts"][0]["lines"][0]["product"] = product
    account = str(order["account"]["account_id"])
    await servers.client.place_order(order)
    await servers.client.fast_forward(account, timedelta(days=60))
    today = (await servers.client.now(account)).date()
    rows = []
    for n in range(1, 57):
        given = usage if n <= 28 else {**usage, "active_users": usage["active_users"] // 2} if usage else None
        if given and n % 7:  # Sundays are not reported, and are not days without use
            rows.append(UsageRow(account_id=account, product=product, day=today - timedelta(days=n), **given))
    await servers.client.record_usage(rows)
    return account


async def test_use_is_reported_by_product_and_segment_with_the_accounts_behind_it(
    servers: Servers, tmp_path: Path
) -> None:
    product = "BOARDS"
    busy = await customer(servers, product, {"active_users": 30, "invited_users": 40, "activated_users": 20})
    quiet = await customer(servers, product, {"active_users": 6}, segment="enterprise")
    silent = await customer(servers, product, {})
    now = await servers.client.now(busy)
    yesterday = now.date() - timedelta(days=1)
    features = [(busy, "Cards"), (busy, "Reports"), (quiet, "Cards"), (quiet, "Reports"), (quiet, "Forms")]
    rows = [
        UsageRow(
            account_id=account,
            product=product,
            day=yesterday,
            active_users=int(account == busy or one == "Cards"),
            feature=one,
        )
        for account, one in features
    ]
    await servers.client.record_usage(rows)
    await servers.client.record_usage(
        [UsageRow(account_id="not-yet", product="ANY", day=date(2026, 1, 5), active_users=3)]
    )
    asked = ("report", "adoption", "--at", str(now.date()))
    dsn = servers.settings.database_url.get_secret_value()
    said = json.loads((await perennial(*asked, "--json", dsn=dsn, folder=tmp_path)).out)

    of = {one["segment"]: one for one in said["figures"] if one["product"] == product}
    assert of.keys() == {None, "enterprise", "standard"}
    everywhere = of[None]
    assert (everywhere["seats"], everywhere["active"], everywhere["utilisation"]) == (2 * SEATS, "36.0000", "0.4500")
    assert everywhere["activation"] == "0.5000", "of those who say so"
    assert everywhere["breadth"] == "0.7500", "two of two features, and one: what nobody uses is no feature"
    assert everywhere["trend"] == "1.0000"
    assert sum(everywhere["spread"].values()) == 2
    behind = {one["account_id"]: one for one in everywhere["accounts"]}
    assert behind.keys() == {busy, quiet, silent}
    assert behind[busy]["utilisation"] == "0.7500"
    assert behind[quiet]["features"] == ["Cards"]
    assert (behind[silent]["reported"], behind[silent]["utilisation"]) == ("never", None), "no data is not no use"
    assert "not-yet" in [one["account_id"] for one in said["without_account"]]

    shown = (await perennial(*asked, "--accounts", dsn=dsn, folder=tmp_path, width=160)).out
    assert "never reported" in shown
    assert "█" in shown
    assert "No order has opened account not-yet" in shown
