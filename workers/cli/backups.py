"""`perennial backup` and `restore`: both databases, into a folder and back."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Annotated

import typer

from gateway.here import DATA_DIR, find_running
from workers.backups import ENGINE, back_up, restore_engine, restore_facts, whole
from workers.cli.common import UserError, progress_console, settings_of, waited
from workers.embedded.postgres import EmbeddedPostgres
from workers.embedded.stack import engine_file, postgres_folder

app = typer.Typer()

Folder = Annotated[Path, typer.Argument(metavar="DIR", help="The folder of the backup.")]
_ERASED = (
    "`perennial erase again` for whoever was erased since, by the certificates in the folder of PERENNIAL_ERASURES"
)
_THEN = "then `perennial doctor --reconcile` compares what runs with the facts, and with --mend brings them together"


@app.command()
@waited
async def backup(folder: Folder) -> None:
    """The facts, and of an embedded stack the engine's file as well, into a new folder; everything goes on meanwhile."""
    running = find_running()
    ours = running is not None and "PERENNIAL_DATABASE_URL" not in os.environ
    if not ours and "PERENNIAL_DATABASE_URL" not in os.environ:
        raise UserError("no stack runs in this folder; start `perennial up` here, or set PERENNIAL_DATABASE_URL")
    engine = engine_file(running.data_dir) if ours and running and running.data_dir else None
    manifest = await back_up(folder, settings_of(running).direct_url, engine)
    progress_console.print(f"Backed up into {folder}: {', '.join(manifest.sha256)}, schema {manifest.schema_version}.")
    if engine is None:
        progress_console.print("Temporal's database is not in it: a cluster is backed up by its own tools.")
    progress_console.print(
        "Keep elsewhere what is not in it: keys for payloads, PERENNIAL_KEY_STORE, and the folder of PERENNIAL_ERASURES."
    )


@app.command()
@waited
async def restore(
    folder: Folder,
    data: Annotated[
        Path, typer.Option(help="Of an embedded stack: the folder that it is to keep everything in.")
    ] = DATA_DIR,
) -> None:
    """A backup, into a database that is empty: the one that PERENNIAL_DATABASE_DIRECT_URL or PERENNIAL_DATABASE_URL names, else that of a
    stack that is not there yet."""
    manifest = await whole(folder)
    if "PERENNIAL_DATABASE_URL" in os.environ:
        await restore_facts(folder, settings_of(None).direct_url)
        progress_console.print(
            f"The facts of {manifest.taken_at:%Y-%m-%d %H:%M} UTC are back. Run `perennial migrate` and {_ERASED}; "
            f"start the workers after it; {_THEN}."
        )
        return
    if data.exists() and any(data.iterdir()):
        raise UserError(f"{data} is not empty: a stack is or was there; name another with --data, or move it away")
    async with EmbeddedPostgres(postgres_folder(data)) as server:
        await restore_facts(folder, server.dsn)
    if ENGINE in manifest.sha256:
        restore_engine(folder, engine_file(data))
    progress_console.print(
        f"Both databases of {manifest.taken_at:%Y-%m-%d %H:%M} UTC are back. Start `perennial up` and, at once, {_ERASED}; {_THEN}."
    )
