"""Documents as PDF: what their reader reads is what is on record, whatever letters it has, and nothing that somebody wrote is a command."""

from __future__ import annotations

import io
import re
from datetime import date, timedelta
from typing import Any

import pypdf
import pytest
from fontTools.ttLib import TTFont

from activities.channels import typesetting
from activities.channels.papers import PaperError, Press, covered
from activities.channels.samples import DOCUMENTS, a_mail
from domain.frame.messages import Issuer
from domain.mail.papers import Paper, papers_of

ISSUER = Issuer(
    name="Meridian Systems 株式会社",
    address=("東京都千代田区丸の内1-1-1", "Tel 03-1234-5678"),
    registration="T1234567890123",
    pay_to="みずほ銀行 丸の内支店 普通 1234567",
    pay_within_days=30,
)
WHOLE = {
    "quantity": 25,
    "unit_price": "49",
    "per": "month",
    "time": [{"months": 12}],
    "start": "2027-01-01",
    "end": "2027-12-31",
}
BROKEN = {**WHOLE, "start": "2027-01-15", "end": "2027-01-31", "time": [{"days": 17, "of": 31}]}
LINE = {"description": "Workspace", "due": "2027-01-01", "tax_rates": ["10"], "why": None}
YEAR = {"start": "2027-01-01", "end": "2027-12-31"}
LINES: list[dict[str, Any]] = [
    {**LINE, "amount": "14700", "quantity": 25, "unit_price": "588", "period": YEAR, "parts": [WHOLE]},
    {**LINE, "amount": "15371", "quantity": None, "unit_price": None, "period": YEAR, "parts": [BROKEN, WHOLE], "tax_rates": ["8"]},
    {**LINE, "amount": "9", "quantity": None, "unit_price": None, "period": {**YEAR, "end": None}, "parts": [], "why": "rounded"},
]  # fmt: skip


@pytest.fixture
def press() -> Press:
    return Press()


def invoice(language: str = "ja", company: str = "カプリコーン珈琲株式会社", **changes: Any) -> Paper:
    document = {**DOCUMENTS[0], "lines": LINES, **changes}
    mail = a_mail("documents", language, documents=(document,), issuer=ISSUER, context={"company": company})
    return papers_of(mail)[0]


async def read(press: Press, paper: Paper, **options: Any) -> tuple[pypdf.PdfReader, str]:
    """A document as a reader's program has it, and its words without spaces."""
    found = pypdf.PdfReader(io.BytesIO(await press.pdf(press.sheet(paper, **options))))
    return found, spaceless("".join(page.extract_text() for page in found.pages))


def spaceless(text: str) -> str:
    return re.sub(r"\s", "", text)


@pytest.mark.parametrize(
    ("language", "said"),
    [
        ("en", ["Invoice", "INV-C-17-1", "March 1, 2027", "To be paid by", "March 31, 2027", "T1234567890123", "Page 1 of 1",
                "¥588", "¥49 per month × 17 of 31 days", "January 15, 2027 – January 31, 2027", "8%※", "Tax 10% of ¥1,200,000",
                "¥120,000", "¥1,320,000", "Please pay to", "Rounded so that"]),
        ("ja", ["請求書", "INV-C-17-1", "発行日", "2027年3月1日", "お支払期限", "2027年3月31日", "登録番号：T1234567890123",
                "カプリコーン珈琲株式会社 御中", "1 / 1 ページ", "￥588", "￥49（月額） × 31日のうち17日", "2027年1月1日以降",
                "8%※", "軽減税率", "消費税（10%対象 ￥1,200,000）", "￥1,320,000", "みずほ銀行"]),
    ],
)  # fmt: skip
async def test_an_invoice_reads_as_it_is_on_record(press: Press, language: str, said: list[str]) -> None:
    _, text = await read(press, invoice(language))
    assert [
        one for one in [*said, "Meridian Systems 株式会社", "東京都千代田区丸の内1-1-1"] if spaceless(one) not in text
    ] == []


async def test_a_credit_note_names_the_invoice_that_it_corrects_and_asks_for_nothing(press: Press) -> None:
    _, note = papers_of(a_mail("documents", "en", documents=DOCUMENTS, issuer=ISSUER))
    _, text = await read(press, note, corrects=("INV-C-17-1",))
    assert "CorrectsinvoiceINV-C-17-1" in text
    assert "¥5,000" in text
    assert "pay" not in text


