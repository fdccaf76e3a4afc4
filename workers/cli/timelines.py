"""`perennial timeline`: everything that happened between us and a customer, sales and service in one list."""

from __future__ import annotations

from typing import Annotated

import typer

from activities.journey.timeline import timeline_page
from domain.journey.customer_timeline import LONGEST_PAGE, PAGE, Audience, Cursor, TimelineKind, read_cursor
from domain.kernel.calendar import local_day
from gateway.views.whose import whose
from workers.cli.common import console, facts, waited
from workers.cli.output import Json, print_json, table

app = typer.Typer()


@app.command()
@waited
async def timeline(
    account: str,
    before: Annotated[str | None, typer.Option(help="`next` of an earlier page.", show_default=False)] = None,
    kind: Annotated[list[TimelineKind] | None, typer.Option(help="Only this kind; may be given again.")] = None,
    audience: Annotated[Audience, typer.Option("--for", help="Whose eyes it is for.")] = Audience.SERVICE,
    limit: Annotated[int, typer.Option(min=1, max=LONGEST_PAGE)] = PAGE,
    as_json: Json = False,
) -> None:
    """A customer's timeline over sales and service, newest first."""
    cursor = read_cursor(before) if before is not None else None
    async with facts() as connection:
        customer = await whose(connection, account)
        cursor = cursor or Cursor.as_of(customer.now)
        page = await timeline_page(connection, account, before=cursor, kinds=kind or [], audience=audience, limit=limit)
    if as_json:
        print_json({"account": account, **page.model_dump(mode="json")})
        return
    rows = [
        (local_day(item.at, customer.time_zone), item.kind, item.title, item.actor, item.link) for item in page.items
    ]
    console.print(table(("day", "kind", "what", "who", "open"), rows, box=None))
    if page.next:
        console.print(f"[dim]earlier: --before {page.next}[/dim]", soft_wrap=True)
