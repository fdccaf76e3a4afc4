"""When an optional mail may leave, and what becomes of the step that would send it too early."""

from __future__ import annotations

from dataclasses import replace
from datetime import date, datetime
from zoneinfo import ZoneInfo

import pytest

from domain.frame import pace
from domain.frame.customer import AccountFacts
from domain.frame.decision import Decision, JournalLine, Mail
from domain.frame.sales_holds import Purpose
from domain.frame.service_facts import HeldMail, ServiceFacts, Written
from domain.frame.situation import Situation
from domain.frame.state import Step
from domain.holds import holding
from domain.journey import mail_anew
from domain.success import adoption
from tests.domain.contracts.world import InMemory

BERLIN = ZoneInfo("Europe/Berlin")


def at(text: str) -> datetime:
    return datetime.fromisoformat(text).replace(tzinfo=BERLIN)


def now(text: str, since: str = "2026-09-01T10:00") -> Situation:
    """A customer in Berlin at an instant."""
    account = AccountFacts(
        account_id="acme",
        name="Acme",
        country="DE",
        time_zone="Europe/Berlin",
        language="de",
        segment="standard",
        playbook_version=1,
        since=at(since),
    )
    return replace(InMemory(account, "jo@acme.example").situation(), as_of=at(text))


@pytest.mark.parametrize(
    ("moment", "last", "day"),
    [
        ("2026-12-07T09:00", None, None),
        ("2026-12-07T09:00", "2026-12-04T09:00", None),
        ("2026-12-07T09:00", "2026-12-05T15:00", "2026-12-08"),
        ("2026-12-07T09:00", "2026-12-07T09:00", "2026-12-10"),
        ("2026-12-10T09:00", "2026-12-10T09:00", "2026-12-14"),
        ("2026-12-24T09:00", "2026-12-22T09:00", "2026-12-28"),
        ("2026-12-07T02:00", None, "2026-12-07"),
        ("2026-12-07T19:30", None, "2026-12-08"),
        ("2026-12-05T11:00", None, "2026-12-07"),
        ("2026-12-07T14:00", None, None),
    ],
)
def test_one_in_three_days_at_an_hour_at_which_people_work(moment: str, last: str | None, day: str | None) -> None:
    found = pace.day_for(now(moment), "check_in", at(last) if last else None)
    assert found == (date.fromisoformat(day) if day else None)


def test_others_give_way_to_an_anniversary_which_keeps_its_day() -> None:
    eve = now("2027-08-31T09:00")
    assert pace.day_for(eve, "check_in", None) == date(2027, 9, 6)
    assert pace.day_for(now("2027-09-01T09:00"), "touch_anniversary", at("2027-08-31T09:00")) is None
    assert pace.day_for(now("2027-08-30T09:00"), "check_in", None) == date(2027, 9, 6)
    assert pace.day_for(now("2027-08-27T09:00"), "check_in", None) is None


def test_others_give_way_to_a_day_that_was_foretold() -> None:
    eve = replace(now("2026-12-07T09:00"), kept=(date(2026, 12, 9),))
    assert pace.day_for(eve, "survey", None) == date(2026, 12, 14)
    assert pace.day_for(replace(eve, kept=(date(2026, 12, 10),)), "survey", None) is None
    friday = replace(now("2026-12-05T10:00"), kept=(date(2026, 12, 9),))
    assert pace.day_for(friday, "survey", None) == date(2026, 12, 14), "from a Monday that is too near"


@pytest.mark.parametrize(
    ("today", "days", "day"),
    [
        ("2027-06-01T09:00", 90, "2027-09-06"),
        ("2027-06-03T09:00", 90, "2027-09-06"),
        ("2027-06-07T09:00", 90, "2027-09-06"),
        ("2027-05-28T09:00", 90, "2027-08-26"),
    ],
)
def test_a_check_in_is_planned_beside_an_anniversary(today: str, days: int, day: str) -> None:
    assert adoption.check_in_after(now(today), days).on == date.fromisoformat(day)


def test_what_was_held_back_leaves_one_by_one_at_hours_at_which_people_work() -> None:
    def held(number: int, to: str) -> HeldMail:
        return HeldMail(
            delivery_id=f"journey:acme/adoption/m-{number}#0",
            purpose=Purpose.SALES_OUTREACH,
            created_at=at("2026-12-04T09:00"),
            contact_id="P-1",
            body={"template": "survey", "to_email": to, "unsubscribe": "acme/P-1"},
        )

    mails = [held(1, "jo@acme.example"), held(2, "jo@acme.example"), held(3, "al@acme.example")]
    latest = [Written(to="al@acme.example", template="check_in", at=at("2026-12-07T09:00"))]
    service = ServiceFacts(mails=mails, written=latest)
    by_day = replace(now("2026-12-08T10:00"), service=service)
    by_night = replace(now("2026-12-08T03:00"), service=service)
    look = holding.review_step(by_day, "now")
    assert mail_anew.review(by_night, look).outcome.deliveries == {}
    assert [step.at for step in mail_anew.review(by_night, look).outcome.plan] == [at("2026-12-08T09:00")]
    found = mail_anew.review(by_day, look).outcome
    assert list(found.deliveries) == ["adoption/m-1#0"]
    assert [step.at for step in found.plan] == [at("2026-12-10T09:00")]


