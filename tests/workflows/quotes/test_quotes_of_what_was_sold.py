"""What a customer bought by an order, an import or a transfer can be quoted as it is, without a catalogue or a price list."""

from __future__ import annotations

from datetime import date, timedelta
from decimal import Decimal
from typing import Any
from uuid import uuid4

import pytest

from activities.kernel.clock import present
from domain.kernel.refusals import Refusal
from tests.asset_life import Life
from tests.builders import order
from tests.conftest import Servers
from tests.e2e.lives import account_of
from tests.workflows.contracts.test_transfers import has_ended


async def quoted(servers: Servers, account: str, *lines: dict[str, Any], **more: Any) -> list[tuple[Decimal, str]]:
    """The net unit price of each line and for what time it is, of a quote that is asked for and taken."""
    quote_id = f"Q-{uuid4().hex[:8]}"
    asked = {"quote_id": quote_id, "lines": [{"line_id": str(n), **line} for n, line in enumerate(lines)], **more}
    shown = await servers.client.preview_quote(account, asked)
    answer = await servers.client.ask(account, "request_quote", asked)
    assert Decimal(answer["totals"]["amount"]) == shown.totals.amount
    await servers.client.ask(account, "accept_quote", {"quote_id": quote_id, "by": "c-1"})
    priced = [line.pricing for line in shown.lines]
    return [(pricing.net_price, pricing.per.value) for pricing in priced if pricing]


def own(document: dict[str, Any], mark: str) -> dict[str, Any]:
    """The order with products of its own, that no other test publishes prices for."""
    for product in document["products"]:
        product["code"] += mark
    for line in [*document["lines"], *document["contracts"][0]["lines"]]:
        line["product"] += mark
    return document


def sale(product: str, quantity: int = 2, **more: Any) -> dict[str, Any]:
    return {"kind": "sale", "product": product, "quantity": quantity, **more}


@pytest.mark.engine
async def test_products_of_an_order_are_quoted_at_what_was_paid(servers: Servers) -> None:
    mark = uuid4().hex[:6]
    document = own(order(), mark)
    document["lines"].append({"line_id": "4", "product": f"BEANS{mark}", "quantity": 12, "unit_price": "900"})
    await servers.client.place_order(document)
    account = account_of(document)
    lines = [
        sale(f"SEATS{mark}", months=12),
        sale(f"CARE{mark}", months=24),
        sale(f"TERMINAL{mark}"),
        sale(f"BEANS{mark}"),
    ]
    expected = [(Decimal(1200), "month"), (Decimal(60000), "year"), (Decimal(80000), "once"), (Decimal(900), "once")]
    assert await quoted(servers, account, *lines) == expected
    assert await quoted(servers, account, lines[0], discounts=[{"name": "more", "value": "5"}]) == [
        (Decimal(1140), "month")
    ]


async def test_a_published_price_goes_before_what_was_paid(servers: Servers) -> None:
    mark = uuid4().hex[:6]
    document = own(order(), mark)
    await servers.client.place_order(document)
    today = present().date()
    price = {"product": f"SEATS{mark}", "price": "1300", "currency": "JPY", "per": "month"}
    await servers.client.publish_prices(
        {**price, "valid_from": (today - timedelta(days=1)).isoformat()}, as_of=present()
    )
    line = sale(f"SEATS{mark}", months=12)
    assert await quoted(servers, account_of(document), line) == [(Decimal(1300), "month")]
    assert await quoted(servers, account_of(document), sale(f"TERMINAL{mark}")) == [(Decimal(80000), "once")]


async def test_what_another_customer_ordered_has_no_price_for_this_one(servers: Servers) -> None:
    mark = uuid4().hex[:6]
    await servers.client.place_order(own(order(), mark))
    other = order()
    await servers.client.place_order(other)
    with pytest.raises(Refusal) as told:
        await quoted(servers, account_of(other), sale(f"SEATS{mark}", months=12))
    assert told.value.type == "NoPrice"
    assert "perennial price set" in str(told.value)


async def test_what_came_by_import_is_quoted_at_its_price(servers: Servers) -> None:
    mark = uuid4().hex[:6]
    document = own(order(), mark)
    document["activated_at"] = (present() - timedelta(days=200)).isoformat()
    document["contracts"][0]["term"] = {"start": (present() - timedelta(days=200)).date().isoformat(), "months": 24}
    await servers.client.import_order(document)
    assert await quoted(servers, account_of(document), sale(f"SEATS{mark}", months=6)) == [(Decimal(1200), "month")]


async def test_what_came_by_transfer_is_quoted_at_the_price_in_force(servers: Servers) -> None:
    mark = uuid4().hex[:6]
    document = own(order(), mark)
    giver, taker = Life(servers, document), await Life.begin(servers)
    await servers.client.place_order(document)
    await giver.reach(giver.start + timedelta(days=50))
    day = giver.day(4)
    await giver.ask("amend_assets", assets=[{"asset_id": giver.seats, "price": "1500"}], effective=day.isoformat())
    line = {"asset_id": giver.seats, "quantity": 10}
    answer = await giver.ask("transfer_assets", to_account=taker.account, assets=[line])
    assert await has_ended(servers, answer["transfer_id"]) == "received"
    assert await quoted(servers, taker.account, sale(f"SEATS{mark}", months=6)) == [(Decimal(1200), "month")]
    await taker.reach(day + timedelta(days=1))
    assert await quoted(servers, taker.account, sale(f"SEATS{mark}", months=6)) == [(Decimal(1500), "month")]


async def test_a_new_price_holds_in_later_editions_that_did_not_change_it(servers: Servers) -> None:
    mark = uuid4().hex[:6]
    document = own(order(), mark)
    await servers.client.place_order(document)
    seats, care, book = f"SEATS{mark}", f"CARE{mark}", f"list-{mark}"

    async def publish(product: str, price: str, day: date) -> None:
        said = {"product": product, "price": price, "currency": "JPY", "per": "month", "book": book}
        await servers.client.publish_prices({**said, "valid_from": day.isoformat()}, as_of=present())

    async def price(product: str) -> list[tuple[Decimal, str]]:
        return await quoted(servers, account_of(document), sale(product, months=1), price_book=book)

    life = Life(servers, document)
    first, second, third = life.day(1), life.day(2), life.day(3)
    await publish(seats, "10", first)
    await publish(care, "77", third)  # with seats at 10
    await publish(seats, "12", second)
    await life.reach(third + timedelta(days=1))
    assert await price(seats) == [(Decimal(12), "month")]
    assert await price(care) == [(Decimal(77), "month")]
    await publish(seats, "15", third + timedelta(days=9))
    await publish(seats, "13", third + timedelta(days=5))
    await life.reach(third + timedelta(days=10))
    assert await price(seats) == [(Decimal(15), "month")]
