"""Claims against PostgreSQL: one transaction holds the line, and no sequence of events gives back more than was paid."""

from __future__ import annotations

import asyncio
import itertools
from dataclasses import dataclass
from datetime import datetime, timedelta
from decimal import Decimal
from typing import Any

import pytest
from hypothesis import Phase, given
from hypothesis import strategies as st
from temporalio.exceptions import ApplicationError

from activities.claims import claim_rows
from activities.frame.unit_of_work import Performer
from activities.kernel.clock import present
from activities.service.case_work import CaseWorker
from activities.service.claiming import Claims
from activities.service_policies import read_service_book
from domain.claims.policy import ClaimPolicy
from domain.journey.registry import CASE
from domain.kernel.refusals import Refusal
from domain.service.case_progress import CaseCall, CaseOutcome
from tests.conftest import Servers
from tests.patience import patient
from tests.pricing import Shop, open_shop
from tests.properties import examples

_numbers = itertools.count(1)

FREE = ClaimPolicy.model_validate({"version": 1, "amounts": {"JPY": {"agent": "1000000000000"}}})
"""Terms under which nobody has to be asked."""


@dataclass
class Counter:
    """A customer's case, whose claims are carried out by the activity alone, on days that the test chooses."""

    shop: Shop
    case_id: str
    claims: Claims
    worker: CaseWorker

    async def answer(self, call: CaseCall) -> CaseOutcome:
        return await self.worker.answer(call, CASE["claim_price_match"], self.claims.looks["claim_price_match"])

    async def claim(self, at: datetime, **request: Any) -> CaseOutcome:
        call = CaseCall(
            case_id=self.case_id,
            request_id=f"r-{next(_numbers)}",
            body={"order_id": self.shop.order_id, "line_id": "3", "by": "S-1", **request},
            as_of=at,
        )
        return await patient().run(self.answer, call)


async def counter(servers: Servers, policy: ClaimPolicy = FREE, **line: Any) -> Counter:
    shop = await open_shop(servers, **line)
    case_id = await shop.open_case()
    book = read_service_book().having(claims=policy)
    worker = CaseWorker(Performer(servers.pool, "Seller"), book, "seller.example")
    return Counter(shop, case_id, Claims(worker), worker)


async def test_a_return_that_is_under_way_is_waited_for(servers: Servers) -> None:
    desk = await counter(servers)
    now = present()
    await desk.shop.publish("72000", await desk.shop.day())
    async with servers.pool.acquire() as connection:
        returning = connection.transaction()
        await returning.start()
        await connection.execute(
            "insert into fulfilment_event (order_id, line_id, event_id, step, quantity, at, reported_by, recorded_at)"
            " values ($1, '3', 'R-1', 'returned', 4, $2, 'warehouse', $2)",
            desk.shop.order_id,
            now,
        )
        claiming = asyncio.create_task(desk.claim(now))
        done, _ = await asyncio.wait([claiming], timeout=0.5)
        assert not done
        await returning.commit()
    outcome = await claiming
    assert outcome.answer is not None
    assert outcome.answer["refund"]["amount"] == "8000"


@pytest.mark.engine
async def test_the_same_request_is_carried_out_once(servers: Servers) -> None:
    desk = await counter(servers)
    await desk.shop.publish("72000", await desk.shop.day())
    body = {"order_id": desk.shop.order_id, "line_id": "3", "by": "S-1"}
    call = CaseCall(case_id=desk.case_id, request_id="once", body=body, as_of=present(), run="run-1")
    answers = await asyncio.gather(*(patient().run(desk.answer, call) for _ in range(4)))
    assert all(answer.answer == answers[0].answer for answer in answers)
    assert [memo["total"] for memo in await desk.shop.memos()] == [40_000]
    sent = await servers.pool.fetchval(
        "select count(*) from outbox where account_id = $1 and body->>'template' = 'price_match'", desk.shop.account_id
    )
    assert sent == 1


async def test_a_line_can_be_claimed_even_if_its_last_price_was_above(servers: Servers) -> None:
    """A price that rises again and falls again is compared with what was paid, not with the claim before."""
    desk = await counter(servers)
    today = await desk.shop.day()
    now = present()
    for day, price in enumerate(("72000", "85000", "72000", "70000")):
        await desk.shop.publish(price, today + timedelta(days=day))
    assert (await desk.claim(now)).answer is not None
    for day, refused in ((1, "NoPriceDrop"), (2, "AlreadyClaimed")):
        with pytest.raises(ApplicationError) as error:
            await desk.claim(now + timedelta(days=day))
        assert error.value.type == refused
    await desk.claim(now + timedelta(days=3))
    assert [memo["total"] for memo in await desk.shop.memos()] == [40_000, 10_000]


