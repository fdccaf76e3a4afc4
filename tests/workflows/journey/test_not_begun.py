"""What is given up before it begins: it ends before it began, what was invoiced of it is credited at once, and the customer lives on."""

from __future__ import annotations

from datetime import date, timedelta
from decimal import Decimal
from typing import Any

import pytest

from activities.kernel.clock import present
from tests.asset_life import Life
from tests.builders import order
from tests.conftest import Servers
from tests.e2e.lives import attention_of, until


class Ahead(Life):
    """Seats and care that began a while ago; under a second contract seats that begin in ten days, and a device that comes in five."""

    later: dict[str, Any]
    today_is: date

    @classmethod
    async def begin(cls, servers: Servers, *, days: int = 40, **contract: Any) -> Ahead:
        now = present().replace(microsecond=0)
        document = order(activated_at=(now - timedelta(days=days)).isoformat(), lines=[])
        document["contracts"][0].update(contract)
        document["contracts"][0]["term"] = {"start": (now - timedelta(days=days)).date().isoformat(), "months": 12}
        life = cls(servers, document)
        await servers.client.place_order(document)
        life.today_is = await life.today()
        life.later = {
            **{key: document[key] for key in ("account", "contacts", "currency")},
            "order_id": f"{document['order_id']}-L",
            "activated_at": (await servers.client.now(life.account)).isoformat(),
            "contracts": [
                {
                    "contract_id": life.contract_ahead,
                    "term": {"start": life.soon(10), "months": 12},
                    "lines": [{"line_id": "1", "product": "SEATS", "quantity": 3, "unit_price": "1000"}],
                }
            ],
        }
        await servers.client.place_order(life.later)
        return life

    def soon(self, days: int) -> str:
        """The local day so many days from the first one."""
        return (self.today_is + timedelta(days=days)).isoformat()

    @property
    def contract_ahead(self) -> str:
        return f"{self.contract}-L"

    @property
    def ahead(self) -> str:
        """The seats that begin in ten days."""
        return f"{self.later['order_id']}.1"

    async def device(self) -> str:
        """A device of an order that is activated in five days."""
        document = {
            **{key: self.document[key] for key in ("account", "contacts", "currency")},
            "order_id": f"{self.document['order_id']}-D",
            "activated_at": (await self.servers.client.now(self.account) + timedelta(days=5)).isoformat(),
            "lines": [{"line_id": "1", "product": "TERMINAL", "quantity": 2, "unit_price": "80000"}],
        }
        await self.servers.client.place_order(document)
        return f"{document['order_id']}.1"

    async def net(self, asset_id: str) -> tuple[Decimal, Decimal]:
        """What was charged and what was credited of an asset."""
        found = [
            await self.servers.pool.fetchval(
                f"select coalesce(sum(amount), 0) from {table} where asset_id = $1", asset_id
            )
            for table in ("invoice_line", "credit_memo_line")
        ]
        return found[0], found[1]

    async def status(self, contract_id: str) -> str:
        found = await self.servers.pool.fetchval("select status from contract where contract_id = $1", contract_id)
        return str(found)

    async def lives_on(self) -> None:
        """The first contract is still served: it changes, is renewed and billed; nothing is set aside, nothing owed is held."""
        added = {"assets": [{"asset_id": self.seats, "add": 1}]}
        answer = await self.servers.client.ask(self.account, "amend_assets", added)
        assert answer["assets"][0]["quantity"] == 41
        await self.reach(self.day(12) + timedelta(days=40))
        assert [why for why in await attention_of(self.servers.temporal, self.account) if "parked" in why] == []
        assert "StepFailed" not in str(await self.titles())
        number = await self.servers.pool.fetchval(
            "select max(number) from contract_term where contract_id = $1", self.contract
        )
        assert number == 2
        await self.check()

    async def is_void(self, asset_id: str) -> None:
        """It never was: no units at any time, and all that was charged for it is given back."""
        assert await self.periods(asset_id) == []
        bounds = await self.servers.pool.fetchrow(
            "select lifecycle_start, lifecycle_end from asset where asset_id = $1", asset_id
        )
        assert bounds is not None
        assert bounds["lifecycle_end"] == bounds["lifecycle_start"]
        charged, credited = await self.net(asset_id)
        assert charged == credited


