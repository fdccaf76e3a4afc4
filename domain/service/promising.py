"""What each promise of a case is judged by: the target it was given, and what another priority or policy makes of open ones. Pure."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from domain.frame.case_words import Priority
from domain.kernel.business_clock import BusinessClock, Span
from domain.service.case import MilestoneFacts
from domain.service.definitions import Milestone
from domain.service.history import CaseHistory
from domain.service.milestones import Target

Promised = dict[str, dict[int, Target]]
"""Targets by milestone and number of the occurrence."""


def promised(
    rows: Iterable[MilestoneFacts],
    milestones: Sequence[Milestone],
    priority: Priority,
    clocks: Mapping[str, BusinessClock],
    history: CaseHistory,
    *,
    calendar_id: str,
    set_anew_at: datetime | None = None,
    resolution_from: datetime | None = None,
) -> Promised:
    """The target of every occurrence on record. What was kept or broken is judged by the target that it had then.

    Args:
        set_anew_at: the priority or the policy has just changed; what is still open counts anew from this instant, see
            `_anew`.
        resolution_from: from when the resolution counts then, if that was promised to the customer before.
    """
    known = {one.name: one for one in milestones}
    found: Promised = {}
    for row in rows:
        target = Target(row.target, row.counted_from)
        milestone = known.get(row.milestone)
        clock = clocks.get(milestone.calendar_id or calendar_id) if milestone is not None else None
        if milestone is not None and clock is not None and set_anew_at is not None and row.completed_at is None:
            stops = history.stops(pausable=milestone.stops_on_pause, until=set_anew_at)
            wanted = milestone.targets.get(priority) or None
            counted = resolution_from if row.kind == "resolution" else None
            target = _Open(row, target, clock, stops, set_anew_at, counted or set_anew_at).anew(wanted)
        found.setdefault(row.milestone, {})[row.number] = target
    return found


@dataclass(frozen=True)
class _Open:
    """An open promise that gets another target at `at`."""

    row: MilestoneFacts
    before: Target
    clock: BusinessClock
    stops: list[Span]
    at: datetime
    counted_from: datetime
    """from when less time counts"""

    def anew(self, wanted: timedelta | None) -> Target:
        """More time counts from the start, as if it had always been so. Less time counts from now, so that nobody is late for
        what nobody had promised, but never ends later than what was promised before. What is late stays late."""
        if self.row.violation() is not None or wanted == self.before.span:
            return self.before
        if wanted is None:
            return Target(None)
        from_now = Target(wanted, self.counted_from)
        if self.before.span is None:
            return from_now
        if wanted > self.before.span:
            return Target(wanted) if self._due(wanted, None) > self.at else from_now
        earlier = self._due(self.before.span, self.before.counted_from) <= self._due(wanted, self.counted_from)
        return self.before if earlier else from_now

    def _due(self, span: timedelta, counted_from: datetime | None) -> datetime:
        """When a target would be used up if nothing paused it any more."""
        return self.clock.due(counted_from or self.row.started_at, span, self.stops)
