from __future__ import annotations

import re
from pathlib import Path
from typing import Any

import pytest

import activities.channels
from activities.channels.errors import RenderError
from activities.channels.rendering import Renderer
from activities.channels.samples import CONTEXTS, DOCUMENTS, QUOTE, USE, a_mail
from domain.frame.messages import Issuer, OutgoingMail
from tests.activities.channels.facts_of_mails import FACTS
from tests.activities.channels.reading import Page, assert_readable, plainly, squeezed

TEMPLATES = Path(activities.channels.__file__).parent / "templates"
EVERY = [(template, language) for template in CONTEXTS for language in ("en", "ja")]


def test_every_template_has_a_sample_and_both_languages() -> None:
    english = {path.stem for path in (TEMPLATES / "en").glob("*.j2")} - {
        "frame",
        "in_use",
        "notice",
        "document",
        "proposal",
        "sheet",
    }
    japanese = {path.stem for path in (TEMPLATES / "ja").glob("*.j2")} - {
        "frame",
        "in_use",
        "notice",
        "document",
        "proposal",
        "sheet",
    }
    assert english == japanese == set(CONTEXTS) == set(FACTS)


@pytest.mark.parametrize(("template", "language"), EVERY)
def test_message_says_its_facts_in_text_and_html(renderer: Renderer, template: str, language: str) -> None:
    rendered = renderer.render(a_mail(template, language))
    assert_readable(rendered)
    assert rendered.language == language
    facts = FACTS[template][language == "ja"]
    text, page = squeezed(rendered.subject + "\n" + rendered.text), squeezed(Page(rendered.html).words)
    for fact in facts:
        assert fact in text
    for figure in re.findall(r"[¥￥][\d,]+|\d+%|\d{4}年\d+月\d+日|[A-Z]\w+ \d+, \d{4}", " ".join(facts)):
        assert figure in page
    for name in ("Meridian Systems", "佐藤 葵", "田中 花子"):
        assert name in text
        assert name in page


@pytest.mark.parametrize(("template", "language"), EVERY)
def test_a_missing_value_fails(renderer: Renderer, template: str, language: str) -> None:
    whole = a_mail(template, language)
    used = set(whole.context)
    if template == "renewal_notice":
        used -= {"notice_by"}  # the quote's date counts
    if template == "welcome":
        used -= {"order_id"}  # whoever is new has no other
    if template == "contract_news":
        used -= {"stays"}  # said of what has ended alone
    for name in used:
        less = whole.having(context={k: v for k, v in whole.context.items() if k != name})
        with pytest.raises(RenderError, match=name) as caught:
            renderer.render(less)
        assert caught.value.template == template


@pytest.mark.parametrize("language", ["en", "ja"])
@pytest.mark.parametrize(
    ("template", "changes"),
    [
        ("welcome", {"products": [], "tasks": []}),
        ("welcome", {"tasks": [{"title": {"en": "Kickoff", "ja": "開始"}, "due": None}]}),
        ("onboarding_invite", {"late": True}),
        ("go_live", {"days_to_value": None}),
        ("go_live", {"days_to_value": 0}),
        ("go_live", {"products": ["Team Plan"]}),
        ("welcome", {"standing": "known"}),
        ("welcome", {"standing": "back"}),
        ("provisioning_done", {"later": [{"product": "Sensor", "from": "2027-04-01"}]}),
        ("provisioning_done", {"products": [], "later": [{"product": "Sensor", "from": "2027-04-01"}]}),
        ("provisioning_done", {"products": []}),
        ("touch_anniversary", {"years": 1}),
        ("touch_month_1", {"month": False}),
        ("case_nudge", {"again": True}),
        ("go_live", {"unhappy": True}),
        (
            "quote_presented",
            {"more": [{"product": "Buch", "quantity": 25, "from": "2027-04-09", "until": "2028-01-30", "beside": 150}]},
        ),
        ("contract_news", {"by_itself": False}),
        ("contract_news", {"what": "confirmed"}),
        ("contract_news", {"what": "declined"}),
        ("contract_news", {"what": "ended"}),
        ("renewal_declined", {"last_access": "2027-03-31", "export_until": "2027-04-30", "billed_until": "2027-03-31"}),
        ("contract_ended", {"last_access": "2027-03-31", "export_until": "2027-04-30", "billed_until": "2027-03-31"}),
        (
            "check_in",
            {
                "low": {
                    "survey_id": "nps-1",
                    "question_kind": "nps",
                    "score": 3,
                    "of": 10,
                    "on": "2027-02-01",
                    "open": True,
                }
            },
        ),
        (
            "check_in",
            {
                "low": {
                    "survey_id": "nps-1",
                    "question_kind": "nps",
                    "score": 3,
                    "of": 10,
                    "on": "2027-02-01",
                    "open": False,
                }
            },
        ),
        ("check_in", {"active_users": None, "seats": None, "adoption": None, "next_on": None, "products": []}),
        ("check_in", {"active_users": 1, "seats": 1, "adoption": None}),
        ("onboarding_reminder", {"days_late": 0}),
        ("onboarding_reminder", {"days_late": -2}),
        ("recovered", {"others": [{**USE, "product": "Sensor", "counted_on": None}]}),
        ("survey", {"question_kind": "csat"}),
        ("renewal_notice", {"quote": None}),
        ("renewal_notice", {"quote": None, "auto_renew": True}),
        ("renewal_notice", {"auto_renew": True, "days_left": 0}),
        ("renewal_notice", {"auto_renew": True, "notice_over": True}),
        ("renewal_confirmed", {"automatic": True}),
        ("renewal_declined", {"over": True}),
        ("renewal_declined", {"stays": True}),
        ("renewal_grace", {"asked": True}),
        ("renewal_grace", {"quote": QUOTE}),
        ("contract_ended", {"stays": True}),
        ("contract_ended", {"stays": True, "goes_on": [{"product": "Care", "until": "2027-09-30"}]}),
        ("reorder_check_in", {"rhythm_days": None}),
        ("touch_day_1", {"contact_name": ""}),
    ],
)
def test_every_variant_reads_well(renderer: Renderer, template: str, changes: dict[str, Any], language: str) -> None:
    rendered = renderer.render(a_mail(template, language, context=changes))
    assert_readable(rendered)
    assert renderer.render(a_mail(template, language)).text != rendered.text


