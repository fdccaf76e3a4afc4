"""How a milestone went, over all its occurrences."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from datetime import timedelta
from enum import StrEnum

from pydantic import AwareDatetime

from domain.kernel.base import Carried
from domain.service.milestones import ZERO, MilestoneState, Occurrence


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
