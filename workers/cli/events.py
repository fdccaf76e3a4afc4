"""`perennial events …`: who sends events, what they become, and what waits for a person."""

from __future__ import annotations

import json
import re
import secrets
import sys
from base64 import b64encode
from datetime import timedelta
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from activities.frame import event_rows
from activities.frame.event_rows import FOR_PEOPLE, TO_TRY, EventStatus
from activities.kernel.clock import present
from domain.kernel.refusals import Refusal
from domain.kernel.shown import counted, shorten
from workers.cli.common import UserError, console, facts, waited
from workers.cli.journeys import read_duration
from workers.cli.output import Json, print_json, show_facts, show_table
from workers.cli.servers import By, asker, connections

if TYPE_CHECKING:
    from gateway.events.desk import EventDesk
    from gateway.events.mapping import Compiled
    from workers.cli.servers import Connections

app = typer.Typer(no_args_is_help=True)

_NAME = r"[a-z0-9][a-z0-9-]{0,39}"
_AT_ONCE = 1000
MappingFile = Annotated[
    Path | None, typer.Option("--mapping", help="What its events become; [the one that comes along under its name].")
]
Secret = Annotated[
    str | None,
    typer.Option("--secret-from", help="A file with the secret that its vendor shows, or - for standard input."),
]


@app.command("sources")
@waited
async def list_sources(as_json: Json = False) -> None:
    """Who sends events, when they did last, and how much of it waits for a person."""
    async with facts() as connection:
        rows = await event_rows.list_sources(connection, present())
    if as_json:
        print_json(rows)
        return
    show_table(("source", "secrets", "sent last (UTC)", ">for people", "made by", "state"), [
        (row["source"], row["secrets"], row["received_at"], row["for_people"], row["made_by"],
         "stopped" if row["stopped_at"] else "heard") for row in rows
    ], "No source: `perennial events add-source shopify` adds one.")  # fmt: skip


@app.command()
def mappings(
    name: Annotated[str | None, typer.Argument(help="Prints this one, to begin one's own with.")] = None,
) -> None:
    """The mappings that come along."""
    from gateway.events.mapping import BUNDLED

    known = {file.stem: file for file in sorted(BUNDLED.glob("*.yaml"))}
    if name is None:
        console.print(", ".join(known))
    elif name in known:
        sys.stdout.write(known[name].read_text(encoding="utf-8"))
    else:
        raise UserError(f"no mapping {name!r} comes along; there are {', '.join(known)}")


@app.command("add-source")
@waited
async def add_source(
    source: str,
    mapping: MappingFile = None,
    secret_from: Secret = None,
    url: Annotated[
        str | None, typer.Option(help="The address as the source calls it; HubSpot's signature covers that.")
    ] = None,
    by: By = None,
) -> None:
    """Who sends events from now on, to /v1/events/SOURCE; told again, another mapping is taken. Without the vendor's secret one is made."""
    if not re.fullmatch(_NAME, source):
        raise UserError(f"{source[:60]!r} is no name; use up to 40 small letters, digits and '-'")
    text, compiled = _mapping(source, mapping)
    at = present()
    async with facts() as connection, connection.transaction():
        asked_by = await asker(connection, by)
        known = await event_rows.source_of(connection, source, at)
        await event_rows.save_source(connection, source, text, url or (known.url if known else None), at, asked_by)
        if known is not None and known.secrets and secret_from is None:
            console.print(f"{source} goes by this mapping now; its secrets are as they were.")
            return
        secret = _secret(compiled, secret_from)
        await event_rows.add_secret(connection, source, secret, at, asked_by, at)
    _show(source, secret, secret_from)


@app.command("rotate-secret")
@waited
async def rotate_secret(
    source: str,
    secret_from: Secret = None,
    overlap: Annotated[str, typer.Option(help="For how long the secret before is valid still.")] = "1d",
    by: By = None,
) -> None:
    """The next secret of a source; the one before goes on for a while."""
    from gateway.events.mapping import kept_mapping

    at = present()
    both: timedelta = read_duration(overlap)
    async with facts() as connection, connection.transaction():
        known = await event_rows.source_of(connection, source, at)
        if known is None:
            raise UserError(f"no source {source!r} is heard; `perennial events sources` shows them")
        secret = _secret(kept_mapping(known.mapping, source), secret_from)
        await event_rows.add_secret(connection, source, secret, at, await asker(connection, by), at + both)
    _show(source, secret, secret_from)


