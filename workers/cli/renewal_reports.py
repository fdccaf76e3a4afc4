"""`perennial report renewals`: what falls due, how far it has come, and what it is likely to bring."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Sequence
from datetime import datetime, timedelta
from decimal import Decimal, InvalidOperation
from typing import Annotated, Any

import typer

from activities.kernel.clock import present
from domain.contracts.forecast import LONGER, PROBABILITIES, SPANS, Forecast, RenewalCategory, Speed
from domain.kernel.money import grouped
from gateway.views.reports.renewals import renewals as figures
from gateway.views.reports.renewals import renewals_document
from workers.cli.common import UserError, console, facts, waited
from workers.cli.output import Json, day, print_json, show_table, words

app = typer.Typer()

_DAY = ["%Y-%m-%d"]


@app.command()
@waited
async def renewals(
    since: Annotated[
        datetime | None,
        typer.Option("--from", formats=_DAY, help="The first day on which a term ends; otherwise today."),
    ] = None,
    within: Annotated[int, typer.Option("--within", min=1, max=1830, help="So many days from then on.")] = 180,
    probability: Annotated[
        list[str] | None,
        typer.Option("--probability", help="How likely renewals of a category are, such as at_risk=0.2."),
    ] = None,
    as_json: Json = False,
) -> None:
    """Renewals due by month and category, with what they are likely to bring, and those at risk or lost with the reason."""
    likely = {**PROBABILITIES, **dict(map(_chance, probability or ()))}
    first = since.date() if since else present().date()
    async with facts() as connection:
        found, pace = await figures(connection, first, within, likely)
    if as_json:
        print_json(renewals_document(first, within, found, pace))
        return
    if pace.renewals:
        _show_pace(pace)
    if not found:
        console.print(f"No term ends within {within} days from {first}; `--within 365` looks further.")
        return
    by_currency: dict[str, list[Forecast]] = defaultdict(list)
    for one in found:
        by_currency[one.due.currency].append(one)
    for currency, own in sorted(by_currency.items()):
        _show(currency, own)
    doubtful = [one for one in found if one.category in (RenewalCategory.AT_RISK, RenewalCategory.LOST)]
    show_table(
        ("!contract", "customer", "owner", "last day", ">ARR", "", "why"),
        [
            (
                one.due.contract_id,
                one.due.account,
                one.due.owner,
                day(one.due.until - timedelta(days=1)),
                grouped(one.due.arr, one.due.currency),
                words(one.category),
                one.why,
            )
            for one in doubtful
        ],
        title="At risk, or lost",
    )


def _show_pace(pace: Speed) -> None:
    """From the customer's first word to the renewed asset, in the last year."""
    middle = "" if pace.median is None else f"{pace.median / timedelta(days=1):.2f} days"
    names = (">renewals accepted", ">median", *(f">within {name}" for name in SPANS), f">{LONGER}")
    title = "From request to renewed asset, last 12 months"
    show_table(names, [(pace.renewals, middle, *(pace.within[name] or "" for name in (*SPANS, LONGER)))], title=title)


def _chance(given: str) -> tuple[RenewalCategory, Decimal]:
    name, _, share = given.partition("=")
    try:
        category, chance = RenewalCategory(name.strip()), Decimal(share)
    except (ValueError, InvalidOperation) as error:
        known = ", ".join(RenewalCategory)
        raise UserError(
            f"--probability {given!r}: give a category and a share from 0 to 1, such as at_risk=0.2; categories are {known}"
        ) from error
    if not 0 <= chance <= 1:
        raise UserError(f"--probability {given!r}: {chance} does not lie between 0 and 1")
    return category, chance


def _show(currency: str, found: Sequence[Forecast]) -> None:
    """The renewals of a currency by month, each month's sum beside what of it is in which category."""
    months: dict[str, list[Forecast]] = defaultdict(list)
    for one in found:
        months[one.month].append(one)
    shown = [category for category in RenewalCategory if any(one.category is category for one in found)]
    rows = [_row(month, own, shown, currency) for month, own in sorted(months.items())]
    if len(rows) > 1:
        rows.append(_row("all", found, shown, currency))
    names = ("ends in", ">terms", f">{currency} a year due", *(f">{words(one)}" for one in shown), ">likely")
    show_table(names, rows, title=f"Renewals in {currency}")


def _row(name: str, found: Sequence[Forecast], shown: Sequence[RenewalCategory], currency: str) -> tuple[Any, ...]:
    def total(amounts: Sequence[Decimal]) -> str:
        return grouped(sum(amounts, Decimal(0)), currency) if amounts else ""

    by_category = (total([one.due.arr for one in found if one.category is category]) for category in shown)
    return (name, len(found), total([one.due.arr for one in found]), *by_category, total([one.likely for one in found]))
