"""Whatever is asked, in whatever currency, zone and billing: in the end invoices less credits are what the ledger books."""

from __future__ import annotations

from datetime import timedelta
from random import Random
from typing import Any

import pytest

from domain.kernel.money import rounding_of
from domain.kernel.refusals import Refusal
from tests.asset_life import Life
from tests.builders import order
from tests.conftest import Servers

PRICES = {"BHD": ("12.345", "7.777"), "EUR": ("12.34", "7.77"), "JPY": ("1200", "333")}
ACTS = ("add", "add", "remove", "later", "price", "add_on", "swap", "cancel", "rollback", "renew", "end")


def request_of(life: Life, random: Random, asset: str, day: str, price: str) -> tuple[str, dict[str, Any]]:
    """Something that is asked of an asset."""
    act, units, line = random.choice(ACTS), random.randint(1, 9), {"asset_id": asset}
    match act:
        case "add" | "remove":
            return "amend_assets", {"assets": [{**line, act: units}]}
        case "later":
            return "amend_assets", {"assets": [{**line, "remove": units}], "effective": day}
        case "price":
            return "amend_assets", {"assets": [{**line, "price": price}], "effective": day}
        case "end":
            return "amend_assets", {"assets": [{**line, "end": day}]}
        case "add_on":
            new = {"contract_id": life.contract, "product": "PRO", "quantity": units, "unit_price": price}
            return "amend_assets", {"add_ons": [{**new, "per": random.choice(["month", "year"])}]}
        case "swap":
            return "swap_assets", {"assets": [{**line, "to_product": "PRO", "unit_price": price, "quantity": units}]}
        case "cancel":
            return "cancel_assets", {"assets": [line], "effective": random.choice(["period_end", day])}
        case "rollback":
            return "rollback", line
        case _:
            return "renew_assets", {"assets": [line]}


@pytest.mark.parametrize(
    ("seed", "currency", "zone", "billing"),
    [
        (1, "BHD", "Asia/Bahrain", "monthly"),
        (4, "EUR", "Europe/Berlin", "yearly"),
        (7, "JPY", "America/New_York", "quarterly"),
    ],
)
async def test_invoices_less_credits_are_what_the_ledger_books(
    servers: Servers, seed: int, currency: str, zone: str, billing: str
) -> None:
    random, document = Random(seed), order()
    first, other = PRICES[currency]
    document["currency"], document["account"]["time_zone"] = currency, zone
    document["contracts"][0].update(billing=billing, auto_renew=True, uplift_percent="3.3")
    for line in document["contracts"][0]["lines"]:
        line["unit_price"] = first
    document["products"].append({"code": "PRO", "name": "Workspace Pro", "kind": "subscription"})
    life = Life(servers, document)
    await servers.client.place_order(document)
    told: list[str] = []
    for _ in range(20):
        await servers.client.fast_forward(
            life.account, timedelta(days=random.randint(1, 30), hours=random.randint(0, 23))
        )
        rows = await servers.pool.fetch(
            "select asset_id from asset where account_id = $1 and contract_id is not null order by lifecycle_start, 1",
            life.account,
        )
        day = (await servers.client.now(life.account)).date() + timedelta(days=random.randint(1, 120))
        update, request = request_of(life, random, random.choice(rows)["asset_id"], day.isoformat(), other)
        try:
            await life.ask(update, **request)
        except Refusal as refusal:
            told.append(refusal.type)
    assert "StepFailed" not in told
    await life.check()
    open_contracts = "select count(*) from contract where account_id = $1 and status = 'active'"
    if await servers.pool.fetchval(open_contracts, life.account):
        await life.ask("cancel_assets", contract_id=life.contract, effective="period_end")
    await servers.client.fast_forward(life.account, timedelta(days=900))
    await life.check()
    sums = await servers.pool.fetch(
        "select a.asset_id, (select sum(amount) from asset_state_period p where p.asset_id = a.asset_id) as booked,"
        " (select coalesce(sum(amount), 0) from invoice_line l where l.asset_id = a.asset_id)"
        " - (select coalesce(sum(amount), 0) from credit_memo_line l where l.asset_id = a.asset_id) as invoiced"
        " from asset a where account_id = $1",
        life.account,
    )
    assert [row["invoiced"] for row in sums] == [rounding_of(currency).apply(row["booked"]) for row in sums]
    assert not await servers.pool.fetchval(
        "select count(*) from contract where account_id = $1 and status <> 'ended'", life.account
    )
