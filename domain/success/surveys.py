"""Survey scores by named methods, always from the raw answers."""

from __future__ import annotations

from collections.abc import Mapping
from decimal import Decimal
from enum import StrEnum

from domain.frame.sales_holds import DETRACTOR_UP_TO, PROMOTER_FROM
from domain.kernel.base import Carried
from domain.kernel.money import half_up

CSAT_SCALE = (1, 5)
SATISFIED_FROM = 4
"""Lowest answer of a customer who is content with how a case was solved."""


class SurveyMethod(StrEnum):
    """How answers become one figure. Definitions differ, so a figure is never shown without its method."""

    CSAT_TOP_BOX = "csat_top_box"
    """percent of answers at or above a score"""
    CSAT_SUM_OF_MAX = "csat_sum_of_max"
    """percent of the highest sum possible"""
    NPS = "nps"
    """percent of 9 and 10 less percent of 0 to 6, on 0 to 10"""
    CES_MEAN = "ces_mean"
    """mean score"""


class SurveyScore(Carried):
    """A score with its parts. `value` is exact, `rounded` whole and half up; both are none without answers."""

    method: SurveyMethod
    value: Decimal | None
    rounded: int | None
    responses: int
    sum: int
    positive: int | None = None
    negative: int | None = None


def survey_score(
    method: SurveyMethod, counts: Mapping[int, int], *, scale: tuple[int, int], satisfied_from: int | None = None
) -> SurveyScore:
    """The score of a survey.

    Args:
        counts: number of answers by score.
        scale: lowest and highest possible score.
        satisfied_from: lowest score that counts as satisfied, for `CSAT_TOP_BOX`.

    Raises:
        ValueError: a score off the scale, a negative count, or no `satisfied_from` where one is needed.
    """
    low, high = scale
    for score, count in counts.items():
        if not low <= score <= high or count < 0:
            raise ValueError(f"{count} answers of {score} on a scale of {low} to {high}; correct the answers")
    responses = sum(counts.values())
    total = sum(score * count for score, count in counts.items())
    positive = negative = None
    match method:
        case SurveyMethod.CSAT_TOP_BOX:
            if satisfied_from is None:
                raise ValueError("say from which score an answer counts as satisfied")
            positive = sum(count for score, count in counts.items() if score >= satisfied_from)
            part, factor = positive, Decimal(100)
        case SurveyMethod.CSAT_SUM_OF_MAX:
            part, factor = total, Decimal(100) / high
        case SurveyMethod.NPS:
            positive = sum(count for score, count in counts.items() if score >= PROMOTER_FROM)
            negative = sum(count for score, count in counts.items() if score <= DETRACTOR_UP_TO)
            part, factor = positive - negative, Decimal(100)
        case SurveyMethod.CES_MEAN:
            part, factor = total, Decimal(1)
    value = part * factor / responses if responses else None
    return SurveyScore(
        method=method,
        value=value,
        rounded=None if value is None else int(half_up().apply(value)),
        responses=responses,
        sum=total,
        positive=positive,
        negative=negative,
    )
