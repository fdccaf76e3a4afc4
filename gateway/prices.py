"""List prices in: whole editions of a price book, or one product's new price from a day on."""

from __future__ import annotations

from datetime import date, datetime
from decimal import Decimal
from typing import Annotated, Any

from pydantic import AfterValidator, ValidationError

from activities.catalogue import catalogue
from activities.kernel.pool import Connection, Pool
from domain.catalogue.errors import PriceBookNotValidError
from domain.catalogue.pricebook import PriceBook, PriceEntry, PriceUnit, Tier
from domain.kernel.base import Received
from domain.kernel.calendar import within_reach
from domain.kernel.money import CurrencyCode, withdrawn
from domain.kernel.refusals import UNKNOWN_PRODUCT, Problem, Refusal
from domain.orders.order import Code, Price, Text

INVALID_PRICES = "InvalidPrices"


class NewPrice(Received):
    """One product's list price from a day on; all other prices of the book stay as they are."""

    product: Code
    price: Price
    currency: CurrencyCode
    valid_from: Annotated[date, AfterValidator(within_reach)]
    book: Text = catalogue.STANDARD
    per: PriceUnit = PriceUnit.ONCE


async def publish(pool: Pool, document: dict[str, Any], *, as_of: datetime) -> bool:
    """Writes an edition of a price book, or with {product, price, currency, valid_from, book?, per?} one new price.

    Args:
        document: as `domain.catalogue.pricebook.PriceBook`: {name, currency, valid_from, valid_to?, entries: [{product, per,
            tiers: [{least, price}]}]}, or as `NewPrice`.
        as_of: when it was heard of.

    Returns:
        False if the same was published before.

    Raises:
        Refusal: InvalidPrices, UnknownProduct.
    """
    try:
        change = NewPrice.model_validate(document) if "product" in document else None
        book = None if change else PriceBook.model_validate(document)
    except ValidationError as error:
        raise Refusal.from_validation(INVALID_PRICES, "the prices cannot be published", error) from None
    edition = change or book
    if edition and (says := withdrawn(edition.currency, edition.valid_from)):
        problem = Problem(field="currency", problem=says)
        raise Refusal(INVALID_PRICES, "the prices cannot be published", [problem])
    async with pool.acquire() as connection, connection.transaction():
        try:
            if change is not None:
                # Two changes of one book at once: the second sees the first.
                await connection.execute("select pg_advisory_xact_lock(hashtext($1))", f"prices:{change.book}")
                return await _publish_one(connection, change, as_of)
            return await catalogue.save_price_book(connection, book, as_of=as_of) if book else False
        except LookupError as error:
            raise Refusal(UNKNOWN_PRODUCT, str(error)) from None


async def _publish_one(connection: Connection, change: NewPrice, as_of: datetime) -> bool:
    """The edition of the day; and later ones have the price as well, up to the first that gives the product another of its own."""
    edition, before = await _edition(connection, change)
    saved = await catalogue.save_price_book(connection, edition, as_of=as_of)
    for later in await catalogue.load_later_editions(connection, edition):
        if later.by_product.get(change.product, []) != before:
            break
        others = [entry for entry in later.entries if entry.product != change.product]
        entries = (*others, *edition.by_product[change.product])
        await catalogue.save_price_book(connection, later.having(entries=entries), as_of=as_of)
    return saved


async def _edition(connection: Connection, change: NewPrice) -> tuple[PriceBook, list[PriceEntry]]:
    """The edition that begins with a new price: as the one that was valid, but for that price and until the next one begins.

    Beside it the product's price that was valid, if there was one.
    """
    codes = await connection.fetch(
        "select distinct product_code from price_entry where name = $1 and currency = $2", change.book, change.currency
    )
    entries: tuple[PriceEntry, ...] = ()
    decimals = 6
    try:
        names = [row["product_code"] for row in codes]
        before = await catalogue.load_price_book(connection, change.book, change.currency, change.valid_from, names)
        entries, decimals = before.entries, before.unit_decimals
    except PriceBookNotValidError:
        before = None
    kept = [entry for entry in entries if entry.product != change.product]
    new = PriceEntry(product=change.product, per=change.per, tiers=(Tier(price=Decimal(change.price)),))
    edition = PriceBook(
        name=change.book,
        currency=change.currency,
        entries=(*kept, new),
        valid_from=change.valid_from,
        valid_to=before.valid_to if before else None,
        unit_decimals=decimals,
    )
    return edition, [entry for entry in entries if entry.product == change.product]