WHENS = ("now", "first day", "first instant")


@pytest.mark.parametrize("when", WHENS)
async def test_a_contract_given_up_before_it_begins_is_over_and_credited_at_once(servers: Servers, when: str) -> None:
    life = await Ahead.begin(servers, auto_renew=True)
    starts = await servers.pool.fetchval("select lifecycle_start from asset where asset_id = $1", life.ahead)
    effective = {"now": "now", "first day": life.soon(10), "first instant": starts.isoformat()}[when]
    await life.ask("cancel_assets", contract_id=life.contract_ahead, effective=effective)
    await life.is_void(life.ahead)
    assert await life.status(life.contract_ahead) == "ended"
    briefing = await servers.client.briefing(life.account)
    assert f"renewal:{life.contract_ahead}" not in briefing
    assert f"contract:{life.contract_ahead}" not in briefing
    said = [title for title in await life.titles() if "before it began" in title]
    assert len(said) == 2, "the asset and its contract"
    templates = await servers.pool.fetch(
        "select body->>'template' as name from outbox where account_id = $1 and body->>'template' like '%ended'",
        life.account,
    )
    assert templates == [], "what never began did not end on a day"
    await life.lives_on()
    assert (
        await servers.pool.fetchval("select count(*) from contract_term where contract_id = $1", life.contract_ahead)
        == 1
    )


@pytest.mark.engine
async def test_a_device_of_an_order_that_is_activated_later(servers: Servers) -> None:
    life = await Ahead.begin(servers, auto_renew=True)
    device = await life.device()
    assert (await life.net(device))[1] == 0
    await life.ask("cancel_assets", assets=[{"asset_id": device}])
    await life.is_void(device)
    await life.lives_on()


async def test_an_add_on_of_a_later_day(servers: Servers) -> None:
    life = await Ahead.begin(servers, auto_renew=True)
    line = {"contract_id": life.contract, "product": "SEATS", "quantity": 5, "unit_price": "700"}
    answer = await life.ask("amend_assets", add_ons=[line], effective=life.soon(20))
    extra = answer["assets"][0]["asset_id"]
    await life.ask("cancel_assets", assets=[{"asset_id": extra}], effective=life.soon(20))
    await life.is_void(extra)
    assert await life.status(life.contract) == "active"
    await life.lives_on()


async def test_a_part_that_is_handed_over_later(servers: Servers) -> None:
    """The taker gives up what is not theirs yet; the giver has handed it over all the same."""
    giver, taker = await Ahead.begin(servers, auto_renew=True), await Ahead.begin(servers, auto_renew=True)
    answer = await giver.ask(
        "transfer_assets",
        to_account=taker.account,
        to_contract_id=taker.contract,
        assets=[{"asset_id": giver.seats, "quantity": 4}],
        effective=giver.soon(15),
    )

    async def has_come() -> bool:
        return bool(
            await servers.pool.fetchval(
                "select 1 from conveyance where transfer_id = $1 and status = 'received'", answer["transfer_id"]
            )
        )

    await until(has_come, "the transfer ends")
    part = answer["assets"][0]["to_asset_id"]
    await taker.ask("cancel_assets", assets=[{"asset_id": part}])
    await taker.is_void(part)
    await taker.lives_on()


async def test_the_parts_of_a_bundle_go_with_it(servers: Servers) -> None:
    life = await Ahead.begin(servers, auto_renew=True)
    line = {"contract_id": life.contract_ahead, "product": "CARE", "quantity": 1, "unit_price": "10"}
    answer = await life.ask("amend_assets", add_ons=[line])
    child = answer["assets"][0]["asset_id"]
    await servers.pool.execute(
        "insert into asset_relationship (parent_id, child_id, role, child_quantity, ratio, included_in_price)"
        " select $1, $2, 'Bundle', 'Constant', 1, false",
        life.ahead,
        child,
    )
    await life.ask("cancel_assets", assets=[{"asset_id": life.ahead}])
    for asset_id in (life.ahead, child):
        await life.is_void(asset_id)
    assert await life.status(life.contract_ahead) == "ended"
    await life.lives_on()


