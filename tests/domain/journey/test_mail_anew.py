"""A mail that could not leave when it was written says what is so when it goes, or does not go."""

from __future__ import annotations

from datetime import date, timedelta
from typing import Any

import pytest

from domain.frame import pace
from domain.frame.customer import ContactFacts, ContractFacts, Customer, StaffFacts
from domain.frame.people_facts import ChangeOf, PeopleChange
from domain.frame.service_facts import WrittenMail
from domain.frame.situation import Situation
from domain.frame.success_facts import OfferFacts, SurveyFacts
from domain.frame.term_facts import TermFacts
from domain.journey import mail_anew
from domain.journey.mail_anew import decided
from tests.domain.success.test_seat_use import NOW, customer, playbook

LATER = NOW + timedelta(days=3)
JO = ContactFacts(contact_id="P-1", name="Jo", email="jo@a.example", role="main", language="en", time_zone="UTC")


def now(known: Customer, kept: tuple[date, ...] | None = None, **changes: Any) -> Situation:
    return Situation(known.having(**{"contacts": [JO], **changes}), playbook(), LATER, kept=kept)


def written(template: str, context: dict[str, Any], *, optional: bool = True, **more: Any) -> WrittenMail:
    body = {"template": template, "context": context, "unsubscribe": "A/P-1" if optional else None}
    own = {"stage": "adoption", "contact_id": "P-1", **more}
    return WrittenMail(delivery_id="journey:A/1#0", created_at=NOW, body=body, **own)


def said(situation: Situation, mail: WrittenMail) -> dict[str, Any]:
    changes = decided(situation, mail)
    assert not isinstance(changes, str), changes
    context: dict[str, Any] = changes["context"]
    return context


CHECK_IN = {
    "products": ["Old"],
    "active_users": 30,
    "seats": 40,
    "adoption": "0.750",
    "counted_on": None,
    "next_on": None,
}


def test_what_was_counted_is_counted_anew() -> None:
    context = said(now(customer(active="22")), written("check_in", CHECK_IN))
    assert {name: context[name] for name in ("products", "active_users", "seats", "adoption")} == {
        "products": ["Workspace"],
        "active_users": 22,
        "seats": 40,
        "adoption": "0.550",
    }


def test_a_check_in_names_the_next_one_as_it_is_planned_by_then() -> None:
    announced = {**CHECK_IN, "next_on": "2027-08-30"}
    moved = said(now(customer(active="22"), (date(2027, 9, 6),)), written("check_in", announced))
    assert moved["next_on"] == "2027-09-06"
    assert said(now(customer(active="22"), ()), written("check_in", announced))["next_on"] is None
    assert said(now(customer(active="22")), written("check_in", announced))["next_on"] == "2027-08-30"


OFFER = OfferFacts(
    offer_id="O", asset_id="A", add=8, unit_price=1, status="open", offered_at=NOW, expires_at=NOW + timedelta(days=30)
)
OFFERED = {"offer_id": "O", "seats": 40, "active_users": 38, "counted_on": None, "expires": "2027-06-30"}


@pytest.mark.parametrize(
    ("active", "status", "expected"),
    [("39", "open", 39), ("20", "open", mail_anew.NOT_SO), ("39", "accepted", "the offer is not open any more")],
)
def test_an_offer_of_seats_has_the_figures_of_its_day(active: str, status: str, expected: int | str) -> None:
    offers = [OFFER.having(status=status)]
    changes = decided(now(customer(active=active), offers=offers), written("upsell_offer", OFFERED))
    assert (changes if isinstance(changes, str) else changes["context"]["active_users"]) == expected


def test_help_that_nobody_needs_is_not_offered() -> None:
    context = {"product": "Workspace", "active_users": 8, "seats": 40, "adoption": "0.200", "low": "0.4"}
    helping = now(customer(active="10"), staff_tasks=["adoption/help"])
    assert said(helping, written("outreach", context))["active_users"] == 10
    assert (
        decided(now(customer(active="30"), staff_tasks=["adoption/help"]), written("outreach", context))
        == mail_anew.NOT_SO
    )
    assert decided(now(customer(active="10")), written("outreach", context)) == mail_anew.NOT_SO


@pytest.mark.parametrize(
    ("contact", "why"),
    [
        ([], "who it was for is no contact any more"),
        ([JO.having(unsubscribed=True)], "who it is for wants no optional mails any more"),
        ([JO.having(rejected=True)], "the address was refused for good"),
    ],
)
def test_nobody_gets_what_they_do_not_want_by_then(contact: list[ContactFacts], why: str) -> None:
    assert decided(now(customer(active="22"), contacts=contact), written("check_in", CHECK_IN)) == why
    assert not isinstance(
        decided(now(customer(active="22"), contacts=contact), written("documents", {}, optional=False)), str
    )


def test_it_is_signed_by_who_looks_after_them_by_then_and_goes_where_they_are() -> None:
    anna = StaffFacts(staff_id="S-2", name="Anna", email="anna@seller.example")
    moved = JO.having(name="Jo May", email="may@a.example", language="ja")
    changes = decided(now(customer(active="22"), success_manager=anna, contacts=[moved]), written("check_in", CHECK_IN))
    assert not isinstance(changes, str)
    assert (changes["to_name"], changes["to_email"], changes["language"]) == ("Jo May", "may@a.example", "ja")
    assert (changes["reply_to"], changes["context"]["sender_name"]) == ("anna@seller.example", "Anna")
    assert changes["context"]["contact_name"] == "Jo May"


