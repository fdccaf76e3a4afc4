"""`perennial access …`: who may come in by the gateway, as what, and what they did there."""

from __future__ import annotations

import json
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from datetime import timedelta
from typing import TYPE_CHECKING, Annotated, Any

import typer

from activities.frame import access_rows, audit_rows, tool_act_rows
from activities.kernel.clock import present
from domain.frame.access import AccessRole
from domain.kernel.shown import counted
from workers.cli.common import UserError, console, database, facts, waited
from workers.cli.journeys import read_duration
from workers.cli.output import Json, print_json, show_table
from workers.cli.servers import By, connections, trusted

if TYPE_CHECKING:
    from domain.frame.access import Principal
    from gateway.proposals import Proposals
    from gateway.tokens import Token

app = typer.Typer(no_args_is_help=True)

_SIGHT = {(False, False): "all", (True, False): "their own", (True, True): "their team's"}

Roles = Annotated[list[AccessRole], typer.Option("--role", help="What they are here for; several may be given.")]
Titles = Annotated[
    list[str] | None,
    typer.Option("--title", help="A word under which they may approve, such as manager; the highest last."),
]


@app.command("keys")
@waited
async def list_keys(as_json: Json = False) -> None:
    """Every key of a service, newest first, and when it was used last; their secrets are kept nowhere."""
    async with facts() as connection:
        rows = await access_rows.list_keys(connection)
    if as_json:
        print_json(rows)
        return
    now = present()
    show_table(("key", "name", "roles", "scopes", "made (UTC)", "used (UTC)", "state"), [
        (row["key_id"], row["name"], ", ".join(row["roles"]), ", ".join(row["scopes"]), row["made_at"], row["used_at"],
         _state(row, now)) for row in rows
    ])  # fmt: skip


def _state(row: dict[str, Any], now: Any) -> str:
    if row["revoked_at"] is not None:
        return "revoked"
    if row["expires_at"] is None:
        return "valid"
    return f"{'expired' if row['expires_at'] <= now else 'valid until'} {row['expires_at']:%Y-%m-%d %H:%M}"


@app.command("add-key")
@waited
async def add_key(
    name: str,
    role: Roles,
    scope: Annotated[
        list[str] | None,
        typer.Option("--scope", help="What it reaches: orders:write, cases:*, *:read; all of it if not given."),
    ] = None,
    title: Titles = None,
    expires_in: Annotated[str | None, typer.Option(help="For how long it is valid, such as 90d.")] = None,
    by: By = None,
) -> None:
    """A key for a service. What is printed is the only copy of its secret: `perennial access add-key erp --role program`."""
    from gateway.acting import new_request_id
    from gateway.keyring import Keyring

    ends = present() + read_duration(expires_in) if expires_in else None
    document = {"name": name, "roles": _texts(role), "titles": title or (), "scopes": scope or (), "expires_at": ends}
    async with database() as pool:
        _show(name, await Keyring(pool, "cli").add(await trusted(pool, by), document, new_request_id()))


@app.command("rotate-key")
@waited
async def rotate_key(
    name: str,
    overlap: Annotated[str, typer.Option(help="For how long the key before is valid still.")] = "1d",
    by: By = None,
) -> None:
    """The next key of a service, which may do what the one before may; that one goes on for a while."""
    from gateway.acting import new_request_id
    from gateway.keyring import Keyring

    both: timedelta = read_duration(overlap)
    async with database() as pool:
        who = await trusted(pool, by)
        _show(name, await Keyring(pool, "cli").rotate(who, name, new_request_id(), overlap=both))


def _show(name: str, token: Token) -> None:
    console.print(f"The key of {name}; it is shown this once:")
    console.print(str(token), soft_wrap=True, highlight=False)


@app.command("revoke-key")
@waited
async def revoke_key(name: str, by: By = None) -> None:
    """No key of this name lets anybody in any more."""
    from gateway.acting import new_request_id
    from gateway.keyring import Keyring

    async with database() as pool:
        ended = await Keyring(pool, "cli").revoke(await trusted(pool, by), name, new_request_id())
    console.print(f"{counted(ended, 'key')} of {name} revoked.")


@app.command()
@waited
async def people(as_json: Json = False) -> None:
    """Our people and what they may: what was granted, else what follows from what they look after."""
    async with facts() as connection:
        rows = await access_rows.people(connection, None, None)
    if as_json:
        print_json(rows)
        return
    show_table(("staff", "name", "roles", "titles", "sees", "granted by"), [
        (row["staff_id"], row["name"], ", ".join(row["roles"]), ", ".join(row["titles"]),
         _SIGHT[row["own_only"], row["team"]], row["granted_by"] or "what they do") for row in rows
    ])  # fmt: skip