@app.command("stop-source")
@waited
async def stop_source(source: str) -> None:
    """Nothing of a source is taken any more; what was kept is gone on with."""
    async with facts() as connection:
        if await event_rows.stop_source(connection, source, present()) is None:
            raise UserError(f"no source {source!r} is heard; `perennial events sources` shows them")
    console.print(f"{source} is not heard any more.")


@app.command()
@waited
async def link(source: str, foreign_id: str, account: str, by: By = None) -> None:
    """Whose a foreign id is, such as a customer of Stripe; what waited for it is done."""
    at = present()
    async with facts() as connection, connection.transaction():
        await event_rows.link(connection, source, foreign_id, account, at, await asker(connection, by))
        ids = await event_rows.ids_of(connection, [EventStatus.WAITING.value], source, _AT_ONCE)
        await event_rows.try_again(connection, ids, at, None)
    console.print(f"{foreign_id} of {source} is {account}; {counted(len(ids), 'event')} looked at again.")


@app.command("try")
def try_mapping(
    event: Annotated[Path, typer.Argument(help="An event as it came, JSON.")],
    source: Annotated[str, typer.Option(help="Whose mapping, if none is given.")] = "",
    mapping: MappingFile = None,
    header: Annotated[list[str] | None, typer.Option(help="A header that comes along: 'name: value'.")] = None,
) -> None:
    """Says what an event would ask, by a mapping. Writes nothing."""
    from gateway.events.mapping import EventError
    from gateway.reading_json import read_value

    _, compiled = _mapping(source, mapping)
    headers = {name.strip().lower(): value.strip() for name, _, value in (one.partition(":") for one in header or ())}
    try:
        items = compiled.items(read_value(event.read_bytes()), headers)
        asked = [vars(one) for item in items for one in compiled.asked_by(item, headers)]
    except (OSError, EventError, ValueError) as error:
        raise UserError(f"{event}: {error}") from error
    print_json(asked)


@app.command("list")
@waited
async def list_events(
    status: Annotated[
        list[EventStatus] | None, typer.Option(help="[waiting and failed: what waits for a person]")
    ] = None,
    source: Annotated[str | None, typer.Option(help="Of one source. [all]")] = None,
    limit: Annotated[int, typer.Option(min=1, max=10_000)] = 50,
    as_json: Json = False,
) -> None:
    """The events that wait, with why; or those of a status."""
    statuses = [one.value for one in status] if status else list(FOR_PEOPLE)
    async with facts() as connection:
        rows = await event_rows.list_events(connection, statuses, source, limit)
        counts = await event_rows.count_events(connection)
    if as_json:
        print_json(rows)
        return
    show_table(("!event", "received (UTC)", "source", "their id", "account", "status", "why"), [
        (row["event_id"], row["received_at"], row["source"], shorten(row["foreign_id"], 40), row["account_id"], row["status"],
         row["reason"]) for row in rows
    ], "Nothing waits.")  # fmt: skip
    console.print(", ".join(f"{row['events']} {row['status']}" for row in counts))


@app.command()
@waited
async def show(event: str, as_json: Json = False) -> None:
    """One event: what it says, what became of it, and why. The beginning of its id will do."""
    row = await _found(event)
    body: bytes = row.pop("body")
    if as_json:
        print_json({**row, "body": body.decode(errors="replace")})
        return
    done = [f"{one['operation']} of {one['subject']} ({one['rule']})" for one in row["done"]]
    show_facts({
        "event": row["event_id"],
        "source": f"{row['source']}, where it is {row['foreign_id']}",
        "received": f"{row['received_at']:%Y-%m-%d %H:%M} UTC",
        "status": f"{row['status']} {row['reason']}",
        "account": row["account_id"],
        "tried": f"{row['attempts']} times; next {row['try_at']:%Y-%m-%d %H:%M} UTC" if row["status"] in TO_TRY else "",
        "done": "; ".join(done),
    }, 8)  # fmt: skip
    console.print()
    console.print(_pretty(body), markup=False, soft_wrap=True)


