"""`perennial report retention`: what is kept of recurring revenue and of customers, with the accounts behind each figure."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import UTC, date, datetime, time, timedelta
from decimal import Decimal
from typing import Annotated, Any

import typer

from activities.assets.portfolio import revenue_at
from activities.kernel.clock import present
from domain.kernel.money import grouped, half_up
from domain.success.retention import Cohort, RevenueRetention, cohorts, quarter_ends, revenue_retention
from workers.cli.common import UserError, console, facts, waited
from workers.cli.output import Json, print_json, show_table

app = typer.Typer()

_DAY = ["%Y-%m-%d"]
_QUARTERS = 8
"""So many quarters back cohorts are followed."""
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
    end = until.date() if until else present().date()
    start = since.date() if since else _a_year_before(end)
    if start >= end:
        raise UserError(f"--from {start} does not lie before --to {end}")
    ends = quarter_ends(end - timedelta(days=92 * _QUARTERS), end)
    days = list(dict.fromkeys([start, end, *ends]))
    async with facts() as connection:
        revenue = await revenue_at(connection, [datetime.combine(day, time(), UTC) for day in days])
    found = []
    for currency, at in revenue.items():
        by_day = dict(zip(days, at, strict=True))
        kept = revenue_retention(currency, by_day[start], by_day[end])
        if kept.movements:
            found.append((kept, cohorts(ends, [by_day[day] for day in ends])))
    if as_json:
        print_json({"from": start, "to": end, "currencies": [_as_json(*one) for one in found]})
        return
    if not found:
        console.print(f"No account had recurring revenue on {start} or on {end}.")
    for kept, of_quarters in found:
        _show(kept, of_quarters, start, end, accounts=accounts)


def _a_year_before(day: date) -> date:
    return day.replace(year=day.year - 1, day=28 if (day.month, day.day) == (2, 29) else day.day)


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


def _as_json(kept: RevenueRetention, of_quarters: Sequence[Cohort]) -> Mapping[str, Any]:
    cohort = kept.cohort
    return {
        "currency": kept.currency,
        "starting": str(cohort.starting),
        "churn": str(cohort.churn),
        "contraction": str(cohort.contraction),
        "expansion": str(cohort.expansion),
        "new": str(kept.new),
        "end": str(kept.end),
        "gross_percent": cohort.rates.gross_percent,
        "net_percent": cohort.rates.net_percent,
        "logo_percent": cohort.logo_percent,
        "from_existing_percent": kept.from_existing_percent,
        "accounts": [
            {"account_id": one.account_id, "kind": one.kind, "start": str(one.start), "end": str(one.end)}
            for one in kept.movements
        ],
        "cohorts": [one.model_dump(mode="json") for one in of_quarters],
    }
