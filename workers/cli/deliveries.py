"""`perennial deliveries …`: what is on its way out, and a try at once for the backlog of a provider that was dead."""

from __future__ import annotations

from datetime import datetime
from typing import Annotated, Any

import typer
from rich.markup import escape
from rich.table import Column, Table

from domain.frame.mail_names import mail_in_words
from gateway.outgoing import CHANNELS, Outgoing, Tried
from workers.cli.common import UserError, console, print_json, run
from workers.cli.servers import Connections, connections

app = typer.Typer(no_args_is_help=True)

Of = Annotated[str | None, typer.Option("--channel", help=f"One of {', '.join(CHANNELS)}. [all]")]
Account = Annotated[str | None, typer.Option(help="Of one customer. [all]")]


@app.command("list")
def list_deliveries(
    channel: Of = None, account: Account = None, as_json: Annotated[bool, typer.Option("--json")] = False
) -> None:
    """What has not left yet, the oldest first, with why."""
    rows = run(_list(_known(channel), account))
    if as_json:
        print_json([{**row, "tried": vars(row["tried"]) if row["tried"] else None} for row in rows])
        return
    if not rows:
        console.print("Nothing waits: everything has left.")
        return
    table = Table(Column("since (UTC)", no_wrap=True), "customer", "what", "to", "tried", "next try (UTC)", "why")
    for row in rows:
        table.add_row(*(escape(cell) for cell in _cells(row)))
    console.print(table)


@app.command()
def retry(channel: Of = None, account: Account = None) -> None:
    """Tries all that waits now, once a provider works again."""
    run(_retry(_known(channel), account))


def _known(channel: str | None) -> str | None:
    if channel is not None and channel not in CHANNELS:
        raise UserError(f"there is no channel {channel!r}; use one of {', '.join(CHANNELS)}")
    return channel


def _outgoing(servers: Connections) -> Outgoing:
    return Outgoing(servers.temporal, servers.pool, servers.client, servers.cases)


async def _list(channel: str | None, account: str | None) -> list[dict[str, Any]]:
    async with connections() as servers:
        return await _outgoing(servers).list(channel, account)


async def _retry(channel: str | None, account: str | None) -> None:
    asked = 0
    async with connections() as servers:
        async for carrier, said in _outgoing(servers).retry(channel, account):
            asked += 1
            console.print(f"{carrier}: {said}", markup=False)
    console.print(f"{asked} asked." if asked else "Nothing waits: everything has left.")


def _cells(row: dict[str, Any]) -> list[str]:
    tried: Tried | None = row["tried"]
    what = mail_in_words(row["template"] or "") or row["channel"].removeprefix("deliver_")
    whom = row["contact_id"] or row["staff_id"] or ""
    if tried is None:
        said = "set aside for good, or carried by nobody: `perennial deliveries retry`, then `perennial doctor --reconcile`"
        return [_minute(row["created_at"]), row["account_id"] or "", what, whom, "", "", said]
    return [
        _minute(row["created_at"]),
        row["account_id"] or "",
        what,
        whom,
        f"{tried.attempts} times",
        _minute(tried.next_at),
        tried.said,
    ]


def _minute(at: datetime | None) -> str:
    return f"{at:%Y-%m-%d %H:%M}" if at else ""
