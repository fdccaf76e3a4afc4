"""Why somebody does not go on, in the words of a reply to the farewell."""

from __future__ import annotations

import pytest

from domain.frame.renewal_facts import ChurnReason
from domain.mail.asks import Act, Answered, Question, ask_of
from domain.mail.churn_reasons import churn_reason
from domain.mail.reading import InboundMail


@pytest.mark.parametrize(
    ("body", "reason"),
    [
        ("price", ChurnReason.PRICE),
        ("it was too expensive for us", ChurnReason.PRICE),
        ("we hardly used it", ChurnReason.VALUE),
        ("a feature was missing", ChurnReason.PRODUCT_GAP),
        ("the support took too long", ChurnReason.SERVICE),
        ("our sponsor", ChurnReason.SPONSOR_LEFT),
        ("we are winding down", ChurnReason.BUSINESS_CLOSED),
        ("we switched to another provider", ChurnReason.COMPETITOR),
        ("other", ChurnReason.OTHER),
        ("価格", ChurnReason.PRICE),
        ("他社に乗り換えます", ChurnReason.COMPETITOR),
    ],
)
def test_one_reason_is_understood(body: str, reason: ChurnReason) -> None:
    assert churn_reason(body) is reason


@pytest.mark.parametrize("body", ["thanks", "the price and the support", "we will see", "see you"])
def test_none_or_several_are_for_a_person(body: str) -> None:
    assert churn_reason(body) is None


def test_only_a_farewell_asks_for_it_and_whoever_comes_back_is_heard() -> None:
    mail = InboundMail(sender="jo@acme.example", own_words="It was too expensive.")
    farewell = ask_of(mail, Answered(question=Question.FAREWELL))
    assert farewell is not None
    assert (farewell.act, farewell.why) == (Act.REASON, "price")
    other = ask_of(mail, Answered(question=Question.MAIL))
    assert other is None or other.act is not Act.REASON
    back = ask_of(
        InboundMail(sender="jo@acme.example", own_words="Please renew our contract after all."),
        Answered(question=Question.FAREWELL),
    )
    assert back is not None
    assert back.act is Act.RENEW
