"""`perennial worker`, `migrate`, `register` and `doctor`: single processes against servers that the environment names."""

from __future__ import annotations

import asyncio
import json
from difflib import get_close_matches
from typing import Annotated

import asyncpg
import typer
from rich.table import Table
from temporalio.api.operatorservice.v1 import ListSearchAttributesRequest
from temporalio.api.workflowservice.v1 import GetSystemInfoRequest

from activities.clock import present
from activities.store.audit import audit, ledger_size
from activities.store.pool import Connection
from activities.store.readable import unreadable_facts
from gateway.here import find_running
from workers.cli import reconciling
from workers.cli.common import (
    UserError,
    connections,
    console,
    print_json,
    progress_console,
    run,
    settings_of,
    temporal_client,
)
from workers.cli.stack import until_stopped
from workers.documents import DOCUMENTS
from workers.migrating import migrate
from workers.registering import register_search_attributes, worker_runs_here
from workers.wiring import build_inbox, build_worker, inbox_runs
from workflows.visibility import SEARCH_ATTRIBUTES

PATIENCE = 5


async def _worker() -> None:
    await _temporal_answers()
    async with (
        connections() as servers,
        build_worker(servers.temporal, servers.pool, servers.settings),
        inbox_runs(build_inbox(servers.temporal, servers.pool, servers.settings)),
    ):
        progress_console.print(f"Working on task queue {servers.settings.task_queue!r}; Ctrl-C ends it.")
        await until_stopped()


async def _temporal_answers() -> None:
    """Returns once Temporal can be reached: a worker that starts before it waits."""
    while True:
        try:
            await temporal_client(find_running())
        except UserError as away:
            progress_console.print(f"{away}; trying again every {PATIENCE} seconds")
            await asyncio.sleep(PATIENCE)
        else:
            return


async def _worker_runs_here() -> bool:
    running = find_running()
    return await worker_runs_here(await temporal_client(running), settings_of(running).task_queue)


async def _register() -> list[str]:
    return await register_search_attributes(await temporal_client(find_running()))


async def _doctor() -> bool:
    """Every check in a table; true if all is well."""
    table = Table("check", "result", "what to do")
    well = True

    def said(check: str, good: bool, result: str, mend: str = "") -> None:
        nonlocal well
        well = well and good
        table.add_row(check, f"[{'green' if good else 'red'}]{result}[/]", "" if good else mend)

    settings = settings_of(find_running())
    try:
        connection = await asyncpg.connect(settings.database_url.get_secret_value(), timeout=5)
        said("PostgreSQL", True, str(await connection.fetchval("show server_version")))
        tables = await connection.fetchval("select count(*) from pg_tables where tablename = 'journal'")
        said("schema", tables == 1, "up to date" if tables else "missing", "run `perennial migrate`")
        if tables:
            said("asset ledger", *await _ledger(connection))
            said("facts", *await _facts(connection))
        await connection.close()
    except (OSError, asyncpg.PostgresError) as error:
        said("PostgreSQL", False, str(error), "start it, or set PERENNIAL_DATABASE_URL; `perennial up` brings one")
    try:
        async with connections() as servers:
            info = await servers.temporal.workflow_service.get_system_info(GetSystemInfoRequest())
            said("Temporal", True, info.server_version)
            listed = await servers.temporal.operator_service.list_search_attributes(
                ListSearchAttributesRequest(namespace=servers.temporal.namespace)
            )
            missing = sorted(set(SEARCH_ATTRIBUTES) - set(listed.custom_attributes))
            said(
                "search attributes",
                not missing,
                f"missing: {', '.join(missing)}" if missing else "registered",
                "run `perennial register`",
            )
    except Exception as error:  # whatever it is, it is the doctor's finding
        said("Temporal", False, str(error), "start it, or set TEMPORAL_ADDRESS; `perennial up` brings one")
    try:
        _, writer = await asyncio.wait_for(asyncio.open_connection(settings.smtp_host, settings.smtp_port), 5)
        writer.close()
        said("SMTP", True, f"{settings.smtp_host}:{settings.smtp_port}")
    except (OSError, TimeoutError) as error:
        said(
            "SMTP",
            False,
            str(error) or "no answer",
            "set PERENNIAL_SMTP_HOST and PERENNIAL_SMTP_PORT; mails wait till then",
        )
    console.print(table)
    return well


