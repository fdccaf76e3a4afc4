"""What an asset costs is what is in force: a price that is agreed for later is shown, and offered, from its day on."""

from __future__ import annotations

from datetime import timedelta
from decimal import Decimal

import pytest

from tests.asset_life import Life
from tests.conftest import Servers


async def shown(life: Life, asset_id: str) -> Decimal:
    price = await life.servers.pool.fetchval("select unit_price from asset where asset_id = $1", asset_id)
    assert isinstance(price, Decimal)
    return price


@pytest.mark.engine
async def test_a_renewals_price_is_an_assets_from_its_first_day_on(servers: Servers) -> None:
    life = await Life.begin(servers)
    await life.ask("renew_assets", contract_id=life.contract, months=12, uplift_percent="10")
    assert [await shown(life, asset) for asset in (life.seats, life.care)] == [1200, 60000]
    await life.ask("amend_assets", assets=[{"asset_id": life.seats, "add": 1}])
    assert await shown(life, life.seats) == 1200
    await life.reach(life.day(12) - timedelta(days=1))
    assert await shown(life, life.seats) == 1200
    await life.reach(life.day(12) + timedelta(days=1))
    assert [await shown(life, asset) for asset in (life.seats, life.care)] == [1320, 66000]


async def test_so_is_that_of_a_renewal_that_was_accepted_ahead_or_came_by_itself(servers: Servers) -> None:
    life = await Life.begin(servers, uplift_percent="5", notice_days=10)
    await life.reach(life.day(11))
    await life.ask("answer_renewal", contract_id=life.contract, decision="accept")
    assert [await shown(life, asset) for asset in (life.seats, life.care)] == [1200, 60000]
    await life.reach(life.day(12) + timedelta(days=1))
    assert [await shown(life, asset) for asset in (life.seats, life.care)] == [1260, 63000]
    other = await Life.begin(servers, uplift_percent="5", auto_renew=True)
    await other.reach(other.day(12) + timedelta(days=1))
    assert [await shown(other, asset) for asset in (other.seats, other.care)] == [1260, 63000]


async def test_a_price_agreed_for_a_day_is_shown_from_that_day_on_and_not_if_it_is_taken_back(servers: Servers) -> None:
    life = await Life.begin(servers)
    for asset in (life.seats, life.care):
        await life.ask("amend_assets", assets=[{"asset_id": asset, "price": "1500"}], effective=life.month(4))
    await life.ask("rollback", asset_id=life.care)
    assert [await shown(life, asset) for asset in (life.seats, life.care)] == [1200, 60000]
    await life.reach(life.day(4) + timedelta(days=1))
    assert [await shown(life, asset) for asset in (life.seats, life.care)] == [1500, 60000]
