"""All milestones of a case at one glance."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from enum import StrEnum

from pydantic import AwareDatetime

from domain.frame.case_words import Priority
from domain.kernel.base import Carried
from domain.kernel.business_clock import BusinessClock
from domain.kernel.business_errors import ServiceRuleError
from domain.service.definitions import Milestone
from domain.service.history import CaseHistory
from domain.service.milestones import MilestoneState, Occurrence, Target, occurrences
from domain.service.options import MilestoneOptions

ZERO = timedelta(0)


class ExchangeMeasure(StrEnum):
    """Which figure speaks for several finished occurrences."""

    LONGEST = "longest"
    MEAN = "mean"
    TOTAL = "total"


class MilestoneSummary(Carried):
    """A milestone over its occurrences.

    `due` and a running state are the latest one's; `elapsed` is the chosen measure of the finished ones, over which
    `count`, `longest`, `mean` and `total` are taken too.
    """

    milestone: str
    due: AwareDatetime | None = None
    elapsed: timedelta | None = None
    headroom: timedelta | None = None
    state: MilestoneState = MilestoneState.NONE
    count: int = 0
    longest: timedelta | None = None
    mean: timedelta | None = None
    total: timedelta = ZERO


def summary(
    name: str, found: Sequence[Occurrence], measure: ExchangeMeasure = ExchangeMeasure.LONGEST
) -> MilestoneSummary:
    """How a milestone went: the latest occurrence's state while unfinished, else missed when any was late, else met."""
    if not found:
        return MilestoneSummary(milestone=name)
    latest = found[-1]
    spans = [one.elapsed for one in found if one.completed_at is not None and one.elapsed is not None]
    total = sum(spans, ZERO)
    longest = max(spans, default=None)
    mean = total / len(spans) if spans else None
    by_measure = {ExchangeMeasure.LONGEST: longest, ExchangeMeasure.MEAN: mean, ExchangeMeasure.TOTAL: total}
    elapsed = by_measure[measure] if spans else None
    state = latest.state
    if latest.completed_at is not None and any(one.state is MilestoneState.MISSED for one in found):
        state = MilestoneState.MISSED
    return MilestoneSummary(
        milestone=name,
        due=latest.due,
        elapsed=elapsed,
        headroom=latest.target - elapsed if latest.target is not None and elapsed is not None else None,
        state=state,
        count=len(spans),
        longest=longest,
        mean=mean,
        total=total,
    )


def next_due(found: Iterable[Occurrence]) -> Occurrence | None:
    """The open occurrence that is due first."""
    waiting = [(one.due, one.milestone, one) for one in found if one.state is MilestoneState.OPEN and one.due]
    return min(waiting, default=(None, None, None), key=lambda item: item[:2])[2]


@dataclass(frozen=True, slots=True)
class Followed:
    """One milestone of a case with its occurrences and what they were judged by."""

    milestone: Milestone
    clock: BusinessClock
    occurrences: tuple[Occurrence, ...]
    promised: Mapping[int, Target] = field(default_factory=dict)


def follow(
    milestones: Sequence[Milestone],
    priority: Priority,
    history: CaseHistory,
    clocks: Mapping[str, BusinessClock],
    *,
    calendar_id: str,
    options: MilestoneOptions | None = None,
    as_of: datetime | None = None,
    promised: Mapping[str, Mapping[int, Target]] | None = None,
) -> tuple[Followed, ...]:
    """Every milestone of a case, in their order, judged from its events.

    The priority's targets are applied to the whole history, but for occurrences that were `promised` something.

    Args:
        promised: by milestone and number, what occurrences are judged by instead.
        clocks: by calendar id; a milestone's own calendar comes before `calendar_id`, the policy's or the case's.
        as_of: judge open occurrences at this instant.

    Raises:
        ServiceRuleError: a calendar that is not among `clocks`.
    """
    followed = []
    for milestone in sorted(milestones, key=lambda one: one.order):
        wanted = milestone.calendar_id or calendar_id
        clock = clocks.get(wanted)
        if clock is None:
            raise ServiceRuleError(f"the milestone {milestone.name!r} counts in calendar {wanted!r}; load it")
        target = milestone.targets.get(priority)
        own = (promised or {}).get(milestone.name, {})
        found = occurrences(milestone, target, history, clock, options, as_of=as_of, promised=own)
        followed.append(Followed(milestone, clock, found, own))
    return tuple(followed)
