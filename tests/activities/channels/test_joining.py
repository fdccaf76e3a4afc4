"""Mails of one instant to one person leave as one, the most useful first, and what asks for an answer leaves alone."""

from __future__ import annotations

import pytest

from activities.channels.joining import groups, told_together
from activities.channels.rendering import Renderer
from activities.channels.samples import AT, COMMON, CONTEXTS
from activities.frame.outbox import Waiting
from domain.frame.flight import Channel, DeliveryStatus
from domain.frame.messages import OutgoingMail
from domain.mail.answering import SentMail, asked_in
from domain.mail.asks import Question
from tests.activities.channels.test_notices import NOTICE


def mail(template: str, number: int = 0, *, to: str = "jo@acme.example", language: str = "en") -> OutgoingMail:
    return OutgoingMail(
        delivery_id=f"{template}#{number}",
        template=template,
        to_name="Jo",
        to_email=to,
        language=language,
        time_zone="Asia/Tokyo",
        context={**COMMON, **CONTEXTS[template]},
        at=AT,
    )


def leaving(*mails: OutgoingMail, status: DeliveryStatus = DeliveryStatus.WAITING) -> list[list[str]]:
    rows = [
        Waiting(
            delivery_id=one.delivery_id,
            channel=Channel.MAIL,
            stage="",
            body={},
            account_id="acme",
            status=status,
            created_at=AT,
        )
        for one in mails
    ]
    return [[one.template for _, one in group] for group in groups(zip(rows, mails, strict=True))]


@pytest.mark.parametrize(
    ("templates", "said"),
    [
        (["documents", "welcome"], [["welcome", "documents"]]),
        (["renewal_notice", "renewal_notice"], [["renewal_notice", "renewal_notice"]]),
        (["touch_month_1", "onboarding_reminder"], [["onboarding_reminder", "touch_month_1"]]),
        (["onboarding_invite", "documents", "welcome"], [["welcome", "documents", "onboarding_invite"]]),
        (["check_in", "documents"], []),
        (["survey", "check_in"], [["check_in", "survey"]]),
        (["survey", "check_in", "survey"], [["check_in", "survey"]]),
        (["survey", "recovered", "touch_month_1"], [["recovered", "touch_month_1", "survey"]]),
        (["survey", "outreach"], []),
        (["survey", "touch_month_1"], []),
        (["survey", "welcome"], []),
        (["survey", "go_live"], [["go_live", "survey"]]),
        (["reference", "check_in"], []),
        (["case_survey", "check_in"], []),
        (["upsell_offer", "onboarding_invite"], []),
        (["quote_presented", "documents"], []),
        (["touch_anniversary", "documents"], [["documents", "touch_anniversary"]]),
        (["touch_anniversary", "survey", "quote_presented"], []),
    ],
)
def test_what_leaves_as_one(templates: list[str], said: list[list[str]]) -> None:
    assert leaving(*(mail(template, n) for n, template in enumerate(templates))) == said


def test_two_people_get_two_mails_and_what_left_is_left_alone() -> None:
    assert leaving(mail("documents"), mail("welcome", to="al@acme.example")) == []
    assert leaving(mail("documents"), mail("welcome"), status=DeliveryStatus.SENT) == []


@pytest.mark.parametrize("language", ["en", "ja"])
def test_both_say_all_that_each_would_say(language: str) -> None:
    parts = [mail("welcome", language=language), mail("documents", language=language)]
    alone = [Renderer().render(one) for one in parts]
    both = Renderer().render_joined(parts)
    assert both.subject == " · ".join(one.subject for one in alone)
    whole = set(both.text.split("\n\n"))
    said = [chunk for one in alone for chunk in one.text.split("\n\n") if "でございます。" not in chunk]
    assert all(chunk in whole for chunk in said), "all but the name of who writes"
    assert both.text.count("Meridian Systems") < sum(one.text.count("Meridian Systems") for one in alone)
    many = Renderer().render_joined([mail("documents", n) for n in range(2)] + [mail("onboarding_invite"), *parts])
    assert "+" in many.subject or many.subject.count(" · ") <= 2


@pytest.mark.parametrize("language", ["en", "ja"])
def test_a_question_that_goes_along_has_its_own_links(language: str) -> None:
    parts = [mail("check_in", language=language), mail("survey", language=language)]
    both = Renderer().render_joined(
        parts, links=lambda page, one: f"https://a.example/{one.template}" if page == "answer" else None
    )
    for form in (both.text, both.html):
        assert "https://a.example/survey/10" in form
        assert "https://a.example/check_in" in form  # what it wants to hear, and no score of the survey
        assert "https://a.example/check_in/" not in form


@pytest.mark.parametrize(("kind", "high"), [("nps", 10), ("ces", 7)])
def test_a_number_in_reply_answers_the_question_that_went_along(kind: str, high: int) -> None:
    surveyed = {"survey_id": "S-1", "question_kind": kind}
    sent = SentMail(delivery_id="n", template="check_in", context={"products": []}, surveyed=surveyed)
    assert (asked := asked_in(sent)) is not None
    assert (asked.question, asked.id, asked.high) == (Question.SURVEY, "S-1", high)
    assert (asked := asked_in(sent.having(surveyed=None))) is not None
    assert asked.question is Question.MAIL


def test_a_yes_to_several_questions_has_to_name_one() -> None:
    said = {"contract_id": "K-1", "numbers": {}}
    alone = SentMail(delivery_id="n", template="renewal_notice", context=said)
    assert (found := asked_in(alone)) is not None
    assert found.question is Question.RENEWAL
    assert (several := asked_in(alone.having(several=True))) is not None
    assert several.question is Question.MAIL


def test_notices_to_one_person_about_one_customer_leave_as_one_but_what_passes_words_on_leaves_alone() -> None:
    told = {
        "1": NOTICE,
        "2": NOTICE.having(title="Health fell to watch"),
        "3": NOTICE.having(account_id="C-18"),
        "4": NOTICE.having(to_email="ken@meridian.example"),
        "5": NOTICE.having(words="Please call me."),
        "6": NOTICE.having(case_id="S-3"),
    }
    rows = [
        Waiting(
            delivery_id=id,
            channel=Channel.NOTICE,
            stage="",
            body={},
            account_id="acme",
            status=DeliveryStatus.WAITING,
            created_at=AT,
        )
        for id in reversed(told)
    ]
    found = told_together((row, told[row.delivery_id]) for row in rows)
    assert [[row.delivery_id for row, _ in group] for group in found] == [["1", "2"]]
