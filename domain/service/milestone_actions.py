"""What a case's milestones want done: actions that are due, violations, and those that late evidence takes back."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping, Sequence
from datetime import datetime, timedelta

from pydantic import AwareDatetime

from domain.frame.keys import case_key
from domain.kernel.base import Carried
from domain.service.definitions import ActionClass, MilestoneAction
from domain.service.history import CaseHistory
from domain.service.milestone_timeline import Followed
from domain.service.milestones import MilestoneState, Occurrence, Target, occurrences


class PlannedAction(Carried):
    """One action of one occurrence, wanted at `at`. Its key is the same whenever it is planned, so it is done once."""

    key: str
    milestone: str
    occurrence: str
    action: MilestoneAction
    at: AwareDatetime


class Violation(Carried):
    """A milestone occurrence found late: kept with the target that it was judged by."""

    occurrence: str
    milestone: str
    target: timedelta
    violated_at: AwareDatetime


class Reversal(Carried):
    """A recorded violation that evidence with an earlier event time takes back; `says` is its audit line."""

    occurrence: str
    violated_at: AwareDatetime
    completed_at: AwareDatetime | None
    withdraw: tuple[str, ...]
    """keys of its violation actions that were fired: those not sent yet must not be"""
    says: str


class DueActions(Carried):
    """What to do now, and when to look again."""

    fire: tuple[PlannedAction, ...] = ()
    violations: tuple[Violation, ...] = ()
    reversals: tuple[Reversal, ...] = ()
    next_at: AwareDatetime | None = None


def agenda(
    case_id: str,
    followed: Sequence[Followed],
    history: CaseHistory,
    *,
    as_of: datetime,
    planned_at: datetime,
    fired: Collection[str] = (),
    recorded: Mapping[str, Violation] | None = None,
) -> DueActions:
    """What the milestones of a case want at `as_of`. Events decide, not the instant at which a timer woke the caller.

    Args:
        followed: from `follow`, judged at the same `as_of`.
        planned_at: when the targets were last set (creation, change of priority, product or calendar). A warning whose
            instant was already past by then is left out, so that nothing fires in a burst.
        fired: keys of actions that were done; none is done twice.
        recorded: violations that were recorded, by occurrence key.

    Returns:
        Actions to fire in order of their instants, new violations, reversals, and the next instant to wake at.
    """
    known = recorded or {}
    fire: list[PlannedAction] = []
    violations: list[Violation] = []
    later: list[datetime] = []
    for one in followed:
        for occurrence in one.occurrences:
            if occurrence.target is None:
                continue
            if occurrence.violated_at is not None and occurrence.key not in known:
                violations.append(_violation(occurrence, occurrence.target, occurrence.violated_at))
            if occurrence.state is MilestoneState.OPEN and occurrence.due is not None and occurrence.due > as_of:
                later.append(occurrence.due)
            for planned in _planned(case_id, one, occurrence, history):
                if planned.key in fired:
                    continue
                if planned.at > as_of:
                    if occurrence.state is MilestoneState.OPEN and planned.action.when is not ActionClass.SUCCESS:
                        later.append(planned.at)
                elif _wanted(planned, occurrence, as_of, planned_at, history.ended_at):
                    fire.append(planned)
    return DueActions(
        fire=tuple(sorted(fire, key=lambda planned: (planned.at, planned.key))),
        violations=tuple(violations),
        reversals=tuple(_reversals(case_id, followed, history, known, as_of=as_of, fired=fired)),
        next_at=min(later, default=None),
    )


def action_key(case_id: str, occurrence: Occurrence, action: str) -> str:
    """Names the one effect of an action for an occurrence of a case; a target that was set anew has effects of its own."""
    anew = f"@{occurrence.counted_from.isoformat()}" if occurrence.counted_from else ""
    return case_key(case_id, f"{occurrence.key}{anew}/{action}")


def _violation(occurrence: Occurrence, target: timedelta, violated_at: datetime) -> Violation:
    return Violation(occurrence=occurrence.key, milestone=occurrence.milestone, target=target, violated_at=violated_at)


def _planned(case_id: str, one: Followed, occurrence: Occurrence, history: CaseHistory) -> Iterator[PlannedAction]:
    target = occurrence.target or timedelta(0)
    pausable = one.milestone.stops_on_pause
    stops = history.stops(pausable=pausable, until=occurrence.completed_at)
    for action in one.milestone.actions:
        if action.when is ActionClass.SUCCESS:
            at = occurrence.completed_at
        else:
            span = target + action.offset if action.percent is None else target * action.percent // 100
            at = one.clock.due(occurrence.counts_from, max(span, timedelta(0)), stops)
        if at is not None:
            yield PlannedAction(
                key=action_key(case_id, occurrence, action.name),
                milestone=occurrence.milestone,
                occurrence=occurrence.key,
                action=action,
                at=at,
            )


def _wanted(
    planned: PlannedAction, occurrence: Occurrence, as_of: datetime, planned_at: datetime, ended_at: datetime | None
) -> bool:
    """Whether an action whose instant has come is to be done."""
    match planned.action.when:
        case ActionClass.SUCCESS:
            return occurrence.state is MilestoneState.MET
        case ActionClass.WARNING:
            in_time = planned.at >= planned_at and occurrence.due is not None and as_of < occurrence.due
            return occurrence.state is MilestoneState.OPEN and in_time
        case ActionClass.VIOLATION:
            # What was wanted before the work was done, the case ended or a pause began is still owed; the rest is not.
            limits = (occurrence.completed_at, ended_at, occurrence.paused_since)
            return occurrence.violated_at is not None and all(limit is None or planned.at <= limit for limit in limits)


def _reversals(
    case_id: str,
    followed: Sequence[Followed],
    history: CaseHistory,
    known: Mapping[str, Violation],
    *,
    as_of: datetime,
    fired: Collection[str],
) -> Iterator[Reversal]:
    """Recorded violations that the events, judged by the target of that time, no longer bear out."""
    for one in followed:
        for violation in known.values():
            if violation.milestone != one.milestone.name:
                continue
            own = {number: Target(violation.target, told.counted_from) for number, told in one.promised.items()}
            again = occurrences(one.milestone, violation.target, history, one.clock, as_of=as_of, promised=own)
            now = next((found for found in again if found.key == violation.occurrence), None)
            if now is None or now.violated_at is not None:
                continue
            late_actions = [action for action in one.milestone.actions if action.when is ActionClass.VIOLATION]
            keys = [action_key(case_id, now, action.name) for action in late_actions]
            moment = "is not late" if now.completed_at is None else f"was done at {now.completed_at.isoformat()}"
            yield Reversal(
                occurrence=violation.occurrence,
                violated_at=violation.violated_at,
                completed_at=now.completed_at,
                withdraw=tuple(key for key in keys if key in fired),
                says=f"late evidence: {violation.occurrence}, recorded as violated at "
                f"{violation.violated_at.isoformat()}, {moment}",
            )
