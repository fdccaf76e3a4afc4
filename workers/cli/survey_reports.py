"""`perennial report surveys`: what customers answered, by survey and segment, with the answers behind each figure."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from decimal import Decimal
from typing import Annotated

import typer

from domain.frame.sales_holds import SurveyKind
from domain.success.survey_report import FEW, SurveyAnswers
from gateway.views.reports.periods import last_year
from gateway.views.reports.surveys import surveys as figures
from gateway.views.reports.surveys import surveys_document
from workers.cli.common import console, facts, waited
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
    start, end = last_year(since.date() if since else None, until.date() if until else None)
    async with facts() as connection:
        found = await figures(connection, start, end)
    if as_json:
        print_json(surveys_document(start, end, found))
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
