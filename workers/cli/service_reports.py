"""`perennial report sla` and `report roi`: how promises to customers went, and what keeping them returns."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from datetime import datetime, timedelta
from decimal import Decimal
from itertools import accumulate
from pathlib import Path
from typing import Annotated

import typer
import yaml
from rich.box import SIMPLE_HEAD
from rich.table import Table

from domain.kernel.money import grouped, half_up
from domain.service.roi_report import GivenInputs, OwnData, RoiReport, read_inputs
from domain.service.sla_report import Attainment, Csat, SlaGroup, SlaReport
from gateway.views.reports.periods import instants
from gateway.views.reports.service import service, value
from workers.cli.common import UserError, console, facts, progress_console, waited
from workers.cli.drawings import bar, svg_bars, svg_lines
from workers.cli.output import Json, print_json, table, words

MOST_LINES = 15
DAY = timedelta(days=1)
HUNDRED = Decimal(100)

Since = Annotated[
    datetime | None, typer.Option("--from", formats=["%Y-%m-%d"], help="First day, UTC. [a year before --to]")
]
Until = Annotated[
    datetime | None, typer.Option("--to", formats=["%Y-%m-%d"], help="The day after the last one, UTC. [now]")
]
Chart = Annotated[Path | None, typer.Option(help="An SVG file to draw a chart into.", show_default=False)]


app = typer.Typer()


@app.command()
@waited
async def sla(since: Since = None, until: Until = None, chart: Chart = None, as_json: Json = False) -> None:
    """How promises to customers went: by milestone, priority, product and week, CSAT beside it, and who waited longest."""
    start, end = _period(since, until)
    async with facts() as connection:
        report = await service(connection, start, end)
    if chart is not None:
        _write(chart, svg_bars("Promises kept, by the week in which they began", "percent", _weeks(report)))
    if as_json:
        print_json(report.model_dump(mode="json"))
    else:
        _show_sla(report)


@app.command()
@waited
async def roi(
    inputs: Annotated[
        Path | None, typer.Option(help="YAML with inputs that you know better.", show_default=False)
    ] = None,
    since: Since = None,
    until: Until = None,
    chart: Chart = None,
    as_json: Json = False,
) -> None:
    """What service joined to sales returns: three scenarios, every input with its source, and what the own data says."""
    (start, end), given = _period(since, until), _given(inputs)
    async with facts() as connection:
        report = await value(connection, given, start, end)
    if chart is not None:
        flows = {result.scenario.name: list(accumulate(result.flow)) for result in report.results}
        _write(chart, svg_lines("Cumulated net by month", report.currency, flows))
    if as_json:
        print_json(report.model_dump(mode="json"))
    else:
        _show_roi(report)


def _period(since: datetime | None, until: datetime | None) -> tuple[datetime, datetime]:
    return instants(since.date() if since else None, until.date() if until else None)


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
        console.print(_groups(title, groups, [one.milestone for one in report.total.milestones]))
    if (more := len(report.by_product) - MOST_LINES) > 0:
        console.print(f"and {more} more products: see --json")
    rows = []
    for wait in report.waited_longest:
        still = "" if wait.state in ("met", "missed") else " (still)"
        what = f"{wait.case_id}: {words(wait.milestone)}, {wait.priority.value}"
        spans = (f"{wait.waited / DAY:.1f} d{still}", _open(wait.elapsed), _open(wait.target))
        rows.append((*spans, what, wait.company or "unknown"))
    console.print(table(("waited", "open", "promised", "case", "customer"), rows, title="Who waited longest"))


def _whole(group: SlaGroup) -> Table:
    names = ("promise", ">kept", ">in time", ">late", ">running", ">mean", ">longest")
    rows = [
        (
            words(one.milestone),
            _percent(one.percent),
            one.met,
            one.late,
            one.running,
            _open(one.mean),
            _open(one.longest),
        )
        for one in group.milestones
    ]
    return table(names, rows, title="Open time")


def _groups(title: str, groups: Sequence[SlaGroup], milestones: Sequence[str]) -> Table:
    rows = []
    for group in groups:
        found = {one.milestone: one for one in group.milestones}
        rows.append((group.label, *(_share(found.get(name)) for name in milestones), _csat(group.csat)))
    return table((title, *(f"{words(name)}: kept, late" for name in milestones), "CSAT"), rows, box=SIMPLE_HEAD)


def _share(one: Attainment | None) -> str:
    if one is None or one.percent is None:
        return "-"
    return f"{bar(one.percent, HUNDRED, 10):<10} {one.percent:5.1f} % {one.late:>6,}"


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
    figures = {name: getattr(report.inputs, name) for name in type(report.inputs).model_fields}
    rows = [(name, f"{figure.value:,f}", figure.source) for name, figure in figures.items()]
    console.print(table(("input", ">value", "where it comes from"), rows, title="Inputs"))
    console.print(table(("the company's own data", "before", "now"), _own_rows(report)))
    names = (f"{report.currency} over {report.months} months", *(f">{one.scenario.name}" for one in report.results))
    console.print(table(names, _result_rows(report), title="Scenarios"))
    _show_bars(report)


def _own_rows(report: RoiReport) -> list[tuple[str, str, str]]:
    def both(label: str, shown: Callable[[OwnData], str]) -> tuple[str, str, str]:
        return label, shown(report.before), shown(report.now)

    def amount(name: str, count: str = "") -> Callable[[OwnData], str]:
        def shown(own: OwnData) -> str:
            counted = f" ({getattr(own.revenue, count)})" if count else ""
            return grouped(getattr(own.revenue, name), report.currency) + counted

        return shown

    return [
        both("period", lambda own: f"{own.revenue.since:%Y-%m-%d} to {own.revenue.until:%Y-%m-%d}"),
        both("cases", lambda own: f"{own.service.cases:,}"),
        both("promises kept", lambda own: _kept(own.service)),
        both("CSAT", lambda own: _csat(own.service.total.csat)),
        both("ARR", amount("arr")),
        both("ARR at risk", amount("at_risk")),
        both("ARR renewed", amount("renewed", "renewals")),
        both("ARR lost", amount("lost", "losses")),
        both("kept of what was due", lambda own: _percent(own.revenue.kept_percent)),
        both("ARR of accepted offers", amount("expanded")),
        both("refunded on cases", amount("refunded")),
    ]


def _kept(service: SlaReport) -> str:
    shown = [
        f"{words(one.milestone)} {_percent(one.percent)}" for one in service.total.milestones if one.percent is not None
    ]
    return ", ".join(shown) or "-"


def _percent(value: Decimal | None) -> str:
    return "-" if value is None else f"{value:.1f} %"


def _result_rows(report: RoiReport) -> list[list[str]]:
    results, scenarios = report.results, [one.scenario for one in report.results]

    def amounts(label: str, values: Iterable[Decimal]) -> list[str]:
        return [label, *(grouped(value, report.currency) for value in values)]

    return [
        ["benefits that come true", *(f"{one.benefits_percent} %" for one in scenarios)],
        ["costs against plan", *(f"{one.costs_percent} %" for one in scenarios)],
        *(amounts(words(name), (one.benefits[name] for one in results)) for name in results[0].benefits),
        *(amounts(f"- {words(name)}", (one.costs[name] for one in results)) for name in results[0].costs),
        amounts("net", (one.net for one in results)),
        ["ROI", *("undefined" if one.roi_percent is None else f"{one.roi_percent:,.0f} %" for one in results)],
        [
            "paid back in month",
            *("not reached" if one.payback_month is None else str(one.payback_month) for one in results),
        ],
        amounts("net present value", (one.npv for one in results)),
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
