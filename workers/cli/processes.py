"""`perennial worker`, `migrate`, `register` and `doctor`: single processes against servers that the environment names."""

from __future__ import annotations

import asyncio
from datetime import timedelta
from difflib import get_close_matches
from typing import Annotated

import typer

from domain.frame.work_kinds import WorkKind
from gateway.contract import ENDPOINT
from gateway.here import NoServerError, find_running
from gateway.readiness import shortcomings
from gateway.releases import Releases
from workers.attending import worker_runs_here
from workers.cli.common import UserError, progress_console, settings_of, told_to_end, unless, waited
from workers.cli.output import print_json
from workers.cli.servers import Connections, connections, temporal_client
from workers.heap import settle
from workers.heartbeat import beating
from workers.logs import set_up
from workers.migrating import migrate
from workers.registering import register_endpoint, register_search_attributes
from workers.schedules import SchedulesOfBuild, keep_schedules
from workers.settings import LogForm, Versioning
from workers.wiring import attended, build_of, desks_of, working

PATIENCE = 5


app = typer.Typer()


@app.command()
@waited
async def worker(
    check: Annotated[bool, typer.Option("--check", help="Only say, by the exit code, whether one runs here.")] = False,
) -> None:
    """A worker for the servers that the environment names."""
    if check:
        client = await temporal_client()
        for queue in settings_of(find_running()).queues.values():
            if not await worker_runs_here(client, queue):
                raise typer.Exit(1)
        return
    set_up(settings_of(find_running()).log or LogForm.TEXT)
    alive = settings_of(find_running()).heartbeat_file
    async with beating(alive):
        await _temporal_answers()
    async with beating(alive), connections(measured=True) as servers:
        stopped = told_to_end()  # before anything is begun: what a worker has begun it lets come to its end
        async with (
            working(
                servers.temporal,
                servers.pool,
                servers.settings,
                graceful_shutdown_timeout=timedelta(seconds=servers.settings.drain_seconds),
            ),
            attended(*desks_of(servers.temporal, servers.pool, servers.settings), *_schedules_of(servers)),
        ):
            if WorkKind.JOURNEYS in servers.settings.queues:
                await unless(stopped, _known_to_the_engine(servers))
            settle()
            queues = ", ".join(map(repr, servers.settings.queues.values()))
            progress_console.print(f"Working on task queue {queues}; Ctrl-C ends it.")
            await stopped.wait()


async def _known_to_the_engine(servers: Connections) -> None:
    """Keeps the schedules; where builds are kept apart, tells the engine what this one knows, and leaves schedules to the one that has the work."""
    if servers.settings.versioning is Versioning.OFF:
        await keep_schedules(servers.temporal, servers.settings.task_queue)
        return
    build = build_of(servers.settings)
    releases = Releases(servers.temporal, servers.settings.task_queue)
    await releases.announce(build)
    current = next((one.id for one in await releases.builds() if one.current), None)
    if current != build:
        has = f"build {current} has the work" if current else "no build has the work yet"
        progress_console.print(f"Build {build} waits: {has}. `perennial release use {build}` gives it to this one.")


def _schedules_of(servers: Connections) -> list[SchedulesOfBuild]:
    """Who looks after the schedules of a build, where builds are kept apart."""
    settings = servers.settings
    if settings.versioning is Versioning.OFF or WorkKind.JOURNEYS not in settings.queues:
        return []
    return [SchedulesOfBuild(servers.temporal, settings.task_queue, build_of(settings))]


@app.command()
@waited
async def ready() -> None:
    """Says what is missing before work can be done; its exit code is 1 if anything is. For an orchestrator's probes."""
    async with connections() as servers:
        missing = await shortcomings(servers.temporal, servers.pool)
    for one in missing:
        progress_console.print(one)
    if missing:
        raise typer.Exit(1)


async def _temporal_answers() -> None:
    """Returns once Temporal can be reached: a worker that starts before it waits."""
    while True:
        try:
            await temporal_client()
        except NoServerError as away:
            progress_console.print(f"{away}; trying again every {PATIENCE} seconds")
            await asyncio.sleep(PATIENCE)
        else:
            return


@app.command("register")
@waited
async def register_command(
    endpoint: Annotated[str, typer.Option(help="The name of the Nexus endpoint that leads to our workers.")] = ENDPOINT,
) -> None:
    """Registers with Temporal the search attributes that journeys are found by, and the Nexus endpoint."""
    client = await temporal_client()
    added = await register_search_attributes(client)
    progress_console.print(f"Registered: {', '.join(added)}." if added else "All search attributes are registered.")
    queue = settings_of(find_running()).task_queue
    match await register_endpoint(client, queue, endpoint):
        case True:
            progress_console.print(f"The Nexus endpoint {endpoint!r} leads to task queue {queue!r}.")
        case False:
            progress_console.print(f"The Nexus endpoint {endpoint!r} is there.")
        case None:
            progress_console.print(f"This server lets nobody make endpoints here: make {endpoint!r} by its own tools.")


@app.command("migrate")
@waited
async def migrate_command(
    database_url: Annotated[
        str | None, typer.Option(help="Default: PERENNIAL_DATABASE_DIRECT_URL, else PERENNIAL_DATABASE_URL.")
    ] = None,
) -> None:
    """Brings the database's schema up to date."""
    await migrate(database_url or settings_of(find_running()).direct_url)
    progress_console.print("The schema is up to date.")


@app.command()
@waited
async def doctor(
    reconcile: Annotated[
        bool, typer.Option("--reconcile", help="Compare every customer's agenda with what follows from the facts.")
    ] = False,
    mend: Annotated[bool, typer.Option("--mend", help="With --reconcile: bring what differs together.")] = False,
    as_json: Annotated[bool, typer.Option("--json", help="With --reconcile: one JSON object.")] = False,
    redo: Annotated[
        bool, typer.Option("--redo", help="Do again what a database from before has lost, before workers start.")
    ] = False,
    leave_out: Annotated[
        bool, typer.Option("--leave-out", help="With --redo: what cannot be done again is left for a person.")
    ] = False,
) -> None:
    """Says what is reachable, which versions, what is missing and how to mend it."""
    if (mend or as_json) and not reconcile:
        raise UserError("--mend and --json go with --reconcile")
    if leave_out and not redo:
        raise UserError("--leave-out goes with --redo")
    if redo and reconcile:
        raise UserError("--redo comes first, with no worker at work; --reconcile once workers run")
    from workers.cli import reconciling
    from workers.cli.doctor import examine

    if reconcile:
        asked = reconciling.reconcile(mend=mend, as_json=as_json)
    elif redo:
        asked = reconciling.redo(leave_out=leave_out)
    else:
        asked = examine()
    if not await asked:
        raise typer.Exit(1)


@app.command()
def schema(
    document: Annotated[str, typer.Argument(help="order, story, playbook, usage, asset, or an update")] = "order",
) -> None:
    """The JSON Schema of a document that Perennial reads: a file, or the request of an update such as amend_assets."""
    from workers.documents import DOCUMENTS, schema_of

    if document not in DOCUMENTS:
        near = get_close_matches(document, DOCUMENTS, n=3) or sorted(DOCUMENTS)
        raise UserError(f"no document {document!r}; there is {', '.join(near)}")
    print_json(schema_of(document))
