"""A ramp: an order agrees other quantities and prices for later days of its term; each is invoiced from its own day on."""

from __future__ import annotations

from datetime import timedelta
from decimal import Decimal
from typing import Any

from domain.kernel.calendar import add_months
from tests.asset_life import Life, refused
from tests.builders import order
from tests.conftest import Servers


class Ramped(Life):
    """20 seats for 1,200 yen a month, 40 from the fourth month on, for 1,100 yen from the seventh on; invoiced by the year."""

    @classmethod
    async def sold(cls, servers: Servers) -> Ramped:
        document = order(lines=[])
        contract = document["contracts"][0]
        life = cls(servers, document)
        contract["auto_renew"] = True
        steps: list[dict[str, Any]] = [
            {"start": life.month(3), "quantity": 40},
            {"start": life.month(6), "quantity": 40, "unit_price": "1100"},
        ]
        contract["lines"] = [{"line_id": "1", "product": "SEATS", "quantity": 20, "unit_price": "1200", "ramp": steps}]
        await servers.client.place_order(document)
        return life

    async def invoiced(self) -> list[tuple[str, Decimal]]:
        rows = await self.servers.pool.fetch(
            "select issued_on, total from invoice where account_id = $1 order by issued_on, number", self.account
        )
        return [(row["issued_on"].isoformat(), row["total"]) for row in rows]

    async def price(self) -> Decimal:
        found: Decimal = await self.servers.pool.fetchval(
            "select unit_price from asset where asset_id = $1", self.seats
        )
        return found


async def test_each_step_is_invoiced_from_its_day_and_the_last_one_is_renewed(servers: Servers) -> None:
    life = await Ramped.sold(servers)
    assert (await servers.client.place_order(life.document)).order_id == life.document["order_id"], (
        "once, if sent again"
    )
    assert await life.periods(life.seats) == [
        (life.month(0), 20, 24000),
        (life.month(3), 40, 48000),
        (life.month(6), 40, 44000),
    ]
    await life.reach(life.day(2))
    assert await life.invoiced() == [(life.month(0), Decimal(3 * 24000))], "a year in advance, as far as it is 20 seats"
    await refused(
        life, "amend_assets", {"assets": [{"asset_id": life.seats, "add": 1}], "by": "S-1"}, "Restricted", "is a ramp"
    )
    await life.reach(life.day(3))
    assert (await life.invoiced())[1:] == [(life.month(3), Decimal(3 * 48000))]
    assert await life.price() == 1200
    await life.reach(life.day(6))
    assert (await life.invoiced())[2:] == [(life.month(6), Decimal(6 * 44000))]
    assert await life.price() == 1100, "what is agreed for later is the price once its day has come"
    added = {"assets": [{"asset_id": life.seats, "add": 10}], "by": "S-1"}
    await life.ask("amend_assets", **added)
    assert (await life.invoiced())[3:] == [(life.month(6), Decimal(6 * 11000))], (
        "after the last step as any other asset"
    )
    await life.reach(life.day(12) + timedelta(days=1))
    assert (await life.periods(life.seats))[-1] == (add_months(life.start, 12).isoformat(), 50, 55000)
    assert (await life.invoiced())[4:] == [(life.month(12), Decimal(12 * 55000))]
    await life.check()
