from __future__ import annotations

from datetime import datetime
from typing import Any

import pytest
from pydantic import ValidationError

from domain.frame.case_words import Priority
from domain.kernel.business_clock import BusinessClock
from domain.service.definitions import ActionClass, ActionKind, Milestone, MilestoneAction, MilestoneKind
from domain.service.history import CaseHistory
from domain.service.milestone_actions import DueActions, agenda
from domain.service.milestone_timeline import follow
from tests.domain.service.around_the_clock import always_open
from tests.domain.service.samples import at, hours, minutes, story

CLOCKS = {"always": BusinessClock(always_open())}


def action(name: str, when: ActionClass, **more: Any) -> MilestoneAction:
    return MilestoneAction(name=name, when=when, does=ActionKind.MAIL, **more)


LADDER = (
    action("half", ActionClass.WARNING, percent=50),
    action("soon", ActionClass.WARNING, offset=-minutes(15)),
    action("late", ActionClass.VIOLATION),
    action("very_late", ActionClass.VIOLATION, percent=150),
    action("well_done", ActionClass.SUCCESS),
)
TARGETS = {Priority.HIGH: hours(2), Priority.LOW: hours(20)}
MILESTONE = Milestone(name="resolution", kind=MilestoneKind.RESOLUTION, targets=TARGETS, actions=LADDER)


def ask(
    told: CaseHistory,
    now: datetime,
    *,
    planned: datetime | None = None,
    priority: Priority = Priority.HIGH,
    **more: Any,
) -> DueActions:
    followed = follow([MILESTONE], priority, told, CLOCKS, calendar_id="always", as_of=now)
    return agenda("C1", followed, told, as_of=now, planned_at=planned or at("2026-01-05 09:00"), **more)


def names(found: DueActions) -> list[str]:
    return [planned.action.name for planned in found.fire]


CREATED = story("09:00 created")


def test_each_step_of_the_ladder_comes_once_and_the_next_instant_is_known() -> None:
    fired: set[str] = set()
    seen = []
    moment: datetime | None = at("2026-01-05 09:00")
    while moment is not None:
        found = ask(CREATED, moment, fired=fired)
        again = ask(CREATED, moment, fired=fired | {one.key for one in found.fire})
        assert again.fire == ()
        fired |= {one.key for one in found.fire}
        seen += [(moment.strftime("%H:%M"), name) for name in names(found)]
        moment = found.next_at
    assert seen == [("10:00", "half"), ("10:45", "soon"), ("11:00", "late"), ("12:00", "very_late")]
    assert "case:C1/resolution:1/late" in fired


def test_success_comes_with_a_completion_in_time_and_nothing_after_it() -> None:
    done = story("09:00 created", "10:30 resolved")
    found = ask(done, at("2026-01-05 15:00"), fired={"case:C1/resolution:1/half"})
    assert (names(found), found.violations, found.next_at) == (["well_done"], (), None)


def test_warnings_already_past_when_planned_are_left_out() -> None:
    found = ask(CREATED, at("2026-01-05 10:30"), planned=at("2026-01-05 10:20"))
    assert names(found) == []
    assert found.next_at == at("2026-01-05 10:45")


def test_a_timer_that_fires_late_still_warns_unless_the_target_has_passed() -> None:
    assert names(ask(CREATED, at("2026-01-05 10:50"))) == ["half", "soon"]
    assert names(ask(CREATED, at("2026-01-05 11:30"))) == ["late"]


def test_work_done_late_while_nobody_looked_is_a_violation_without_the_steps_after_it() -> None:
    done = story("09:00 created", "11:30 resolved")
    found = ask(done, at("2026-01-05 18:00"))
    assert names(found) == ["late"]
    [violation] = found.violations
    assert (violation.occurrence, violation.violated_at) == ("resolution:1", at("2026-01-05 11:00"))


def test_nothing_warns_or_violates_while_paused() -> None:
    paused = story("09:00 created", "09:30 pause")
    found = ask(paused, at("2026-01-05 18:00"))
    assert (names(found), found.violations, found.next_at) == ([], (), None)
    resumed = story("09:00 created", "09:30 pause", "18:00 resume")
    assert ask(resumed, at("2026-01-05 18:00")).next_at == at("2026-01-05 18:30")


def test_late_evidence_takes_a_violation_back_with_an_audit_line() -> None:
    first = ask(CREATED, at("2026-01-05 11:00"))
    known = {one.occurrence: one for one in first.violations}
    fired = {one.key for one in first.fire}
    evidence = story("09:00 created", "10:59 resolved")
    found = ask(evidence, at("2026-01-05 11:05"), recorded=known, fired=fired)
    [reversal] = found.reversals
    assert reversal.completed_at == at("2026-01-05 10:59")
    assert reversal.withdraw == ("case:C1/resolution:1/late",)
    assert reversal.says.startswith("late evidence: resolution:1, recorded as violated at 2026-01-05T11:00")
    too_late = story("09:00 created", "11:01 resolved")
    assert ask(too_late, at("2026-01-05 11:05"), recorded=known, fired=fired).reversals == ()


def test_evidence_of_an_earlier_pause_takes_a_violation_back_too() -> None:
    known = {one.occurrence: one for one in ask(CREATED, at("2026-01-05 11:00")).violations}
    paused = story("09:00 created", "09:30 pause", "10:30 resume")
    [reversal] = ask(paused, at("2026-01-05 11:05"), recorded=known).reversals
    assert reversal.completed_at is None


def test_lowering_the_priority_reverses_no_violation() -> None:
    known = {one.occurrence: one for one in ask(CREATED, at("2026-01-05 11:00")).violations}
    found = ask(CREATED, at("2026-01-05 11:05"), recorded=known, priority=Priority.LOW)
    assert found.reversals == ()


def test_raising_the_priority_violates_at_once_but_does_not_warn_in_a_burst() -> None:
    low = ask(CREATED, at("2026-01-05 12:30"), priority=Priority.LOW)
    assert (names(low), low.next_at) == ([], at("2026-01-05 19:00"))
    raised = ask(CREATED, at("2026-01-05 12:30"), planned=at("2026-01-05 12:30"))
    assert names(raised) == ["late", "very_late"]


@pytest.mark.parametrize(
    ("when", "more", "advice"),
    [
        (ActionClass.WARNING, {"percent": 100}, "under 100 percent"),
        (ActionClass.WARNING, {}, "under 100 percent"),
        (ActionClass.VIOLATION, {"percent": 75}, "100 percent or more"),
        (ActionClass.VIOLATION, {"offset": -minutes(1)}, "100 percent or more"),
        (ActionClass.WARNING, {"percent": 50, "offset": -minutes(1)}, "give one of them"),
    ],
)
def test_actions_lie_on_their_side_of_the_target(when: ActionClass, more: dict[str, Any], advice: str) -> None:
    with pytest.raises(ValidationError, match=advice):
        action("wrong", when, **more)