@app.command()
@waited
async def grant(
    staff_id: str,
    role: Roles,
    title: Titles = None,
    own_only: Annotated[
        bool, typer.Option("--own-only", help="They see the customers that they own or look after.")
    ] = False,
    team: Annotated[
        bool,
        typer.Option(
            "--team",
            help="They see these, and those of whoever reports to them or to the same person as they do (`perennial staff change --manager`).",
        ),
    ] = False,
    subject: Annotated[
        str | None, typer.Option(help="Who they are for the identity provider: its address, a space, their subject.")
    ] = None,
    by: By = None,
) -> None:
    """What one of our people may from now on, in place of what they might."""
    from gateway.acting import new_request_id
    from gateway.staffing import Staffing

    document = {"roles": _texts(role), "titles": title or (), "own_only": own_only, "team": team, "subject": subject}
    async with database() as pool:
        await Staffing(pool, "cli").grant(await trusted(pool, by), staff_id, document, new_request_id())
    console.print(f"{staff_id} comes in as {', '.join(_texts(role))}.")


@app.command()
@waited
async def log(
    subject: Annotated[str | None, typer.Option(help="What was asked: account/acme, case/C-17.")] = None,
    actor: Annotated[str | None, typer.Option(help="Who asked: staff:s-1, key:erp.")] = None,
    lines: Annotated[int, typer.Option(min=1, max=10_000)] = 50,
    as_json: Json = False,
) -> None:
    """What was asked through the gateway: when, by whom, by which door, what came of it, and why."""
    async with facts() as connection:
        rows = await audit_rows.entries(connection, subject, actor, None, lines)
    if as_json:
        print_json(rows)
        return
    show_table(("at (UTC)", "who", "door", "what", "of", "outcome", "why"), [
        (f"{row['at']:%Y-%m-%d %H:%M:%S}", row["actor"], row["door"], row["operation"], row["subject"],
         row["outcome"] or "open", row["reason"]) for row in rows
    ])  # fmt: skip


@app.command("proposals")
@waited
async def list_proposals(
    every: Annotated[bool, typer.Option("--all", help="Those that were decided or are over as well.")] = False,
    as_json: Json = False,
) -> None:
    """What tools of agents proposed, and nobody has decided yet, the latest first."""
    async with facts() as connection:
        found = await tool_act_rows.proposals(connection, None if every else present(), None, None, 200)
    if as_json:
        print_json([one.model_dump(mode="json") | {"state": one.state(present())} for one in found])
        return
    show_table(("proposal", "by", "what", "of", "request", "why", "until (UTC)", "state"), [
        (one.act_id, one.actor, one.operation, one.subject_id, json.dumps(one.request, ensure_ascii=False), one.reason,
         one.expires_at, one.state(present())) for one in found
    ], "Nothing waits for a person.")  # fmt: skip


@app.command()
@waited
async def confirm(proposal: str, by: By = None) -> None:
    """Asks what a tool proposed, in your name; --by says who you are, and your role must allow it."""
    async with _deciding(by) as (proposals, who):
        print_json(await proposals.confirm(who, proposal))


@app.command()
@waited
async def refuse(
    proposal: str,
    reason: Annotated[str, typer.Option(help="Why; the tool that proposed it reads it.")],
    by: By = None,
) -> None:
    """What a tool proposed is not done; --by says who you are, and your role must allow it."""
    async with _deciding(by) as (proposals, who):
        await proposals.refuse(who, proposal, reason)
    console.print(f"{proposal} is refused.")


@asynccontextmanager
async def _deciding(by: str | None) -> AsyncIterator[tuple[Proposals, Principal]]:
    """Where proposals are decided about, and the person who does. Raises UserError if nobody says who."""
    from gateway.doors import Doors
    from gateway.proposals import Proposals, person

    if by is None:
        raise UserError("a person decides about a proposal; say who with --by or PERENNIAL_STAFF")
    async with connections() as servers:
        doors = Doors(servers.temporal, servers.pool, servers.settings.task_queue)
        yield Proposals(doors, "cli"), await person(doors, by)


def _texts(roles: Sequence[AccessRole]) -> tuple[str, ...]:
    return tuple(sorted({role.value for role in roles}))
