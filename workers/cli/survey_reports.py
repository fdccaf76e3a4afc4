"""`perennial report surveys`: what customers answered, by survey and segment, with the answers behind each figure."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime, timedelta
from decimal import Decimal
from typing import Annotated, Any

import typer

from activities.kernel.clock import present
from activities.success.survey_reports import asked_between
from domain.frame.sales_holds import SurveyKind
from domain.success.survey_report import FEW, SurveyAnswers, answers_of
from workers.cli.common import UserError, console, facts, waited
from workers.cli.drawings import bar
from workers.cli.output import Json, day, print_json, show_table

app = typer.Typer()

_DAY = ["%Y-%m-%d"]
_TITLES = {
    SurveyKind.NPS: "would recommend us (0 to 10): percent of 9 and 10 less percent of 0 to 6",
    SurveyKind.CES: "easy to begin (1 to 7): mean, and percent of 5 to 7",
    SurveyKind.CSAT: "content with how a case was solved (1 to 5): percent of 4 and 5",
}


@app.command()
@waited
async def surveys(
    since: Annotated[
        datetime | None, typer.Option("--from", formats=_DAY, help="The first day of asking; otherwise a year ago.")
    ] = None,
    until: Annotated[
        datetime | None, typer.Option("--to", formats=_DAY, help="The last day of asking; otherwise today.")
    ] = None,
    accounts: Annotated[bool, typer.Option("--accounts", help="Each answer behind the figures.")] = False,
    as_json: Json = False,
) -> None:
    """What customers answered: NPS, ease of beginning and content with cases, how many answered, and how answers are spread."""
    end = until.date() if until else present().date()
    start = since.date() if since else end - timedelta(days=365)
    if start > end:
        raise UserError(f"--from {start} lies after --to {end}")
    async with facts() as connection:
        found = answers_of(await asked_between(connection, start, end))
    if as_json:
        print_json({"from": start, "to": end, "figures": list(map(_as_json, found))})
        return
    if not found:
        console.print(f"Nobody was asked between {start} and {end}; `--from 2026-01-01` looks further back.")
        return
    _show(found, f"Asked from {start} to {end}")
    if accounts:
        rows = [
            (
                one.kind.upper(),
                one.account_id,
                one.account,
                one.case_id or "",
                day(one.sent_at.date()),
                _score(one.score),
            )
            for group in found
            if not group.segment
            for one in group.asked
        ]
        show_table(("", "!account", "name", "!case", "asked", ">answer"), rows)


def _show(found: Sequence[SurveyAnswers], title: str) -> None:
    rows = [
        (
            one.kind.upper(),
            one.segment or "all",
            len(one.asked),
            one.score.responses,
            _percent(one.rate),
            *_figures(one),
        )
        for one in found
    ]
    show_table(("", "segment", ">asked", ">answered", ">percent", ">figure", ">easy"), rows, title=title)
    if any(one.few for one in found):
        console.print(f"Of fewer than {FEW} answers no figure is shown: one more could turn it round.")
    for one in found:
        if not one.segment:
            most = Decimal(max([*one.counts.values(), 1]))
            picture = [(score, count, bar(Decimal(count), most)) for score, count in one.counts.items()]
            show_table((">answer", ">times", ""), picture, title=f"{one.kind.upper()}: {_TITLES[one.kind]}")


def _figures(one: SurveyAnswers) -> tuple[str, str]:
    if one.few or one.score.value is None:
        return "", ""
    figure = f"{one.score.value:.2f}" if one.kind is SurveyKind.CES else str(one.score.rounded)
    return figure, _percent(one.easy)


def _percent(value: float | None) -> str:
    return "" if value is None else f"{value:.0f} %"


def _score(score: int | None) -> str:
    return "none" if score is None else str(score)


def _as_json(one: SurveyAnswers) -> dict[str, Any]:
    return {
        "survey": one.kind,
        "segment": one.segment or None,
        "method": one.score.method,
        "asked": len(one.asked),
        "answered": one.score.responses,
        "value": None if one.few or one.score.value is None else str(one.score.value),
        "rounded": None if one.few else one.score.rounded,
        "easy_percent": None if one.few else one.easy,
        "counts": {str(score): count for score, count in one.counts.items()},
        "answers": [each.model_dump(mode="json", exclude={"kind"}) for each in one.asked],
    }
