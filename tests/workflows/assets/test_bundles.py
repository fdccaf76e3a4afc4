"""Assets that were sold together, changed by update: the children follow their root, or the request is refused."""

from __future__ import annotations

from decimal import Decimal
from typing import Any

import pytest

from tests.asset_life import Life, refused
from tests.conftest import Servers
from tests.workflows.contracts.test_transfers import has_ended, record_of


async def bundle(servers: Servers, **contract: Any) -> tuple[Life, str]:
    """Forty seats with two modules for each, under one contract."""
    life = await Life.begin(servers, **contract)
    module = f"{life.seats}.module"
    line: dict[str, Any] = {
        "contract_id": life.contract,
        "product": "PRO",
        "quantity": 80,
        "unit_price": "10",
        "asset_id": module,
    }
    await life.ask("amend_assets", add_ons=[line])
    await servers.pool.execute(
        "insert into asset_relationship (parent_id, child_id, role, child_quantity, ratio, included_in_price)"
        " values ($1, $2, 'Bundle', 'Proportional', 2, false)",
        life.seats,
        module,
    )
    return life, module


async def units(servers: Servers, *assets: str) -> list[int]:
    return [(await record_of(servers, asset)).periods[-1].quantity for asset in assets]


@pytest.mark.engine
async def test_children_follow_a_change_of_units_and_its_rollback(servers: Servers) -> None:
    life, module = await bundle(servers)
    await servers.pool.execute("update asset set status = status where asset_id = $1", life.seats)  # last in the table
    answer = await life.ask("amend_assets", assets=[{"asset_id": life.seats, "add": 5}])
    assert [asset["asset_id"] for asset in answer["assets"]] == [life.seats, module]
    assert await units(servers, life.seats, module) == [45, 90]
    day = life.month(6)
    await life.ask("amend_assets", assets=[{"asset_id": life.seats, "remove": 15}], effective=day)
    assert await units(servers, life.seats, module) == [30, 60]
    await life.ask("rollback", asset_id=module)
    assert await units(servers, life.seats, module) == [45, 90]
    # A child that is named is asked by itself.
    both = [{"asset_id": life.seats, "add": 1}, {"asset_id": module, "add": 10}]
    await life.ask("amend_assets", assets=both)
    assert await units(servers, life.seats, module) == [46, 100]
    await life.check()


async def test_nothing_of_a_cancelled_bundle_is_left_to_be_paid(servers: Servers) -> None:
    life, module = await bundle(servers, billing="monthly")
    await life.ask("cancel_assets", assets=[{"asset_id": life.seats}], effective=life.month(3))
    ends = [(await record_of(servers, asset)).end for asset in (life.seats, module)]
    assert ends[0] == ends[1]
    await life.reach(life.day(5))
    late = await servers.pool.fetchval(
        "select count(*) from invoice_line where asset_id = any($1) and due >= $2", [life.seats, module], life.day(3)
    )
    assert late == 0
    await life.check()


async def test_children_are_renewed_with_their_root(servers: Servers) -> None:
    life, module = await bundle(servers)
    await life.ask("renew_assets", assets=[{"asset_id": life.seats}], uplift_percent="10")
    last = [(await record_of(servers, asset)).periods[-1] for asset in (life.seats, module)]
    assert [(period.quantity, period.mrr) for period in last] == [(40, Decimal(52800)), (80, Decimal(880))]
    assert last[0].end == last[1].end
    await life.check()


async def test_a_bundle_is_not_torn_apart(servers: Servers) -> None:
    life, module = await bundle(servers)
    taker = await Life.begin(servers)
    seats = {"asset_id": life.seats}
    cases: list[tuple[str, dict[str, Any]]] = [
        ("swap_assets", {"assets": [{**seats, "to_product": "PRO", "unit_price": "1"}]}),
        ("swap_assets", {"assets": [{"asset_id": module, "to_product": "WORKSPACE", "unit_price": "1"}]}),
        ("transfer_assets", {"to_account": taker.account, "assets": [seats]}),
        ("transfer_assets", {"to_account": taker.account, "assets": [{"asset_id": module}]}),
        ("transfer_assets", {"to_account": taker.account, "assets": [{**seats, "quantity": 5}]}),
        ("amend_assets", {"assets": [{**seats, "end": life.month(6)}]}),
        ("amend_assets", {"assets": [{**seats, "add": 1}, {"asset_id": module, "price": "11"}]}),
    ]
    for update, request in cases:
        await refused(life, update, request, "Restricted")
    assert await units(servers, life.seats, module) == [40, 80]


async def test_a_bundle_is_handed_over_as_one_and_stays_one(servers: Servers) -> None:
    life, module = await bundle(servers)
    taker = await Life.begin(servers)
    lines = [
        {"asset_id": life.seats, "to_asset_id": f"{taker.account}.root"},
        {"asset_id": module, "to_asset_id": f"{taker.account}.child"},
    ]
    answer = await life.ask("transfer_assets", to_account=taker.account, assets=lines)
    assert await has_ended(servers, answer["transfer_id"]) == "received"
    await taker.ask("amend_assets", assets=[{"asset_id": f"{taker.account}.root", "remove": 10}])
    assert await units(servers, f"{taker.account}.root", f"{taker.account}.child") == [30, 60]
    await taker.check()
