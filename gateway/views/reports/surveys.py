"""What customers answered, by survey and segment, with the answers behind each figure."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date
from typing import Any

from activities.kernel.pool import Connection
from activities.success.survey_reports import asked_between
from domain.success.survey_report import SurveyAnswers, answers_of


async def surveys(connection: Connection, start: date, end: date) -> list[SurveyAnswers]:
    """What those answered who were asked from a first day to a last."""
    return answers_of(await asked_between(connection, start, end))


def surveys_document(start: date, end: date, found: Sequence[SurveyAnswers]) -> dict[str, Any]:
    """The figures as a document."""
    return {"from": start, "to": end, "figures": list(map(_as_json, found))}


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
