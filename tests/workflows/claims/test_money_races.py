"""A customer's money decided at two desks at once: in a case and in the journey. Nobody gets back more than they were charged."""

from __future__ import annotations

import asyncio
import random
from decimal import Decimal
from typing import Any

import asyncpg
import pytest

from activities.billing.credits import OverCreditedError, write_schedule_credits
from activities.frame.errors import business_errors
from activities.kernel.clock import present
from domain.billing.documents import DocumentLine
from domain.kernel.calendar import local_day
from domain.kernel.refusals import Refusal
from tests.conftest import Servers
from tests.patience import patient
from tests.pricing import Shop, open_shop

pytestmark = pytest.mark.engine  # calls at the very same time

ROUNDS = 6


async def new_shop(servers: Servers) -> Shop:
    """A customer whose contract begins today."""
    return await open_shop(servers, term={"start": local_day(present(), "Asia/Tokyo").isoformat()})


async def sums(servers: Servers, asset_id: str) -> tuple[Decimal, Decimal]:
    """What was charged and credited of an asset."""
    row = await servers.pool.fetchrow(
        "select (select coalesce(sum(amount), 0) from invoice_line where asset_id = $1),"
        " (select coalesce(sum(amount), 0) from credit_memo_line where asset_id = $1)",
        asset_id,
    )
    assert row is not None
    return row[0], row[1]


async def test_goodwill_in_a_case_while_the_journey_cancels(servers: Servers) -> None:
    draw = random.Random(3)
    for _ in range(ROUNDS):
        shop = await new_shop(servers)
        case_id = await shop.open_case(order_id=shop.order_id, line_id="1")
        asset = f"{shop.order_id}.1"

        async def grant(shop: Shop = shop, case_id: str = case_id) -> Any:
            await asyncio.sleep(draw.random() * 0.05)
            granted = {"amount": "60000", "reason": "a bad start", "by": shop.manager, "role": "manager"}
            return await shop.cases.ask(case_id, "grant_goodwill", granted)

        async def cancel(shop: Shop = shop, asset: str = asset) -> Any:
            await asyncio.sleep(draw.random() * 0.05)
            return await servers.client.ask(shop.account_id, "cancel_assets", {"assets": [{"asset_id": asset}]})

        answers = await asyncio.gather(grant(), cancel(), return_exceptions=True)
        assert not [one for one in answers if isinstance(one, Exception) and not isinstance(one, Refusal)]
        charged, credited = await sums(servers, asset)
        assert charged == credited == 40 * 1200 * 12


async def test_a_price_match_while_units_come_back(servers: Servers) -> None:
    for n in range(ROUNDS):
        shop = await open_shop(servers)
        await shop.publish("72000", await shop.day())
        case_id = await shop.open_case()
        await shop.delivered()
        back = {"order_id": shop.order_id, "line_id": "3", "step": "returned", "quantity": 5, "request_id": f"R-{n}"}
        answers = await asyncio.gather(
            shop.claim(case_id),
            servers.client.ask(shop.account_id, "report_fulfilment", {**back, "by": "warehouse"}),
            return_exceptions=True,
        )
        refused = [one.type for one in answers if isinstance(one, Refusal)]
        assert refused in ([], ["LineReturned"])
        charged, credited = await sums(servers, f"{shop.order_id}.3")
        assert credited in (0 if refused else 40_000, charged)


async def test_whoever_decides_on_money_waits_for_the_account(servers: Servers) -> None:
    """Every door, the journey's and the case's: nothing is decided while somebody else holds the customer."""
    shop = await new_shop(servers)
    case_id = await shop.open_case(order_id=shop.order_id, line_id="1")
    seats = {"assets": [{"asset_id": f"{shop.order_id}.1", "add": 1}]}
    async with servers.pool.acquire() as connection, connection.transaction():
        await connection.execute("select 1 from account where account_id = $1 for no key update", shop.account_id)
        waiting = [
            asyncio.create_task(servers.client.ask(shop.account_id, "amend_assets", seats)),
            asyncio.create_task(
                shop.cases.ask(
                    case_id, "grant_goodwill", {"amount": "10", "reason": "x", "by": shop.manager, "role": "manager"}
                )
            ),
        ]
        done, _ = await asyncio.wait(waiting, timeout=1)
        assert not done
    assert all(isinstance(one, dict) for one in await asyncio.gather(*waiting))


