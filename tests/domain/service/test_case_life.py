"""A case from its opening to its end: what it may become, what it does by itself and when, and what others hear of it."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from functools import partial
from typing import Any

import pytest

from domain.kernel.refusals import Refusal
from domain.service import case_changes, case_handling, case_surveys
from domain.service.assignment import Level
from domain.service.case import CaseChanged, CaseContact, CaseFile, Happened, Recorded
from domain.service.case_requests import (
    AddNote,
    AnswerCsat,
    Assign,
    Cancel,
    Close,
    CustomerMessage,
    DeEscalate,
    Escalate,
    Merge,
    Prioritise,
    Reopen,
    Resolve,
    Respond,
    Resume,
    Wait,
    WaitFor,
)
from domain.service.casework import Work
from domain.service.clock import clock_of
from domain.service.definitions import Priority
from domain.service.lifecycle import CaseState, allowed_after
from domain.success.throttling import AskedBefore, SurveyKind
from tests.domain.service.living import STAFF, Life, book, refused

MONDAY = datetime(2026, 6, 1, 0, 0, tzinfo=UTC)
"""nine o'clock in Tokyo, in a month without holidays"""
DAY = timedelta(days=1)
HOUR = timedelta(hours=1)


def tokyo(day: str, clock: str = "09:00") -> datetime:
    return datetime.fromisoformat(f"{day}T{clock}:00+09:00")


def respond(work: Work) -> None:
    case_changes.respond(work, Respond(body="Which model?", by="AG-1"))


def resolve(work: Work) -> None:
    case_changes.resolve(work, Resolve(code="fixed", text="A new cable.", by="AG-1"))


def wait_for(whom: WaitFor) -> Callable[[Work], None]:
    return lambda work: case_changes.wait(work, Wait(waiting_for=whom, reason="the model", by="AG-1"))


def resume(work: Work) -> None:
    case_changes.resume(work, Resume(by="AG-1"))


def reopen(work: Work) -> None:
    case_changes.reopen(work, Reopen(reason="still down", by="AG-1"))


def close(work: Work) -> None:
    case_changes.close(work, Close(by="AG-1"))


def cancel(work: Work) -> None:
    case_changes.cancel(work, Cancel(by_customer=True, by="AG-1"))


def merge(work: Work) -> None:
    case_changes.merge(work, Merge(into="C-2", by="AG-1"), {"C-2": other(work.case)}, {})


def other(case: CaseFile, **changes: Any) -> CaseFile:
    return case.model_copy(
        update={"case_id": "C-2", "status": CaseState.OPEN, "resolved_at": None, "closed_at": None, **changes}
    )


def customer_writes(text: str = "A T-1000.", **more: Any) -> Callable[[Work], None]:
    return lambda work: case_changes.customer_message(work, CustomerMessage(body=text, **more))


REQUESTS: dict[str, tuple[Callable[[Work], None], CaseState]] = {
    "wait for the customer": (wait_for(WaitFor.CUSTOMER), CaseState.WAITING_CUSTOMER),
    "wait for ourselves": (wait_for(WaitFor.INTERNAL), CaseState.WAITING_INTERNAL),
    "wait for others": (wait_for(WaitFor.THIRD_PARTY), CaseState.WAITING_THIRD_PARTY),
    "resolve": (resolve, CaseState.RESOLVED),
    "close": (close, CaseState.CLOSED),
    "cancel": (cancel, CaseState.CANCELLED),
    "merge": (merge, CaseState.MERGED),
}
WAYS: dict[CaseState, tuple[Callable[[Work], None], ...]] = {
    CaseState.OPEN: (),
    CaseState.WAITING_CUSTOMER: (wait_for(WaitFor.CUSTOMER),),
    CaseState.WAITING_INTERNAL: (wait_for(WaitFor.INTERNAL),),
    CaseState.WAITING_THIRD_PARTY: (wait_for(WaitFor.THIRD_PARTY),),
    CaseState.RESOLVED: (resolve,),
    CaseState.CLOSED: (resolve, close),
    CaseState.MERGED: (merge,),
    CaseState.CANCELLED: (cancel,),
}


