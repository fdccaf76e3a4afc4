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
from workers.cli.common import UserError, console, database, print_json, progress_console, run
from workers.cli.servers import IMPORTS_WAIT, connections
from workers.feeds.assets import AssetReport, import_assets
from workers.feeds.cases import CaseReport, import_cases
from workers.feeds.catalogues import CatalogueReport, import_catalogues
from workers.feeds.errors import FeedError
from workers.feeds.importing import CONCURRENCY, ImportReport, Progress, import_orders
from workers.feeds.usage import UsageReport, import_usage
from workers.settings import Settings

app = typer.Typer(no_args_is_help=True)

File = Annotated[Path, typer.Argument(help="CSV or JSON Lines, plain or gzipped.", show_default=False)]
Mapping = Annotated[Path | None, typer.Option(help="YAML that names a CSV's columns; a known feed needs none.")]
Rejects = Annotated[Path | None, typer.Option(help="Where lines that were not imported go. [FILE's name.rejects.csv]")]
Limit = Annotated[int | None, typer.Option(min=1, help="Only the first lines, and the rest of what is begun there.")]
Concurrency = Annotated[int, typer.Option(min=1, max=500, help="Customers at once.")]
AsJson = Annotated[bool, typer.Option("--json", help="The report as one JSON object on standard output.")]


@app.command()
def orders(
    file: File,
    mapping: Mapping = None,
    rejects: Rejects = None,
    limit: Limit = None,
    concurrency: Concurrency = CONCURRENCY,
    json: AsJson = False,
) -> None:
    """Takes over orders of the past with their true dates. Every line ends as imported or in the rejects file."""
    report = run(_orders(file, mapping, rejects or _beside(file), limit, concurrency))
    if json:
        print_json(asdict(report))
    else:
        _show(report, report.orders, f"{counted(report.orders, 'order')} of {counted(report.customers, 'customer')}")


@app.command()
def assets(
    file: File,
    mapping: Mapping = None,
    rejects: Rejects = None,
    concurrency: Concurrency = CONCURRENCY,
    json: AsJson = False,
) -> None:
    """Takes over an installed base: assets with their histories and contracts, each whole or not at all."""
    report = run(_assets(file, mapping, rejects or _beside(file), concurrency))
    if json:
        print_json(asdict(report))
    else:
        said = f"{counted(report.assets, 'asset')} and {counted(report.contracts, 'contract')} of {counted(report.accounts, 'account')}"
        _show(report, report.assets, said)


@app.command()
def usage(file: File, rejects: Rejects = None, json: AsJson = False) -> None:
    """Records how many users were active: account_id, product, day, active_users."""
    report = run(_usage(file, rejects or _beside(file)))
    if json:
        print_json(asdict(report))
    else:
        _show(report, report.accounts, f"usage of {counted(report.accounts, 'account')}")


@app.command()
def cases(
    file: File,
    mapping: Mapping = None,
    rejects: Rejects = None,
    limit: Limit = None,
    json: AsJson = False,
) -> None:
    """Takes over service cases from a log of their events, with their true dates. Sends nothing, needs no worker."""
    report = run(_cases(file, mapping, rejects or _beside(file), limit))
    if json:
        print_json(asdict(report))
    else:
        _show(report, report.cases, f"{counted(report.cases, 'case')} of {counted(report.customers, 'customer')}")


async def _cases(file: Path, mapping: Path | None, rejects: Path, limit: int | None) -> CaseReport:
    async with database() as pool:
        with bars() as progress, _feed_errors():
            return await import_cases(
                pool,
                file,
                mapping=mapping,
                rejects=rejects,
                as_of=present(),
                playbooks=Settings().playbooks or FOLDER,
                limit=limit,
                progress=progress,
            )


async def _orders(file: Path, mapping: Path | None, rejects: Path, limit: int | None, concurrency: int) -> ImportReport:
    async with connections(IMPORTS_WAIT) as up:
        with bars() as progress, _feed_errors():
            return await import_orders(
                up.client,
                up.pool,
                file,
                mapping=mapping,
                rejects=rejects,
                limit=limit,
                concurrency=concurrency,
                progress=progress,
            )


