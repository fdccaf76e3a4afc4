"""`perennial release …`: builds of workers beside each other, which one has the work, and what stays with another."""

from __future__ import annotations

from typing import Annotated

import typer

from domain.kernel.shown import counted
from gateway.here import find_running
from gateway.releases import LATE, Build, Releases
from workers.cli.common import UserError, console, progress_console, settings_of, waited
from workers.cli.output import Json, print_json, show_table
from workers.cli.servers import temporal_client

app = typer.Typer(no_args_is_help=True)


async def _releases() -> Releases:
    running = find_running()
    return Releases(await temporal_client(), settings_of(running).task_queue)


@app.command("list")
@waited
async def list_releases(as_json: Json = False) -> None:
    """Every build that asked for work, newest first: which has it, and how many runs are pinned to it."""
    builds = await (await _releases()).builds()
    if as_json:
        print_json([_row(one) for one in builds])
        return
    if not builds:
        raise UserError(
            "no build is kept apart: workers do that with PERENNIAL_VERSIONING=auto-upgrade and a PERENNIAL_BUILD_ID"
        )
    show_table(("build", "since (UTC)", "stands", ">pinned runs", "knows"), [
        (one.id, one.since, "has the work" if one.current else one.status, one.pinned,
         "never said" if one.patches is None else counted(len(one.patches), "change")) for one in builds
    ])  # fmt: skip


def _row(build: Build) -> dict[str, object]:
    patches = None if build.patches is None else sorted(build.patches)
    since = build.since.isoformat() if build.since else None
    return {
        "build": build.id,
        "current": build.current,
        "status": build.status,
        "since": since,
        "pinned": build.pinned,
        "patches": patches,
    }


@app.command()
@waited
async def use(
    build: Annotated[str, typer.Argument(help="Its PERENNIAL_BUILD_ID, newer or older than what has the work.")],
) -> None:
    """Gives a build the work: on to a newer one, or back to an older one.

    What went ways of changed code that this build does not know stays with the build that it was with; keep that one's workers until
    `perennial release list` counts none there.
    """
    progress_console.print(
        f"Looking for runs that went ways which {build} does not know, for {LATE.total_seconds():.0f} seconds if there are such ways …"
    )
    moved = await (await _releases()).use(build)
    console.print(f"Build {build} has the work" + (f"; before, {moved.before} had it." if moved.before else "."))
    if moved.pinned:
        console.print(
            f"{counted(moved.pinned, 'run')} went new ways and stay with a build that knows them: keep its workers, and look at"
            " `perennial release list`."
        )
    if moved.stranded:
        raise UserError(
            f"no build that is known here can go on with {', '.join(moved.stranded[:5])} ({counted(len(moved.stranded), 'run')});"
            " start workers of the build that began them, then ask again"
        )
    if moved.freed:
        console.print(f"{counted(moved.freed, 'run')} that were pinned go on with {build}.")