def text_of(renderer: Renderer, mail: OutgoingMail) -> str:
    return squeezed(renderer.render(mail).text)


def test_variants_say_what_is_the_case(renderer: Renderer) -> None:
    automatic = {"auto_renew": True, "days_left": 1}
    assert "by itself for the next term" in text_of(renderer, a_mail("renewal_notice", "en", context=automatic))
    assert "by March 1, 2027." in text_of(renderer, a_mail("renewal_notice", "en", context=automatic))
    assert "in 1 day." in text_of(renderer, a_mail("renewal_notice", "en", context=automatic))
    assert "2027年3月1日までにお知らせ" in text_of(renderer, a_mail("renewal_notice", "ja", context=automatic))
    over = {**automatic, "notice_over": True}
    assert "Notice could be given until March 1, 2027." in text_of(
        renderer, a_mail("renewal_notice", "en", context=over)
    )
    assert "please let us know" not in text_of(renderer, a_mail("renewal_notice", "en", context=over))
    late = {"late": True}
    said = text_of(renderer, a_mail("onboarding_invite", "en", context=late))
    assert "was planned by March 1, 2027 and has not taken place yet" in said
    without = {"quote": None}
    assert "March 1, 2027" in text_of(renderer, a_mail("renewal_notice", "en", context=without))
    assert "¥" not in text_of(renderer, a_mail("renewal_notice", "en", context=without))
    assert "renewed automatically" in text_of(renderer, a_mail("renewal_confirmed", "en", context={"automatic": True}))
    assert "is due by March 1, 2027" in text_of(renderer, a_mail("onboarding_reminder", "en", context={"days_late": 0}))
    several = {"others": [{**USE, "product": "Sensor", "counted_on": "2027-02-01"}]}
    said = text_of(renderer, a_mail("recovered", "en", context=several))
    assert "Team Plan: 42 of 1,200 seats in use on an average day of the last 28 days, which is 4%" in said
    assert "Sensor: 42 of 1,200 seats in use on February 1, 2027, which is 4%" in said
    bill = {
        **CONTEXTS["documents"]["documents"][0],
        "contracts": ["K-1"],
        "period": {"start": "2027-03-01", "end": "2028-02-29"},
    }
    pays = Issuer(name="Meridian Systems", pay_to="Bank 7, account 12", pay_within_days=30)
    paid = {"context": {"documents": [bill]}, "documents": DOCUMENTS[:1], "issuer": pays}
    said = text_of(renderer, a_mail("documents", "en", **paid))
    for words in (
        "Contract: K-1",
        "March 1, 2027 – February 29, 2028",
        "To be paid by: March 31, 2027",
        "pay to Bank 7, account 12",
    ):
        assert words in said
    assert "お支払期限：2027年3月31日" in text_of(renderer, a_mail("documents", "ja", **paid))
    more = {"more": [{"product": "Buch", "quantity": 25, "from": "2027-04-09", "until": "2028-01-30", "beside": 150}]}
    added = "25 more of Buch from April 9, 2027 until January 30, 2028; 175 in all"
    assert added in text_of(renderer, a_mail("quote_presented", "en", context=more))
    known = {"known": True, "owner": None}
    assert "You know me from your contracts and orders." in text_of(
        renderer, a_mail("introduction", "en", context=known)
    )
    assert "My name is" not in text_of(renderer, a_mail("introduction", "en", context=known))
    result = {"asks_outcome": True}
    assert "with your own data" in text_of(renderer, a_mail("onboarding_invite", "en", context=result))
    assert "when it would suit you" not in text_of(renderer, a_mail("onboarding_invite", "en", context=result))
    reminded = text_of(renderer, a_mail("onboarding_reminder", "en", context=result))
    assert "Once it is done" in reminded
    assert "already done" not in reminded
    young = {"counted_since": "2027-02-01"}
    for template, started in (("outreach", "Seats in use on"), ("recovered", "Seats in use on"), ("check_in", "On")):
        assert f"{started} an average day since February 1, 2027" in text_of(
            renderer, a_mail(template, "en", context=young)
        )
        assert "2027年2月1日以降の1日平均" in text_of(renderer, a_mail(template, "ja", context=young))
    assert "御中" in text_of(renderer, a_mail("go_live", "ja", context={"contact_name": ""}))
    assert "田中 花子 様" in text_of(renderer, a_mail("go_live", "ja"))
    assert "Hello," in text_of(renderer, a_mail("go_live", "en", context={"contact_name": ""}))


