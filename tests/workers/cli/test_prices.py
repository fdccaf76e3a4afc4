"""Prices and price matches on the command line, as people run it."""

from __future__ import annotations

import json
from pathlib import Path

from tests.conftest import Servers
from tests.pricing import open_shop
from tests.workers.cli.running import Ended, perennial


async def test_a_price_falls_and_an_agent_gives_the_difference_back(servers: Servers, tmp_path: Path) -> None:
    async def shell(*arguments: str) -> Ended:
        stack = servers.stack
        return await perennial(
            *arguments,
            dsn=stack.postgres_dsn,
            folder=tmp_path,
            width=160,
            environment={"TEMPORAL_ADDRESS": stack.temporal_address},
        )

    shop = await open_shop(servers, tax_rates=["10"])
    line = (shop.account_id, shop.order_id, "3")
    unknown = await shell("price", "match", *line)
    assert "PriceUnknown" in unknown.out

    price = ("price", "set", shop.product, "72000", "JPY", "--from", str(await shop.day()), "--book", shop.book)
    assert (await shell(*price)).out.strip() == "published"
    assert "published before" in (await shell(*price)).out
    refused = await shell("price", "set", shop.product, "free", "JPY", "--from", "2026-01-01")
    assert (refused.code, "InvalidPrices" in refused.err) == (1, True)

    shown = await shell("price", "match", *line)
    for words in ("80,000 JPY", "72,000 JPY", "44,000 JPY  (tax in it 4,000 JPY)", "approved by  agent"):
        assert words in shown.out
    assert json.loads((await shell("price", "match", *line, "--quantity", "2", "--json")).out)["refund"] == {
        "amount": "17600",
        "currency": "JPY",
    }

    case_id = await shop.open_case()
    fields = (f"order_id={shop.order_id}", "line_id=3", "quantity=2", "by=S-9")
    claimed = await shell("case", "ask", case_id, "claim_price_match", *fields)
    assert claimed.code == 0, claimed.err
    assert json.loads(claimed.out)["refund"]["amount"] == "17600"
    bought = await shell("price", "purchases", shop.account_id)
    assert f"{case_id}.r1" in bought.out
    assert json.loads((await shell("price", "purchases", shop.account_id, "--json")).out)[-1]["returned"] == 0