NAMED_FACTS = 5
"""So many of the facts that cannot be read the doctor names."""


async def _facts(connection: Connection) -> tuple[bool, str, str]:
    """Whether every fact of customers and open cases can be read; the first that cannot, by name."""
    await connection.set_type_codec("jsonb", encoder=json.dumps, decoder=json.loads, schema="pg_catalog")
    try:
        found = [f"{whose}: {fact.name} ({fact.why})" async for whose, fact in unreadable_facts(connection, present())]
    except asyncpg.UndefinedTableError as missing:
        return False, str(missing), "run `perennial migrate`"
    if not found:
        return True, "all can be read", ""
    more = f" and {len(found) - NAMED_FACTS} more" if len(found) > NAMED_FACTS else ""
    mend = "mend these rows, then `perennial journey ask ACCOUNT resume`; what needs them waits, the rest goes on"
    return False, "; ".join(found[:NAMED_FACTS]) + more, mend


async def _ledger(connection: Connection) -> tuple[bool, str, str]:
    """Whether the invariants of the asset ledger hold in the database, how much was looked at, and what to do if not."""
    try:
        found = await audit(connection)
    except asyncpg.UndefinedTableError as missing:
        return False, str(missing), "run `perennial migrate`"
    if not found:
        assets, periods = await ledger_size(connection)
        return True, f"{assets:,} assets and {periods:,} periods hold", ""
    first = found[0]
    mend = (
        f"`perennial asset rebuild --check {first.asset_id}` says more, and without --check mends what can be derived"
    )
    return False, f"{first.asset_id}: {first.problem} ({len({f.asset_id for f in found})} assets or more)", mend


def register(app: typer.Typer) -> None:
    """Adds the commands of this module."""

    @app.command()
    def worker(
        check: Annotated[
            bool, typer.Option("--check", help="Only say, by the exit code, whether one runs here.")
        ] = False,
    ) -> None:
        """A worker for the servers that the environment names."""
        if not check:
            run(_worker())
        elif not run(_worker_runs_here()):
            raise typer.Exit(1)

    @app.command("register")
    def register_command() -> None:
        """Registers with Temporal the search attributes that journeys are found by."""
        added = run(_register())
        progress_console.print(f"Registered: {', '.join(added)}." if added else "All search attributes are registered.")

    @app.command("migrate")
    def migrate_command(
        database_url: Annotated[str | None, typer.Option(help="Default: PERENNIAL_DATABASE_URL.")] = None,
    ) -> None:
        """Brings the database's schema up to date."""
        run(migrate(database_url or settings_of(find_running()).database_url.get_secret_value()))
        progress_console.print("The schema is up to date.")

    @app.command()
    def doctor(
        reconcile: Annotated[
            bool, typer.Option("--reconcile", help="Compare every customer's agenda with what follows from the facts.")
        ] = False,
        mend: Annotated[bool, typer.Option("--mend", help="With --reconcile: bring what differs together.")] = False,
        as_json: Annotated[bool, typer.Option("--json", help="With --reconcile: one JSON object.")] = False,
    ) -> None:
        """Says what is reachable, which versions, what is missing and how to mend it."""
        if (mend or as_json) and not reconcile:
            raise UserError("--mend and --json go with --reconcile")
        if not run(reconciling.reconcile(mend=mend, as_json=as_json) if reconcile else _doctor()):
            raise typer.Exit(1)

    @app.command()
    def schema(
        document: Annotated[str, typer.Argument(help="order, story, playbook, usage, asset, or an update")] = "order",
    ) -> None:
        """The JSON Schema of a document that Perennial reads: a file, or the request of an update such as amend_assets."""
        if document not in DOCUMENTS:
            near = get_close_matches(document, DOCUMENTS, n=3) or sorted(DOCUMENTS)
            raise UserError(f"no document {document!r}; there is {', '.join(near)}")
        print_json(DOCUMENTS[document].model_json_schema())
