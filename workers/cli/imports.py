"""`perennial import`: orders, usage and cases from files."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import asdict
from pathlib import Path
from typing import Annotated

import typer
from rich.progress import BarColumn, MofNCompleteColumn, TaskID, TextColumn, TimeElapsedColumn, TimeRemainingColumn
from rich.progress import Progress as Bars
from rich.table import Table

from activities.kernel.clock import present
from activities.playbooks import FOLDER, read_playbooks
from domain.kernel.shown import counted
from workers.cli.common import console, database, progress_console, waited
from workers.cli.output import print_json, table
from workers.cli.servers import IMPORTS_WAIT, connections
from workers.feeds.assets import import_assets
from workers.feeds.cases import import_cases
from workers.feeds.catalogues import import_catalogues
from workers.feeds.importing import CONCURRENCY, Progress, import_orders
from workers.feeds.rejects import FileReport
from workers.feeds.usage import import_usage
from workers.settings import Settings

app = typer.Typer(no_args_is_help=True)

File = Annotated[Path, typer.Argument(help="CSV or JSON Lines, plain or gzipped.", show_default=False)]
Mapping = Annotated[Path | None, typer.Option(help="YAML that names a CSV's columns; a known feed needs none.")]
Rejects = Annotated[Path | None, typer.Option(help="Where lines that were not imported go. [FILE's name.rejects.csv]")]
Limit = Annotated[int | None, typer.Option(min=1, help="Only the first lines, and the rest of what is begun there.")]
Concurrency = Annotated[int, typer.Option(min=1, max=500, help="Customers at once.")]
AsJson = Annotated[bool, typer.Option("--json", help="The report as one JSON object on standard output.")]


@app.command()
@waited
async def orders(
    file: File,
    mapping: Mapping = None,
    rejects: Rejects = None,
    limit: Limit = None,
    concurrency: Concurrency = CONCURRENCY,
    json: AsJson = False,
) -> None:
    """Takes over orders of the past with their true dates. Every line ends as imported or in the rejects file."""
    async with connections(IMPORTS_WAIT) as up:
        with bars() as progress:
            report = await import_orders(
                up.client,
                up.pool,
                file,
                mapping=mapping,
                rejects=rejects or _beside(file),
                limit=limit,
                concurrency=concurrency,
                progress=progress,
            )
    said = f"{counted(report.orders, 'order')} of {counted(report.customers, 'customer')}"
    before = f"{report.orders_before} orders were on record before" if report.orders_before else ""
    _show(report, json, said if report.orders else "", before, report.beyond_limit)


@app.command()
@waited
async def assets(
    file: File,
    mapping: Mapping = None,
    rejects: Rejects = None,
    concurrency: Concurrency = CONCURRENCY,
    json: AsJson = False,
) -> None:
    """Takes over an installed base: assets with their histories and contracts, each whole or not at all."""
    async with connections(IMPORTS_WAIT) as up:
        with bars() as progress:
            report = await import_assets(
                up.client,
                up.pool,
                read_playbooks(up.settings.playbooks or FOLDER),
                file,
                mapping=mapping,
                rejects=rejects or _beside(file),
                concurrency=concurrency,
                progress=progress,
            )
    parts = (
        counted(report.assets, "asset"),
        counted(report.contracts, "contract"),
        counted(report.accounts, "account"),
    )
    before = f"{report.assets_before} assets were on record before" if report.assets_before else ""
    _show(report, json, "{} and {} of {}".format(*parts) if report.assets else "", before)


@app.command()
@waited
async def usage(file: File, rejects: Rejects = None, json: AsJson = False) -> None:
    """Records how many users were active: account_id, product, day, active_users, and feature, invited_users, activated_users,
    key_actions where a product knows them."""
    async with connections(IMPORTS_WAIT) as up:
        with bars() as progress:
            report = await import_usage(up.client, file, rejects=rejects or _beside(file), progress=progress)
    waiting = ""
    if kept := report.kept_for:
        more = f" and {len(kept) - 5} more" if len(kept) > 5 else ""
        waiting = f"no order has opened {', '.join(kept[:5])}{more}: what they use is kept, and counts once their first order comes"
    _show(report, json, f"usage of {counted(report.accounts, 'account')}" if report.accounts else "", waiting)


@app.command()
@waited
async def cases(
    file: File,
    mapping: Mapping = None,
    rejects: Rejects = None,
    limit: Limit = None,
    json: AsJson = False,
) -> None:
    """Takes over service cases from a log of their events, with their true dates. Sends nothing, needs no worker."""
    async with database() as pool:
        with bars() as progress:
            report = await import_cases(
                pool,
                file,
                mapping=mapping,
                rejects=rejects or _beside(file),
                as_of=present(),
                playbooks=Settings().playbooks or FOLDER,
                limit=limit,
                progress=progress,
            )
    said = f"{counted(report.cases, 'case')} of {counted(report.customers, 'customer')}"
    before = f"{report.cases_before} cases were on record before, {report.still_open} are still open"
    _show(report, json, said if report.cases else "", before, report.beyond_limit)


@app.command()
@waited
async def catalogue(
    files: Annotated[list[Path], typer.Argument(help="Price pages in YAML or JSON, or folders of them.")],
    mapping: Annotated[
        Path | None, typer.Option(help="YAML that names a format's fields; a known one needs none.")
    ] = None,
    rejects: Annotated[Path, typer.Option(help="Where what was not imported goes.")] = Path("catalogue.rejects.jsonl"),
    json: AsJson = False,
) -> None:
    """Brings price pages in: products into the catalogue, prices into price books, each page an edition from its day on."""
    async with database() as pool:
        with bars() as progress:
            report = await import_catalogues(
                pool, files, rejects=rejects, as_of=present(), mapping=mapping, progress=progress
            )
    if json:
        print_json(asdict(report))
        return
    said = f"imported: {report.editions} editions, {report.products} products written"
    total = (report.items, "plans and add-ons")
    shown = _counts("items", f"{report.files} price pages", (report.imported, said), report.reasons, total)
    if report.editions_before:
        shown.caption = f"{report.editions_before} editions were on record before"
    console.print(shown)
    console.print(f"What was rejected, with reasons: {report.rejects_file}  ({report.seconds} s)")


def _beside(file: Path) -> Path:
    """The rejects file in the current folder: the one of the input may not be ours to write to."""
    name = file.name.removesuffix(".gz")
    stem, dot, kind = name.rpartition(".")
    return Path(f"{stem}.rejects.{kind}" if dot else f"{name}.rejects")


@contextmanager
def bars() -> Iterator[Progress]:
    """A bar on standard error for each part of the work."""
    columns = (
        TextColumn("{task.description}"),
        BarColumn(),
        MofNCompleteColumn(),
        TimeElapsedColumn(),
        TimeRemainingColumn(),
    )
    with Bars(*columns, console=progress_console) as shown:
        tasks: dict[str, TaskID] = {}

        def end() -> None:
            """What was done is all there was to do."""
            for task in shown.tasks:
                shown.update(task.id, total=task.completed)

        def progress(what: str, done: int, total: int | None) -> None:
            if what not in tasks:
                end()  # one part of the work comes after the other
                tasks[what] = shown.add_task(what, total=total)
            shown.update(tasks[what], completed=done, total=total)

        yield progress
        end()


def _show(report: FileReport, json: bool, accepted: str, before: str = "", beyond: int = 0) -> None:
    """The counts, which add up, as a table on standard output. accepted: what the imported lines came to."""
    if json:
        print_json(asdict(report))
        return
    done = (report.imported, f"imported: {accepted}" if accepted else "imported")
    shown = _counts("lines", report.file, done, report.reasons, (report.lines, "in the file"))
    if beyond:
        shown.add_row(f"{beyond:,}", "not looked at: behind the limit")
    shown.caption = before or None
    console.print(shown)
    console.print(f"Rejected lines with their reasons: {report.rejects_file}  ({report.seconds} s)")


def _counts(what: str, title: str, done: tuple[int, str], reasons: dict[str, int], total: tuple[int, str]) -> Table:
    shown = table((f">{what}", ""), [done], title=title)
    for reason, count in reasons.items():
        shown.add_row(f"{count:,}", f"rejected: {reason}", style="yellow")
    shown.add_section()
    shown.add_row(f"{total[0]:,}", total[1], style="bold")
    return shown
