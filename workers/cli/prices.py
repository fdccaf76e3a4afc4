"""`perennial price …`: publish list prices, and see what a purchase would give back at today's."""

from __future__ import annotations

from typing import Annotated, Any

import typer
from rich.markup import escape
from rich.table import Table

from activities.kernel.clock import present
from domain.claims.claims import BoughtLine
from domain.claims.preview import PricePreview
from domain.kernel.money import Money
from workers.cli.common import console, print_json, run
from workers.cli.servers import connections

app = typer.Typer(no_args_is_help=True)

Json = Annotated[bool, typer.Option("--json", help="As JSON on standard output.")]


@app.command("set")
def set_price(
    product: str,
    price: Annotated[str, typer.Argument(help="A decimal number, before tax.")],
    currency: Annotated[str, typer.Argument(help="Such as JPY.")],
    valid_from: Annotated[str, typer.Option("--from", help="The first day of the price, such as 2026-12-01.")],
    book: Annotated[str, typer.Option(help="The price book.")] = "standard",
    per: Annotated[str, typer.Option(help="once, month, year or use.")] = "once",
) -> None:
    """Publishes one product's list price from a day on; the other prices of the book stay as they are."""
    document = {"product": product, "price": price, "currency": currency, "valid_from": valid_from}
    new = run(_publish({**document, "book": book, "per": per}))
    console.print("published" if new else "published before; nothing has changed")


async def _publish(document: dict[str, Any]) -> bool:
    async with connections() as servers:
        return await servers.client.publish_prices(document, as_of=present())


@app.command()
def purchases(account: str, as_json: Json = False) -> None:
    """What a customer bought, the latest first: what was paid, what went back, what is left."""
    lines = run(_purchases(account))
    if as_json:
        print_json([line.model_dump(mode="json") for line in lines])
        return
    table = Table("bought", "order", "line", "product", "units", "paid for one", "returned", "left", "claims")
    for line in lines:
        cells = (line.bought_on, line.order_id, line.line_id, escape(line.product_name), line.quantity)
        paid = f"{line.unit_price:,} {line.currency}{'' if line.per == 'once' else f' per {line.per.value}'}"
        claims = ", ".join(claim.claim_id for claim in line.claims)
        table.add_row(*map(str, cells), paid, str(line.returned or ""), f"{line.left:,}", claims)
    console.print(table)


async def _purchases(account: str) -> list[BoughtLine]:
    async with connections() as servers:
        return await servers.cases.purchases(account)


@app.command()
def match(
    account: str,
    order: str,
    line: str,
    quantity: Annotated[int | None, typer.Option(help="Only so many units.")] = None,
    as_json: Json = False,
) -> None:
    """What a price match would give back now: paid, now, difference, tax, window, and who has to approve it."""
    shown = run(_match(account, order, line, quantity))
    if as_json:
        print_json(shown.model_dump(mode="json"))
        return
    since = f"  since {shown.price_since}, price book {shown.price_book}" if shown.price_since else ""
    facts = {
        "bought": f"{shown.quantity} of {shown.product_name}  ({shown.product}) on {shown.paid_on}",
        "paid for one": _written(shown.paid),
        "now": f"{_written(shown.now)}{since}" if shown.now else "no price",
        "difference": _written(shown.difference),
        "refund": f"{_written(shown.refund)}  (tax in it {_written(shown.tax)})",
        "held down by": (shown.limited_by or "").replace("_", " "),
        "window ends": str(shown.window_ends_on or ""),
        "left of the line": _written(shown.left),
        "approved by": shown.approval.value if shown.approval else "",
        "refused": f"{shown.refused}: {shown.says}" if shown.refused else "",
        "earlier claims": ", ".join(f"{claim['claim_id']} ({claim['status']})" for claim in shown.claims),
    }
    for name, value in facts.items():
        if value:
            console.print(f"[dim]{name:>16}[/dim]  {escape(value)}")


async def _match(account: str, order: str, line: str, quantity: int | None) -> PricePreview:
    async with connections() as servers:
        now = await servers.client.now(account)
        return await servers.cases.preview_price_match(account, order, line, as_of=now, quantity=quantity)


def _written(money: Money) -> str:
    return f"{money.amount:,} {money.currency}"
