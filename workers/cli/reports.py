"""`perennial report …`: figures over many customers."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable
from datetime import UTC, datetime
from decimal import Decimal
from typing import Annotated, Any

import typer

from activities.assets.portfolio import PortfolioLine, portfolio_at
from activities.kernel.clock import present
from domain.kernel.calendar import MONTHS_IN_YEAR
from domain.kernel.money import grouped
from workers.cli.common import console, facts, waited
from workers.cli.loading import opened
from workers.cli.output import Json, print_json, table


def prices() -> typer.Typer:
    """What a price book asks on one day and on another, and what renewing all that is held at the later prices brings."""
    from workers.cli.price_reports import app

    return app


def renewals() -> typer.Typer:
    """Renewals due by month and category, with what they are likely to bring, and those at risk or lost with the reason."""
    from workers.cli.renewal_reports import app

    return app


def retention() -> typer.Typer:
    """Gross and net revenue retention, customers kept, the share of revenue from existing customers, and cohorts by quarter."""
    from workers.cli.retention_reports import app

    return app


def adoption() -> typer.Typer:
    """Seats in use, users who came as far as the product is for, features used, and the trend, by product and segment."""
    from workers.cli.adoption_reports import app

    return app


def cross_sell() -> typer.Typer:
    """What is bought together, what of it to suggest, and how often suggestions would have come true on your own past."""
    from workers.cli.cross_sell_reports import app

    return app


def ttv() -> typer.Typer:
    """Time from the order to first value and to go-live: median, quartiles, how many in time, and whose waiting it was."""
    from workers.cli.value_reports import app

    return app


def surveys() -> typer.Typer:
    """What customers answered: NPS, ease of beginning and content with cases, how many answered, and how answers are spread."""
    from workers.cli.survey_reports import app

    return app


def sla() -> typer.Typer:
    """How promises to customers went: by milestone, priority, product and week, CSAT beside it, and who waited longest."""
    from workers.cli.service_reports import app

    return app


def roi() -> typer.Typer:
    """What service joined to sales returns: three scenarios, every input with its source, and what the own data says."""
    from workers.cli.service_reports import app

    return app


app = opened(
    typer.Typer(no_args_is_help=True), prices, renewals, retention, adoption, ttv, surveys, cross_sell, sla, roi
)

At = Annotated[
    datetime | None, typer.Option("--at", formats=["%Y-%m-%d"], help="The start of a day in UTC; otherwise now.")
]


@app.command()
@waited
async def portfolio(at: At = None, as_json: Json = False) -> None:
    """Assets in force at a date with MRR and ARR, by currency, segment and product."""
    day = at.replace(tzinfo=UTC) if at else present()
    async with facts() as connection:
        lines = await portfolio_at(connection, day)
    sums = _sums(lines)
    if as_json:
        print_json({"at": day.isoformat(), "lines": [_as_json(line) for line in lines], "totals": sums})
        return
    if not lines:
        console.print(f"Nothing is in force at {day.isoformat()}; `--at 2027-01-31` asks for another day.")
        return
    names = ("currency", "segment", "product", ">assets", ">units", ">MRR", ">ARR")
    rows = [
        (one.currency, one.segment, one.product, one.assets, one.quantity, *_amounts(one.mrr, one.arr, one.currency))
        for one in lines
    ]
    shown = table(names, rows, title=f"Portfolio on {day:%Y-%m-%d}")
    shown.add_section()
    for total in sums:
        amounts = _amounts(Decimal(total["mrr"]), Decimal(total["arr"]), total["currency"])
        shown.add_row(total["currency"], "", "all", f"{total['assets']:,}", f"{total['quantity']:,}", *amounts)
    console.print(shown)
    if unpriced := sum(line.unpriced for line in lines):
        console.print(f"{unpriced} assets have no price; they count, but bring no MRR.")


def _amounts(mrr: Decimal, arr: Decimal, currency: str) -> tuple[str, str]:
    return grouped(mrr, currency), grouped(arr, currency)


def _as_json(line: PortfolioLine) -> dict[str, Any]:
    return {
        "product": line.product_code,
        "name": line.product,
        "segment": line.segment,
        "currency": line.currency,
        "assets": line.assets,
        "quantity": line.quantity,
        "mrr": str(line.mrr),
        "arr": str(line.arr),
        "unpriced": line.unpriced,
    }


def _sums(lines: Iterable[PortfolioLine]) -> list[dict[str, Any]]:
    """One line per currency: amounts in different ones are never added."""
    by_currency: dict[str, list[PortfolioLine]] = defaultdict(list)
    for line in lines:
        by_currency[line.currency].append(line)
    found = []
    for currency, own in sorted(by_currency.items()):
        mrr = sum((line.mrr for line in own), Decimal(0))
        found.append(
            {
                "currency": currency,
                "assets": sum(line.assets for line in own),
                "quantity": sum(line.quantity for line in own),
                "mrr": str(mrr),
                "arr": str(mrr * MONTHS_IN_YEAR),
            }
        )
    return found
