"""`perennial report retention`: what is kept of recurring revenue and of customers, with the accounts behind each figure."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date, datetime
from decimal import Decimal
from typing import Annotated

import typer

from domain.kernel.money import grouped, half_up
from domain.success.retention import Cohort, RevenueRetention
from gateway.views.reports.periods import between
from gateway.views.reports.retention import retention as figures
from gateway.views.reports.retention import retention_document
from workers.cli.common import console, facts, waited
from workers.cli.output import Json, print_json, show_table

app = typer.Typer()

_DAY = ["%Y-%m-%d"]
_SHADES = " ░▒▓█"


@app.command()
@waited
async def retention(
    since: Annotated[
        datetime | None, typer.Option("--from", formats=_DAY, help="The first day; otherwise a year ago.")
    ] = None,
    until: Annotated[datetime | None, typer.Option("--to", formats=_DAY, help="The last day; otherwise today.")] = None,
    accounts: Annotated[bool, typer.Option("--accounts", help="Each account whose revenue moved.")] = False,
    as_json: Json = False,
) -> None:
    """Gross and net revenue retention, customers kept, the share of revenue from existing customers, and cohorts by quarter."""
    start, end = between(since.date() if since else None, until.date() if until else None)
    async with facts() as connection:
        found = await figures(connection, start, end)
    if as_json:
        print_json(retention_document(start, end, found))
        return
    if not found:
        console.print(f"No account had recurring revenue on {start} or on {end}.")
    for kept, of_quarters in found:
        _show(kept, of_quarters, start, end, accounts=accounts)


def _percent(value: Decimal | None) -> str:
    return "" if value is None else f"{half_up(1).apply(value)} %"


def _show(kept: RevenueRetention, of_quarters: Sequence[Cohort], start: date, end: date, *, accounts: bool) -> None:
    """The figures of a currency, the accounts if they are asked for, and its cohorts as a picture."""
    cohort, currency = kept.cohort, kept.currency

    def money(amount: Decimal) -> str:
        return grouped(amount, currency)

    rows = [
        (f"MRR on {start}", money(cohort.starting), ""),
        ("lost with customers who left", money(-cohort.churn), ""),
        ("lost with customers who stayed", money(-cohort.contraction), ""),
        (
            "gross revenue retention",
            money(cohort.starting - cohort.churn - cohort.contraction),
            _percent(cohort.rates.gross_percent),
        ),
        ("more from customers who stayed", money(cohort.expansion), ""),
        ("net revenue retention", money(kept.end - kept.new), _percent(cohort.rates.net_percent)),
        ("new customers", money(kept.new), ""),
        (f"MRR on {end}", money(kept.end), ""),
        ("of it from existing customers", money(kept.end - kept.new), _percent(kept.from_existing_percent)),
        ("customers kept", "", _percent(cohort.logo_percent)),
    ]
    show_table(("", f">{currency} a month", ">"), rows, title=f"Retention in {currency}, from {start} to {end}")
    if accounts:
        moved = [one for one in kept.movements if one.kind != "kept"]
        lines = [
            (one.account_id, one.kind, money(one.start), money(one.end), money(one.end - one.start)) for one in moved
        ]
        show_table(("!account", "", ">before", ">after", ">change"), lines, "Nobody's revenue moved.")
    if of_quarters:
        width = max(len(one.revenue) for one in of_quarters)
        grid = [
            (one.quarter, one.customers[0], *map(_shaded, _shares(one)), *[""] * (width - len(one.revenue)))
            for one in of_quarters
        ]
        names = ("began", ">customers", *(f">Q{at}" if at else ">begin" for at in range(width)))
        show_table(
            names, grid, title=f"Cohorts in {currency}: what is left of the revenue of those who began in a quarter"
        )


def _shares(cohort: Cohort) -> list[Decimal]:
    return [amount / cohort.revenue[0] * 100 for amount in cohort.revenue]


def _shaded(percent: Decimal) -> str:
    return f"{_SHADES[min(4, int(percent / 25))]} {half_up().apply(percent)} %"