def in_state(state: CaseState) -> Life:
    life = Life(MONDAY)
    for decide in WAYS[state]:
        life.wait(HOUR)
        life.do(decide)
    assert life.case.status is state
    return life


# What it may become


@pytest.mark.parametrize("name", REQUESTS)
@pytest.mark.parametrize("state", WAYS, ids=lambda state: state.value)
def test_a_request_is_carried_out_or_refused_with_what_is_allowed_instead(state: CaseState, name: str) -> None:
    decide, to = REQUESTS[name]
    life = in_state(state)
    if to in allowed_after(state):
        life.do(decide)
        assert life.case.status is to
        return
    said = str(refused(life, decide))
    assert all(one.value in said for one in allowed_after(state)) or "nothing else" in said


@pytest.mark.parametrize("state", WAYS, ids=lambda state: state.value)
def test_only_what_waits_goes_on_and_only_what_has_ended_is_reopened(state: CaseState) -> None:
    waits = state.value.startswith("waiting")
    ended = state in (CaseState.RESOLVED, CaseState.CLOSED)
    for decide, fits in ((resume, waits), (reopen, ended)):
        life = in_state(state)
        if fits:
            life.do(decide)
            assert life.case.status is CaseState.OPEN
        else:
            refusal = refused(life, decide)
            assert refusal.type == "TransitionNotAllowed"
            assert all(one.value in str(refusal) for one in allowed_after(state))


def note(work: Work) -> None:
    case_changes.note(work, AddNote(body="They are away.", by="AG-1"))


@pytest.mark.parametrize("stirs", [note, respond, customer_writes(), resume])
def test_the_journey_hears_once_that_a_case_is_not_quiet_any_more(stirs: Callable[[Work], None]) -> None:
    life = Life(MONDAY, impact=Level.HIGH, urgency=Level.HIGH)
    life.wait(HOUR)
    life.do(respond)
    life.do(wait_for(WaitFor.CUSTOMER))
    life.wait(31 * DAY)
    told = len(life.told)
    life.do(stirs)
    assert life.told[told:] in (["standing"], ["escalated"])  # what was late by now is told at the same time
    life.do(note)
    assert len(life.told) == told + 1


def test_what_a_change_needs_is_asked_for() -> None:
    life = in_state(CaseState.OPEN)
    assert "resolution code" in str(refused(life, lambda work: case_changes.resolve(work, Resolve(by="AG-1"))))
    assert "reason" in str(refused(life, lambda work: case_changes.cancel(work, Cancel(by="AG-1"))))
    past = Wait(reason="parts", until=MONDAY - HOUR, by="AG-1")
    assert "has passed" in str(refused(life, lambda work: case_changes.wait(work, past)))
    future = Respond(body="x", at=MONDAY + DAY, by="AG-1")
    assert "must lie between" in str(refused(life, lambda work: case_changes.respond(work, future)))


def test_a_case_that_ended_long_ago_is_not_reopened() -> None:
    life = in_state(CaseState.RESOLVED)
    life.wait(15 * DAY)
    assert "open a new case" in str(refused(life, reopen))
    assert life.do(customer_writes())["new_case"]


def test_an_answer_to_an_ended_case_says_where_to_write() -> None:
    life = in_state(CaseState.MERGED)
    assert "write to 'C-2'" in str(refused(life, respond))
    assert "write to 'C-2'" in str(refused(life, customer_writes()))
    assert "reopen it first" in str(refused(in_state(CaseState.CLOSED), respond))


