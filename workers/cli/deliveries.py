"""`perennial deliveries …`: what is on its way out, and a try at once for the backlog of a provider that was dead."""

from __future__ import annotations

from typing import Annotated, Any

import typer

from domain.frame.mail_names import mail_in_words
from gateway.outgoing import CHANNELS, Outgoing, Tried
from workers.cli.common import UserError, console, waited
from workers.cli.output import Json, print_json, show_table
from workers.cli.servers import Connections, connections

app = typer.Typer(no_args_is_help=True)

Of = Annotated[str | None, typer.Option("--channel", help=f"One of {', '.join(CHANNELS)}. [all]")]
Account = Annotated[str | None, typer.Option(help="Of one customer. [all]")]


@app.command("list")
@waited
async def list_deliveries(channel: Of = None, account: Account = None, as_json: Json = False) -> None:
    """What has not left yet, the oldest first, with why."""
    _check(channel)
    async with connections() as servers:
        rows = await _outgoing(servers).list(channel, account)
    if as_json:
        print_json([{**row, "tried": vars(row["tried"]) if row["tried"] else None} for row in rows])
        return
    names = ("!since (UTC)", "customer", "what", "to", "tried", "next try (UTC)", "why")
    show_table(names, map(_cells, rows), "Nothing waits: everything has left.")


@app.command()
@waited
async def retry(channel: Of = None, account: Account = None) -> None:
    """Tries all that waits now, once a provider works again."""
    _check(channel)
    asked = 0
    async with connections() as servers:
        async for carrier, said in _outgoing(servers).retry(channel, account):
            asked += 1
            console.print(f"{carrier}: {said}", markup=False)
    console.print(f"{asked} asked." if asked else "Nothing waits: everything has left.")


def _check(channel: str | None) -> None:
    if channel is not None and channel not in CHANNELS:
        raise UserError(f"there is no channel {channel!r}; use one of {', '.join(CHANNELS)}")


def _outgoing(servers: Connections) -> Outgoing:
    return Outgoing(servers.temporal, servers.pool, servers.client, servers.cases)


def _cells(row: dict[str, Any]) -> list[Any]:
    tried: Tried | None = row["tried"]
    what = mail_in_words(row["template"] or "") or row["channel"].removeprefix("deliver_")
    known = [row["created_at"], row["account_id"], what, row["contact_id"] or row["staff_id"]]
    if tried is None:
        said = "set aside for good, or carried by nobody: `perennial deliveries retry`, then `perennial doctor --reconcile`"
        return [*known, "", "", said]
    return [*known, f"{tried.attempts} times", tried.next_at, tried.said]
