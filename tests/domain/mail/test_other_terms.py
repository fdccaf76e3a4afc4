"""Other terms in replies: units and length, where the reply names one of each and weighs nothing."""

from __future__ import annotations

import pytest

from domain.mail.asks import Act, Answered, Question, ask_of
from domain.mail.other_terms import other_terms
from domain.mail.reading import InboundMail


@pytest.mark.parametrize(
    ("body", "seats", "months"),
    [
        ("please renew with 20 seats", 20, None),
        ("twenty seats instead of 40", 20, None),
        ("from 40 to 25 seats", 25, None),
        ("renew for 2 years with 30 seats", 30, 24),
        ("make it 36 months", None, 36),
        ("could you do three months instead of a full year?", None, 3),
        ("0 seats please", 0, None),
        ("25席から20席に変更して更新をお願いします", 20, None),
        ("3年契約でお願いします", None, 36),
    ],
)
def test_what_is_wished_is_understood(body: str, seats: int | None, months: int | None) -> None:
    found = other_terms(body)
    assert found is not None
    assert (found.seats, found.months) == (seats, months)


@pytest.mark.parametrize(
    "body",
    [
        "5 more seats please",
        "add 5 seats",
        "we have 3 users complaining about it",
        "20 seats or 30 seats",
        "20 seats, but only with 10% off",
        "after two years with you we will renew for another term",
        "if the bug is fixed, 20 seats",
        "please cancel 20 seats",
        "half the seats",
        "please renew",
    ],
)
def test_what_is_not_plain_is_for_a_person(body: str) -> None:
    assert other_terms(body) is None


def test_only_the_question_of_a_renewal_is_answered_that_way() -> None:
    mail = InboundMail(sender="jo@acme.example", own_words="20 seats for two years, please.")
    renewal = ask_of(mail, Answered(question=Question.RENEWAL, id="K-1"))
    assert renewal is not None
    assert (renewal.act, renewal.seats, renewal.months) == (Act.REVISE, 20, 24)
    quote = ask_of(mail, Answered(question=Question.QUOTE, id="Q-1"))
    assert quote is None or quote.act is Act.UNCLEAR
