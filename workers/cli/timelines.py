"""`perennial timeline`: everything that happened between us and a customer, sales and service in one list."""

from __future__ import annotations

from typing import Annotated

import typer
from rich.markup import escape
from rich.table import Table

from activities.journey import reports
from activities.journey.timeline import timeline_page
from domain.journey.customer_timeline import LONGEST_PAGE, PAGE, Audience, TimelineKind, TimelinePage, read_cursor
from domain.kernel.calendar import local_day
from domain.kernel.refusals import Refusal
from workers.cli.common import console, database, print_json, run

app = typer.Typer()


@app.command()
def timeline(
    account: str,
    before: Annotated[str | None, typer.Option(help="`next` of an earlier page.", show_default=False)] = None,
    kind: Annotated[list[TimelineKind] | None, typer.Option(help="Only this kind; may be given again.")] = None,
    audience: Annotated[Audience, typer.Option("--for", help="Whose eyes it is for.")] = Audience.SERVICE,
    limit: Annotated[int, typer.Option(min=1, max=LONGEST_PAGE)] = PAGE,
    as_json: Annotated[bool, typer.Option("--json", help="As one JSON object on standard output.")] = False,
) -> None:
    """A customer's timeline over sales and service, newest first."""
    page, zone = run(_page(account, before, kind or [], audience, limit))
    if as_json:
        print_json({"account": account, **page.model_dump(mode="json")})
        return
    table = Table("day", "kind", "what", "who", "open", box=None)
    for item in page.items:
        table.add_row(
            str(local_day(item.at, zone)),
            item.kind.value,
            escape(item.title),
            escape(item.actor),
            escape(item.link or ""),
        )
    console.print(table)
    if page.next:
        console.print(f"[dim]earlier: --before {page.next}[/dim]", soft_wrap=True)


async def _page(
    account: str, before: str | None, kinds: list[TimelineKind], audience: Audience, limit: int
) -> tuple[TimelinePage, str]:
    cursor = read_cursor(before) if before is not None else None
    async with database() as pool, pool.acquire() as connection:
        zone = await reports.zone_of_account(connection, account)
        if zone is None:
            raise Refusal("UnknownAccount", f"account {account!r} is not on record")
        page = await timeline_page(connection, account, before=cursor, kinds=kinds, audience=audience, limit=limit)
    return page, zone