def test_the_quote_is_a_table_in_html(renderer: Renderer) -> None:
    cells = Page(renderer.render(a_mail("renewal_notice", "ja")).html).cells
    assert cells[:10] == [
        "品名", "数量", "単価", "期間中の金額",
        "Team Plan", "100", "￥1,000（月額）", "￥1,200,000",
        "Support", "1",
    ]  # fmt: skip
    assert cells[cells.index("合計") + 1] == "￥1,380,000"


def test_invoices_and_credit_notes_go_with_a_mail_as_files(renderer: Renderer) -> None:
    for language, names in (("en", ["Invoice", "Credit note"]), ("ja", ["請求書", "返金明細書"])):
        rendered = renderer.render(a_mail("renewal_confirmed", language, documents=DOCUMENTS))
        assert [file.name for file in rendered.files] == ["INV-C-17-1.html", "CM-C-17-1.html"]
        for file, document, name in zip(rendered.files, DOCUMENTS, names, strict=True):
            assert f"<h1>{name} {document['id']}</h1>" in file.html
            assert document["id"] in rendered.text
            for said in ("カプリコーン珈琲株式会社", "Meridian Systems", "Brew Sensor &lt;X&gt; &amp; Hub"):
                assert said in file.html
        invoice = plainly(rendered.files[0].html)
        for figure in ("1,200,000", "120,000", "1,320,000", "10 %"):
            assert figure in invoice
    assert renderer.render(a_mail("renewal_confirmed", "en")).files == ()


@pytest.mark.parametrize(("template", "language"), EVERY)
def test_days_are_in_words_in_every_mail(renderer: Renderer, template: str, language: str) -> None:
    rendered = renderer.render(a_mail(template, language, documents=DOCUMENTS))
    ids = re.compile(r"[\w.]+-[\w.-]*\d{4}-\d\d-\d\d")
    for shown in (rendered.subject, rendered.text, Page(rendered.html).words, *(file.html for file in rendered.files)):
        assert not re.search(r"\d{4}-\d\d-\d\d", ids.sub("", shown))
        assert not re.search(r"\d\d:\d\d:\d\d", shown)


def test_lines_of_an_invoice_say_units_price_time_and_tax(renderer: Renderer) -> None:
    line = {"description": "Workspace", "due": "2027-01-01", "tax_rates": ["10"], "why": None}
    period = {"start": "2027-01-01", "end": "2027-12-31"}
    whole = {**period, "quantity": 25, "unit_price": "49", "per": "month", "time": [{"months": 12}]}
    broken = {**whole, "start": "2027-01-15", "end": "2027-01-31", "time": [{"days": 17, "of": 31}]}
    lines = [
        {**line, "amount": "14700", "quantity": 25, "unit_price": "588", "period": period, "parts": [whole]},
        {**line, "amount": "15371", "quantity": None, "unit_price": None, "period": period, "parts": [broken, whole]},
        {**line, "amount": "9", "quantity": None, "unit_price": None, "period": {**period, "end": None}, "parts": [], "why": "difference"},
    ]  # fmt: skip
    document = {**DOCUMENTS[0], "lines": lines}
    for language, said in (
        ("en", ["January 1, 2027 – December 31, 2027", "¥588", "¥49 per month × 12 months", "10%",
                "¥49 per month × 17 of 31 days", "January 15, 2027 – January 31, 2027", "no unit price", "January 1, 2027 and after"]),
        ("ja", ["2027年1月1日～2027年12月31日", "￥588", "￥49（月額） × 12か月", "10%", "￥49（月額） × 31日のうち17日",
                "2027年1月15日～2027年1月31日", "単価はありません", "2027年1月1日以降"]),
    ):  # fmt: skip
        [file] = renderer.render(a_mail("documents", language, documents=(document,))).files
        words = squeezed(re.sub(r"<[^>]+>", "", file.html))
        assert [one for one in said if one not in words] == []


