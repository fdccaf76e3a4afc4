"""`perennial report cross-sell`: what customers who bought the same have bought too, and how often that came true here."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict
from datetime import date, datetime, timedelta
from typing import Annotated, Any

import typer

from activities.kernel.clock import present
from activities.kernel.computing import computed
from activities.success.purchases import bought, product_names
from domain.success.cross_sell import Bought, HitRate, Neighbours, Suggestion, hit_rate, neighbours
from workers.cli.common import UserError, console, facts, waited
from workers.cli.output import Json, print_json, show_table

app = typer.Typer()

_PAIRS = 15


@app.command("cross-sell")
@waited
async def cross_sell(
    account: Annotated[str | None, typer.Option("--account", help="What to suggest to this customer.")] = None,
    as_of: Annotated[
        datetime | None, typer.Option("--as-of", formats=["%Y-%m-%d"], help="The day; otherwise today.")
    ] = None,
    days: Annotated[
        int, typer.Option("--days", min=7, max=366, help="The time in which a suggestion may come true.")
    ] = 92,
    as_json: Json = False,
) -> None:
    """What is bought together, what of it to suggest, and how often suggestions would have come true on your own past."""
    today = as_of.date() if as_of else present().date()
    cut = today - timedelta(days=days)
    async with facts() as connection:
        until_today = await bought(connection, date.min, today)
        before = await bought(connection, date.min, cut)
        after = await bought(connection, cut, today)
        if account is not None and account not in until_today:
            raise UserError(f"account {account!r} has bought nothing before {today}")
        rate = await computed(len(before), hit_rate, before, {one: frozenset(new) for one, new in after.items()}, cut)
        known = await computed(len(until_today), neighbours, until_today)
        found = (
            known.suggestions(until_today[account], today) if account is not None else _strongest(known, until_today)
        )
        names = await product_names(connection, {code for one in found for code in (one.product, one.because)})
    if as_json:
        print_json(
            {
                "as_of": today,
                "hit_rate": _rate(rate),
                "account": account,
                "suggestions" if account else "pairs": [_named(one, names) for one in found],
            }
        )
        return
    console.print(_told(rate, days))
    title = f"For {account}, the likeliest first" if account else "Bought together most, beyond what everybody buys"
    rows = [
        (names[one.product], names[one.because], one.together, one.buyers, f"{_percent(one.together / one.buyers)}")
        for one in found
    ]
    show_table(
        ("suggest", "because of", ">bought both", ">of", ">share"), rows, "Nobody has bought the same.", title=title
    )


def _strongest(known: Neighbours, everybody: Bought) -> list[Suggestion]:
    """The pairs of products that are bought together by most of those who have one of them."""
    likely = max(3, len(everybody) // 200)
    pairs = [
        Suggestion(near.product, product, near.together, known.buyers[product])
        for product, others in known.near.items()
        for near in others
        if near.together >= likely
    ]
    return sorted(pairs, key=lambda one: (-one.together / one.buyers, one.because, one.product))[:_PAIRS]


def _told(rate: HitRate, days: int) -> str:
    if rate.precision is None or not rate.tells:
        return (
            f"{rate.customers} customers from before {rate.as_of} bought again in the {days} days after: too few to tell"
            " how often suggestions come true."
        )
    said = (
        f"On your own past: of what would have been suggested on {rate.as_of} to the {rate.customers:,} customers who came"
        f" back, {_percent(rate.precision)} was bought in the {days} days after."
    )
    if rate.popular is None:
        return said
    return f"{said} The most popular products: {_percent(rate.popular)}."


def _percent(share: float) -> str:
    return f"{100 * share:.1f} %"


def _named(one: Suggestion, names: Mapping[str, str]) -> dict[str, Any]:
    return {**asdict(one), "name": names[one.product], "because_name": names[one.because]}


def _rate(rate: HitRate) -> dict[str, Any]:
    return {**asdict(rate), "precision": rate.precision, "popular": rate.popular, "reliable": rate.tells}