def test_nobody_is_asked_to_do_what_is_done() -> None:
    title = {"en": "Kickoff"}
    done = customer(active="22", tasks="done").tasks[0].having(title=title)
    still = done.having(name="training", title={"en": "Training"}, status="open")
    situation = now(customer(active="22"), tasks=[done, still])
    reminder = written("onboarding_reminder", {"title": title, "due": "2027-06-20", "days_late": 0}, stage=done.stage)
    assert decided(situation, reminder) == "the task is done"
    welcome = {"tasks": [{"title": title, "due": None}, {"title": still.title, "due": "2027-06-20"}]}
    assert [
        task["title"]["en"] for task in said(situation, written("welcome", welcome, stage=done.stage))["tasks"]
    ] == ["Training"]


def contract(status: str, until: date) -> ContractFacts:
    term = TermFacts(number=1, start_on=date(2026, 7, 1), until=until, starts_at=NOW, ends_at=NOW + timedelta(days=30))
    return ContractFacts(
        contract_id="K",
        order_id=None,
        currency="EUR",
        auto_renew=False,
        renewal_months=12,
        notice_days=30,
        uplift_percent=0,
        status=status,
        first_start=term.start_on,
        first_until=term.until,
        term=term,
    )


@pytest.mark.parametrize(
    ("status", "until", "leaves"),
    [("active", date(2027, 7, 1), True), ("active", date(2028, 7, 1), False), ("ended", date(2027, 7, 1), False)],
)
def test_a_term_that_was_renewed_meanwhile_does_not_end(status: str, until: date, leaves: bool) -> None:
    notice = {
        "contract_id": "K",
        "term_end": "2027-06-30",
        "auto_renew": False,
        "notice_by": "2027-06-30",
        "quote": None,
    }
    situation = now(customer(active="22"), contracts=[contract(status, until)])
    changes = decided(situation, written("renewal_notice", notice, optional=False))
    assert (changes if isinstance(changes, str) else changes["context"]["days_left"]) == (
        26 if leaves else mail_anew.NOT_SO
    )


def test_an_answered_survey_and_a_quote_that_is_over_are_dropped() -> None:
    answered = SurveyFacts(survey_id="S", sent_at=NOW, score=9)
    situation = now(customer(active="22"), surveys=[answered])
    assert decided(situation, written("survey", {"survey_id": "S"})) == "the survey was answered"
    quote = written("quote_presented", {"valid_until": "2027-06-30"}, optional=False, quote_over=True)
    assert decided(situation, quote) == "the quote is not open any more"


@pytest.mark.parametrize(
    ("template", "hour", "last", "day"),
    [
        ("check_in", 10, None, None),
        ("check_in", 3, None, 0),
        ("check_in", 20, None, 1),
        ("check_in", 10, 1, 4),
        ("welcome", 10, 0, None),
        ("welcome", 3, None, 0),
        ("touch_anniversary", 10, None, None),
        ("touch_anniversary", 10, 0, 1),
        ("touch_anniversary", 22, None, 1),
    ],
)
def test_what_is_late_leaves_at_the_promised_hours(template: str, hour: int, last: int | None, day: int | None) -> None:
    """Days are counted from a Thursday; `last`: so many days ago somebody got another."""
    at = NOW.replace(day=3, hour=hour)
    situation = Situation(now(customer(active="22")).customer, playbook(), at)
    found = pace.late_day_for(situation, template, at - timedelta(days=last) if last is not None else None, NOW)
    assert found == (at.date() + timedelta(days=day) if day is not None else None)


def test_what_is_owed_never_goes_to_somebody_who_is_gone() -> None:
    documents: dict[str, Any] = {"documents": []}
    gone = written("documents", documents, optional=False, contact_id="P-9")
    changes = decided(now(customer(active="22")), gone)
    assert not isinstance(changes, str)
    assert (changes["to_email"], changes["context"]["contact_name"]) == ("jo@a.example", "Jo")
    left = PeopleChange(what=ChangeOf.SPONSOR, about="P-9", at=NOW)
    copy = written("contract_ended", {"contract_id": None}, optional=False, contact_id="P-9")
    assert decided(now(customer(active="22"), changes=[left]), copy) == mail_anew.GONE
    asked = written("opted_out", {}, optional=False, contact_id="P-9")
    assert decided(now(customer(active="22")), asked) == mail_anew.GONE


def test_an_introduction_that_waited_says_what_is_so_by_then() -> None:
    known = customer(active="22")
    person = {"name": known.success_manager.name, "email": known.success_manager.email}
    context = {"success_manager": person, "owner": None, "both": False, "since": "2027-08-01", "cases": ["C-1"]}
    mail = written("introduction", context)
    assert said(now(known), mail)["cases"] == []
    another = StaffFacts(staff_id="S-9", name="Eva", email="eva@seller.example")
    assert decided(now(known, success_manager=another), mail) == "somebody else looks after them meanwhile"
