"""What a case does by itself while it waits: reminders, surveys, its end."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Any

import pytest

from domain.frame.case_words import CaseState, Level
from domain.frame.sales_holds import AskedBefore, SurveyKind
from domain.service import case_changes, case_surveys
from domain.service.case import CaseContact
from domain.service.case_requests import AddNote, AnswerCsat, Wait, WaitFor
from tests.domain.service.asking import DAY, HOUR, MONDAY, customer_writes, reopen, resolve, respond, tokyo, wait_for
from tests.domain.service.living import Life, refused


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
