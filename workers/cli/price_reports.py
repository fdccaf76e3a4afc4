"""`perennial report prices`: from one edition of a price book to the next, and what that means for what is held."""

from __future__ import annotations

from collections import defaultdict
from datetime import date, datetime
from typing import Annotated, Any

import typer

from activities.assets.portfolio import portfolio_at
from activities.catalogue.catalogue import load_price_book
from activities.catalogue.price_pages import book_currencies, book_names, book_products
from activities.kernel.clock import present
from activities.kernel.pool import Connection
from domain.catalogue.errors import PriceBookNotValidError
from domain.catalogue.price_changes import PriceChange, price_changes, renewal_effect
from domain.catalogue.pricebook import PriceBook
from domain.kernel.money import rounding_of
from workers.cli.common import UserError, console, facts, waited
from workers.cli.output import Json, print_json, show_table

app = typer.Typer()


@app.command()
@waited
async def prices(
    book: str,
    since: Annotated[datetime, typer.Option("--from", formats=["%Y-%m-%d"], help="A day of the earlier edition.")],
    until: Annotated[
        datetime | None, typer.Option("--to", formats=["%Y-%m-%d"], help="A day of the later edition; otherwise today.")
    ] = None,
    currency: Annotated[str | None, typer.Option(help="Needed if the book has several.")] = None,
    as_json: Json = False,
) -> None:
    """What a price book asks on one day and on another, and what renewing all that is held at the later prices brings."""
    async with facts() as connection:
        chosen = currency or await _only_currency(connection, book)
        days = (since.date(), (until or present()).date())
        before, after = [await _edition(connection, book, chosen, day) for day in days]
        held = await _held(connection, chosen)
    changes = price_changes(before, after)
    effect = rounding_of(chosen).apply(renewal_effect(changes, held))
    if as_json:
        editions = {"from": before.valid_from.isoformat(), "to": after.valid_from.isoformat()}
        lines = [_as_json(change, held) for change in changes]
        print_json(
            {"book": book, "currency": chosen, "editions": editions, "changes": lines, "arr_change": str(effect)}
        )
        return
    show_table(
        ("product", "per", ">before", ">after", ">change", ">units held"),
        [_row(change, held) for change in changes],
        title=f"{book}, {chosen}: from the edition of {before.valid_from} to that of {after.valid_from}",
    )
    console.print(
        f"Renewing all that is held at the later prices changes ARR by {effect:+,} {chosen}.", highlight=False
    )


def _row(change: PriceChange, held: dict[str, int]) -> list[str]:
    said = "new" if change.before is None else "withdrawn" if change.after is None else ""
    percent = change.percent
    if not said and change.before != change.after:
        said = f"{percent:+}%" if percent is not None else "not free any more"
    model = f" ({change.selling_model.value})" if change.selling_model else ""
    prices = ["" if price is None else f"{price:f}" for price in (change.before, change.after)]
    return [f"{change.product}{model}", change.per.value, *prices, said, f"{held.get(change.product, 0):,}"]


def _as_json(change: PriceChange, held: dict[str, int]) -> dict[str, Any]:
    return {
        "product": change.product,
        "selling_model": change.selling_model.value if change.selling_model else None,
        "per": change.per.value,
        "before": None if change.before is None else f"{change.before:f}",
        "after": None if change.after is None else f"{change.after:f}",
        "percent": None if change.percent is None else str(change.percent),
        "held": held.get(change.product, 0),
    }


async def _only_currency(connection: Connection, name: str) -> str:
    found = await book_currencies(connection, name)
    if len(found) == 1:
        return found[0]
    if found:
        raise UserError(f"price book {name} is in {' and '.join(found)}; choose one with --currency")
    names = ", ".join(await book_names(connection)) or "none"
    raise UserError(f"no price book {name}; there are: {names}. `perennial import catalogue` brings some")


async def _edition(connection: Connection, name: str, currency: str, day: date) -> PriceBook:
    codes = await book_products(connection, name, currency)
    try:
        return await load_price_book(connection, name, currency, day, codes)
    except PriceBookNotValidError as error:
        raise UserError(str(error)) from error


async def _held(connection: Connection, currency: str) -> dict[str, int]:
    """Units in force now of each product that is paid in a currency."""
    held: dict[str, int] = defaultdict(int)
    for line in await portfolio_at(connection, present()):
        if line.currency == currency:
            held[line.product_code] += line.quantity
    return held