@pytest.mark.parametrize("template", ["quote_presented", "renewal_notice"])
async def test_quotes_and_proposals_say_their_lines_and_until_when_they_count(press: Press, template: str) -> None:
    for language, words in (("en", ["Valid until", "per month"]), ("ja", ["有効期限", "￥1,000（月額）"])):
        [paper] = papers_of(a_mail(template, language, issuer=ISSUER))
        _, text = await read(press, paper)
        for one in (*words, "Team Plan", "1,380,000", "180,000", paper.id):
            assert spaceless(one) in text


async def test_fonts_are_embedded_and_every_letter_has_a_glyph(press: Press) -> None:
    names = "Zażółć gęślą jaźń, Þórður Ελλάδα Київ Nguyễn 髙﨑 ㈱ 纊褜"
    found, text = await read(press, invoice("en", names))
    assert spaceless(names) in text
    fonts = [font.get_object() for page in found.pages for font in page["/Resources"]["/Font"].values()]  # type: ignore[index]
    assert len(fonts) >= 2
    for font in fonts:
        [inner] = font["/DescendantFonts"]
        assert {"/FontFile2", "/FontFile3"} & inner.get_object()["/FontDescriptor"].keys()


@pytest.mark.parametrize("language", ["en", "ja"])
async def test_letters_that_no_font_has_are_seen_to_be_missing(press: Press, language: str) -> None:
    names = "삼성 \N{GRINNING FACE} e\N{COMBINING ACUTE ACCENT} 葛\U000e0100 a\N{RIGHT-TO-LEFT OVERRIDE}b"
    _, text = await read(press, invoice(language, names))
    assert "〓〓〓é葛ab" in text
    assert "U+C0BC,U+C131,U+1F600" in text


def test_what_is_listed_is_what_the_fonts_have() -> None:
    fonts = typesetting.HERE / "fonts"
    regular = [TTFont(fonts / name).getBestCmap() for name in ("NotoSans-Regular.ttf", "NotoSansJP-Regular.otf")]
    assert covered() == set().union(*regular)
    assert set(TTFont(fonts / "NotoSans-Bold.ttf").getBestCmap()) == set(regular[0])
    levels_1_and_2 = {
        bytes([row, cell]).decode("euc_jp")
        for row in range(0xB0, 0xF5)
        for cell in range(0xA1, 0xFF)
        if not (row == 0xCF and cell > 0xD3) and not (row == 0xF4 and cell > 0xA6)
    }
    assert len(levels_1_and_2) == 6355
    assert {ord(letter) for letter in levels_1_and_2} <= covered()


async def test_nothing_that_somebody_wrote_is_a_command_of_the_layout(press: Press) -> None:
    spelled = '#sys.inputs #read("/etc/passwd") $x^2$ *b* _i_ `r` = h @ref <l> // c \\ #{1+1} "q" \'q\' https://x.example [b] ~ --'
    line = {**LINES[0], "description": spelled}
    _, text = await read(press, invoice("en", spelled, lines=[line], id="INV-#1"))
    assert text.count(spaceless(spelled)) == 2
    assert "root:" not in text


async def test_the_same_document_is_the_same_bytes_and_another_one_has_another_tag(press: Press) -> None:
    once, again = press.sheet(invoice()), Press().sheet(invoice())
    assert await press.pdf(once) == await press.pdf(again)
    assert once.tag == again.tag
    others = (invoice("en"), invoice(company="another"), invoice().having(issued_on=date(2027, 3, 2)))
    assert len({once.tag, *(press.sheet(one).tag for one in others)}) == 4


async def test_a_document_of_many_lines_goes_on_over_pages(press: Press) -> None:
    lines = [{**LINES[0], "description": f"Item {n:03} {'W' * 90}"} for n in range(200)]
    found, text = await read(press, invoice("en", lines=lines))
    assert len(found.pages) > 3
    assert all(f"Item{n:03}" in text for n in range(200))
    assert f"Page2of{len(found.pages)}" in text


async def test_what_takes_too_long_is_ended(press: Press) -> None:
    hurried = Press(within=0.001)
    with pytest.raises(PaperError, match="not ready"):
        await hurried.pdf(hurried.sheet(invoice()))
    assert await press.pdf(press.sheet(invoice()))


def test_an_issuer_without_days_names_none(press: Press) -> None:
    bare = invoice("en").having(issuer=Issuer(name="Meridian"))
    sheet = press.sheet(bare)
    assert "To be paid by" not in sheet.text
    assert "registration" not in sheet.text
    assert bare.pay_by is None
    assert invoice().pay_by == date(2027, 3, 1) + timedelta(days=30)
