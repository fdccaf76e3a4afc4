"""`perennial report cross-sell`: what to suggest to a customer, with the figures behind it, and whether the past tells anything."""

from __future__ import annotations

import json
from datetime import timedelta
from pathlib import Path
from typing import Any

from activities.kernel.clock import present
from tests import builders
from tests.conftest import Servers
from tests.workers.cli.running import perennial


async def customer(servers: Servers, run: str, *products: str) -> str:
    """A customer who bought each of the products once, a month ago."""
    document = builders.order()
    document["activated_at"] = (present() - timedelta(days=30)).isoformat()
    document["contracts"] = []
    document["products"] = [{"code": f"{run}-{one}", "name": f"{run} {one}", "kind": "goods"} for one in products]
    document["lines"] = [
        {"line_id": str(n), "product": f"{run}-{one}", "quantity": 2, "unit_price": "30"}
        for n, one in enumerate(products)
    ]
    await servers.client.place_order(document)
    return str(document["account"]["account_id"])


async def test_a_customer_is_suggested_what_others_with_the_same_have(servers: Servers, tmp_path: Path) -> None:
    dsn = servers.settings.database_url.get_secret_value()
    run = str(builders.order()["order_id"])
    for _ in range(4):
        await customer(servers, run, "beans", "grinder")
    await customer(servers, run, "beans")
    asked = await customer(servers, run, "beans")

    async def report(*options: str) -> Any:
        done = await perennial("report", "cross-sell", *options, dsn=dsn, folder=tmp_path)
        assert done.code == 0, done.err
        return json.loads(done.out)

    told = await report("--account", asked, "--json")
    assert [(one["name"], one["because_name"], one["together"], one["buyers"]) for one in told["suggestions"]] == [
        (f"{run} grinder", f"{run} beans", 4, 6)
    ]
    assert told["hit_rate"]["reliable"] is False
    pairs = (await report("--json"))["pairs"]
    assert (f"{run}-beans", f"{run}-grinder") in {(one["product"], one["because"]) for one in pairs}
    shown = await perennial("report", "cross-sell", "--account", asked, dsn=dsn, folder=tmp_path)
    assert "too few to tell" in " ".join(shown.out.split())
    assert "66.7 %" in shown.out
    unknown = await perennial("report", "cross-sell", "--account", "nobody", dsn=dsn, folder=tmp_path)
    assert unknown.code != 0
    assert "has bought nothing" in unknown.err