def test_unsubscribing_is_offered_only_where_it_is_possible(renderer: Renderer) -> None:
    for language, word in (("en", "unsubscribe"), ("ja", "配信停止")):
        offered = renderer.render(a_mail("check_in", language))
        contractual = renderer.render(a_mail("check_in", language, unsubscribe=None))
        assert word in offered.text
        assert word in offered.html
        assert word not in contractual.text + contractual.html


@pytest.mark.parametrize("template", sorted(CONTEXTS))
def test_where_no_answer_is_read_nothing_is_asked_for_by_reply(renderer: Renderer, template: str) -> None:
    for language, words in (("en", r"\b[Rr]epl(y|ies|ied)\b"), ("ja", "返信")):
        mail = a_mail(template, language)
        unread, read = renderer.render(mail, by_reply=False), renderer.render(mail)
        for shown in (unread.subject, unread.text, Page(unread.html).words):
            assert not re.search(words, shown)
        assert unread.text.count("\n\n") == read.text.count("\n\n")  # the same paragraphs


@pytest.mark.parametrize(
    ("language", "text_language", "expected"),
    [
        ("en", "en", ["March 1, 2027", "¥1,000 per month", "1,200,000"]),
        ("en-GB", "en", ["1 March 2027", "JP¥1,000 per month", "1,200,000"]),
        ("en-AU", "en", ["1 March 2027", "1,200,000"]),
        ("de", "en", ["March 1, 2027", "1,200,000"]),
        ("de-CH-1996", "en", ["March 1, 2027", "1,200,000"]),
        ("fr-FR", "en", ["March 1, 2027", "1,200,000"]),
        ("pt-BR", "en", ["March 1, 2027", "¥1,000 per month"]),
        ("zh-Hant-TW", "en", ["March 1, 2027", "1,200,000"]),
        ("xx-unknown", "en", ["March 1, 2027", "1,200,000"]),
        ("", "en", ["March 1, 2027", "1,200,000"]),
        ("ja-JP", "ja", ["2027年3月1日", "￥1,000（月額）", "1,200,000"]),
        ("JA", "ja", ["2027年3月1日", "1,200,000"]),
    ],
)
def test_a_language_is_whole_or_not_used(
    renderer: Renderer, language: str, text_language: str, expected: list[str]
) -> None:
    rendered = renderer.render(a_mail("renewal_notice", language, context={"term_end": "2027-03-01"}))
    assert rendered.language == text_language
    assert f'<html lang="{text_language}">' in rendered.html
    assert ("Kind regards" in rendered.text) == (text_language == "en")
    for words in expected:
        assert words in plainly(rendered.text)


def test_text_lines_are_short_enough_to_read(renderer: Renderer) -> None:
    for template in CONTEXTS:
        for line in renderer.render(a_mail(template, "en")).text.splitlines():
            assert len(line) <= 78


@pytest.mark.parametrize(
    ("template", "field", "kind", "asked"),
    [
        ("renewal_notice", "contract_id", "K-1", ("contract’s number, {}.", "契約番号（{}）を")),
        ("quote_presented", "quote_id", "Q-7", ("quote’s number, {}.", "見積番号（{}）を")),
        ("upsell_offer", "offer_id", "O-3", ("offer’s number, {}.", "提案番号（{}）を")),
    ],
)
def test_the_number_to_answer_by_is_said(
    renderer: Renderer, template: str, field: str, kind: str, asked: tuple[str, str]
) -> None:
    own, long = str(CONTEXTS[template][field]), "framework.agreement.2027"
    for words, language in zip(asked, ("en", "ja"), strict=True):
        plain = squeezed(renderer.render(a_mail(template, language=language)).text)
        assert words.format(own) in plain
        assert f"{own} ({kind[0]}-" not in plain
        numbered = a_mail(template, language=language, context={field: long, "numbers": {long: kind}})
        for by_reply in (True, False):
            mail = renderer.render(numbered, by_reply=by_reply)
            assert words.format(kind) in squeezed(mail.text)
            assert f"{long} ({kind})" in squeezed(mail.text)
            assert f"{long} ({kind})" in mail.html
            assert template == "upsell_offer" or f"{long} ({kind})" in mail.subject
