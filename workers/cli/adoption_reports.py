"""`perennial report adoption`: how much of what was bought is used, with the accounts behind each figure."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import UTC, datetime
from decimal import Decimal
from typing import Annotated, Any

import typer

from activities.kernel.clock import present
from domain.kernel.money import half_up
from domain.kernel.shown import counted
from domain.success.adoption_report import AdoptionFigures, ProductUse, Reported
from gateway.views.reports.adoption import FIFTHS, adoption_document
from gateway.views.reports.adoption import adoption as figures
from workers.cli.common import console, facts, waited
from workers.cli.drawings import bar
from workers.cli.output import Json, day, print_json, show_table

app = typer.Typer()


@app.command()
@waited
async def adoption(
    at: Annotated[
        datetime | None, typer.Option("--at", formats=["%Y-%m-%d"], help="The start of a day in UTC; otherwise now.")
    ] = None,
    accounts: Annotated[bool, typer.Option("--accounts", help="Each account behind the figures.")] = False,
    as_json: Json = False,
) -> None:
    """Seats in use, users who came as far as the product is for, features used, and the trend, by product and segment."""
    instant = at.replace(tzinfo=UTC) if at else present()
    async with facts() as connection:
        found, waiting = await figures(connection, instant)
    if as_json:
        print_json(adoption_document(instant, found, waiting))
        return
    if not found:
        console.print(
            f"Nobody has seats of a subscription at {instant.isoformat()}; `--at 2027-01-31` asks for another day."
        )
    else:
        _show(found, instant)
    if accounts:
        rows = [_row(use) for one in found if one.segment for use in one.uses]
        show_table(("!account", "segment", "product", ">seats", *_NAMES, "last reported", ""), rows)
    for one in waiting:
        days = counted(one["days"], "day")
        console.print(
            f"No order has opened account {one['account_id']}: its use of {days}, up to {one['last']}, waits for one."
        )


_NAMES = (">active", ">in use", ">activated", ">breadth", ">trend")


def _show(found: Sequence[AdoptionFigures], instant: datetime) -> None:
    """The figures, and for each product how its accounts are spread."""
    rows = [
        (
            one.product,
            one.segment or "all",
            len(one.fresh),
            len(one.uses) - len(one.fresh),
            one.seats,
            half_up().apply(one.active),
            *map(_percent, (one.utilisation, one.activation, one.breadth)),
            _signed(one.trend),
        )
        for one in found
    ]
    names = ("product", "segment", ">accounts", ">not known", ">seats", *_NAMES)
    show_table(names, rows, title=f"Use of 28 days up to {instant:%Y-%m-%d}")
    picture = []
    for product in dict.fromkeys(one.product for one in found):
        spread = next(one for one in found if one.product == product).spread()
        most = Decimal(max([*spread, 1]))
        picture += [
            (product if not place else "", name, count, bar(Decimal(count), most))
            for place, (name, count) in enumerate(zip(FIFTHS, spread, strict=True))
        ]
    show_table(("product", "seats in use", ">accounts", ""), picture, title="How many accounts use how much")


def _row(use: ProductUse) -> tuple[Any, ...]:
    said = {Reported.FRESH: "", Reported.STALE: "not reported lately", Reported.NEVER: "never reported"}[use.reported]
    active = half_up().apply(use.active) if use.fresh and use.active is not None else ""
    shares = map(_percent, (use.utilisation, use.activation, use.breadth))
    return (
        use.account_id,
        use.segment,
        use.product,
        use.seats,
        active,
        *shares,
        _signed(use.trend),
        day(use.latest_day),
        said,
    )


def _percent(share: Decimal | None) -> str:
    return "" if share is None else f"{half_up().apply(share * 100)} %"


def _signed(share: Decimal | None) -> str:
    return "" if share is None else f"{int(half_up().apply(share * 100)):+} %"
