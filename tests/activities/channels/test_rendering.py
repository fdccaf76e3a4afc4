from __future__ import annotations

import re
from html.parser import HTMLParser
from pathlib import Path
from typing import Any

import pytest

import activities.channels
from activities.channels.errors import RenderError
from activities.channels.rendering import RenderedMail, Renderer
from domain.frame.messages import OutgoingMail
from tests.activities.channels.samples import COMMON, CONTEXTS, DOCUMENTS, NOTICE, QUOTE, a_mail

TEMPLATES = Path(activities.channels.__file__).parent / "templates"
EVERY = [(template, language) for template in CONTEXTS for language in ("en", "ja")]

# What each message must say, besides what all must: (in English, in Japanese).
FACTS: dict[str, tuple[list[str], list[str]]] = {
    "opted_out": (["stopped", "reply to this mail"], ["停止", "ご返信"]),
    "welcome": (["Kickoff meeting: March 1, 2027", "鈴木 一郎"], ["キックオフミーティング：2027年3月1日", "鈴木 一郎"]),
    "onboarding_invite": (["Kickoff meeting", "March 1, 2027"], ["キックオフミーティング", "2027年3月1日"]),
    "onboarding_reminder": (["open for 3 days", "March 1, 2027"], ["3日が経過", "2027年3月1日"]),
    "provisioning_done": (["- Team Plan", "ready to use"], ["・Team Plan", "設定が完了"]),
    "go_live": (["21 days"], ["21日"]),
    "order_confirmed": (["your order O-536365", "- Team Plan"], ["O-536365", "・Team Plan"]),
    "documents": (
        ["Invoice: INV-C-17-1", "Total: ¥1,320,000", "Credit note: CM-C-17-1", "Total: ¥5,000"],
        ["請求書：INV-C-17-1", "合計：￥1,320,000", "クレジットノート：CM-C-17-1", "合計：￥5,000"],
    ),
    "introduction": (
        ["My name is 鈴木 一郎", "nothing changes in your contracts"],
        ["鈴木 一郎でございます", "変更はございません"],
    ),
    "touch_day_1": (["first day"], ["最初の一日"]),
    "touch_month_1": (["a month"], ["1か月"]),
    "touch_anniversary": (["2 years since"], ["2年を迎え"]),
    "check_in": (["42 of your 1,200 seats", "4%", "March 1, 2027"], ["1,200席のうち42席", "4%", "2027年3月1日"]),
    "outreach": (["42 of 1,200", "4%", "50%"], ["42席／1,200席", "4%", "50%以上"]),
    "recovered": (["42 of 1,200", "4%"], ["42席／1,200席", "4%"]),
    "survey": (["from 0 (", "to 10 (", "survey-1"], ["0（", "10（", "survey-1"]),
    "renewal_notice": (
        [
            "March 31, 2027, in 60 days",
            "by March 15, 2027",
            "Q-2027-8",
            "100 × ¥1,000 per month For the term: ¥1,200,000",
            "1 × ¥180,000 per year For the term: ¥180,000",
            "Total: ¥1,380,000",
            "April 1, 2027 – March 31, 2028",
        ],
        [
            "2027年3月31日",
            "あと60日",
            "2027年3月15日まで",
            "Q-2027-8",
            "100 × ￥1,000（月額） 期間中の金額：￥1,200,000",
            "合計：￥1,380,000",
            "2027年4月1日～2028年3月31日",
        ],
    ),
    "renewal_confirmed": (
        ["Thank you for renewing", "¥1,380,000", "April 1, 2027 – March 31, 2028"],
        ["ご更新いただき", "￥1,380,000", "2027年4月1日～2028年3月31日"],
    ),
    "renewal_declined": (["A-3", "March 31, 2027"], ["A-3", "2027年3月31日"]),
    "renewal_grace": (["March 31, 2027", "until April 30, 2027"], ["2027年3月31日", "2027年4月30日まで"]),
    "contract_ended": (["March 31, 2027"], ["2027年3月31日"]),
    "upsell_offer": (
        ["97 of your 100 seats", "¥1,000 per month", "+¥20,000", "offer-7", "March 1, 2027"],
        ["100席のうち97席", "20席", "￥1,000（月額）", "￥20,000", "offer-7", "2027年3月1日"],
    ),
    "upsell_confirmed": (["Seats in total: 120", "from March 1, 2027"], ["追加後の席数：120席", "2027年3月1日より"]),
    "quote_presented": (
        ["Q-17, version 2", "Total: ¥1,380,000", "Change of your monthly amount: ¥115,000", "March 31, 2027"],
        ["Q-17・第2版", "合計：￥1,380,000", "月額の増減：￥115,000", "2027年3月31日"],
    ),
    "assets_changed": (
        [
            "Units: 100 → 1,200",
            "Per month: ¥100,000 → ¥1,200,000",
            "March 1, 2027",
            "Terms: region: eu",
            "contract A-3 runs until September 30, 2027",
        ],
        [
            "数量：100 → 1,200",
            "月額：￥100,000 → ￥1,200,000",
            "2027年3月1日",
            "条件：region: eu",
            "満了日は2027年9月30日",
        ],
    ),
    "assets_transferred": (
        ["handed the following over", "Units: 100 → 1,200"],
        ["お引き渡しが完了", "数量：100 → 1,200"],
    ),
    "assets_received": (["handed over to you", "Units: 0 → 1,200"], ["譲り受け", "数量：0 → 1,200"]),
    "reorder_check_in": (["January 4, 2027", "every 26 days"], ["2027年1月4日", "26日ほど"]),
    "delivery_follow_up": (["O-536365", "arrived safely"], ["O-536365", "お手元に"]),
    "price_match": (
        [
            "January 29, 2027",
            "Order: O-536365",
            "Units: 1,200",
            "You paid for one: ¥80,000",
            "Price now: ¥72,000",
            "Your refund: ¥10,560,000",
            "Tax in it: ¥960,000",
            "Credit note: CM-C-17-1",
        ],
        [
            "2027年1月29日",
            "ご注文番号：O-536365",
            "対象数量：1,200",
            "ご購入時の単価：￥80,000",
            "現在の単価：￥72,000",
            "ご返金額：￥10,560,000",
            "うち税額：￥960,000",
            "クレジットノート番号：CM-C-17-1",
        ],
    ),
    "goodwill_granted": (["Credit: ¥5,000", "CM-C-17-2"], ["金額：￥5,000", "CM-C-17-2", "お詫びのしるし"]),
    "case_opened": (["C-17.3", "an answer by March 1, 2027 10:00"], ["受付番号：C-17.3", "2027年3月1日 10:00"]),
    "case_reply": (["Please hold its button & wait.", "Does it blink?"], ["Please hold its button & wait."]),
    "case_nudge": (["What we need: the model's name", "March 1, 2027"], ["the model's name", "2027年3月1日"]),
    "case_apology": (["promised to solve", "We are sorry"], ["解決に至っておりません", "お詫び"]),
    "case_resolved": (["C-17.3 is solved", "We replaced the <X> cable."], ["対応が完了", "We replaced the <X> cable."]),
    "case_survey": (["from 1 (not at all satisfied)", "C-17.3-1"], ["アンケート番号：C-17.3-1"]),
    "claim_declined": (["refund ¥1,000,000 for", "in the time"], ["￥1,000,000", "期間内に社内の承認"]),
}


