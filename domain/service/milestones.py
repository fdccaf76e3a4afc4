"""Milestones: which promises a case is under, when each is due, and how each went, computed from events alone."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum
from typing import NamedTuple

from pydantic import AwareDatetime

from domain.kernel.base import Carried
from domain.kernel.business_clock import BusinessClock
from domain.service.definitions import Milestone, MilestoneKind, Recurrence
from domain.service.history import CaseEvent, CaseHistory, EventKind, running

ZERO = timedelta(0)


class MilestoneState(StrEnum):
    """How one occurrence stands."""

    NONE = "none"
    """no target, or never started"""
    OPEN = "open"
    PAUSED = "paused"
    MET = "met"
    MISSED = "missed"
    STOPPED = "stopped"
    """the case ended first: not applicable any more"""


class Occurrence(Carried):
    """One occurrence of a milestone. Instants are UTC, spans are open time.

    `counted_from` is set where the target counts from later than the start: it was set anew then. `due` is none while
    paused or without a target. `violated_at` is the due instant of an occurrence that was or is
    late; an open one is judged only when the caller says at which instant, and a later pause changes nothing.
    """

    milestone: str
    number: int
    started_at: AwareDatetime
    target: timedelta | None = None
    counted_from: AwareDatetime | None = None
    completed_at: AwareDatetime | None = None
    paused_since: AwareDatetime | None = None
    due: AwareDatetime | None = None
    elapsed: timedelta | None = None
    headroom: timedelta | None = None
    violated_at: AwareDatetime | None = None
    state: MilestoneState = MilestoneState.NONE

    @property
    def key(self) -> str:
        """Names the occurrence inside its case."""
        return f"{self.milestone}:{self.number}"

    @property
    def counts_from(self) -> datetime:
        """From when on the target counts."""
        return self.counted_from or self.started_at


class Target(NamedTuple):
    """What was promised for one occurrence: open time from its start, or from `counted_from` where it was set anew."""

    span: timedelta | None
    counted_from: datetime | None = None


def occurrences(
    milestone: Milestone,
    target: timedelta | None,
    history: CaseHistory,
    clock: BusinessClock,
    *,
    as_of: datetime | None = None,
    promised: Mapping[int, Target] | None = None,
) -> tuple[Occurrence, ...]:
    """Every occurrence of a milestone so far, in order.

    Args:
        target: open time allowed; none, and zero, mean that nothing is promised (elapsed is still told).
        promised: by number, what single occurrences are judged by instead.
        clock: of the calendar that the milestone counts in.
        as_of: with it, an open occurrence also tells what it has used up and whether it is violated at that instant.

    Raises:
        NoOpenHoursError, CalendarExhaustedError: see `BusinessClock.due`.
    """
    if target is not None and target <= ZERO:
        target = None
    judge = _Judge(milestone, target, history, clock, as_of, promised or {})
    return tuple(judge.occurrences())


@dataclass(slots=True)
class _Judge:
    """Follows one milestone through one history."""

    milestone: Milestone
    target: timedelta | None
    history: CaseHistory
    clock: BusinessClock
    as_of: datetime | None
    promised: Mapping[int, Target]
    number: int = 0

    def occurrences(self) -> Iterator[Occurrence]:
        if self.milestone.kind is MilestoneKind.RESOLUTION:
            yield from self._resolution()
            return
        active: datetime | None = None
        earliest: datetime | None = None
        for event in running(self.history):
            if active is None:
                if self._starts(event):
                    active = max(event.at, earliest or event.at)
            elif event.at >= active and self._completes(event):
                done = self._completed(active, event.at)
                yield done
                active = None
                if self.milestone.recurs is Recurrence.NONE:
                    return
                if self.milestone.recurs is Recurrence.SEQUENTIAL:
                    earliest = done.due
                    if self.milestone.kind is MilestoneKind.CUSTOMER_UPDATE:
                        active = max(event.at, earliest or event.at)
        if active is not None:
            yield self._unfinished(active)

    def _resolution(self) -> Iterator[Occurrence]:
        if self.history.created_at is None:
            return
        if self.history.ended_at is None:
            yield self._unfinished(self.history.created_at)
        else:
            yield self._completed(self.history.created_at, self.history.ended_at)

    def _starts(self, event: CaseEvent) -> bool:
        match self.milestone.kind:
            case MilestoneKind.NEXT_RESPONSE:
                return event.kind is EventKind.CUSTOMER_MESSAGE
            case MilestoneKind.CUSTOM if self.number or not self.milestone.from_creation:
                return event.kind is EventKind.CUSTOM and event.name == self.milestone.starts_with
            case _:
                return event.kind is EventKind.CREATED

    def _completes(self, event: CaseEvent) -> bool:
        if self.milestone.kind is MilestoneKind.CUSTOM:
            return event.kind is EventKind.CUSTOM and event.name == self.milestone.completes_with
        if event.kind is EventKind.AGENT_MESSAGE:
            return not event.automatic
        if event.kind is EventKind.RESOLVED:  # whoever waits for an answer hears what was done
            return self.milestone.kind in (MilestoneKind.FIRST_RESPONSE, MilestoneKind.NEXT_RESPONSE)
        return self.milestone.kind is MilestoneKind.FIRST_RESPONSE and event.kind is EventKind.FIRST_RESPONSE

    def _promise(self) -> Target:
        return self.promised.get(self.number, Target(self.target))

    def _completed(self, start: datetime, end: datetime) -> Occurrence:
        self.number += 1
        stops = self.history.stops(pausable=self.milestone.stops_on_pause, until=end)
        elapsed = self.clock.elapsed(start, end, stops)
        occurrence = Occurrence(
            milestone=self.milestone.name, number=self.number, started_at=start, completed_at=end, elapsed=elapsed
        )
        target, counted_from = self._promise()
        if target is None:
            return occurrence
        start = counted_from or start
        due, late = self.clock.due(start, target, stops), self.clock.is_late(end, start, target, stops)
        return occurrence.having(
            target=target,
            counted_from=counted_from,
            due=due,
            headroom=target - elapsed,
            violated_at=due if late else None,
            state=MilestoneState.MISSED if late else MilestoneState.MET,
        )

    def _unfinished(self, start: datetime) -> Occurrence:
        self.number += 1
        history, pausable = self.history, self.milestone.stops_on_pause
        paused_since = history.paused_since if pausable and history.ended_at is None else None
        until = history.ended_at or self.as_of
        elapsed: timedelta | None = None
        if self.as_of is not None and until is not None:
            elapsed = self.clock.elapsed(start, until, history.stops(pausable=pausable, until=until))
        occurrence = Occurrence(
            milestone=self.milestone.name,
            number=self.number,
            started_at=start,
            paused_since=paused_since,
            elapsed=elapsed,
        )
        target, counted_from = self._promise()
        if target is None:
            return occurrence
        due = self.clock.due(counted_from or start, target, history.stops(pausable=pausable))
        late = self.as_of is not None and due <= min(self.as_of, paused_since or self.as_of)
        state = MilestoneState.PAUSED if paused_since else MilestoneState.OPEN
        if history.ended_at is not None:
            late = due < history.ended_at
            state = MilestoneState.STOPPED
        return occurrence.having(
            target=target,
            counted_from=counted_from,
            due=None if paused_since else due,
            headroom=None if elapsed is None else target - elapsed,
            violated_at=due if late else None,
            state=state,
        )
