"""Steps, requests and deliveries in words, as the rows and bars of the Temporal UI show them."""

from __future__ import annotations

from datetime import UTC, date, datetime

import pytest

from domain.frame.flight import Channel, Delivery
from domain.frame.keys import StageKind
from domain.frame.state import AccountView, JourneyState, Stage, Step
from domain.frame.step_words import STEPS, in_words, term_end
from domain.journey.registry import BY_ACTIVITY
from domain.journey.request_words import deliveries_in_words, delivery_in_words, request_in_words

AT = datetime(2026, 10, 7, 9, tzinfo=UTC)


def _step(kind: str, stage: str, name: str) -> Step:
    return Step(kind=kind, stage=stage, name=name, at=AT, on=AT.date())


@pytest.mark.parametrize(
    ("kind", "stage", "name", "words"),
    [
        ("renewal_notice", "renewal:K-1:2", "notice-60", "Renewal notice, 60 days before 6 Dec 2026, contract K-1"),
        ("renewal_notice", "renewal:K-1:2", "notice-1", "Renewal notice, 1 day before 6 Dec 2026, contract K-1"),
        ("renewal_notice", "renewal:K-1:2", "notice-30.2", "Renewal notice, 30 days before 6 Dec 2026, contract K-1"),
        ("renewal_term_end", "renewal:K-1:2", "end", "Term ends, on 6 Dec 2026, contract K-1"),
        ("onboarding_reminder", "onboarding:SO-1", "go_live-remind", "Reminder of go live, order SO-1"),
        ("onboarding_touch", "onboarding:SO-1", "touch-day_1", "Short mail: day 1, order SO-1"),
        ("quote_expiry", "quote:Q-7", "expiry", "Quote lapses without an answer, quote Q-7"),
        ("billing_invoice", "billing:contract:K-1", "2027-01-01", "Invoice of what has fallen due, contract K-1"),
        ("service_review", "service", "review-C-17:4:resolved", "Look at what holds sales back"),
        ("adoption_check_in", "adoption", "check-in-3", "Check-in on how it is used"),
    ],
)
def test_a_row_is_words(kind: str, stage: str, name: str, words: str) -> None:
    assert in_words(_step(kind, stage, name), date(2026, 12, 6)) == words


def test_the_end_of_a_term_is_the_customers_day() -> None:
    state = JourneyState(
        account_id="A-1",
        account=AccountView(name="Tea", time_zone="Asia/Tokyo", owner="s-1"),
        stages={"renewal:K-1:1": Stage(status="waiting", until=datetime(2026, 12, 5, 15, tzinfo=UTC))},
    )
    notice = _step("renewal_notice", "renewal:K-1:1", "notice-60")
    assert in_words(notice, term_end(state, notice)) == "Renewal notice, 60 days before 6 Dec 2026, contract K-1"
    assert in_words(notice) == "Renewal notice, 60 days before the end, contract K-1"
    assert term_end(state, _step("adoption_check_in", "adoption", "check-in-3")) is None


def test_every_kind_of_step_has_words_of_its_own() -> None:
    for kind in STEPS:
        words = in_words(_step(kind, f"{StageKind(kind.split('_')[0]).value}:X-1:1", "welcome"))
        assert "_" not in words
        assert "{" not in words
    assert len(set(STEPS.values())) == len(STEPS)


def test_every_request_has_words_of_its_own() -> None:
    words = {request_in_words(activity, {}) for activity in (*BY_ACTIVITY, "case_wake", "case_unheard")}
    assert len(words) == len(BY_ACTIVITY) + 2
    assert not [one for one in words if "_" in one]


def test_a_request_says_what_it_is_about_and_nothing_that_people_wrote() -> None:
    body = {"task": "kickoff", "order_id": "SO-1", "evidence": "Jo Weber said so", "by": "s-7"}
    assert request_in_words("complete_task", body) == "Task done, order SO-1, task kickoff, by s-7"
    message = {"body": "Help! jo@acme.example", "channel": "mail", "at": "2026-10-07T09:00:00Z"}
    assert request_in_words("case_customer_message", message) == "Message of the customer"
    assert request_in_words("case_wake", {}, "first response is due") == "first response is due"