@app.command()
@waited
async def replay(
    event: Annotated[list[str] | None, typer.Argument(help="Events, by their ids.")] = None,
    waiting: Annotated[bool, typer.Option("--all", help="All that wait or failed.")] = False,
    source: Annotated[str | None, typer.Option(help="With --all: of one source.")] = None,
) -> None:
    """Looks at events once more, once a mapping is mended or a customer is there; what they have done is not done again."""
    if waiting == bool(event):
        raise UserError("name events, or give --all")
    async with connections() as servers:
        ids = [(await _found(one))["event_id"] for one in event or ()]
        if waiting:
            async with servers.pool.acquire() as connection:
                ids = await event_rows.ids_of(connection, list(FOR_PEOPLE), source, _AT_ONCE)
        await _again(servers, ids, None)


@app.command()
@waited
async def mend(
    event: str,
    file: Annotated[Path, typer.Argument(help="The event as it should have been, JSON; as it came is kept.")],
) -> None:
    """Corrects what an event says, and looks at it once more."""
    from gateway.reading_json import read_value

    try:
        body = file.read_bytes()
        read_value(body)
    except (OSError, ValueError) as error:
        raise UserError(f"{file}: {error}") from error
    async with connections() as servers:
        await _again(servers, [(await _found(event))["event_id"]], body)


@app.command()
@waited
async def discard(event: str, reason: str, by: By = None) -> None:
    """Says that an event needs nothing. It is kept."""
    async with connections() as servers:
        async with servers.pool.acquire() as connection:
            asked_by = await asker(connection, by)
        await _desk(servers).discard((await _found(event))["event_id"], reason, asked_by)
    console.print("Discarded; it is kept.")


async def _again(servers: Connections, ids: list[str], mended: bytes | None) -> None:
    desk = _desk(servers)
    await desk.replay(ids, mended)
    await desk.settle_new()
    for event_id in ids:
        row = await _found(event_id)
        console.print(f"{event_id}: {row['status']} {row['reason']}", markup=False)
    console.print(f"{counted(len(ids), 'event')} looked at again.")


async def _found(event: str) -> dict[str, Any]:
    async with facts() as connection:
        row = await event_rows.find_event(connection, event)
    if row is None:
        raise Refusal(
            "UnknownEvent", f"there is no event {event!r}, or more than one; `perennial events list` shows them"
        )
    return row


def _mapping(source: str, file: Path | None) -> tuple[str, Compiled]:
    """A mapping as text and checked: the file's, or the one that comes along under the source's name."""
    from gateway.events.mapping import BUNDLED, read_mapping

    found = file or BUNDLED / f"{source}.yaml"
    try:
        text = found.read_text(encoding="utf-8")
    except (OSError, UnicodeError) as error:
        known = ", ".join(sorted(one.stem for one in BUNDLED.glob("*.yaml")))
        raise UserError(f"no mapping {found.name} can be read; give --mapping FILE, or use one of {known}") from error
    return text, read_mapping(text, found.name)


def _secret(compiled: Compiled, given: str | None) -> str:
    """The secret in a file, or a new one where the source takes one of ours."""
    from gateway.events.mapping import Scheme

    scheme = compiled.mapping.signature
    if given is not None:
        text = sys.stdin.read() if given == "-" else Path(given).read_text(encoding="utf-8")
        if not text.strip():
            raise UserError("the secret is empty")
        return text.strip()
    if scheme in (Scheme.STANDARD, Scheme.BEARER):
        key = secrets.token_bytes(32)
        return f"whsec_{b64encode(key).decode()}" if scheme is Scheme.STANDARD else f"evs_{key.hex()}"
    raise UserError(
        f"{compiled.mapping.title} makes the secret: give it by --secret-from FILE, or - for standard input"
    )


def _show(source: str, secret: str, given: str | None) -> None:
    console.print(f"{source} is heard at /v1/events/{source}.")
    if given is None:
        console.print("Its secret; it is shown this once:")
        console.print(secret, soft_wrap=True, highlight=False)


def _pretty(body: bytes) -> str:
    try:
        return json.dumps(json.loads(body), indent=2, ensure_ascii=False)
    except ValueError:
        return body.decode(errors="replace")


def _desk(servers: Connections) -> EventDesk:
    from workers.wiring import build_desk

    return build_desk(servers.temporal, servers.pool, servers.settings)
