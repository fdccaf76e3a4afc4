"""The values of mails and notices: rounded, whole, of their kind, and nothing but values."""

from __future__ import annotations

import re
from typing import Any

import pytest

from activities.channels.errors import RenderError
from activities.channels.rendering import Renderer
from activities.channels.samples import COMMON, NOTICE, QUOTE, a_mail
from tests.activities.channels.reading import Page, assert_readable, plainly, squeezed


@pytest.mark.parametrize(
    ("money", "language", "shown"),
    [
        ({"amount": "12.5", "currency": "USD"}, "en", "$12.50"),
        ({"amount": "12.345", "currency": "USD"}, "en", "$12.35"),
        ({"amount": "1234.5", "currency": "EUR"}, "de", "€1,234.50"),
        ({"amount": "1234.5", "currency": "EUR"}, "en-IE", "€1,234.50"),
        ({"amount": "0.5", "currency": "JPY"}, "ja", "￥1"),
        ({"amount": "-3", "currency": "JPY"}, "ja", "-￥3"),
        ({"amount": "1.2345", "currency": "KWD"}, "en", "KWD 1.235"),
        ({"amount": "1234567.5", "currency": "CHF"}, "en-CH", "CHF 1'234'567.50"),
    ],
)
def test_money_is_rounded_to_the_currency(renderer: Renderer, money: dict[str, str], language: str, shown: str) -> None:
    text = renderer.render(a_mail("renewal_confirmed", language, context={"total": money})).text
    written = re.search(r"(?:Total: |合計金額：)(.*)", text)
    assert written is not None
    assert plainly(written[1]) == shown


def test_a_unit_price_keeps_its_digits(renderer: Renderer) -> None:
    price = {"amount": "0.0125", "currency": "USD"}
    line = {"product": "API calls", "quantity": 12000, "unit_price": price, "per": "once", "amount": price}
    text = renderer.render(a_mail("renewal_notice", "en", context={"quote": QUOTE | {"lines": [line]}})).text
    assert "12,000 × $0.0125, once\n    For the term: $0.01\n" in text


@pytest.mark.parametrize(
    ("template", "changes"),
    [
        ("renewal_notice", {"term_end": "31.3.2027"}),
        ("renewal_notice", {"term_end": None}),
        ("renewal_confirmed", {"total": {"amount": "ten", "currency": "JPY"}}),
        ("renewal_confirmed", {"total": {"amount": "10", "currency": "YEN"}}),
        ("renewal_confirmed", {"total": None}),
        ("recovered", {"adoption": "high"}),
        ("recovered", {"product": None}),
        ("onboarding_invite", {"title": {"fr": "Réunion"}}),
        ("upsell_offer", {"per": "fortnight"}),
    ],
)
def test_a_value_of_another_kind_fails(renderer: Renderer, template: str, changes: dict[str, Any]) -> None:
    with pytest.raises(RenderError, match=template):
        renderer.render(a_mail(template, "en", context=changes))


def test_what_cannot_be_rendered_is_named(renderer: Renderer) -> None:
    with pytest.raises(RenderError, match="no template 'en/frame_of_mind"):
        renderer.render(a_mail().having(template="frame_of_mind"))
    with pytest.raises(RenderError, match="Mars/Olympus"):
        renderer.render(a_mail(time_zone="Mars/Olympus"))
    with pytest.raises(RenderError):
        renderer.render(a_mail().having(template="../../errors"))


def test_values_cannot_break_out_of_their_place(renderer: Renderer) -> None:
    nasty = "<script>alert(1)</script>\r\n\r\nBcc: all@example.org\u2028\"'{{ seller }}"
    mail = a_mail("recovered", "en", context={"product": nasty, "company": "<b>", "seller": "A & B\nC"})
    rendered = renderer.render(mail)
    page = Page(rendered.html)  # no tag but ours
    assert "<script>alert(1)</script> Bcc: all@example.org \"'{{ seller }}" in squeezed(page.words)
    assert "A & B C" in page.words
    assert "\nBcc" not in rendered.text
    assert len(rendered.subject.splitlines()) == 1


def test_a_value_cannot_pose_as_markup_of_ours(renderer: Renderer) -> None:
    words = Page(renderer.render(a_mail("notice", context={"title": "<ul><li>x"})).html).words
    assert "<ul><li>x" in words


def test_notice_has_its_local_due_time(renderer: Renderer) -> None:
    japanese = renderer.render(a_mail("notice", "ja"))
    assert_readable(japanese)
    assert (japanese.language, japanese.subject) == ("ja", "【Capricorn Coffee】Low adoption of Team Plan")
    assert "期日：2027年3月1日 9:00 JST" in japanese.text
    rendered = renderer.render(a_mail("notice", "fr"))
    assert_readable(rendered)
    assert rendered.language == "en"
    assert rendered.subject == "[Capricorn Coffee] Low adoption of Team Plan"
    assert "  - 42 of 1,200 seats are in use.\n  - Call the customer.\n" in rendered.text
    assert "March 1, 2027 9:00 AM JST" in plainly(rendered.text)
    in_english = renderer.render(a_mail("notice", "en", time_zone="America/New_York"))
    assert "Due: February 28, 2027 7:00 PM EST" in plainly(in_english.text)
    bare = renderer.render(a_mail("notice", "en", context={"due": None, "lines": [], "words": [], "answers": None}))
    assert_readable(bare)
    assert "Due" not in bare.text
    assert bare.text.rstrip().endswith("Account: C-17")


def test_notice_needs_all_its_values(renderer: Renderer) -> None:
    whole = a_mail("notice")
    for name in NOTICE:
        less = whole.having(context={k: v for k, v in NOTICE.items() if k != name})
        with pytest.raises(RenderError, match=name):
            renderer.render(less)


def test_common_values_are_those_of_the_contract() -> None:
    assert set(COMMON) == {"company", "contact_name", "seller", "sender_name"}
