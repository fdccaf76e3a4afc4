"""Catalogue and price books in tables: every version of a product, list prices by currency and edition."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from datetime import date, datetime
from decimal import Decimal
from typing import Any

from activities.kernel.inserts import Insert, or_update
from activities.kernel.pool import Connection
from activities.orders.order_rows import PRODUCT
from domain.catalogue.catalogue import Catalogue, Product
from domain.catalogue.pricebook import PriceBook, PriceEntry, choose_book
from domain.orders.order import PricePer, ProductKind
from domain.quotes.ordered import plain_product

STANDARD = "standard"
"""The price book of what was sold without naming one; on a day without an edition it holds no prices."""


async def save_catalogue(connection: Connection, catalogue: Catalogue, *, as_of: datetime) -> list[str]:
    """Writes the products that are new or differ from their latest version; quotes made from here on are made from these.

    Call it within a transaction. Nothing is taken out: a product that `catalogue` does not name stays as it is.

    Returns:
        The codes of the products that were written, in their order.

    Raises:
        ValueError: A product is known as one of another kind.
    """
    products: dict[str, Product] = {product.code: product for product in catalogue.products}
    # Versions are counted: whoever else writes some meanwhile is waited for.
    await connection.execute("select pg_advisory_xact_lock(hashtextextended('catalogue', 0))")
    rows = await connection.fetch(
        "select p.code, p.kind, v.version, v.body from product p left join lateral (select version, body"
        "  from catalogue_product c where c.product_code = p.code order by version desc limit 1) v on true"
        " where p.code = any($1)",
        list(products),
    )
    known = {row["code"]: row for row in rows}
    for code, row in known.items():
        if row["kind"] != products[code].kind.value:
            raise ValueError(
                f"product {code!r} is {row['kind']}, not {products[code].kind.value}; give it another code"
            )
    bodies: dict[str, Any] = {code: product.model_dump(mode="json") for code, product in products.items()}
    changed = [code for code, body in bodies.items() if code not in known or known[code]["body"] != body]
    named = sorted((code, products[code].name, products[code].kind.value) for code in changed)
    await _NAMED.add(connection, named)
    await _VERSION.add(connection, [(code, _latest(known, code) + 1, bodies[code], as_of) for code in changed])
    return changed


def _latest(known: Mapping[str, Any], code: str) -> int:
    version: int = (known[code]["version"] if code in known else 0) or 0
    return version


async def save_price_book(connection: Connection, book: PriceBook, *, as_of: datetime) -> bool:
    """Writes an edition of a price book: its name, currency and first day name it, and what it held before is replaced.

    Call it within a transaction. Quotes keep the prices that they were made with.

    Returns:
        False if the edition was there with the same content.

    Raises:
        LookupError: An entry is for a product that the catalogue does not have; save the catalogue first.
    """
    edition = (book.name, book.currency, book.valid_from)
    found = await _editions(connection, book.name, book.currency)
    entries = await _entries(connection, edition, None) if book.valid_from in found else []
    stored = found.get(book.valid_from)
    if stored is not None and stored.having(entries=tuple(entries)) == book:
        return False
    codes = {entry.product for entry in book.entries}
    rows = await connection.fetch("select code from product where code = any($1)", list(codes))
    if unknown := sorted(codes - {row["code"] for row in rows}):
        raise LookupError(f"price book {book.name}: no product {unknown[0]!r} in the catalogue; save it first")
    await _BOOK.put(connection, [book], recorded_at=as_of)
    await connection.execute("delete from price_entry where name = $1 and currency = $2 and valid_from = $3", *edition)
    given = dict(zip(_EDITION, edition, strict=True))
    await _ENTRY.copy(
        connection,
        [
            _PRICE.row(entry, **given, number=n, tiers=[tier.model_dump(mode="json") for tier in entry.tiers])
            for n, entry in enumerate(book.entries, 1)
        ],
    )
    return True


_EDITION = ("name", "currency", "valid_from")
_ENTRY = Insert(
    "price_entry", "name currency valid_from number product_code=product per selling_model attributes tiers"
)
_PRICE = _ENTRY.of(PriceEntry, "name currency valid_from number tiers")
_BOOK = Insert(
    "price_book",
    "name currency valid_from valid_to unit_decimals recorded_at",
    or_update("name currency valid_from", "valid_to unit_decimals recorded_at"),
).of(PriceBook, "recorded_at")
_NAMED = PRODUCT.otherwise(f"{or_update('code', 'name')} where product.name <> excluded.name")
_VERSION = Insert("catalogue_product", "product_code version body recorded_at")


async def load_catalogue(connection: Connection, codes: Iterable[str]) -> Catalogue:
    """The latest versions of these products, and of all that their bundles hold; what came with an order is as that says."""
    found: dict[str, Product] = {}
    wanted = set(codes)
    while wanted:
        rows = await connection.fetch(
            "select distinct on (product_code) body from catalogue_product where product_code = any($1)"
            " order by product_code, version desc",
            sorted(wanted),
        )
        new = [Product.stored(row["body"]) for row in rows]
        if missing := wanted - {product.code for product in new}:
            rows = await connection.fetch("select code, name, kind from product where code = any($1)", sorted(missing))
            new += [plain_product(row["code"], row["name"], ProductKind(row["kind"])) for row in rows]
        found |= {product.code: product for product in new}
        wanted = {str(option.product) for product in new for option in product.options} - found.keys()
    return Catalogue(products=tuple(found.values()))


async def load_ordered_prices(
    connection: Connection, account_id: str, currency: str, codes: Iterable[str]
) -> list[tuple[str, PricePer, Decimal]]:
    """At what unit price an account ordered these products last in a currency: product, for what time, price."""
    rows = await connection.fetch(
        "select distinct on (l.product_code) l.product_code, l.price_per, l.unit_price from sales_order o"
        " join order_line l using (order_id) where o.account_id = $1 and o.currency = $2 and l.product_code = any($3)"
        " order by l.product_code, o.activated_at desc, o.recorded_at desc, o.order_id desc,"
        " l.line_id desc",
        account_id,
        currency,
        sorted(codes),
    )
    return [(row["product_code"], PricePer(row["price_per"]), row["unit_price"]) for row in rows]


async def load_price_book(
    connection: Connection, name: str, currency: str, on: date, codes: Iterable[str]
) -> PriceBook:
    """The edition that is valid on a day, with its prices for these products.

    Raises:
        PriceBookNotValidError: There is none.
    """
    editions = await _editions(connection, name, currency)
    if name == STANDARD and not any(edition.valid_on(on) for edition in editions.values()):
        return PriceBook.model_validate({"name": name, "currency": currency, "entries": (), "valid_from": date.min})
    book = choose_book(editions.values() or await _all_editions(connection), name, currency, on)
    entries = await _entries(connection, (book.name, book.currency, book.valid_from), list(codes))
    return book.having(entries=tuple(entries))


async def load_later_editions(connection: Connection, edition: PriceBook) -> list[PriceBook]:
    """The editions of a price book that begin after another one, with all their prices, in order of time."""
    found = await _editions(connection, edition.name, edition.currency)
    books = []
    for day in sorted(day for day in found if day > edition.valid_from):
        entries = await _entries(connection, (edition.name, edition.currency, day), None)
        books.append(found[day].having(entries=tuple(entries)))
    return books


async def _editions(connection: Connection, name: str, currency: str) -> dict[date, PriceBook]:
    rows = await connection.fetch("select * from price_book where name = $1 and currency = $2", name, currency)
    return {row["valid_from"]: _book(row) for row in rows}


async def _all_editions(connection: Connection) -> list[PriceBook]:
    return [_book(row) for row in await connection.fetch("select * from price_book")]


def _book(row: Any) -> PriceBook:
    fields = ("name", "currency", "valid_from", "valid_to", "unit_decimals")
    return PriceBook.model_validate({**{field: row[field] for field in fields}, "entries": ()})


async def _entries(connection: Connection, edition: tuple[str, str, date], codes: list[str] | None) -> list[PriceEntry]:
    rows = await connection.fetch(
        "select product_code as product, per, selling_model, attributes, tiers from price_entry"
        " where name = $1 and currency = $2 and valid_from = $3 and ($4::text[] is null or product_code = any($4))"
        " order by number",
        *edition,
        codes,
    )
    return [PriceEntry.stored(dict(row)) for row in rows]