@pytest.mark.parametrize(
    ("channel", "delivery", "words"),
    [
        (Channel.MAIL, "renewal:K-1:1/notice-60#0", "Mail: notice, 60 days before the end, contract K-1"),
        (Channel.MAIL, "renewal:K-1:1/notice-1.2#0", "Mail: notice, 1 day before the end, contract K-1"),
        (Channel.MAIL, "adoption/check-in-2028-01-12#0", "Mail: check-in of 12 Jan 2028"),
        (Channel.MAIL, "adoption/survey-2028-01-12.2028-02-01#0", "Mail: survey of 12 Jan 2028"),
        (Channel.MAIL, "onboarding:SO-1/first_value-remind#0", "Mail: reminder of first value, order SO-1"),
        (Channel.MAIL, "onboarding:SO-1/touch-day_1#0", "Mail: day 1, order SO-1"),
        (Channel.MAIL, "relationship/anniversary-2028#0", "Mail: anniversary of 2028"),
        (Channel.NOTICE, "relationship/health-20280207T004500#0", "Notice to our people: health"),
        (Channel.MAIL, "renewal:K-1:1/term-end#0", "Mail: term end, contract K-1"),
        (Channel.NOTICE, "adoption/check-in-2027-03-12#1", "Notice to our people: check-in of 12 Mar 2027"),
        (Channel.PROVISIONING, "onboarding:SO-1/provision#0", "Provisioning: provision, order SO-1"),
        (Channel.MAIL, "order:SO-1#0", "Mail: order SO-1"),
        (Channel.MAIL, "case:C-17/opened", "Mail: opened, case C-17"),
        (
            Channel.MAIL,
            "case:C-17/case_respond:e7639725-48b6-4479-b2cc-8bdc77710694#reply",
            "Mail: answer to the customer, case C-17",
        ),
        (Channel.MAIL, "case:C-17/case_resolve:r-7#resolved", "Mail: case resolved, case C-17"),
        (Channel.NOTICE, "case:C-17/wake/2027-03-12T09:00:00/late#s-7", "Notice to our people: what is due, case C-17"),
        (Channel.NOTICE, "service/review-C-17:1:opened#0", "Notice to our people: what holds sales back"),
        (Channel.MAIL, "roll_back:3040c62c-dc6a-4fee-8515-70277069e3ad#0", "Mail: change taken back"),
        (Channel.MAIL, "amend_assets:r-7#0", "Mail: change of what they own r-7"),
    ],
)
def test_a_delivery_says_what_sent_it(channel: Channel, delivery: str, words: str) -> None:
    assert delivery_in_words(Delivery(id=delivery, channel=channel, since=AT)) == words


@pytest.mark.parametrize(
    ("deliveries", "words"),
    [
        (
            {"amend_assets:r-7#0": Channel.MAIL, "amend_assets:r-7#1": Channel.NOTICE},
            "Mail and notice to our people: change of what they own r-7",
        ),
        (
            {"case:C-1/a#x": Channel.MAIL, "case:C-1/a#y": Channel.NOTICE, "case:C-1/a#z": Channel.MAIL},
            "2 mails and notice to our people: a, case C-1",
        ),
        (
            {"order:SO-1#0": Channel.NOTICE, "renewal:K-1:1/term-end#0": Channel.NOTICE},
            "2 notices to our people: order SO-1; term end, contract K-1",
        ),
    ],
)
def test_what_leaves_together_is_counted_and_says_what_sent_it(deliveries: dict[str, Channel], words: str) -> None:
    found = [Delivery(id=id, channel=channel, since=AT) for id, channel in deliveries.items()]
    assert deliveries_in_words(found) == words


def test_a_long_row_ends_between_two_characters_within_its_bytes() -> None:
    words = in_words(_step("onboarding_invite", "onboarding:SO-1", "本番利用" * 40 + "-invite"))
    assert 185 <= len(words.encode()) <= 190
    assert "�" not in words
