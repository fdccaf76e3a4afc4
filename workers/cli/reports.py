"""`perennial report …`: figures over many customers."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable
from datetime import UTC, datetime
from decimal import Decimal
from typing import Annotated, Any

import typer
from rich.table import Table

from activities.assets.portfolio import PortfolioLine, portfolio_at
from activities.kernel.clock import present
from domain.kernel.calendar import MONTHS_IN_YEAR
from domain.kernel.money import grouped
from workers.cli.common import console, database, print_json, run
from workers.cli.loading import opened


def prices() -> typer.Typer:
    """What a price book asks on one day and on another, and what renewing all that is held at the later prices brings."""
    from workers.cli.price_reports import app

    return app


def sla() -> typer.Typer:
    """How promises to customers went: by milestone, priority, product and week, CSAT beside it, and who waited longest."""
    from workers.cli.service_reports import app

    return app


def roi() -> typer.Typer:
    """What service joined to sales returns: three scenarios, every input with its source, and what the own data says."""
    from workers.cli.service_reports import app

    return app


app = opened(typer.Typer(no_args_is_help=True), prices, sla, roi)

Json = Annotated[bool, typer.Option("--json", help="As one JSON object on standard output.")]
At = Annotated[
    datetime | None, typer.Option("--at", formats=["%Y-%m-%d"], help="The start of a day in UTC; otherwise now.")
]


@app.command()
def portfolio(at: At = None, as_json: Json = False) -> None:
    """Assets in force at a date with MRR and ARR, by currency, segment and product."""
    run(_portfolio(at.replace(tzinfo=UTC) if at else present(), as_json))


async def _portfolio(at: datetime, as_json: bool) -> None:
    async with database() as pool, pool.acquire() as connection:
        lines = await portfolio_at(connection, at)
    sums = _sums(lines)
    if as_json:
        print_json({"at": at.isoformat(), "lines": [_as_json(line) for line in lines], "totals": sums})
        return
    if not lines:
        console.print(f"Nothing is in force at {at.isoformat()}; `--at 2027-01-31` asks for another day.")
        return
    table = Table(
        "currency",
        "segment",
        "product",
        "assets",
        "units",
        "MRR",
        "ARR",
        title=f"Portfolio on {at:%Y-%m-%d}",
        title_justify="left",
    )
    for column in table.columns[3:]:
        column.justify, column.no_wrap = "right", True
    for line in lines:
        table.add_row(line.currency, line.segment, line.product, *_figures(line.currency, line))
    table.add_section()
    for total in sums:
        mrr = grouped(Decimal(total["mrr"]), total["currency"])
        arr = grouped(Decimal(total["arr"]), total["currency"])
        table.add_row(total["currency"], "", "all", f"{total['assets']:,}", f"{total['quantity']:,}", mrr, arr)
    console.print(table)
    if unpriced := sum(line.unpriced for line in lines):
        console.print(f"{unpriced} assets have no price; they count, but bring no MRR.")


def _figures(currency: str, line: PortfolioLine) -> list[str]:
    return [
        f"{line.assets:,}",
        f"{line.quantity:,}",
        grouped(line.mrr, currency),
        grouped(line.arr, currency),
    ]


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
