"""`perennial doctor --reconcile`: every customer's agenda against the facts, with progress; `--mend` brings both together."""

from __future__ import annotations

from collections.abc import Sequence
from contextlib import suppress
from typing import Any

import asyncpg
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeRemainingColumn

from activities.journey.figures import note_reconciliation
from activities.kernel.clock import present
from activities.kernel.pool import Pool
from domain.journey.comparing import DifferenceKind
from domain.kernel.shown import counted
from gateway.reconciling import Looked, Reconciler, Totals
from workers.attending import absence
from workers.cli.common import UserError, console, progress_console
from workers.cli.output import print_json
from workers.cli.servers import connections
from workers.redoing import Redo
from workers.wiring import build_activities

NOBODY = "(nobody known)"


async def reconcile(*, mend: bool, as_json: bool) -> bool:
    """Prints every difference, with `mend` what became of it; true if nothing is amiss now."""
    async with connections() as servers:
        settings = servers.settings
        if missing := await absence(servers.temporal, settings.task_queue):
            raise UserError(f"{missing}: journeys cannot say what is on their agendas; start `perennial worker` first")
        redo = Redo(build_activities(servers.pool, settings, servers.temporal))
        reconciler = Reconciler(servers.client, servers.cases, servers.pool, redo)
        totals = Totals(await reconciler.count())
        kept: list[Looked] = []
        columns = (TextColumn("Customers"), BarColumn(), MofNCompleteColumn(), TimeRemainingColumn())
        with Progress(*columns, console=progress_console, disable=not progress_console.is_terminal) as shown:
            bar = shown.add_task("", total=totals.customers)
            async for page in reconciler.pages(mend=mend):
                totals.add(page)
                shown.update(bar, completed=totals.looked)
                if as_json:
                    kept += [one for one in page if one.found]
                else:
                    _print(page)
        await _note(servers.pool, totals)
        if as_json:
            print_json(document(totals, kept, mended=mend))
        else:
            sum_up(totals, mend=mend)
        return totals.standing == 0


async def redo(*, leave_out: bool) -> bool:
    """Does once more what the histories know and the database has lost, with no worker at work; true if all of it could be done."""
    async with connections() as servers:
        settings = servers.settings
        if not await absence(servers.temporal, settings.task_queue):
            raise UserError(
                "workers are at work, and would decide on facts that lack what is to be done again; stop them, then run this again"
            )
        again = Redo(build_activities(servers.pool, settings, servers.temporal))
        reconciler = Reconciler(servers.client, servers.cases, servers.pool, again)
        total = 0
        async for account_id, done in reconciler.redo(leave_out=leave_out):
            total += done
            console.print(f"{account_id or NOBODY}: {counted(done, 'act')} done again")
        for account_id, why in reconciler.waiting.items():
            console.print(f"{account_id or NOBODY}: {_plain(why)}")
        console.print(_what_next(reconciler, total))
        return not (reconciler.paused or reconciler.waiting or reconciler.left)


def _what_next(reconciler: Reconciler, total: int) -> str:
    said = [f"{counted(total, 'act')} done again."]
    if reconciler.paused:
        whose = counted(len(reconciler.paused), "customer")
        said.append(
            f"Lost orders of {whose} are on record again: prices and usage of what they bought are taken from now on."
        )
    if reconciler.paused or reconciler.waiting:
        said.append("Bring prices and usage (import them again), then run this again.")
        said.append("With --leave-out nothing is waited for, and what cannot be done is left for a person.")
        return " ".join(said)
    next_ = "Start workers, then `perennial doctor --reconcile --mend`"
    if reconciler.left:
        left = ", ".join(one or NOBODY for one in reconciler.left)
        return f"{said[0]} {next_}, which says what could not be done of {left}."
    return f"{said[0]} {next_}."


async def _note(pool: Pool, totals: Totals) -> None:
    """What was found is a figure for whoever watches; a database that is of an earlier release keeps none."""
    with suppress(asyncpg.UndefinedTableError):
        async with pool.acquire() as connection:
            found = (totals.looked, totals.differences, totals.standing, totals.by_kind)
            await note_reconciliation(connection, present(), *found)


def _print(page: Sequence[Looked]) -> None:
    for one in page:
        standing, new = set(one.standing), one.new
        for difference in one.found:
            became = (
                "" if one.left is None else ("  [yellow]stands[/]" if difference in standing else "  [green]mended[/]")
            )
            console.print(f"{one.account_id or NOBODY}: {_plain(difference.says)}{became}")
        for difference in new:
            console.print(
                f"{one.account_id or NOBODY}: {_plain(difference.says)}  [yellow]came up while it was mended[/]"
            )


def _plain(text: str) -> str:
    return text.replace("[", "\\[")


def sum_up(totals: Totals, *, mend: bool) -> None:
    """Prints how many differences there are, of which kinds, and what becomes of them."""
    if not totals.differences:
        console.print(f"{counted(totals.looked, 'customer')}: every agenda follows from the facts.")
        return
    kinds = ", ".join(f"{count} {kind.replace('_', ' ')}" for kind, count in sorted(totals.by_kind.items()))
    console.print(f"{counted(totals.looked, 'customer')}, {counted(totals.differences, 'difference')}: {kinds}.")
    if set(totals.by_kind) == {DifferenceKind.UNREADABLE}:
        console.print("They are left for a person: mend the rows, then `perennial journey ask ACCOUNT resume`.")
    elif not mend:
        console.print("`perennial doctor --reconcile --mend` mends them.")
    elif totals.standing:
        console.print(f"{totals.standing:,} are left for a person.")
    else:
        console.print("All of them are mended.")


def document(totals: Totals, kept: Sequence[Looked], *, mended: bool) -> dict[str, Any]:
    """What was found as one JSON object; what `came_up` while others were mended stands."""
    return {
        "customers": totals.looked,
        "differences": totals.differences,
        "standing": totals.standing,
        "by_kind": totals.by_kind,
        "found": [
            {
                "account_id": one.account_id,
                "kind": difference.kind.value,
                "about": difference.about,
                "says": difference.says,
                **({"mended": difference not in one.standing} if mended else {}),
                **({"came_up": True} if difference in one.new else {}),
            }
            for one in kept
            for difference in (*one.found, *one.new)
        ],
    }
