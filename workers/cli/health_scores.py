"""`perennial health explain` and `run`: why a customer's health score is what it is, and the look at the health of all."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from decimal import Decimal
from typing import TYPE_CHECKING, Annotated

import typer
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeRemainingColumn

from activities.kernel.clock import present
from activities.kernel.pool import Pool
from activities.success.scores import KeptScore, latest_scores
from domain.kernel.shown import counted
from gateway.here import NoServerError
from gateway.views.health import explained, tenth, would_change
from workers.cli.common import UserError, console, database, facts, progress_console, waited
from workers.cli.output import Json, day, minute, print_json, show_table, words

if TYPE_CHECKING:
    from activities.success.health_runs import HealthRun

app = typer.Typer()

_DAY = ["%Y-%m-%d"]


@app.command()
@waited
async def explain(
    account: str,
    at: Annotated[
        datetime | None,
        typer.Option(
            "--as-of", "--at", formats=_DAY, help="The score at the end of a day in UTC; otherwise the latest."
        ),
    ] = None,
    as_json: Json = False,
) -> None:
    """Why a customer's score is what it is: each input with its points, its weight and what it brings, and what would change it."""
    instant = at.replace(tzinfo=UTC) + timedelta(days=1) if at else None
    async with facts() as connection:
        scores = await latest_scores(connection, account, instant)
    if not scores:
        raise UserError(
            f"account {account!r} has no health score{f' at {minute(instant)}' if instant else ''}; `perennial journey list` names accounts,"
            " `perennial health run` scores those that were never scored"
        )
    now, before = scores[0], scores[1] if len(scores) > 1 else None
    if as_json:
        print_json(explained(account, scores).model_dump(mode="json"))
        return
    _show(account, now, before)


def _show(account: str, now: KeptScore, before: KeptScore | None) -> None:
    said = "unknown: less than half of the weight has data" if now.score is None else f"{now.score} of 100"
    since = f" since {day(now.since)}" if now.since else ""
    console.print(f"[bold]{account}[/bold]: {said}, {now.band}{since}, scored on {minute(now.at)}", highlight=False)
    for rule in now.rules:
        console.print(f"  {words(rule['name'])}: {rule['says']}.", highlight=False)
    if now.trend:
        points, falls = now.trend["points"], ", dropping" if now.trend["dropping"] else ""
        console.print(
            f"Against {now.trend['since']} ({now.trend['score']}): {points:+} points{falls}.", highlight=False
        )
    then = {part.name: its for part in (before.parts if before else ()) if (its := part.points) is not None}
    rows = [
        (
            words(part.name),
            part.points,
            part.weight,
            tenth(part.brings),
            _change(part.points, then.get(part.name)),
            part.says,
        )
        for part in now.parts
        if part.state != "absent"
    ]
    show_table(("input", ">points", ">weight", ">brings", ">change", "why"), rows)
    if any(part.state in ("missing", "stale") for part in now.parts):
        console.print("What is not known brings nothing, and its weight falls to the other inputs of its group.")
    for line in would_change(now):
        console.print(f"It would change with {line}.", highlight=False)
    if before:
        was = "unknown" if before.score is None else before.score
        console.print(f"Before, on {minute(before.at)}: {was}, {before.band}.", highlight=False)
    if now.profile:
        console.print(f"By profile {now.profile}, version {now.version}.", highlight=False)


def _change(now: Decimal | None, then: Decimal | None) -> str:
    return "" if now is None or then is None or now == then else f"{now - then:+}"


@app.command()
@waited
async def run(
    at: Annotated[
        datetime | None,
        typer.Option("--as-of", formats=_DAY, help="As of the end of a day in UTC; otherwise now."),
    ] = None,
    as_json: Json = False,
) -> None:
    """Scores the health of all customers now, as a schedule does every night, and tells the journeys whose band is another one."""
    instant = at.replace(tzinfo=UTC) + timedelta(days=1) if at else present()
    async with database() as pool:
        found = await _run(pool, instant)
    if as_json:
        print_json({"as_of": instant.isoformat(), **found.counts()})
        return
    bands = ", ".join(f"{many:,} {band}" for band, many in sorted(found.bands.items())) or "nobody"
    console.print(f"{counted(found.scored, 'customer')} scored as of {minute(instant)}: {bands}.", highlight=False)
    console.print(
        f"{found.written:,} scores are new on record, {counted(found.told, 'journey')} told.", highlight=False
    )
    if found.untold:
        console.print(
            f"{counted(found.untold, 'journey')} could not be told; the next look tells them.", highlight=False
        )


async def _run(pool: Pool, instant: datetime) -> HealthRun:
    from activities.success.health_runs import run_health
    from workers.cli.servers import temporal_client

    try:
        temporal = await temporal_client()
    except NoServerError as away:
        progress_console.print(f"{away}. Scores go on record; journeys hear of them by the next look.")
        temporal = None
    columns = (TextColumn("scoring"), BarColumn(), MofNCompleteColumn(), TimeRemainingColumn())
    with Progress(*columns, console=progress_console, disable=not progress_console.is_terminal) as shown:
        bar = shown.add_task("scoring", total=None)
        return await run_health(
            pool, temporal, instant, on_progress=lambda done, total: shown.update(bar, completed=done, total=total)
        )
