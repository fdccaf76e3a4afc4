"""Catalogue and price books survive the tables, version by version and edition by edition."""

from __future__ import annotations

from datetime import UTC, date, datetime
from decimal import Decimal
from uuid import uuid4

import pytest

from activities.catalogue.catalogue import load_catalogue, load_price_book, save_catalogue, save_price_book
from domain.catalogue.catalogue import Catalogue, Option, Product
from domain.catalogue.errors import PriceBookNotValidError
from domain.catalogue.pricebook import PriceBook, PriceEntry, PriceUnit, Tier
from domain.orders.order import ProductKind
from tests.conftest import Servers

NOW = datetime(2026, 11, 22, tzinfo=UTC)


def product(code: str, **facts: object) -> Product:
    given = {"code": code, "name": code, "kind": ProductKind.SUBSCRIPTION, "selling_models": ["termed"]}
    return Product.model_validate(given | facts)


async def test_a_product_gets_a_version_for_each_change_and_brings_its_options(servers: Servers) -> None:
    mark = uuid4().hex[:8]
    part, suite = f"part-{mark}", f"suite-{mark}"
    first = Catalogue(products=(product(part), product(suite, options=(Option(product=part),))))
    async with servers.pool.acquire() as connection, connection.transaction():
        assert await save_catalogue(connection, first, as_of=NOW) == [part, suite]
        assert await save_catalogue(connection, first, as_of=NOW) == []
        assert await load_catalogue(connection, [suite]) == Catalogue(products=tuple(reversed(first.products)))
        longer = Catalogue(products=(product(part, term_months=24),))
        assert await save_catalogue(connection, longer, as_of=NOW) == [part]
        assert (await load_catalogue(connection, [part])).products[0].term_months == 24
        versions = "select array_agg(version order by version) from catalogue_product where product_code = $1"
        assert await connection.fetchval(versions, part) == [1, 2]
        with pytest.raises(ValueError, match="is subscription, not device"):
            await save_catalogue(connection, Catalogue(products=(product(part, kind="device"),)), as_of=NOW)


async def test_the_edition_of_the_day_is_quoted_from(servers: Servers) -> None:
    code, name = f"seats-{uuid4().hex[:8]}", f"book {uuid4().hex[:8]}"

    def book(year: int, price: str, until: date | None = None) -> PriceBook:
        tiers = (Tier(price=Decimal(price)), Tier(least=100, price=Decimal(price) / 2))
        entry = PriceEntry(product=code, per=PriceUnit.MONTH, tiers=tiers)
        return PriceBook(name=name, currency="EUR", entries=(entry,), valid_from=date(year, 1, 1), valid_to=until)

    async with servers.pool.acquire() as connection, connection.transaction():
        with pytest.raises(LookupError, match="save it first"):
            await save_price_book(connection, book(2026, "10"), as_of=NOW)
        await save_catalogue(connection, Catalogue(products=(product(code),)), as_of=NOW)
        assert await save_price_book(connection, book(2026, "10", date(2028, 1, 1)), as_of=NOW)
        assert not await save_price_book(connection, book(2026, "10", date(2028, 1, 1)), as_of=NOW)
        assert await save_price_book(connection, book(2027, "12.50", date(2028, 1, 1)), as_of=NOW)
        for day, price in [(date(2026, 12, 31), "10"), (date(2027, 1, 1), "12.50")]:
            found = await load_price_book(connection, name, "EUR", day, [code, "other"])
            assert [entry.tiers[0].price for entry in found.entries] == [Decimal(price)]
        assert (await load_price_book(connection, name, "EUR", date(2027, 1, 1), [])).entries == ()
        with pytest.raises(PriceBookNotValidError, match="its editions"):
            await load_price_book(connection, name, "EUR", date(2028, 1, 1), [code])
        with pytest.raises(PriceBookNotValidError, match="no price book"):
            await load_price_book(connection, name, "USD", date(2027, 1, 1), [code])
        assert (await load_price_book(connection, "standard", "XCD", date(2027, 1, 1), [code])).entries == ()
