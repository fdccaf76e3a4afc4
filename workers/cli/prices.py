"""`perennial price …`: publish list prices, and see what a purchase would give back at today's."""

from __future__ import annotations

from typing import Annotated

import typer

from activities.kernel.clock import present
from domain.kernel.money import Money
from workers.cli.common import console, waited
from workers.cli.output import Json, print_json, show_facts, show_table, words
from workers.cli.servers import connections

app = typer.Typer(no_args_is_help=True)


@app.command("set")
@waited
async def set_price(
    product: str,
    price: Annotated[str, typer.Argument(help="A decimal number, before tax.")],
    currency: Annotated[str, typer.Argument(help="Such as JPY.")],
    valid_from: Annotated[str, typer.Option("--from", help="The first day of the price, such as 2026-12-01.")],
    book: Annotated[str, typer.Option(help="The price book.")] = "standard",
    per: Annotated[str, typer.Option(help="once, month, year or use.")] = "once",
) -> None:
    """Publishes one product's list price from a day on; the other prices of the book stay as they are."""
    document = {"product": product, "price": price, "currency": currency, "valid_from": valid_from}
    async with connections() as servers:
        new = await servers.client.publish_prices({**document, "book": book, "per": per}, as_of=present())
    console.print("published" if new else "published before; nothing has changed")


@app.command()
@waited
async def purchases(account: str, as_json: Json = False) -> None:
    """What a customer bought, the latest first: what was paid, what went back, what is left."""
    async with connections() as servers:
        lines = await servers.cases.purchases(account)
    if as_json:
        print_json([line.model_dump(mode="json") for line in lines])
        return
    show_table(("bought", "order", "line", "product", "units", "paid for one", "returned", "left", "claims"), [
        (line.bought_on, line.order_id, line.line_id, line.product_name, line.quantity,
         f"{line.unit_price:,} {line.currency}{'' if line.per == 'once' else f' per {line.per.value}'}",
         line.returned or None, line.left, ", ".join(claim.claim_id for claim in line.claims)) for line in lines
    ], "Nothing was bought.")  # fmt: skip


@app.command()
@waited
async def match(
    account: str,
    order: str,
    line: str,
    quantity: Annotated[int | None, typer.Option(help="Only so many units.")] = None,
    as_json: Json = False,
) -> None:
    """What a price match would give back now: paid, now, difference, tax, window, and who has to approve it."""
    async with connections() as servers:
        now = await servers.client.now(account)
        shown = await servers.cases.preview_price_match(account, order, line, as_of=now, quantity=quantity)
    if as_json:
        print_json(shown.model_dump(mode="json"))
        return
    since = f"  since {shown.price_since}, price book {shown.price_book}" if shown.price_since else ""
    show_facts({
        "bought": f"{shown.quantity} of {shown.product_name}  ({shown.product}) on {shown.paid_on}",
        "paid for one": _written(shown.paid),
        "now": f"{_written(shown.now)}{since}" if shown.now else "no price",
        "difference": _written(shown.difference),
        "refund": f"{_written(shown.refund)}  (tax in it {_written(shown.tax)})",
        "held down by": words(shown.limited_by or ""),
        "window ends": shown.window_ends_on,
        "left of the line": _written(shown.left),
        "approved by": shown.approval,
        "refused": f"{shown.refused}: {shown.says}" if shown.refused else "",
        "earlier claims": ", ".join(f"{claim['claim_id']} ({claim['status']})" for claim in shown.claims),
    }, 16)  # fmt: skip


def _written(money: Money) -> str:
    return f"{money.amount:,} {money.currency}"
