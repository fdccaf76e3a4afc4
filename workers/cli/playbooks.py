"""`perennial playbook …`: playbooks as files, before and as they are brought to customers."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable
from pathlib import Path
from typing import Annotated, Any

import typer
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeRemainingColumn

from activities.journey.rehearsals import Trial, keep, on_record, rehearsed
from activities.kernel.clock import present
from activities.playbooks import PlaybookError, read_playbook
from domain.frame.keys import StageId, StageKind, StepKey
from domain.frame.playbook import Playbook
from domain.kernel.calendar import MONTHS_IN_YEAR, add_months
from workers.cli.common import UserError, console, database, progress_console, waited
from workers.cli.output import Json, print_json, show_table
from workers.cli.servers import By, asker, connections

app = typer.Typer(no_args_is_help=True)
_SHOWN = 20
File = Annotated[Path, typer.Argument(help="A playbook in YAML.")]


@app.callback()
def playbooks() -> None:
    """Playbooks, what customers are promised: checked, tried on every customer, brought to them."""


@app.command()
def check(
    files: Annotated[list[Path], typer.Argument(help="Playbooks, one YAML file each.")], as_json: Json = False
) -> None:
    """Whether playbooks can be used: every fault by its file and line, and what would be right."""
    found = {file: _faults(file) for file in files}
    faults = [fault for said in found.values() for fault in said]
    if as_json:
        print_json([{"file": str(file), "usable": not said, "faults": said} for file, said in found.items()])
        if faults:
            raise typer.Exit(1)
        return
    for file, said in found.items():
        if not said:
            console.print(f"{file} can be used: {read_playbook(file).named}", highlight=False)
    if faults:
        raise UserError("\n".join(faults))


def _faults(file: Path) -> list[str]:
    try:
        read_playbook(file)
    except PlaybookError as error:
        return str(error).splitlines()
    return []


@app.command()
@waited
async def rehearse(
    file: File,
    portfolio: Annotated[
        bool, typer.Option("--portfolio", help="All customers of its segment, as it is kept for apply.")
    ] = False,
    account: Annotated[list[str] | None, typer.Option(help="These customers alone; nothing is kept.")] = None,
    as_json: Json = False,
) -> None:
    """What a playbook would add, drop and move in the next twelve months, for every customer; nobody is touched."""
    from gateway.trials import held, try_on_all

    if portfolio == bool(account):
        raise UserError("give --portfolio, or --account for some customers")
    playbook = read_playbook(file)
    async with database() as pool:
        async with pool.acquire() as connection:
            await _check_version(connection, playbook)
        accounts = [one for one in await held(pool, playbook.segment) if not account or one.account_id in account]
        if account and (unknown := sorted(set(account) - {one.account_id for one in accounts})):
            raise UserError(f"no account of segment {playbook.segment!r} is called {unknown[0]!r}")
        now = present()
        until = add_months(now.date(), MONTHS_IN_YEAR)
        trials: list[Trial] = []
        with _progress() as shown:
            task = shown.add_task(playbook.named, total=len(accounts))
            async for ready in try_on_all(_dsn(), playbook, accounts, now, until):
                trials += ready
                shown.advance(task, len(ready))
        trials.sort(key=lambda one: one.account_id)
        if portfolio:
            async with pool.acquire() as connection:
                await keep(connection, playbook, now, until, trials)
    if as_json:
        print_json(
            {
                "playbook": playbook.named,
                "until": until.isoformat(),
                **_sums(trials),
                "customers": [*map(_as_json, trials)],
            }
        )
        return
    _show(playbook, trials, len(accounts))


@app.command()
@waited
async def apply(
    file: File,
    batch: Annotated[int, typer.Option(min=1, max=1000, help="So many customers at a time.")] = 100,
    by: By = None,
    as_json: Json = False,
) -> None:
    """Brings a rehearsed playbook to its customers, by batches. It stops by itself before more changes than was rehearsed; asked
    for again, it goes on where it stopped."""
    from gateway.bringing import bring

    playbook = read_playbook(file)
    async with connections() as servers:
        async with servers.pool.acquire() as connection:
            asked_by = await asker(connection, by)
            await _check_version(connection, playbook)
            rehearsal = await rehearsed(connection, playbook)
        if rehearsal is None:
            raise UserError(
                f"{playbook.named} was not rehearsed as it is; `perennial playbook rehearse {file} --portfolio` does it"
            )
        brought: list[Trial] = []
        waiting: list[str] = []
        refused: dict[str, str] = {}
        try:
            async for done in bring(servers.client, servers.pool, playbook, rehearsal, asked_by, batch):
                brought += done.brought
                waiting += done.waiting
                refused |= done.refused
                if not as_json:
                    for one in sorted(done.brought, key=lambda one: one.account_id):
                        console.print(f"{one.account_id}: {_said(one)}", highlight=False, markup=False)
        finally:
            if not as_json:
                console.print(_ended(playbook, brought, waiting, refused), highlight=False)
    if as_json:
        ended = {"waiting": sorted(waiting), "refused": refused}
        print_json({"playbook": playbook.named, **_sums(brought), **ended, "customers": [*map(_as_json, brought)]})
    if refused:
        raise UserError("; ".join(f"{account}: {why}" for account, why in sorted(refused.items())[:_SHOWN]))


def _ended(playbook: Playbook, brought: list[Trial], waiting: list[str], refused: dict[str, str]) -> str:
    parts = [f"{playbook.named}: {len(brought):,} customers have it now"]
    if waiting:
        parts.append(f"{len(waiting):,} wait until their onboarding is over ({', '.join(sorted(waiting)[:5])})")
    if refused:
        parts.append(f"{len(refused):,} could not be given it")
    return "; ".join(parts)


async def _check_version(connection: Any, playbook: Playbook) -> None:
    known = await on_record(connection, playbook)
    if known is not None and known != playbook:
        raise UserError(f"{playbook.named} is on record with other content; a change raises the version")


def _dsn() -> str:
    from gateway.here import find_running
    from workers.cli.common import settings_of

    return settings_of(find_running()).database_url.get_secret_value()


def _progress() -> Progress:
    columns = (TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn(), TimeRemainingColumn())
    return Progress(*columns, console=progress_console, disable=not progress_console.is_terminal)


def _sums(trials: Iterable[Trial]) -> dict[str, int]:
    found = Counter[str]()
    for one in trials:
        found.update(
            adds=len(one.adds), drops=len(one.drops), moves=len(one.moves), asleep=len(one.asleep), waits=int(one.waits)
        )
    return {name: found[name] for name in ("adds", "drops", "moves", "asleep", "waits")}


def _said(one: Trial) -> str:
    if one.waits:
        return "waits until its onboarding is over"
    asleep = f" ({len(one.asleep)} whose condition does not hold today)" if one.asleep else ""
    return f"{len(one.adds)} added{asleep}, {len(one.drops)} dropped, {len(one.moves)} moved"


def _as_json(one: Trial) -> dict[str, Any]:
    return {
        "account": one.account_id,
        "version": one.version,
        "waits": one.waits,
        "adds": [{"step": key, "on": on, "asleep": one.asleep.get(key)} for key, on in one.adds.items()],
        "drops": [{"step": key, "on": on} for key, on in one.drops.items()],
        "moves": [{"step": key, "from": was, "on": on} for key, (was, on) in one.moves.items()],
    }


def _show(playbook: Playbook, trials: list[Trial], asked: int) -> None:
    sums = _sums(trials)
    console.print(
        f"{playbook.named}, tried on {len(trials):,} customers ({asked - len(trials):,} have it already or cannot be read):"
        f" {sums['adds']:,} steps added, {sums['asleep']:,} of them with a condition that does not hold today,"
        f" {sums['drops']:,} dropped, {sums['moves']:,} moved; {sums['waits']:,} customers wait until their onboarding is over.",
        highlight=False,
    )
    kinds = {
        name: Counter(_about(key) for one in trials for key in getattr(one, name))
        for name in ("adds", "drops", "moves")
    }
    rows = [
        (what, *(kinds[name][what] for name in kinds))
        for what in sorted({what for some in kinds.values() for what in some})
    ]
    show_table(("steps of", ">added", ">dropped", ">moved"), rows)
    changed = [one for one in trials if one.changes or one.waits]
    show_table(("customer", "what changes"), [(one.account_id, _said(one)) for one in changed[:_SHOWN]])
    if len(changed) > _SHOWN:
        console.print(f"… and {len(changed) - _SHOWN:,} more customers; --json has them all.")


def _about(key: str) -> str:
    """The kind of stage that a step is of; of a play its name as well."""
    stage = StageId.parse(StepKey.parse(key).stage)
    return str(stage) if stage.kind is StageKind.PLAY else stage.kind.value