async def test_the_only_contract_of_a_customer(servers: Servers) -> None:
    """Nothing is owned then, and the customer can order anew."""
    life = await Life.begin(servers, days=-10)
    await life.ask("cancel_assets", contract_id=life.contract)
    assert (await life.term())["status"] == "ended"
    for asset_id in (life.seats, life.care):
        assert await life.periods(asset_id) == []
    await life.reach(life.day(1))
    fresh = order(life.account, account=life.document["account"], contacts=life.document["contacts"])
    fresh["activated_at"] = (await servers.client.now(life.account)).isoformat()
    await servers.client.place_order(fresh)
    await life.reach(life.day(14))
    assert [why for why in await attention_of(servers.temporal, life.account) if "parked" in why] == []
    await life.check()


async def test_what_else_is_asked_of_what_never_began_is_refused_by_name(servers: Servers) -> None:
    life = await Ahead.begin(servers, auto_renew=True)
    await life.ask("cancel_assets", assets=[{"asset_id": life.ahead}])
    one = {"asset_id": life.ahead}
    asked: list[tuple[str, dict[str, Any]]] = [
        ("cancel_assets", {"assets": [one]}),
        ("cancel_assets", {"contract_id": life.contract_ahead}),
        ("amend_assets", {"assets": [{**one, "add": 1}]}),
        ("amend_assets", {"assets": [{**one, "remove": 1}]}),
        ("amend_assets", {"assets": [{**one, "price": "5"}]}),
        ("amend_assets", {"assets": [{**one, "start": life.soon(30)}]}),
        ("amend_assets", {"assets": [{**one, "end": life.soon(90)}]}),
        ("amend_assets", {"assets": [{"asset_id": life.seats, "end_with": one}]}),
        ("renew_assets", {"assets": [one]}),
        ("renew_assets", {"assets": [one], "start": life.soon(10), "months": 3}),
        ("renew_assets", {"contract_id": life.contract_ahead}),
        ("swap_assets", {"assets": [{**one, "to_product": "CARE", "unit_price": "3"}]}),
        ("rollback", one),
        ("answer_renewal", {"contract_id": life.contract_ahead, "decision": "accept"}),
    ]  # fmt: skip
    lines: list[dict[str, Any]] = [
        {"kind": "quantity", "delta": 2, "effective": life.soon(10)},
        {"kind": "price", "unit_price": "9", "effective": life.soon(10)},
        {"kind": "renew", "months": 3},
        {"kind": "cancel", "effective": life.soon(10)},
        {"kind": "end", "end": life.soon(70)},
        {"kind": "start", "start": life.soon(12)},
    ]
    for number, line in enumerate(lines):
        quoted = {"quote_id": f"{life.account}-Q{number}", "lines": [{**line, "line_id": "1", **one}]}
        asked.append(("request_quote", quoted))
    for update, request in asked:
        with pytest.raises(Exception) as told:  # noqa: PT011 - the type is what is looked at
            await servers.client.ask(life.account, update, request)
        kind = getattr(told.value, "type", type(told.value).__name__)
        assert kind not in ("StepFailed", "WorkflowUpdateFailedError", None), (update, request, told.value)
    await life.lives_on()


async def test_access_is_promised_for_the_day_on_which_there_are_units(servers: Servers) -> None:
    today = present().date()
    document = order(lines=[])
    document["contracts"][0]["term"] = {"start": (today + timedelta(days=20)).isoformat(), "months": 12}
    life = Life(servers, document)
    await servers.client.place_order(document)
    seats = f"{document['order_id']}.1"
    await life.ask("amend_assets", assets=[{"asset_id": seats, "remove": 40}])
    from_then = (today + timedelta(days=31)).isoformat()
    await life.ask("amend_assets", assets=[{"asset_id": seats, "add": 3}], effective=from_then)
    await servers.client.fast_forward(life.account, timedelta(days=9))
    told = await servers.pool.fetchval(
        "select body->'context'->'later' from outbox where account_id = $1 and body->>'template' = 'provisioning_done'",
        life.account,
    )
    assert {one["product"]: one["from"] for one in told} == {
        "Care": (today + timedelta(days=20)).isoformat(),
        "Workspace": from_then,
    }
