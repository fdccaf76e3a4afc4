"""`perennial health explain`: why a customer's health score is what it is."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from decimal import Decimal
from typing import Annotated

import typer

from activities.kernel.clock import present
from activities.success.scores import KeptScore, latest_scores
from domain.kernel.money import half_up
from workers.cli.common import UserError, console, facts, waited
from workers.cli.output import Json, minute, print_json, show_table

app = typer.Typer()


@app.command()
@waited
async def explain(
    account: str,
    at: Annotated[
        datetime | None,
        typer.Option("--at", formats=["%Y-%m-%d"], help="The score at the end of a day in UTC; otherwise now."),
    ] = None,
    as_json: Json = False,
) -> None:
    """Why a customer's score is what it is: each input with its points, its weight and what it brings, and what has changed."""
    instant = at.replace(tzinfo=UTC) + timedelta(days=1) if at else present()
    async with facts() as connection:
        scores = await latest_scores(connection, account, instant)
    if not scores:
        raise UserError(
            f"account {account!r} has no health score at {minute(instant)}; `perennial journey list` names accounts"
        )
    now, before = scores[0], scores[1] if len(scores) > 1 else None
    if as_json:
        print_json({"account_id": account, **_as_json(now), "before": _as_json(before) if before else None})
        return
    said = "unknown: less than half of the weight has data" if now.score is None else f"{now.score} of 100"
    console.print(f"[bold]{account}[/bold]: {said}, {now.band}, on {minute(now.at)}", highlight=False)
    then = {part.name: now_then for part in (before.parts if before else ()) if (now_then := part.points) is not None}
    rows = [
        (
            part.name,
            part.points,
            part.weight,
            _tenth(now.share_of(part)),
            _change(part.points, then.get(part.name)),
            part.says,
        )
        for part in now.parts
    ]
    show_table(("input", ">points", ">weight", ">brings", ">change", "why"), rows)
    if any(part.points is None for part in now.parts):
        console.print("What is not known brings nothing, and its weight falls to the other inputs.")
    if before:
        was = "unknown" if before.score is None else before.score
        console.print(f"Before, on {minute(before.at)}: {was}, {before.band}.", highlight=False)


def _tenth(value: Decimal | None) -> Decimal | None:
    return None if value is None else half_up(1).apply(value)


def _change(now: Decimal | None, then: Decimal | None) -> str:
    return "" if now is None or then is None or now == then else f"{now - then:+}"


def _as_json(kept: KeptScore) -> dict[str, object]:
    inputs = [
        {
            "name": one.name,
            "points": one.points,
            "weight": one.weight,
            "brings": _tenth(kept.share_of(one)),
            "says": one.says,
        }
        for one in kept.parts
    ]
    return {"at": kept.at.isoformat(), "score": kept.score, "band": kept.band, "inputs": inputs}
