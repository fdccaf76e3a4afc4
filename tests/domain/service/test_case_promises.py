"""What a case was promised when its priority, its state or what is known of it changes."""

from __future__ import annotations

from datetime import timedelta
from functools import partial

import pytest

from domain.frame.case_words import CaseState, Level, Priority
from domain.kernel.business_clock import clock_of
from domain.service import case_changes, case_handling
from domain.service.case_requests import DeEscalate, Escalate, Prioritise, Respond
from tests.domain.service.asking import DAY, HOUR, MONDAY, customer_writes, in_state, reopen, resolve, respond, tokyo
from tests.domain.service.living import Life, book


def test_what_burnt_before_it_was_resolved_burns_again_when_it_is_reopened() -> None:
    life = in_state(CaseState.OPEN)
    life.do(lambda work: case_handling.escalate(work, Escalate(reason="the shop is closed", by="AG-1")))
    life.do(resolve)
    burning = life.case.escalated
    assert not burning
    life.wait(HOUR)
    life.do(customer_writes("Still down!"))
    assert life.case.escalated
    assert life.case.escalated_at == life.now
    assert {who for at, id, who in life.notices if at == life.now and "/escalated#" in id} == {
        "AG-1",
        "LEAD",
        "MANAGER",
    }
    life.do(lambda work: case_handling.de_escalate(work, DeEscalate(reason="a spare one", by="AG-1")))
    life.do(resolve)
    life.do(reopen)
    assert not life.case.escalated


def test_a_higher_priority_counts_anew_from_when_it_was_set_and_does_not_warn_in_a_burst() -> None:
    life = Life(MONDAY, impact=Level.LOW, urgency=Level.LOW)
    clock = clock_of(book().calendars["office-jp"])
    assert life.promise("resolution").due_at == clock.due(MONDAY, timedelta(hours=72))
    life.do(respond)
    life.wait(8 * HOUR)
    before = len(life.notices)
    asked = Prioritise(impact=Level.HIGH, urgency=Level.HIGH, by="AG-1")
    assert life.do(lambda work: case_handling.prioritise(work, asked))["priority"] == "urgent"
    assert life.promise("resolution").due_at == clock.due(life.now, timedelta(hours=9))
    assert len(life.notices) == before
    life.until(tokyo("2026-06-02", "17:00"))
    assert life.promise("resolution").violated_at == tokyo("2026-06-02", "17:00")
    assert life.case.escalated
    life.do(lambda work: case_handling.prioritise(work, Prioritise(priority=Priority.LOW, by="AG-1")))
    row = life.promise("resolution")
    assert row.due_at == row.violated_at == tokyo("2026-06-02", "17:00")  # what is late stays late
    assert life.kinds().count("violated") == 1


def test_what_was_kept_stays_kept_when_the_priority_is_raised_days_later() -> None:
    life = Life(MONDAY, impact=Level.LOW, urgency=Level.LOW)
    life.wait(5 * HOUR)
    life.do(respond)
    kept = life.promise("first_response")
    assert kept.state == "met"
    life.wait(3 * DAY)
    before = (len(life.notices), len(life.mails), life.case.escalated)
    life.do(lambda work: case_handling.prioritise(work, Prioritise(priority=Priority.URGENT, by="AG-1")))
    assert life.promise("first_response") == kept
    assert life.promise("resolution").violated_at is None
    assert "violated" not in life.kinds()
    assert (len(life.notices), len(life.mails), life.case.escalated) == before
    # Its warnings come again, at the shares of the new target.
    life.until(clock_of(book().calendars["office-jp"]).due(life.now, timedelta(hours=5)))
    assert any("resolution:1@" in id and id.endswith("/half#AG-1") for _, id, _ in life.notices[before[0] :])


@pytest.mark.parametrize("hours", [1, 30, 60])
def test_a_higher_priority_never_gives_more_time_than_there_was(hours: int) -> None:
    life = Life(MONDAY, impact=Level.LOW, urgency=Level.LOW)
    life.do(respond)
    life.until(clock_of(book().calendars["office-jp"]).due(MONDAY, timedelta(hours=hours)))
    before = life.promise("resolution").due_at
    for priority in (Priority.MEDIUM, Priority.HIGH, Priority.URGENT):
        life.do(partial(case_handling.prioritise, request=Prioritise(priority=priority, by="AG-1")))
        after = life.promise("resolution").due_at
        assert before is not None
        assert after is not None
        assert life.now < after <= before
        before = after


def test_an_answer_that_came_late_is_still_judged_by_what_was_promised_then() -> None:
    life = Life(MONDAY, impact=Level.HIGH, urgency=Level.HIGH)
    life.wait(3 * HOUR)
    life.do(lambda work: case_handling.prioritise(work, Prioritise(priority=Priority.LOW, by="AG-1")))
    assert life.promise("first_response").violated_at == MONDAY + HOUR
    called = Respond(body="Called.", at=MONDAY + HOUR / 2, by="AG-1", channel="phone")
    life.do(lambda work: case_changes.respond(work, called))
    assert life.promise("first_response").reversed_at == life.now


def test_a_resolution_is_the_first_response_of_who_heard_nothing_before() -> None:
    life = Life(MONDAY)
    life.wait(HOUR)
    life.do(resolve)
    row = life.promise("first_response")
    assert (row.state, row.completed_at) == ("met", life.now)
    assert life.case.first_response_at == life.now
    life.wait(DAY)
    life.do(reopen)
    assert life.promise("first_response") == row
    life.wait(5 * DAY)
    assert life.case.first_response_at == MONDAY + HOUR
    assert "first_response" not in {row.milestone for row in life.known.milestones if row.violated_at}


def test_a_late_answer_that_was_given_in_time_takes_the_violation_back_once() -> None:
    life = Life(MONDAY, impact=Level.HIGH, urgency=Level.HIGH)
    life.wait(3 * HOUR)
    assert life.promise("first_response").violated_at == MONDAY + HOUR
    called = Respond(body="Called.", at=MONDAY + HOUR / 2, by="AG-1", channel="phone")
    life.do(lambda work: case_changes.respond(work, called))
    life.do(lambda work: case_changes.respond(work, called))
    row = life.promise("first_response")
    assert (row.state, row.completed_at, row.reversed_at) == ("met", MONDAY + HOUR / 2, MONDAY + 3 * HOUR)
    assert life.kinds().count("violated") == life.kinds().count("reversed") == 1


def test_what_is_said_of_a_late_case_is_in_words_and_in_office_hours() -> None:
    life = Life(MONDAY, impact=Level.HIGH, urgency=Level.MEDIUM)
    life.wait(7 * DAY)
    assert "Case C-1: first response was due and late" in life.lines
    assert "Case C-1 is open for 27 working hours" in life.titles
    assert not [said for said in life.lines + life.titles if "_" in said]
