"""What is known of price books and the catalogue before another page comes, and what books there are."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date

from activities.kernel.pool import Connection
from activities.kernel.queries import Column, Query


async def newest_edition(connection: Connection, book: str) -> date:
    """The first day of the latest edition of a book, in any currency; the first day of all if there is none."""
    return await connection.fetchval("select max(valid_from) from price_book where name = $1", book) or date.min


async def in_catalogue(connection: Connection, codes: Sequence[str]) -> set[str]:
    """Those of `codes` that the catalogue has."""
    rows = await connection.fetch(
        "select distinct product_code from catalogue_product where product_code = any($1)", codes
    )
    return {row["product_code"] for row in rows}


book_currencies = Column[str]("select distinct currency from price_book where name = $1 order by 1")
"""The currencies in which a book has editions."""


book_products = Column[str](
    "select distinct product_code from price_entry where name = $1 and currency = $2 order by 1"
)
"""The products that any edition of a book prices."""


book_names = Column[str]("select distinct name from price_book order by 1")
"""All price books, to suggest from."""


editions = Query(
    "select b.name, b.currency, b.valid_from, b.valid_to, b.recorded_at, (select count(*) from price_entry e"
    "   where e.name = b.name and e.currency = b.currency and e.valid_from = b.valid_from) as prices"
    " from price_book b order by b.name <> 'standard', b.name, b.valid_from desc, b.currency"
)
"""Every edition of every book with the number of its prices, the standard one first, of each book the latest first."""

prices_of = Query(
    "select e.number, e.product_code, p.name as product, e.per, e.selling_model, e.attributes, e.tiers"
    " from price_entry e join product p on p.code = e.product_code"
    " where e.name = $1 and e.currency = $2 and e.valid_from = $3 order by p.name, e.product_code, e.number limit $4"
)
"""The prices of an edition by the names of their products, at most so many."""
