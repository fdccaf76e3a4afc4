"""What is known of price books and the catalogue before another page comes, and what books there are."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date

from activities.kernel.pool import Connection
from activities.kernel.queries import Column


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