def test_a_message_of_the_customer_does_what_the_state_calls_for() -> None:
    for state, effect, after in (
        (CaseState.OPEN, "continues", CaseState.OPEN),
        (CaseState.WAITING_CUSTOMER, "resumes", CaseState.OPEN),
        (CaseState.RESOLVED, "reopens", CaseState.OPEN),
        (CaseState.CLOSED, "reopens", CaseState.OPEN),
    ):
        life = in_state(state)
        assert life.do(customer_writes())["effect"] == effect
        assert life.case.status is after
    robot = in_state(CaseState.WAITING_CUSTOMER)
    assert robot.do(customer_writes("I am away.", automatic=True))["effect"] == "kept"
    assert robot.case.status is CaseState.WAITING_CUSTOMER
    twice = in_state(CaseState.OPEN)
    twice.do(customer_writes(message_id="<1@customer.example>"))
    assert twice.do(customer_writes(message_id="<1@customer.example>")) == {"known": True}
    assert twice.kinds().count("customer_message") == 1


# Who, and how urgently


def test_who_is_unknown_gets_no_case_and_known_teams_are_named() -> None:
    life = in_state(CaseState.OPEN)
    unknown = Assign(owner="AG-404", by="AG-1")
    assert "none of our people" in str(refused(life, lambda work: case_handling.assign(work, unknown)))
    refusal = refused(life, lambda work: case_handling.assign(work, Assign(team="nights", by="AG-1")))
    assert "there are service" in str(refusal)
    life.do(lambda work: case_handling.assign(work, Assign(owner="AG-2", by="AG-1")))
    assert life.case.owner_id == "AG-2"
    assert life.notices[-1][2] == "AG-2"
    for state in (CaseState.CLOSED, CaseState.MERGED):
        ended = in_state(state)
        for decide in (
            lambda work: case_handling.assign(work, Assign(owner="AG-2", by="AG-1")),
            lambda work: case_handling.escalate(work, Escalate(reason="x", by="AG-1")),
            lambda work: case_handling.prioritise(work, Prioritise(priority=Priority.URGENT, by="AG-1")),
        ):
            assert f"is {state.value}" in str(refused(ended, decide))


def test_the_flag_goes_up_once_for_a_reason_and_down_with_one() -> None:
    life = in_state(CaseState.OPEN)
    for _ in range(2):
        life.do(lambda work: case_handling.escalate(work, Escalate(reason="the shop is closed", by="AG-1")))
    assert life.kinds().count("escalated") == 1
    assert {staff for _, _, staff in life.notices} == {"AG-1", "LEAD", "MANAGER"}
    life.do(lambda work: case_handling.de_escalate(work, DeEscalate(reason="a spare one", by="AG-1")))
    down = DeEscalate(reason="again", by="AG-1")
    assert "not escalated" in str(refused(life, lambda work: case_handling.de_escalate(work, down)))
    assert [what for what in life.told if "escalated" in what] == ["escalated", "de_escalated"]


def test_a_second_reason_to_escalate_is_kept_beside_the_first_and_told() -> None:
    life = in_state(CaseState.OPEN)
    life.do(lambda work: case_handling.escalate(work, Escalate(reason="the shop is closed", by="AG-1")))
    told = len(life.notices)
    again = Escalate(reason="the press has called", by="AG-2")
    answer = life.do(lambda work: case_handling.escalate(work, again))
    assert answer["escalated_for"] == ["the shop is closed", "the press has called"]
    assert life.kinds().count("escalated") == 2
    assert {staff for _, _, staff in life.notices[told:]} == {"AG-1", "LEAD", "MANAGER"}
    assert any("the press has called" in line for line in life.lines)


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


def test_a_survey_that_is_too_much_for_one_day_goes_out_on_the_next() -> None:
    life = Life(MONDAY)
    life.do(resolve)
    life.do(reopen)
    life.do(resolve)
    assert life.templates().count("case_resolved") == 2
    life.wait(3 * HOUR)
    assert "case_survey" not in life.templates()
    life.wait(2 * DAY)
    assert [at for at, template, _ in life.mails if template == "case_survey"] == [MONDAY + DAY]
    assert "mail_held" not in life.kinds()


