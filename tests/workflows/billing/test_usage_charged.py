"""Use that is charged: a month's grant, prepaid units, tiers and a minimum, in arrears; what is reported late counts in the next month."""

from __future__ import annotations

from datetime import date, timedelta
from decimal import Decimal
from typing import Any

from domain.success.usage import UsageRow
from tests.asset_life import Life, refused
from tests.builders import order
from tests.conftest import Servers
from tests.workflows.billing.test_invoice_lines import documents


class Metered(Life):
    """3 units for 1,000 yen a month each, with 100 calls each a month, 250 prepaid, then 2.5 and from 400 on 1.2 yen."""

    @classmethod
    async def sold(cls, servers: Servers, **usage: Any) -> Metered:
        document = order(lines=[])
        terms = {"unit": "calls", "granted": 100, "prepaid": 250, "tiers": TIERS, **usage}
        line = {"line_id": "1", "product": "SEATS", "quantity": 3, "unit_price": "1000", "usage": terms}
        document["contracts"][0].update({"lines": [line], "auto_renew": True})
        life = cls(servers, document)
        await servers.client.place_order(document)
        return life

    async def used(self, **by_day: int) -> None:
        """So many calls on days of the term, counted from its first: `d3=100`."""
        rows = [
            UsageRow(account_id=self.account, product="SEATS", day=self.on(name), active_users=3, units=units)
            for name, units in by_day.items()
        ]
        await self.servers.client.record_usage(rows)

    def on(self, name: str) -> date:
        return self.start + timedelta(days=int(name[1:]))

    async def lines(self) -> list[dict[str, Any]]:
        rows = await self.servers.pool.fetch(
            "select i.issued_on, l.amount, l.quantity, l.unit_price, l.usage, l.covers_from, l.covers_until"
            " from invoice_line l join invoice i using (invoice_id) where account_id = $1 and l.kind = 'usage'"
            " order by i.issued_on, l.number",
            self.account,
        )
        return [dict(row) for row in rows]


async def explained(life: Metered, language: str) -> list[str]:
    """What invoices say of use, beneath the product's name."""
    read = await documents(life.servers, life.account, language)
    said = [cells[0].removeprefix("Workspace").strip() for _, lines in read for cells in lines]
    return [one for one in said if one]


TIERS = [{"up_to": 400, "unit_price": "2.5"}, {"unit_price": "1.2"}]


async def test_what_is_beyond_grant_and_prepaid_units_is_invoiced_after_the_month(servers: Servers) -> None:
    life = await Metered.sold(servers)
    await life.reach(life.day(1) - timedelta(days=3))
    await life.used(d0=200, d10=150, d20=900)
    await life.used(d20=900)  # once more
    await life.reach(life.day(1) + timedelta(days=1))
    assert await life.lines() == [], "the month's last days may still be reported"
    await life.reach(life.day(1) + timedelta(days=2))
    [first] = await life.lines()
    # 1,250 used, 300 included, 250 prepaid, 700 beyond: 400 at 2.5 and 300 at 1.2.
    assert (first["amount"], first["quantity"], first["unit_price"]) == (Decimal(1360), 700, None)
    assert first["usage"] == {
        "unit": "calls",
        "used": 1250,
        "granted": 300,
        "prepaid": 250,
        "over": 700,
        "priced": [{"units": 400, "unit_price": "2.5"}, {"units": 300, "unit_price": "1.2"}],
        "minimum": False,
    }
    assert (first["covers_from"], first["covers_until"]) == (life.start, life.day(1))

    # The next month: 40 of the last day came late, 10 of an earlier one were too many; nothing prepaid is left.
    days = (life.day(1) - life.start).days
    await life.reach(life.day(1) + timedelta(days=10))
    await life.used(**{f"d{days - 1}": 40, "d20": 890, f"d{days + 4}": 280})
    await life.reach(life.day(2) + timedelta(days=2))
    [_, second] = await life.lines()
    assert (second["amount"], second["quantity"], second["unit_price"]) == (Decimal(25), 10, Decimal("2.5"))
    assert (second["usage"]["used"], second["usage"]["prepaid"]) == (310, 0)
    # A month within its grant costs nothing, and is no line.
    await life.reach(life.day(3) + timedelta(days=2))
    assert len(await life.lines()) == 2
    assert await life.servers.pool.fetchval("select count(*) from use_charge where asset_id = $1", life.seats) == 3
    assert await explained(life, "en") == [
        "1,250 calls used: 300 included in the month, 250 taken from the prepaid ones, 700 beyond: 400 × ¥2.5 + 300 × ¥1.2.",
        "310 calls used: 300 included in the month, 10 beyond: 10 × ¥2.5.",
    ]
    assert (await explained(life, "ja"))[1] == "利用量 310 calls（月の無料分 300、超過 10：10 × ￥2.5）"
    await life.check()


async def test_a_month_comes_to_its_minimum_and_a_renewal_brings_prepaid_units_anew(servers: Servers) -> None:
    life = await Metered.sold(servers, minimum="500", tiers=None, unit_price="3", granted=0, prepaid=100)
    await life.reach(life.day(1) - timedelta(days=1))
    await life.used(d0=150)
    await life.reach(life.day(1) + timedelta(days=2))
    [first] = await life.lines()
    assert (first["amount"], first["quantity"], first["usage"]["minimum"]) == (Decimal(500), 50, True)
    await life.reach(life.day(12) + timedelta(days=5))
    assert [line["amount"] for line in await life.lines()] == [Decimal(500)] * 12
    days = (life.day(12) - life.start).days
    await life.used(**{f"d{days + 1}": 400})
    await life.reach(life.day(13) + timedelta(days=2))
    last = (await life.lines())[-1]
    assert (last["amount"], last["usage"]["prepaid"], last["quantity"]) == (Decimal(900), 100, 300)


async def test_what_is_charged_by_use_is_not_handed_over(servers: Servers) -> None:
    life, other = await Metered.sold(servers), order()
    await servers.client.place_order(other)
    handed_over = {"to_account": other["account"]["account_id"], "assets": [{"asset_id": life.seats}], "by": "S-1"}
    await refused(life, "transfer_assets", handed_over, "Restricted", "usage")


async def test_units_that_are_added_bring_their_share_of_the_grant(servers: Servers) -> None:
    life = await Metered.sold(servers, prepaid=0, tiers=None, unit_price="1")
    await life.reach(life.start + timedelta(days=15))
    await life.ask("amend_assets", assets=[{"asset_id": life.seats, "add": 2}], by="S-1")
    await life.reach(life.day(1) - timedelta(days=1))
    await life.used(d0=1000)
    await life.reach(life.day(1) + timedelta(days=2))
    [line] = await life.lines()
    days = (life.day(1) - life.start).days
    granted = 300 + 2 * 100 * (days - 15) // days
    assert (line["usage"]["granted"], line["quantity"], line["amount"]) == (granted, 1000 - granted, 1000 - granted)
    await life.reach(life.day(2) + timedelta(days=2))
    [_, second] = await servers.pool.fetch(
        "select granted from use_charge where asset_id = $1 order by start", life.seats
    )
    assert second["granted"] == 500
