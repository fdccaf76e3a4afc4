"""Another system's log of a case, read as the record that this one would have kept: what happened, and how promises went."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import NamedTuple

from domain.frame.case_words import WAITING, CaseState, Priority
from domain.kernel.business_clock import BusinessClock
from domain.service.case import Happened, Recorded, clock_events
from domain.service.entitlements import ServicePolicy
from domain.service.history import CaseHistory, history_of
from domain.service.lifecycle import CaseRules
from domain.service.milestone_timeline import follow
from domain.service.milestones import Occurrence

_ENDINGS = {
    CaseState.RESOLVED: Happened.RESOLVED,
    CaseState.CLOSED: Happened.CLOSED,
    CaseState.CANCELLED: Happened.CANCELLED,
    CaseState.MERGED: Happened.MERGED,
}
_RULES = CaseRules()


class LoggedState(NamedTuple):
    """A line of a log: the case was in `state` at `at`; `by` is whoever had it."""

    at: datetime
    state: CaseState
    by: str = "import"


def changes_of(lines: Sequence[LoggedState]) -> tuple[LoggedState, ...]:
    """The lines in which the state became another one, by time; those of one instant keep the order of the log."""
    changes: list[LoggedState] = []
    for line in sorted(lines, key=lambda line: line.at):
        if not changes or line.state is not changes[-1].state:
            changes.append(line)
    return tuple(changes)


def record_of(opened_at: datetime, lines: Sequence[LoggedState], recorded_at: datetime) -> tuple[Recorded, ...]:
    """What a log says happened in a case.

    The case was created at `opened_at`, or with its first line if that is earlier. A log knows no messages: the first
    line that is not `new` counts as the first response. Work that goes on after an ending reopens the case.
    """
    changes = changes_of(lines)
    told: list[tuple[datetime, Happened, str, dict[str, str]]] = []
    before = CaseState.NEW
    for at, state, by in changes:
        if state is before:
            continue
        if not told:
            told.append((at, Happened.FIRST_RESPONSE, by, {}))
        if before in _ENDINGS and state not in _ENDINGS:
            told.append((at, Happened.REOPENED, by, {}))
        if state in WAITING:
            told.append((at, Happened.WAITING, by, {"status": state.value}))
        elif state in _ENDINGS:
            told.append((at, _ENDINGS[state], by, {}))
        elif before in WAITING:
            told.append((at, Happened.RESUMED, by, {}))
        before = state
    began = min(opened_at, changes[0].at) if changes else opened_at
    told.insert(0, (began, Happened.CREATED, "customer", {}))
    return tuple(
        Recorded(sequence=number, at=at, recorded_at=recorded_at, kind=kind, by=by, detail=detail)
        for number, (at, kind, by, detail) in enumerate(told, start=1)
    )


def history_from(record: Sequence[Recorded], rules: CaseRules = _RULES) -> CaseHistory:
    """The spans that a record means for promises."""
    return history_of(clock_events(record, rules))


def promises_of(
    policy: ServicePolicy,
    priority: Priority,
    record: Sequence[Recorded],
    clocks: Mapping[str, BusinessClock],
    *,
    as_of: datetime | None = None,
) -> tuple[Occurrence, ...]:
    """How every promise of a policy went, computed from the record alone. Errors as `follow`."""
    followed = follow(
        policy.milestones,
        priority,
        history_from(record),
        clocks,
        calendar_id=policy.calendar_id,
        as_of=as_of,
    )
    return tuple(occurrence for one in followed for occurrence in one.occurrences)