def test_what_was_done_is_told_however_often_it_was_done_on_one_day() -> None:
    life = Life(MONDAY)
    for _ in range(4):
        life.do(resolve)
        life.do(reopen)
    assert life.templates().count("case_resolved") == 4


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


# What it does by itself

GOLDEN_WEEK = tokyo("2026-05-01", "12:00")
"""a Friday; Monday to Wednesday are national holidays"""


@pytest.mark.parametrize(
    ("begins", "reminded"),
    [
        (tokyo("2026-06-01", "12:00"), [tokyo("2026-06-03", "12:00"), tokyo("2026-06-08", "12:00")]),
        (tokyo("2026-06-05", "12:00"), [tokyo("2026-06-09", "12:00"), tokyo("2026-06-12", "12:00")]),
        (GOLDEN_WEEK, [tokyo("2026-05-08", "12:00"), tokyo("2026-05-13", "12:00")]),
        (tokyo("2026-06-06", "12:00"), [tokyo("2026-06-09", "12:00"), tokyo("2026-06-12", "12:00")]),  # a Saturday
    ],
)
def test_a_customer_whose_answer_is_awaited_is_reminded_on_business_days(
    begins: datetime, reminded: list[datetime]
) -> None:
    life = Life(begins)
    life.do(respond)
    life.do(wait_for(WaitFor.CUSTOMER))
    assert life.next_at == reminded[0]
    life.wait(20 * DAY)
    assert [at for at, template, _ in life.mails if template == "case_nudge"] == reminded
    assert life.next_at is None


def test_what_an_agent_writes_bears_the_name_of_that_agent() -> None:
    """Whoever has the case may be somebody else."""
    life, signed = Life(MONDAY), []

    def answered(by: str, resolved: bool = False) -> None:
        def act(work: Work) -> None:
            if resolved:
                case_changes.resolve(work, Resolve(code="fixed", text="A new cable.", by=by))
            else:
                case_changes.respond(work, Respond(body="Which model?", by=by))
            signed.append(work.mails[-1].context["sender_name"])

        life.do(act)

    for by in ("AG-1", "AG-2", "program"):
        answered(by)
    answered("AG-2", resolved=True)
    assert signed == [STAFF[by].name for by in ("AG-1", "AG-2", "AG-1", "AG-2")]


def test_a_timer_that_fires_late_reminds_once() -> None:
    life = Life(MONDAY)
    life.do(respond)
    life.do(wait_for(WaitFor.CUSTOMER))
    life.now += 20 * DAY
    life.wake()
    assert life.templates() == ["case_opened", "case_reply", "case_nudge"]


def test_nobody_is_reminded_of_what_others_have_to_do() -> None:
    life = Life(MONDAY)
    life.do(respond)
    life.do(wait_for(WaitFor.THIRD_PARTY))
    life.wait(20 * DAY)
    assert "case_nudge" not in life.templates()


@pytest.mark.parametrize(
    ("resolved", "closed"),
    [
        (tokyo("2026-06-01", "12:00"), tokyo("2026-06-08", "12:00")),
        (GOLDEN_WEEK, tokyo("2026-05-13", "12:00")),
        (tokyo("2026-12-28", "15:00"), tokyo("2027-01-05", "15:00")),  # New Year's Day is a holiday
    ],
)
def test_a_resolved_case_is_surveyed_after_two_hours_and_closes_after_five_business_days(
    resolved: datetime, closed: datetime
) -> None:
    life = Life(resolved)
    life.do(resolve)
    assert life.next_at == resolved + 2 * HOUR
    life.until(resolved + 2 * HOUR)
    assert life.mails[-1] == (resolved + 2 * HOUR, "case_survey", True)
    assert life.next_at == closed
    life.until(closed)
    assert (life.case.status, life.case.closed_at) == (CaseState.CLOSED, closed)
    assert life.case.next_action_at is None