async def test_the_table_refuses_more_credit_than_charge_whoever_writes_it(servers: Servers) -> None:
    """Two who credit at once without a lock of their own: one of them gets an error that is tried again."""
    shop = await new_shop(servers)
    asset = f"{shop.order_id}.1"
    charge = await servers.pool.fetchrow("select * from invoice_line where asset_id = $1", asset)
    assert charge is not None
    now = present()

    async def credit(key: str, share: Decimal) -> str:
        line = DocumentLine(
            kind="goodwill", description="", due=now.date(), amount=charge["amount"] * share, asset_id=asset,
            lot=charge["lot"], period=charge["period"],
        )  # fmt: skip
        async with business_errors(), servers.pool.acquire() as connection, connection.transaction():
            memo = await write_schedule_credits(
                connection, shop.account_id, key, "JPY", [line], reason="a race", as_of=now, on=now.date()
            )
            await asyncio.sleep(0.05)
            return memo.id

    both = [patient().run(credit, f"{asset}/{n}", Decimal("0.75")) for n in range(2)]
    answers = await asyncio.gather(*both, return_exceptions=True)
    lost = [one for one in answers if isinstance(one, Exception)]
    assert [type(one) for one in lost] in ([OverCreditedError], [asyncpg.UniqueViolationError])
    with pytest.raises(OverCreditedError, match=r"would come to"):
        await patient().run(credit, f"{asset}/3", Decimal("0.5"))
    await patient().run(credit, f"{asset}/4", Decimal("0.25"))
    charged, credited = await sums(servers, asset)
    assert charged == credited


async def test_what_goodwill_gave_back_before_makes_no_document_over_nothing(servers: Servers) -> None:
    shop = await new_shop(servers)
    case_id = await shop.open_case(order_id=shop.order_id, line_id="2")
    whole = {"amount": "60000", "reason": "a bad start", "by": shop.manager, "role": "manager"}
    await shop.cases.ask(case_id, "grant_goodwill", whole)
    care = {"assets": [{"asset_id": f"{shop.order_id}.2"}]}
    await servers.client.ask(shop.account_id, "cancel_assets", care)
    assert [memo["total"] for memo in await shop.memos()] == [60_000]
    charged, credited = await sums(servers, f"{shop.order_id}.2")
    assert charged == credited == 60_000


async def test_what_goodwill_gave_back_before_makes_nothing_dearer_that_replaces_it(servers: Servers) -> None:
    shop = await new_shop(servers)
    care = f"{shop.order_id}.2"
    case_id = await shop.open_case(order_id=shop.order_id, line_id="2")
    whole = {"amount": "60000", "reason": "a bad start", "by": shop.manager, "role": "manager"}
    await shop.cases.ask(case_id, "grant_goodwill", whole)
    # A year at 60,000, given back, becomes one at 72,000: 12,000 are to pay, and stay so.
    await servers.client.ask(shop.account_id, "amend_assets", {"assets": [{"asset_id": care, "price": "72000"}]})
    assert await sums(servers, care) == (Decimal(132_000), Decimal(120_000))
    await servers.client.ask(shop.account_id, "amend_assets", {"assets": [{"asset_id": care, "price": "75000"}]})
    charged, credited = await sums(servers, care)
    assert charged - credited == 15_000
    await servers.client.ask(shop.account_id, "cancel_assets", {"assets": [{"asset_id": care}]})
    charged, credited = await sums(servers, care)
    assert charged == credited
    assert all(memo["total"] for memo in await shop.memos())
