"""`perennial report ttv`: how long customers wait for first value and go-live, with the orders behind each figure."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from decimal import Decimal
from typing import Annotated, Any

import typer

from domain.success.value_report import OrderStart, TimeToValue
from gateway.views.reports.periods import last_year
from gateway.views.reports.ttv import COLUMNS, ttv_document
from gateway.views.reports.ttv import ttv as figures
from workers.cli.common import console, facts, waited
from workers.cli.drawings import bar
from workers.cli.output import Json, day, print_json, show_table, words

app = typer.Typer()

_DAY = ["%Y-%m-%d"]


@app.command()
@waited
async def ttv(
    since: Annotated[
        datetime | None, typer.Option("--from", formats=_DAY, help="The first day of an order; otherwise a year ago.")
    ] = None,
    until: Annotated[
        datetime | None, typer.Option("--to", formats=_DAY, help="The last day of an order; otherwise today.")
    ] = None,
    orders: Annotated[bool, typer.Option("--accounts", help="Each order behind the figures.")] = False,
    as_json: Json = False,
) -> None:
    """Time from the order to first value and to go-live: median, quartiles, how many in time, and whose waiting it was."""
    start, end = last_year(since.date() if since else None, until.date() if until else None)
    async with facts() as connection:
        found = await figures(connection, start, end)
    if as_json:
        print_json(ttv_document(start, end, found))
        return
    if not found:
        console.print(
            f"No order with an onboarding began between {start} and {end}; `--from 2026-01-01` looks further back."
        )
        return
    _show(found, f"Orders of {start} to {end}")
    if orders:
        rows = [_row(one) for group in found if not group.group for one in group.orders]
        names = (
            "!order",
            "!account",
            "segment",
            "",
            "began",
            ">days",
            ">target",
            ">for customer",
            ">for us",
            "what was reached",
        )
        show_table(names, rows)


def _show(found: Sequence[TimeToValue], title: str) -> None:
    """The figures of each group, and for each milestone how the orders are spread."""
    rows = []
    for group in found:
        low, middle, high = group.quartiles or (None, None, None)
        share = f"{group.in_time} of {len(group.orders)}"
        figures = (len(group.reached), *map(_number, (low, middle, high)), share, group.without_evidence)
        rows.append((words(group.milestone), group.group or "all", len(group.orders), *figures))
    names = ("", "orders", ">began", ">there", ">a quarter", ">median", ">three quarters", ">in time", ">no word on it")
    show_table(names, rows, title=f"{title}, in days")
    picture = []
    for group in found:
        if not group.group:
            spread = group.spread()
            most = Decimal(max([*spread, 1]))
            picture += [
                (words(group.milestone) if not place else "", name, count, bar(Decimal(count), most))
                for place, (name, count) in enumerate(zip(COLUMNS, spread, strict=True))
            ]
    show_table(("", "after", ">orders", ""), picture, title="How many took how long")


def _number(value: float | None) -> str:
    return "" if value is None else f"{value:g}"


def _row(one: OrderStart) -> tuple[Any, ...]:
    reached = "open" if one.open else "not reached" if one.days is None else one.days
    waits = (one.waited_for_customer or "", one.waited_for_us or "")
    where = (one.order_id, one.account_id, one.segment, words(one.milestone), day(one.started_on))
    return (*where, reached, one.target, *waits, one.evidence)
