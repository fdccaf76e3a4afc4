"""What customers answered when they were asked, over many of them: by survey and segment, always with the method and the answers behind it."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from pydantic import AwareDatetime

from domain.frame.sales_holds import SurveyKind
from domain.kernel.base import Carried
from domain.success.asking import EFFORT, RECOMMEND
from domain.success.surveys import CSAT_SCALE, SATISFIED_FROM, SurveyMethod, SurveyScore, survey_score

FEW = 10
"""Of fewer answers only the counts are shown: one more could turn the figure round."""
EASY_FROM = 5
_SCALES = {
    **{question.kind: (question.low, question.high) for question in (RECOMMEND, EFFORT)},
    SurveyKind.CSAT: CSAT_SCALE,
}
_METHODS = {
    SurveyKind.NPS: SurveyMethod.NPS,
    SurveyKind.CES: SurveyMethod.CES_MEAN,
    SurveyKind.CSAT: SurveyMethod.CSAT_TOP_BOX,
}


class AskedSurvey(Carried):
    """A survey that somebody got, with their answer if there is one; of CSAT the case that it is about."""

    kind: SurveyKind
    account_id: str
    account: str
    segment: str
    case_id: str | None = None
    sent_at: AwareDatetime
    answered_at: AwareDatetime | None = None
    score: int | None = None


@dataclass(frozen=True)
class SurveyAnswers:
    """The answers to one survey, of one segment or (`segment` empty) of all. `easy`: of CES the share of 5 to 7, in percent."""

    kind: SurveyKind
    segment: str
    asked: Sequence[AskedSurvey]
    score: SurveyScore
    counts: dict[int, int]

    @property
    def few(self) -> bool:
        """True if they are too few for a figure."""
        return self.score.responses < FEW

    @property
    def rate(self) -> float | None:
        """SurveyAnswers of those asked, in percent; null if nobody was."""
        return 100 * self.score.responses / len(self.asked) if self.asked else None

    @property
    def easy(self) -> float | None:
        """Of CES, the answers from 5 on in percent; null without answers."""
        if self.kind is not SurveyKind.CES or not self.score.responses:
            return None
        return 100 * sum(count for score, count in self.counts.items() if score >= EASY_FROM) / self.score.responses


def answers_of(asked: Iterable[AskedSurvey]) -> list[SurveyAnswers]:
    """The answers to each survey: of all who were asked, then by segment."""
    groups: dict[tuple[SurveyKind, str], list[AskedSurvey]] = defaultdict(list)
    for one in asked:
        groups[one.kind, ""].append(one)
        groups[one.kind, one.segment].append(one)
    order = list(_METHODS)
    return [
        _of(kind, segment, groups[kind, segment])
        for kind, segment in sorted(groups, key=lambda g: (order.index(g[0]), g[1]))
    ]


def _of(kind: SurveyKind, segment: str, asked: Sequence[AskedSurvey]) -> SurveyAnswers:
    counts = Counter(one.score for one in asked if one.score is not None)
    satisfied = SATISFIED_FROM if kind is SurveyKind.CSAT else None
    score = survey_score(_METHODS[kind], counts, scale=_SCALES[kind], satisfied_from=satisfied)
    low, high = _SCALES[kind]
    return SurveyAnswers(kind, segment, asked, score, {one: counts[one] for one in range(low, high + 1)})
