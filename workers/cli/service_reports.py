"""`perennial report sla` and `report roi`: how promises to customers went, and what keeping them returns."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from pathlib import Path
from typing import Annotated, Any

import typer
import yaml
from rich.box import SIMPLE_HEAD
from rich.markup import escape
from rich.table import Table

from activities.kernel.clock import present
from activities.kernel.pool import Connection
from activities.service.service_reports import main_currency, own_revenue, sla_report
from domain.kernel.money import grouped, half_up
from domain.service.roi import Roi
from domain.service.roi_report import GivenInputs, OwnData, RoiReport, read_inputs, roi_report
from domain.service.sla_report import Attainment, Csat, SlaGroup, SlaReport
from workers.cli.common import UserError, console, database, print_json, progress_console, run
from workers.cli.drawings import bar, svg_bars, svg_lines

MOST_LINES = 15
DAY, YEAR = timedelta(days=1), timedelta(days=365)
HUNDRED = Decimal(100)

Json = Annotated[bool, typer.Option("--json", help="As one JSON object on standard output.")]
Since = Annotated[
    datetime | None, typer.Option("--from", formats=["%Y-%m-%d"], help="First day, UTC. [a year before --to]")
]
Until = Annotated[
    datetime | None, typer.Option("--to", formats=["%Y-%m-%d"], help="The day after the last one, UTC. [now]")
]
Chart = Annotated[Path | None, typer.Option(help="An SVG file to draw a chart into.", show_default=False)]


app = typer.Typer()


@app.command()
def sla(since: Since = None, until: Until = None, chart: Chart = None, as_json: Json = False) -> None:
    """How promises to customers went: by milestone, priority, product and week, CSAT beside it, and who waited longest."""
    start, end = _period(since, until)
    report = run(_sla(start, end))
    if chart is not None:
        _write(chart, svg_bars("Promises kept, by the week in which they began", "percent", _weeks(report)))
    if as_json:
        print_json(report.model_dump(mode="json"))
    else:
        _show_sla(report)


@app.command()
def roi(
    inputs: Annotated[
        Path | None, typer.Option(help="YAML with inputs that you know better.", show_default=False)
    ] = None,
    since: Since = None,
    until: Until = None,
    chart: Chart = None,
    as_json: Json = False,
) -> None:
    """What service joined to sales returns: three scenarios, every input with its source, and what the own data says."""
    start, end = _period(since, until)
    report = run(_roi(_given(inputs), start, end))
    if chart is not None:
        flows = {result.scenario.name: _cumulated(result) for result in report.results}
        _write(chart, svg_lines("Cumulated net by month", report.currency, flows))
    if as_json:
        print_json(report.model_dump(mode="json"))
    else:
        _show_roi(report)


def _period(since: datetime | None, until: datetime | None) -> tuple[datetime, datetime]:
    end = until.replace(tzinfo=UTC) if until else present()
    start = since.replace(tzinfo=UTC) if since else end - YEAR
    if start >= end:
        raise UserError(f"the period from {start:%Y-%m-%d} to {end:%Y-%m-%d} has no day in it; give an earlier --from")
    return start, end


def _given(file: Path | None) -> GivenInputs:
    if file is None:
        return GivenInputs()
    try:
        return read_inputs(yaml.safe_load(file.read_text(encoding="utf-8")))
    except yaml.YAMLError as error:
        raise UserError(f"{file} is no YAML: {error}") from error


def _write(file: Path, content: str) -> None:
    file.write_text(content, encoding="utf-8")
    progress_console.print(f"Chart: {file}", highlight=False)


async def _sla(since: datetime, until: datetime) -> SlaReport:
    async with database() as pool, pool.acquire() as connection:
        return await sla_report(connection, since, until, as_of=present())


async def _roi(given: GivenInputs, since: datetime, until: datetime) -> RoiReport:
    async with database() as pool, pool.acquire() as connection:
        currency = given.currency or await main_currency(connection, until) or "EUR"
        now = await _own(connection, currency, since, until)
        before = await _own(connection, currency, since - (until - since), since)
    return roi_report(given, now, before)


async def _own(connection: Connection, currency: str, since: datetime, until: datetime) -> OwnData:
    return OwnData(
        revenue=await own_revenue(connection, currency, since, until),
        service=await sla_report(connection, since, until, as_of=until),
    )


# Promises


def _show_sla(report: SlaReport) -> None:
    span = f"{report.since:%Y-%m-%d} to {report.until:%Y-%m-%d}"
    console.print(f"[bold]Promises of {report.cases:,} cases, {span}[/bold]   CSAT {_csat(report.total.csat)}")
    if not report.total.milestones:
        console.print("No promise began in this period; give another one with --from and --to.")
        return
    console.print(_whole(report.total))
    for title, groups in (
        ("priority", report.by_priority),
        ("week of", report.by_week),
        ("product", report.by_product[:MOST_LINES]),
    ):
        console.print(_table(title, groups, [one.milestone for one in report.total.milestones]))
    if (more := len(report.by_product) - MOST_LINES) > 0:
        console.print(f"and {more} more products: see --json")
    waits = Table("waited", "open", "promised", "case", "customer", title="Who waited longest", title_justify="left")
    for wait in report.waited_longest:
        what = f"{wait.case_id}: {_words(wait.milestone)}, {wait.priority.value}"
        still = "" if wait.state in ("met", "missed") else " (still)"
        waits.add_row(
            f"{wait.waited / DAY:.1f} d{still}",
            _open(wait.elapsed),
            _open(wait.target),
            what,
            escape(wait.company or "unknown"),
        )
    console.print(waits)


def _whole(group: SlaGroup) -> Table:
    table = Table(
        "promise", "kept", "in time", "late", "running", "mean", "longest", title="Open time", title_justify="left"
    )
    for column in table.columns[1:]:
        column.justify = "right"
    for one in group.milestones:
        figures = (f"{one.met:,}", f"{one.late:,}", f"{one.running:,}", _open(one.mean), _open(one.longest))
        table.add_row(_words(one.milestone), _percent(one.percent), *figures)
    return table


def _table(title: str, groups: Sequence[SlaGroup], milestones: Sequence[str]) -> Table:
    table = Table(title, *(f"{_words(name)}: kept, late" for name in milestones), "CSAT", box=SIMPLE_HEAD)
    for group in groups:
        found = {one.milestone: one for one in group.milestones}
        table.add_row(escape(group.label), *(_share(found.get(name)) for name in milestones), _csat(group.csat))
    return table


def _share(one: Attainment | None) -> str:
    if one is None or one.percent is None:
        return "-"
    return f"{bar(one.percent, HUNDRED, 10):<10} {one.percent:5.1f} % {one.late:>6,}"


def _words(name: str) -> str:
    return name.replace("_", " ")


def _csat(said: Csat) -> str:
    if said.responses == 0:
        return "-"
    counts = f"{said.satisfied} of {said.responses}"
    return counts if said.percent is None else f"{said.percent} % ({counts})"


def _open(span: timedelta | None) -> str:
    """Open time in hours and minutes: its days are shorter than those of a clock."""
    if span is None:
        return "-"
    minutes = span // timedelta(minutes=1)
    return f"{minutes // 60:,}:{minutes % 60:02} h"


def _weeks(report: SlaReport) -> dict[str, Decimal]:
    found = {}
    for group in report.by_week:
        met = sum(one.met for one in group.milestones)
        decided = met + sum(one.late for one in group.milestones)
        if decided:
            found[group.label] = half_up(1).apply(Decimal(met) / decided * HUNDRED)
    return found


# The return


def _show_roi(report: RoiReport) -> None:
    inputs = Table("input", "value", "where it comes from", title="Inputs", title_justify="left")
    inputs.columns[1].justify = "right"
    for name in type(report.inputs).model_fields:
        figure = getattr(report.inputs, name)
        inputs.add_row(name, f"{figure.value:,f}", figure.source)
    console.print(inputs)
    console.print(_own_table(report))
    names = [result.scenario.name for result in report.results]
    table = Table(f"{report.currency} over {report.months} months", *names, title="Scenarios", title_justify="left")
    for column in table.columns[1:]:
        column.justify = "right"
    for label, values in _result_rows(report):
        table.add_row(label, *values)
    console.print(table)
    _show_bars(report)


def _own_table(report: RoiReport) -> Table:
    table = Table("the company's own data", "before", "now", title_justify="left")
    for row in (
        (
            "period",
            *(f"{one.revenue.since:%Y-%m-%d} to {one.revenue.until:%Y-%m-%d}" for one in (report.before, report.now)),
        ),
        *_own_rows(report.before, report.now, report.currency),
    ):
        table.add_row(*row)
    return table


def _own_rows(before: OwnData, now: OwnData, currency: str) -> list[tuple[str, str, str]]:
    def both(label: str, *shown: str) -> tuple[str, str, str]:
        return label, shown[0], shown[1]

    pair = (before, now)
    return [
        both("cases", *(f"{one.service.cases:,}" for one in pair)),
        both("promises kept", *(_kept(one.service) for one in pair)),
        both("CSAT", *(_csat(one.service.total.csat) for one in pair)),
        both("ARR", *(grouped(one.revenue.arr, currency) for one in pair)),
        both("ARR at risk", *(grouped(one.revenue.at_risk, currency) for one in pair)),
        both("ARR renewed", *(f"{grouped(one.revenue.renewed, currency)} ({one.revenue.renewals})" for one in pair)),
        both("ARR lost", *(f"{grouped(one.revenue.lost, currency)} ({one.revenue.losses})" for one in pair)),
        both("kept of what was due", *(_percent(one.revenue.kept_percent) for one in pair)),
        both("ARR of accepted offers", *(grouped(one.revenue.expanded, currency) for one in pair)),
        both("refunded on cases", *(grouped(one.revenue.refunded, currency) for one in pair)),
    ]


def _kept(service: SlaReport) -> str:
    shown = [
        f"{_words(one.milestone)} {_percent(one.percent)}"
        for one in service.total.milestones
        if one.percent is not None
    ]
    return ", ".join(shown) or "-"


def _percent(value: Decimal | None) -> str:
    return "-" if value is None else f"{value:.1f} %"


def _result_rows(report: RoiReport) -> list[tuple[str, list[str]]]:
    results, currency = report.results, report.currency

    def row(label: str, *values: Any) -> tuple[str, list[str]]:
        return label, [grouped(value, currency) if isinstance(value, Decimal) else value for value in values]

    rows = [
        row("benefits that come true", *(f"{one.scenario.benefits_percent} %" for one in results)),
        row("costs against plan", *(f"{one.scenario.costs_percent} %" for one in results)),
    ]
    rows += [row(_words(name), *(one.benefits[name] for one in results)) for name in results[0].benefits]
    rows += [row(f"- {_words(name)}", *(one.costs[name] for one in results)) for name in results[0].costs]
    return [
        *rows,
        row("net", *(one.net for one in results)),
        row("ROI", *("undefined" if one.roi_percent is None else f"{one.roi_percent:,.0f} %" for one in results)),
        row(
            "paid back in month", *("not reached" if m is None else str(m) for m in (r.payback_month for r in results))
        ),
        row("net present value", *(one.npv for one in results)),
    ]


def _show_bars(report: RoiReport) -> None:
    most = max((abs(result.net) for result in report.results), default=Decimal(0))
    for result in report.results:
        sign = "" if result.net >= 0 else "-"
        colour = "green" if result.net >= 0 else "red"
        drawn = bar(abs(result.net), most, 40)
        console.print(
            f"{result.scenario.name:<12} [{colour}]{sign}{drawn}[/{colour}] {grouped(result.net, report.currency)}"
        )


def _cumulated(result: Roi) -> list[Decimal]:
    reached, found = Decimal(0), []
    for amount in result.flow:
        reached += amount
        found.append(reached)
    return found