def test_a_wait_with_an_end_goes_on_by_itself_at_that_instant() -> None:
    life = Life(MONDAY)
    until = MONDAY + 3 * DAY
    life.do(lambda work: case_changes.wait(work, Wait(waiting_for="internal", reason="x", until=until, by="AG-1")))
    life.now = until + HOUR  # the timer fires late
    life.wake()
    assert (life.case.status, life.case.status_at, life.case.resume_at) == (CaseState.OPEN, until, None)


def test_enough_automatic_mails_are_enough() -> None:
    life = Life(MONDAY, enterprise=True, impact=Level.HIGH, urgency=Level.HIGH)
    for _ in range(2):
        life.do(resolve)
        life.do(reopen)
    life.do(customer_writes("Still nothing prints."))
    life.wait(20 * HOUR)  # the case owes an apology and may not write it any more
    assert life.templates() == ["case_opened", "case_resolved", "case_resolved"]
    assert life.kinds().count("mail_held") == 1


# How it was


def surveyed(**contact: Any) -> Life:
    known = {"contact_id": "P-1", "email": "aoi@customer.example", **contact}
    life = Life(MONDAY, contact=CaseContact.model_validate(known))
    life.do(resolve)
    life.wait(3 * HOUR)
    return life


def test_a_survey_is_answered_in_its_time_and_changed_within_a_day() -> None:
    life = surveyed()
    life.do(lambda work: case_surveys.answer(work, AnswerCsat(score=5)))
    life.wait(24 * HOUR)
    life.do(lambda work: case_surveys.answer(work, AnswerCsat(score=4)))
    assert [one.score for one in life.known.surveys] == [4]
    life.wait(HOUR)
    late = refused(life, lambda work: case_surveys.answer(work, AnswerCsat(score=1)))
    assert "24 hours" in str(late)
    assert life.tasks == []
    quiet = surveyed()
    quiet.wait(8 * DAY)
    assert "7 days" in str(refused(quiet, lambda work: case_surveys.answer(work, AnswerCsat(score=5))))


def test_an_unhappy_answer_calls_for_somebody_within_a_business_day() -> None:
    life = Life(tokyo("2026-05-01", "12:00"))
    life.do(resolve)
    life.wait(3 * HOUR)
    life.do(lambda work: case_surveys.answer(work, AnswerCsat(score=2)))
    assert life.tasks == [("Call back: Case C-1 was rated 2 of 5", tokyo("2026-05-07", "15:00"))]
    assert life.told[-1] == "rated"
    life.do(lambda work: case_changes.note(work, AddNote(body="Called them.", by="AG-1")))
    assert life.last.settled_tasks == ["survey/C-1-1"]


@pytest.mark.parametrize(
    ("contact", "asked", "why"),
    [
        ({"unsubscribed": True}, None, "wants no optional mails"),
        ({}, timedelta(days=29), "asked lately, not again before 2026-06-02"),
        ({}, timedelta(days=31), None),
    ],
)
def test_whoever_does_not_want_it_or_was_asked_lately_is_not_asked(
    contact: dict[str, Any], asked: timedelta | None, why: str | None
) -> None:
    known = {"contact_id": "P-1", "email": "Aoi@customer.example", **contact}
    life = Life(MONDAY, contact=CaseContact.model_validate(known))
    if asked is not None:
        before = AskedBefore(kind=SurveyKind.NPS, contact_id="aoi@customer.example", sent_at=MONDAY - asked)
        life.known.asked.append(before)
    life.do(resolve)
    life.wait(3 * HOUR)
    assert ("case_survey" in life.templates()) is (why is None)
    assert bool(life.known.surveys) is (why is None)
    if why is not None:
        assert why in life.lines[-1]
        assert why in life.last.said()[-1]


