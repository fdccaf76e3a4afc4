"""How promises went over many cases: attainment by milestone, priority, product and week, with what customers said beside it."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Iterable, Mapping, Sequence
from datetime import date, timedelta
from decimal import Decimal
from enum import StrEnum

from pydantic import AwareDatetime

from domain.frame.case_words import Priority
from domain.kernel.base import Carried
from domain.kernel.money import half_up
from domain.success.surveys import CSAT_SCALE, SATISFIED_FROM, SurveyMethod, survey_score
from domain.success.throttling import SurveyRules

ZERO = timedelta(0)


class Dimension(StrEnum):
    """By what the figures are told apart."""

    ALL = "all"
    PRIORITY = "priority"
    PRODUCT = "product"
    WEEK = "week"


class SlaCell(Carried):
    """Promises that have milestone, priority, product and week in common.

    The week is named by its Monday, in UTC: that of the beginning of each promise. `late` are those done late and those
    not done that are violated; `running` are neither. `elapsed` is the open time that the `done` ones used, in sum.
    """

    milestone: str
    priority: Priority
    product: str | None
    week: date
    met: int
    late: int
    running: int
    done: int
    elapsed: timedelta
    longest: timedelta | None = None


class CsatCell(Carried):
    """Answers about cases that have priority, product and week in common: how many of each score from 1 to 5."""

    priority: Priority
    product: str | None
    week: date
    counts: dict[int, int]


class Attainment(Carried):
    """How one milestone went. `percent` is the share kept of those that are decided; none when none is."""

    milestone: str
    met: int
    late: int
    running: int
    percent: Decimal | None
    mean: timedelta | None
    longest: timedelta | None


class Csat(Carried):
    """The share of 4 and 5 among the answers; told as counts alone while there are fewer than ten."""

    responses: int
    satisfied: int
    percent: int | None
    method: SurveyMethod = SurveyMethod.CSAT_TOP_BOX


class SlaGroup(Carried):
    """Everything that has one label, such as a priority or a week."""

    label: str
    milestones: tuple[Attainment, ...]
    csat: Csat


class Waiting(Carried):
    """A customer who waited long: `waited` on the wall clock but for when it was resolved, `elapsed` in open time without pauses."""

    case_id: str
    account_id: str | None
    company: str | None
    milestone: str
    priority: Priority
    state: str
    started_at: AwareDatetime
    waited: timedelta
    elapsed: timedelta | None = None
    target: timedelta | None = None


class SlaReport(Carried):
    """The report of one period: from `since` up to, not including, `until`."""

    since: AwareDatetime
    until: AwareDatetime
    cases: int
    total: SlaGroup
    by_priority: tuple[SlaGroup, ...]
    by_product: tuple[SlaGroup, ...]
    by_week: tuple[SlaGroup, ...]
    waited_longest: tuple[Waiting, ...]


UNKNOWN_PRODUCT = "(none)"

_LABELS: dict[Dimension, Callable[[SlaCell | CsatCell], str]] = {
    Dimension.ALL: lambda cell: "all",
    Dimension.PRIORITY: lambda cell: cell.priority.value,
    Dimension.PRODUCT: lambda cell: cell.product or UNKNOWN_PRODUCT,
    Dimension.WEEK: lambda cell: cell.week.isoformat(),
}


def groups(cells: Iterable[SlaCell], answers: Iterable[CsatCell], by: Dimension) -> tuple[SlaGroup, ...]:
    """The cells rolled up by one dimension: priorities by rank, weeks in order, products by how many promises they had."""
    label = _LABELS[by]
    promises: dict[str, list[SlaCell]] = defaultdict(list)
    said: dict[str, list[CsatCell]] = defaultdict(list)
    for cell in cells:
        promises[label(cell)].append(cell)
    for answer in answers:
        said[label(answer)].append(answer)
    found = [
        SlaGroup(label=name, milestones=_by_milestone(promises[name]), csat=csat(one.counts for one in said[name]))
        for name in {**promises, **said}
    ]
    return tuple(sorted(found, key=lambda group: _place(group, by)))


def total(cells: Iterable[SlaCell], answers: Iterable[CsatCell]) -> SlaGroup:
    """All cells together."""
    found = groups(cells, answers, Dimension.ALL)
    return found[0] if found else SlaGroup(label="all", milestones=(), csat=csat(()))


def _place(group: SlaGroup, by: Dimension) -> tuple[int, str]:
    if by is Dimension.PRIORITY:
        return Priority(group.label).rank, group.label
    if by is Dimension.PRODUCT:
        return -sum(one.met + one.late + one.running for one in group.milestones), group.label
    return 0, group.label


def _by_milestone(cells: Sequence[SlaCell]) -> tuple[Attainment, ...]:
    names = sorted({cell.milestone for cell in cells})
    return tuple(_attainment(name, [cell for cell in cells if cell.milestone == name]) for name in names)


def _attainment(milestone: str, cells: Sequence[SlaCell]) -> Attainment:
    met, late = sum(cell.met for cell in cells), sum(cell.late for cell in cells)
    done = sum(cell.done for cell in cells)
    return Attainment(
        milestone=milestone,
        met=met,
        late=late,
        running=sum(cell.running for cell in cells),
        percent=_percent(met, met + late),
        mean=sum((cell.elapsed for cell in cells), ZERO) / done if done else None,
        longest=max((cell.longest for cell in cells if cell.longest is not None), default=None),
    )


def _percent(part: int, whole: int) -> Decimal | None:
    return half_up(2).apply(Decimal(part) / whole * 100) if whole else None


def csat(answers: Iterable[Mapping[int, int]]) -> Csat:
    """What answers, counted by score, say together."""
    counts: dict[int, int] = defaultdict(int)
    for one in answers:
        for score, count in one.items():
            counts[score] += count
    told = survey_score(SurveyMethod.CSAT_TOP_BOX, counts, scale=CSAT_SCALE, satisfied_from=SATISFIED_FROM)
    enough = told.responses >= SurveyRules().shown_from
    return Csat(responses=told.responses, satisfied=told.positive or 0, percent=told.rounded if enough else None)