TAGS = {"html", "head", "meta", "title", "body", "div", "p", "br", "ul", "li"} | {
    *("table", "thead", "tbody", "tfoot", "tr", "th", "td")
}


def plainly(text: str) -> str:
    """The text with one space and one apostrophe: which of several CLDR writes changes with its releases, and each is right."""
    return re.sub("[\xa0\u2009\u202f]", " ", text).replace("’", "'")


class Page(HTMLParser):
    """An HTML mail as its reader sees it: the words, and the text of each table cell. Fails on tags that do not match."""

    def __init__(self, html: str) -> None:
        super().__init__()
        self.words = ""
        self.cells: list[str] = []
        self._open: list[str] = []
        self.feed(html)
        self.close()
        assert not self._open

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        assert tag in TAGS
        if tag in ("td", "th"):
            self.cells.append("")
        if tag not in ("meta", "br"):
            self._open.append(tag)

    def handle_endtag(self, tag: str) -> None:
        assert self._open.pop() == tag

    def handle_data(self, data: str) -> None:
        self.words += data
        if self._open and self._open[-1] in ("td", "th"):
            self.cells[-1] += data


def squeezed(text: str) -> str:
    return re.sub(r"\s+", " ", text)


def assert_readable(rendered: RenderedMail) -> None:
    assert rendered.subject == rendered.subject.strip() != ""
    assert "\n" not in rendered.subject
    for words in (rendered.subject, rendered.text, Page(rendered.html).words):
        assert not re.search(r"None|Undefined|[{}]|<bound|Markup|&(amp|lt|gt|#\d+);", words)
    assert not re.search(r"<[a-z/]", rendered.text.replace("<X>", ""))
    assert not re.search(r"\n{3}| \n|\S {2,}\S", rendered.text)
    assert "<p" in rendered.html
    assert not re.search(r"<p[^>]*>\s*</p>", rendered.html)


def test_every_template_has_a_sample_and_both_languages() -> None:
    english = {path.stem for path in (TEMPLATES / "en").glob("*.j2")} - {"frame", "notice", "document"}
    japanese = {path.stem for path in (TEMPLATES / "ja").glob("*.j2")} - {"frame", "notice", "document"}
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
    for name in used:
        less = whole.model_copy(update={"context": {k: v for k, v in whole.context.items() if k != name}})
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
        ("check_in", {"active_users": None, "seats": None, "adoption": None, "next_on": None, "products": []}),
        ("check_in", {"active_users": 1, "seats": 1, "adoption": None}),
        ("onboarding_reminder", {"days_late": 0}),
        ("onboarding_reminder", {"days_late": -2}),
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
    for language, names in (("en", ["Invoice", "Credit note"]), ("ja", ["請求書", "クレジットノート"])):
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
        renderer.render(a_mail().model_copy(update={"template": "frame_of_mind"}))
    with pytest.raises(RenderError, match="Mars/Olympus"):
        renderer.render(a_mail(time_zone="Mars/Olympus"))
    with pytest.raises(RenderError):
        renderer.render(a_mail().model_copy(update={"template": "../../errors"}))


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


def test_text_lines_are_short_enough_to_read(renderer: Renderer) -> None:
    for template in CONTEXTS:
        for line in renderer.render(a_mail(template, "en")).text.splitlines():
            assert len(line) <= 78


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
        less = whole.model_copy(update={"context": {k: v for k, v in NOTICE.items() if k != name}})
        with pytest.raises(RenderError, match=name):
            renderer.render(less)


def test_common_values_are_those_of_the_contract() -> None:
    assert set(COMMON) == {"company", "contact_name", "seller", "sender_name"}


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