def test_a_step_is_done_later_and_not_at_all_once_its_day_is_over() -> None:
    early = now("2026-09-02T09:00")
    step = Step(kind="onboarding_touch", stage="onboarding:O", name="touch-day_1", at=early.as_of, on=early.today)
    later = pace.put_off(early, step, "touch_day_1", date(2026, 9, 4))
    assert later.outcome.put_off
    assert [(one.key, one.at) for one in later.outcome.plan] == [(step.key, at("2026-09-04T09:00"))]
    gone = pace.put_off(early, step, "touch_day_1", date(2026, 9, 8))
    assert (gone.outcome.put_off, gone.outcome.plan) == (False, [])
    assert not gone.mails


@pytest.mark.parametrize(
    ("mail", "waits"),
    [
        (Mail("check_in"), True),
        (Mail("welcome"), False),
        (Mail("renewal_notice"), False),
    ],
)
def test_what_waits(mail: Mail, waits: bool) -> None:
    found = pace.paced(now("2026-12-07T09:00"), Decision(JournalLine("said"), mails=[mail]))
    assert (found is not None) == waits


def _touch(day: str) -> Step:
    on = date.fromisoformat(day)
    return Step(kind="onboarding_touch", stage="onboarding:O", name="touch-day_1", at=at(f"{day}T09:00"), on=on)


def test_a_mail_puts_off_at_once_what_would_come_too_early_after_it() -> None:
    early = now("2026-09-01T12:00")
    invites = Decision(JournalLine("invited"), mails=[Mail("onboarding_invite")])
    (found,) = pace.ahead(early, invites, [_touch("2026-09-03")])
    assert found[0] == _touch("2026-09-03")
    assert [(one.key, one.at) for one in found[1].outcome.plan] == [(found[0].key, at("2026-09-04T09:00"))]
    assert found[1].line.kind == "put_off"
    assert pace.ahead(early, invites, [_touch("2026-09-04")]) == [], "it is far enough"


def _month(day: str) -> Step:
    return _touch(day).having(name="touch-month_1")


def test_a_mail_takes_along_what_is_due_in_two_days() -> None:
    morning = now("2026-09-29T09:00")
    reminds = Decision(JournalLine("reminded"), mails=[Mail("onboarding_reminder")])
    ((step, moved),) = pace.ahead(morning, reminds, [_month("2026-10-01")])
    (brought,) = moved.outcome.plan
    assert (brought.key, brought.at, brought.on, brought.along) == (step.key, morning.as_of, morning.today, True)
    assert pace.ahead(morning, reminds, [_month("2026-10-02")]) == [], "three days before its own it keeps its distance"
    asks = Decision(JournalLine("asked"), mails=[Mail("survey")])
    ((_, alone),) = pace.ahead(morning, asks, [_month("2026-10-01")])
    assert not alone.outcome.plan[0].along, "what asks for an answer says nothing else"


def _survey(day: str) -> Step:
    on = date.fromisoformat(day)
    return Step(kind="adoption_survey", stage="adoption", name=f"survey-{day}", at=at(f"{day}T09:00"), on=on)


@pytest.mark.parametrize(
    ("template", "day", "along"),
    [
        ("check_in", "2026-12-08", True),
        ("recovered", "2026-12-08", True),
        ("check_in", "2026-12-09", False),
        ("outreach", "2026-12-08", False),
        ("onboarding_reminder", "2026-12-08", False),
    ],
)
def test_a_question_goes_along_on_its_day_with_what_takes_it(template: str, day: str, along: bool) -> None:
    morning = now("2026-12-08T09:00")
    ((step, moved),) = pace.ahead(morning, Decision(JournalLine("said"), mails=[Mail(template)]), [_survey(day)])
    (planned,) = moved.outcome.plan
    assert (planned.key, planned.along) == (step.key, along)
    assert along or planned.on == date(2026, 12, 11), "else it keeps its distance"


@pytest.mark.parametrize(
    "mails",
    [
        [],
        [Mail("welcome")],
        [Mail("renewal_notice")],
        [Mail("onboarding_invite", contact_id="somebody-else")],
    ],
)
def test_only_an_optional_mail_to_the_same_person_puts_off(mails: list[Mail]) -> None:
    early = now("2026-09-01T12:00")
    assert pace.ahead(early, Decision(JournalLine("done"), mails=mails), [_touch("2026-09-03")]) == []


def test_what_would_be_over_by_the_later_day_is_left_to_its_own() -> None:
    invites = Decision(JournalLine("invited"), mails=[Mail("onboarding_invite")])
    assert pace.ahead(now("2026-09-02T09:00"), invites, [_touch("2026-09-03")]) == []


def test_only_what_sends_one_mail_and_does_nothing_else_can_be_put_off_unasked() -> None:
    at_nine = at("2026-09-02T09:00")
    check_in = _touch("2026-09-03").having(kind="adoption_check_in")
    touches = [_touch(f"2026-09-0{day}").having(stage=f"onboarding:O-{day}") for day in (2, 3, 5, 7)]
    agenda = [*touches, check_in]
    assert [step.on.day for step in pace.near(agenda, at_nine, touches[0])] == [3, 5]
    assert [step.on.day for step in pace.near(agenda, at_nine, check_in)] == [2, 3, 5]
    along = [touches[0].having(along=True), *touches[1:]]
    assert [step.on.day for step in pace.near(along, at_nine, check_in)] == [3, 5], "it leaves with another already"
