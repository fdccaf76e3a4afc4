"""`perennial report ttv`: how long customers wait for first value and go-live, with the orders behind each figure."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime, timedelta
from decimal import Decimal
from typing import Annotated, Any

import typer

from activities.kernel.clock import present
from activities.success.value_reports import order_starts
from domain.success.value_report import BOUNDS, OrderStart, TimeToValue, times_to_value
from workers.cli.common import UserError, console, facts, waited
from workers.cli.drawings import bar
from workers.cli.output import Json, day, print_json, show_table, words

app = typer.Typer()

_DAY = ["%Y-%m-%d"]
_COLUMNS = (*(f"up to {bound} days" for bound in BOUNDS), f"more than {BOUNDS[-1]}")


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
    now = present()
    end = until.date() if until else now.date()
    start = since.date() if since else end - timedelta(days=365)
    if start > end:
        raise UserError(f"--from {start} lies after --to {end}")
    async with facts() as connection:
        found = times_to_value(await order_starts(connection, start, end, now))
    if as_json:
        print_json({"from": start, "to": end, "figures": list(map(_as_json, found))})
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
                for place, (name, count) in enumerate(zip(_COLUMNS, spread, strict=True))
            ]
    show_table(("", "after", ">orders", ""), picture, title="How many took how long")


def _number(value: float | None) -> str:
    return "" if value is None else f"{value:g}"


def _row(one: OrderStart) -> tuple[Any, ...]:
    reached = "open" if one.open else "not reached" if one.days is None else one.days
    waits = (one.waited_for_customer or "", one.waited_for_us or "")
    where = (one.order_id, one.account_id, one.segment, words(one.milestone), day(one.started_on))
    return (*where, reached, one.target, *waits, one.evidence)


def _as_json(group: TimeToValue) -> dict[str, Any]:
    quartiles = dict(zip(("quarter", "median", "three_quarters"), group.quartiles or (None, None, None), strict=True))
    return {
        "milestone": group.milestone,
        "group": group.group or None,
        "began": len(group.orders),
        "reached": len(group.reached),
        **quartiles,
        "in_time": group.in_time,
        "without_evidence": group.without_evidence,
        "spread": dict(zip(_COLUMNS, group.spread(), strict=True)),
        "orders": [
            {**one.model_dump(mode="json", exclude={"milestone"}), "in_time": one.in_time, "waited": one.waited}
            for one in group.orders
        ],
    }