@app.command()
def catalogue(
    files: Annotated[list[Path], typer.Argument(help="Price pages in YAML or JSON, or folders of them.")],
    mapping: Annotated[
        Path | None, typer.Option(help="YAML that names a format's fields; a known one needs none.")
    ] = None,
    rejects: Annotated[Path, typer.Option(help="Where what was not imported goes.")] = Path("catalogue.rejects.jsonl"),
    json: AsJson = False,
) -> None:
    """Brings price pages in: products into the catalogue, prices into price books, each page an edition from its day on."""
    report = run(_catalogue(files, mapping, rejects))
    if json:
        print_json(asdict(report))
        return
    table = Table("items", "", title=f"{report.files} price pages", title_justify="left")
    table.columns[0].justify = "right"
    table.add_row(f"{report.imported:,}", f"imported: {report.editions} editions, {report.products} products written")
    for reason, count in report.reasons.items():
        table.add_row(f"{count:,}", f"rejected: {reason}", style="yellow")
    table.add_section()
    table.add_row(f"{report.items:,}", "plans and add-ons", style="bold")
    if report.editions_before:
        table.caption = f"{report.editions_before} editions were on record before"
    console.print(table)
    console.print(f"What was rejected, with reasons: {report.rejects_file}  ({report.seconds} s)")


async def _catalogue(files: list[Path], mapping: Path | None, rejects: Path) -> CatalogueReport:
    async with database() as pool:
        with bars() as progress, _feed_errors():
            return await import_catalogues(
                pool, files, rejects=rejects, as_of=present(), mapping=mapping, progress=progress
            )


async def _assets(file: Path, mapping: Path | None, rejects: Path, concurrency: int) -> AssetReport:
    async with connections(IMPORTS_WAIT) as up:
        with bars() as progress, _feed_errors():
            return await import_assets(
                up.client,
                up.pool,
                read_playbooks(up.settings.playbooks or FOLDER),
                file,
                mapping=mapping,
                rejects=rejects,
                concurrency=concurrency,
                progress=progress,
            )


async def _usage(file: Path, rejects: Path) -> UsageReport:
    async with connections(IMPORTS_WAIT) as up:
        with bars() as progress, _feed_errors():
            return await import_usage(up.client, file, rejects=rejects, progress=progress)


def _beside(file: Path) -> Path:
    """The rejects file in the current folder: the one of the input may not be ours to write to."""
    name = file.name.removesuffix(".gz")
    stem, dot, kind = name.rpartition(".")
    return Path(f"{stem}.rejects.{kind}" if dot else f"{name}.rejects")


@contextmanager
def _feed_errors() -> Iterator[None]:
    """A file that cannot be used is something that whoever runs the command can mend."""
    try:
        yield
    except FeedError as error:
        raise UserError(str(error)) from error


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


def _show(report: ImportReport | UsageReport | CaseReport | AssetReport, accepted: int, accepted_as: str) -> None:
    """The counts, which add up, as a table on standard output."""
    table = Table("lines", "", title=report.file, title_justify="left")
    table.columns[0].justify = "right"
    table.add_row(f"{report.imported:,}", f"imported: {accepted_as}" if accepted else "imported")
    for reason, count in report.reasons.items():
        table.add_row(f"{count:,}", f"rejected: {reason}", style="yellow")
    table.add_section()
    table.add_row(f"{report.lines:,}", "in the file", style="bold")
    if isinstance(report, ImportReport | CaseReport) and report.beyond_limit:
        table.add_row(f"{report.beyond_limit:,}", "not looked at: behind the limit")
    if isinstance(report, ImportReport) and report.orders_before:
        table.caption = f"{report.orders_before} orders were on record before"
    if isinstance(report, AssetReport) and report.assets_before:
        table.caption = f"{report.assets_before} assets were on record before"
    if isinstance(report, CaseReport):
        table.caption = f"{report.cases_before} cases were on record before, {report.still_open} are still open"
    console.print(table)
    console.print(f"Rejected lines with their reasons: {report.rejects_file}  ({report.seconds} s)")
