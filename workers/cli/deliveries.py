"""`perennial deliveries …`: what is on its way out, and a try at once for the backlog of a provider that was dead."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Annotated, Any
from uuid import uuid4

import typer

from domain.frame.access import AccessRole, Principal
from domain.frame.mail_names import mail_in_words
from domain.kernel.shown import counted
from gateway.outgoing import CHANNELS, Outgoing, Tried
from gateway.views.deliveries import STATES, deliveries_of
from workers.cli.common import UserError, console, facts, waited
from workers.cli.output import Json, print_json, show_table
from workers.cli.servers import By, Connections, connections

app = typer.Typer(no_args_is_help=True)
CLI = Principal("cli", "cli", frozenset({AccessRole.OPERATOR}))
"""Whoever has the command line runs the place."""
_AT_ONCE = 1000

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
async def retry(
    delivery: Annotated[
        list[str] | None,
        typer.Argument(help="Messages alone, by their ids as `list --json` says them. [all that wait]"),
    ] = None,
    channel: Of = None,
    account: Account = None,
) -> None:
    """Tries all that waits now, once a provider works again, or some messages alone."""
    _check(channel)
    if delivery and (channel or account):
        raise UserError("name messages, or give --channel and --account")
    asked = 0
    async with connections() as servers:
        if delivery:
            await _retry_alone(_outgoing(servers), delivery)
            return
        async for carrier, said in _outgoing(servers).retry(channel, account):
            asked += 1
            console.print(f"{carrier}: {said}", markup=False)
    console.print(f"{asked} asked." if asked else "Nothing waits: everything has left.")


async def _retry_alone(outgoing: Outgoing, deliveries: Sequence[str]) -> None:
    """Each of them, whatever becomes of the others. Raises UserError at the end if one was not tried."""
    left = 0
    for one in deliveries:
        said, tried = await outgoing.retry_alone(one)
        left += not tried
        console.print(f"{one}: {said}", markup=False)
    if left:
        raise UserError(f"{counted(left, 'message')} of {len(deliveries)} not tried again")


@app.command()
@waited
async def events(
    state: Annotated[str | None, typer.Option(help=f"One of {', '.join(STATES)}. [all]")] = None,
    account: Account = None,
    limit: Annotated[int, typer.Option(min=1, max=200)] = 50,
    as_json: Json = False,
) -> None:
    """What other systems are told by webhook, the latest first: delivered, tried again, or given up, and why."""
    if state is not None and state not in STATES:
        raise UserError(f"there is no state {state!r}; use one of {', '.join(STATES)}")
    async with facts() as connection:
        found = (await deliveries_of(connection, state, account, None, None, limit)).items
    if as_json:
        print_json([one.model_dump(mode="json") for one in found])
        return
    show_table(("!message", "written (UTC)", "event", "customer", "state", ">tries", "said last"), [
        (one.message_id, one.at, one.type, one.account_id, one.state.replace("_", " "), one.tries, one.last_error) for one in found
    ], "Nothing.")  # fmt: skip


@app.command()
@waited
async def redeliver(
    message: Annotated[list[str] | None, typer.Argument(help="Events by the ids of their messages, msg_….")] = None,
    given_up: Annotated[bool, typer.Option("--given-up", help="All that were given up, the oldest first.")] = False,
    by: By = None,
) -> None:
    """Tells events once more, now, under the ids that they had; one that arrives enables an endpoint that was disabled."""
    from activities.channels import webhook_rows
    from gateway.doors import Doors
    from gateway.proposals import person
    from gateway.redelivering import Redelivering

    if given_up == bool(message):
        raise UserError("name messages, or give --given-up")
    async with connections() as servers:
        doors = Doors(servers.temporal, servers.pool, servers.settings.task_queue, webhooks=servers.settings.webhooks())
        who = await person(doors, by) if by is not None else CLI
        ids = list(message or ())
        if given_up:
            async with servers.pool.acquire() as connection:
                ids = await webhook_rows.rejected(connection, _AT_ONCE)
        for message_id in ids:
            found = await Redelivering(doors, "cli").redeliver(who, message_id, f"cli-{uuid4().hex[:20]}")
            last = found.history[-1]
            console.print(f"{message_id}: {found.state.replace('_', ' ')}, {last.said}", markup=False)
            if given_up and not last.taken:
                raise UserError("the endpoint does not take it; the others were left as they are")
    console.print(f"{counted(len(ids), 'event')} told again.")


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