def test_nobody_waits_for_a_survey_that_would_come_too_soon_after_another() -> None:
    life = Life(MONDAY, contact=CaseContact.model_validate({"contact_id": "P-1", "email": "aoi@customer.example"}))
    life.known.asked.append(AskedBefore(kind=SurveyKind.NPS, contact_id="aoi@customer.example", sent_at=MONDAY - DAY))
    life.do(resolve)
    assert "no survey, they were asked lately" in life.lines[-1]
    assert life.next_at == MONDAY + 7 * DAY, "closing by itself"
    life.wait(3 * HOUR)
    assert sum("no survey" in line for line in life.lines) == 1


# Merging


def recorded(n: int, at: datetime, kind: Happened, **detail: Any) -> Recorded:
    return Recorded(sequence=n, at=at, recorded_at=at, kind=kind, by="x", detail=detail)


@pytest.mark.parametrize(
    ("answered", "heard_at", "target", "since"),
    [
        (False, None, {}, MONDAY),
        (True, None, {}, None),
        (False, MONDAY + HOUR / 2, {}, None),  # the target's answer came after the message
        (False, MONDAY - HOUR, {}, MONDAY),
        (False, None, {"opened_at": MONDAY + HOUR / 2}, MONDAY + HOUR / 2),
        (False, None, {"status": CaseState.RESOLVED}, MONDAY + HOUR),
    ],
)
def test_a_merge_takes_along_the_answer_that_is_owed(
    answered: bool, heard_at: datetime | None, target: dict[str, Any], since: datetime | None
) -> None:
    life = Life(MONDAY)
    if answered:
        life.do(respond)
    life.wait(HOUR)
    others = {"C-2": other(life.case, **target)}
    life.do(lambda work: case_changes.merge(work, Merge(into="C-2", by="AG-1"), others, {}, heard_at))
    assert life.last.owed_since == since
    assert [(one.what, one.into) for one in life.last.tell] == [("absorbed", "C-2"), ("closed", None)]


def test_what_is_late_stays_on_the_merged_cases_record() -> None:
    life = Life(MONDAY, impact=Level.HIGH, urgency=Level.HIGH)
    life.wait(2 * HOUR)
    life.do(merge)
    assert life.last.owed_since == MONDAY + 2 * HOUR
    row = life.promise("first_response")
    assert (row.state, row.violated_at) == ("stopped", MONDAY + HOUR)


def test_the_case_that_absorbs_another_owes_its_answer() -> None:
    life = in_state(CaseState.WAITING_CUSTOMER)
    life.do(respond)
    life.wait(HOUR)
    number = len(life.known.events) + 1
    owed = life.now - HOUR / 2
    life.known.events.append(
        recorded(number, life.now, Happened.ABSORBED, case_id="C-0", unanswered_since=owed.isoformat())
    )
    told = CaseChanged(id="C-0:3:absorbed", at=life.now, case_id="C-0", what="absorbed", into="C-1")
    life.do(lambda work: case_changes.absorbed(work, told))
    assert life.case.status is CaseState.OPEN
    row = life.promise("next_response")
    assert (row.state, row.started_at) == ("open", owed)
    assert life.next_at is not None
    assert row.due_at is not None
    assert life.next_at <= row.due_at


def test_refusals_carry_their_type() -> None:
    circle = in_state(CaseState.OPEN)
    with pytest.raises(Refusal, match="circle") as said:
        circle.do(lambda work: case_changes.merge(work, Merge(into="C-1", by="AG-1"), {}, {}))
    assert said.value.type == "MergeRefused"


def test_what_is_said_of_a_late_case_is_in_words_and_in_office_hours() -> None:
    life = Life(MONDAY, impact=Level.HIGH, urgency=Level.MEDIUM)
    life.wait(7 * DAY)
    assert "Case C-1: first response was due and late" in life.lines
    assert "Case C-1 is open for 27 working hours" in life.titles
    assert not [said for said in life.lines + life.titles if "_" in said]