async def test_prices_come_in_as_editions_or_one_by_one(servers: Servers) -> None:
    shop = await open_shop(servers)
    today = await shop.day()
    edition = {
        "name": shop.book,
        "currency": "JPY",
        "valid_from": today.isoformat(),
        "entries": [
            {"product": shop.product, "per": "once", "tiers": [{"price": "79000"}, {"least": 5, "price": "70000"}]},
            {"product": "BEANS", "per": "once", "tiers": [{"price": "900"}]},
        ],
    }
    now = present()
    assert await servers.client.publish_prices(edition, as_of=now) is True
    assert await servers.client.publish_prices(edition, as_of=now) is False
    shown = await shop.cases.preview_price_match(shop.account_id, shop.order_id, "3", as_of=now)
    assert (shown.now and shown.now.amount) == 70_000  # five at once have the price of five
    # One new price leaves the others as they were.
    await shop.publish("800", today + timedelta(days=1), product="BEANS")
    shown = await shop.cases.preview_price_match(
        shop.account_id, shop.order_id, "3", as_of=now + timedelta(days=1), quantity=1
    )
    assert (shown.now and shown.now.amount, shown.quantity) == (Decimal(70_000), 1)
    assert shown.price_since == today + timedelta(days=1)
    for wrong, type in (
        ({**edition, "entries": [{"product": "NOT-SOLD", "per": "once", "tiers": [{"price": "1"}]}]}, "UnknownProduct"),
        ({**edition, "currency": "XXX"}, "InvalidPrices"),
        ({"product": shop.product, "price": "-1", "currency": "JPY", "valid_from": "2026-01-01"}, "InvalidPrices"),
    ):
        with pytest.raises(Refusal) as refusal:
            await servers.client.publish_prices(wrong, as_of=now)
        assert refusal.value.type == type


async def test_what_is_left_is_what_the_invoices_have_left(servers: Servers) -> None:
    """By the asset's charges where there are any, by the order's price otherwise, less all credits of any kind."""
    shop = await open_shop(servers)
    async with servers.pool.acquire() as connection:
        before = {line.line_id: line for line in await claim_rows.lines_of(connection, shop.account_id)}
    assert {name: before[name].left for name in "34"} == {"3": Decimal(400_000), "4": Decimal(10_800)}
    case_id = await shop.open_case(order_id=shop.order_id, line_id="4")
    await shop.cases.ask(case_id, "grant_goodwill", {"amount": "800", "reason": "stale beans", "by": shop.agent})
    with pytest.raises(Refusal) as refusal:
        await shop.cases.ask(
            case_id, "grant_goodwill", {"amount": "10001", "reason": "stale", "by": shop.lead, "role": "lead"}
        )
    assert refusal.value.type == "AboveLine"
    async with servers.pool.acquire() as connection:
        line = await claim_rows.find_line(connection, shop.account_id, shop.order_id, "4")
    assert line is not None
    assert line.left == Decimal(10_000)
    assert await shop.cases.purchases("nobody") == []


Happening = st.one_of(
    st.tuples(st.just("price"), st.integers(0, 90_000)),
    st.tuples(st.just("return"), st.integers(1, 2)),
    st.tuples(st.just("claim"), st.none() | st.integers(1, 5)),
    st.tuples(st.just("claim"), st.none()),
)


@examples(25, phases=(Phase.explicit, Phase.reuse, Phase.generate))
@given(events=st.lists(Happening, min_size=2, max_size=9), taxed=st.booleans())
async def test_no_sequence_of_prices_returns_and_claims_gives_back_more_than_was_paid(
    on_engine: Servers, events: list[tuple[str, Any]], taxed: bool
) -> None:
    desk = await counter(on_engine, tax_rates=["10"] if taxed else None)
    shop, first, begin = desk.shop, await desk.shop.day(), present()
    factor = Decimal("1.1") if taxed else Decimal(1)
    now, returned, given = Decimal(80_000), 0, Decimal(0)
    # The lowest price so far; of what was given back, the share of the units that are left.
    lowest, kept = now, Decimal(0)
    for day, (what, value) in enumerate(events):
        at: datetime = begin + timedelta(days=day)
        if what == "price":
            now, lowest = Decimal(value), min(lowest, Decimal(value))
            await shop.publish(str(value), first + timedelta(days=day))
        elif what == "return" and returned < 5:
            units = min(value, 5 - returned)
            kept -= kept * units / (5 - returned)
            returned += units
            await shop.returned(units)
        elif what == "claim":
            units = value or 5 - returned
            try:
                outcome = await desk.claim(at, **({"quantity": value} if value else {}))
            except ApplicationError:
                continue
            assert outcome.answer is not None
            refund = Decimal(outcome.answer["refund"]["amount"])
            # To the yen (tax is rounded by the sum): of what is left nothing twice, and nothing for units that were not named.
            given, kept = given + refund, kept + refund
            assert 0 < refund <= (80_000 - now) * units * factor + 1
            assert kept <= (80_000 - lowest) * (5 - returned) * factor + 1
        booked = sum((memo["total"] for memo in await shop.memos()), Decimal(0))
        assert booked == given <= 400_000 * factor
        assert sum((claim.amount for claim in await shop.claims()), Decimal(0)) == given
