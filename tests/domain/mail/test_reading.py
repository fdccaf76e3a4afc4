"""Reading mails that come in: whatever arrives is read, and what no person wrote is told apart."""

from __future__ import annotations

import time
from datetime import UTC, datetime
from email.message import EmailMessage

import pytest
from hypothesis import given
from hypothesis import strategies as st

from domain.mail.charsets import decoded
from domain.mail.pages import text_of_html
from domain.mail.quoting import Letter, split
from domain.mail.reading import InboundMail, mail_key, named_cases, read_mail
from domain.mail.text import printable
from tests.properties import examples


def mail(body: bytes | str = "It broke.", **headers: str) -> bytes:
    """A mail as it comes over the wire; underscores in header names are dashes."""
    given_headers = {"From": "Jo Weber <jo@acme.example>", "Message-ID": "<1@acme.example>", **headers}
    head = "".join(f"{name.replace('_', '-')}: {value}\r\n" for name, value in given_headers.items())
    return head.encode() + b"\r\n" + (body if isinstance(body, bytes) else body.encode())


def test_a_plain_mail_is_read() -> None:
    found = read_mail(
        mail(
            Subject="Till is down [C-17]",
            To="Service <Service@seller.example>, case+C-17@seller.example",
            Date="Mon, 1 Feb 2027 10:00:00 +0900",
            In_Reply_To="<b@seller.example>",
            References="<a@seller.example>\r\n <b@seller.example>",
        )
    )
    assert (found.sender, found.sender_name, found.subject) == ("jo@acme.example", "Jo Weber", "Till is down [C-17]")
    assert found.recipients == ("service@seller.example", "case+c-17@seller.example")
    assert found.date == datetime(2027, 2, 1, 1, 0, tzinfo=UTC)
    assert (found.message_id, found.in_reply_to) == ("<1@acme.example>", "<b@seller.example>")
    assert found.answers == ("<b@seller.example>", "<a@seller.example>")
    assert (found.text, found.quoted, found.kind) == ("It broke.", "", "person")
    assert (found.automatic, found.bounce, found.unsubscribes, found.attachments) == (None, None, None, ())
    assert named_cases(found, "Seller.example") == ["c-17", "C-17"]
    assert named_cases(found, "other.example") == ["C-17"]


@pytest.mark.parametrize(
    ("content", "charset", "text"),
    [
        ("レジが動きません".encode("iso-2022-jp"), "iso-2022-jp", "レジが動きません"),
        ("レジが動きません".encode("iso-2022-jp"), None, "レジが動きません"),
        (b"\x1b$B-!\x1b(B", "ISO-2022-JP", "①"),  # as Windows writes it
        (b"\x1b(I1\x1b(B", "iso-2022-jp", "ｱ"),
        ("①髙㈱".encode("cp932"), "Shift_JIS", "①髙㈱"),
        ("日本".encode("euc-jp"), '"EUC-JP"', "日本"),
        ("朝鮮".encode("cp949"), "ks_c_5601-1987", "朝鮮"),
        ("café".encode(), "us-ascii", "café"),
        ("café".encode("latin-1"), None, "café"),
        ("“so”".encode("cp1252"), "iso-8859-1", "“so”"),
        ("żółć".encode("iso-8859-2"), "iso-8859-2", "żółć"),
        (b"plain", "x-no-such-thing", "plain"),
        (b"uryyb", "rot13", "uryyb"),
        ("é".encode() * 9 + b"\xff", "utf-8", "é" * 9 + "�"),
        (b"a\xff", "utf-8", "aÿ"),
        (b"\x1b$B\xff\xff", "iso-2022-jp", "?"),
    ],
)
def test_any_character_set_is_read(content: bytes, charset: str | None, text: str) -> None:
    assert decoded(content, charset) == text


@pytest.mark.parametrize(
    ("raw", "subject"),
    [
        ("=?ISO-2022-JP?B?GyRCJTMhPCVSITwbKEI=?=", "コーヒー"),
        ("=?utf-8?B?44Kz44O8?= =?utf-8?B?44OS44O8?=", "コーヒー"),
        ("=?utf-8?B?44Kz44O844M=?= =?utf-8?B?kuODvA==?=", "コーヒー"),  # cut within a letter
        ("Re: =?utf-8?q?caf=C3=A9?= au lait", "Re: café au lait"),
        ("=?utf-8*fr?q?caf=C3=A9?=", "café"),
        ("=?utf-8?b?!!!?= stays", "stays"),
        ("café au lait", "café au lait"),
        ("two\r\n lines", "two lines"),
    ],
)
def test_subjects_are_read(raw: str, subject: str) -> None:
    assert read_mail(mail(Subject=raw)).subject == subject


def test_an_encoded_name_with_a_comma_is_one_person() -> None:
    found = read_mail(mail(From="=?utf-8?q?Weber=2C_J=C3=B6?= <JO@acme.example>"))
    assert (found.sender, found.sender_name) == ("jo@acme.example", "Weber, Jö")


def test_a_page_alone_is_read_as_text() -> None:
    page = (
        "<html><head><style>p {}</style><title>x</title><body><p>Hello &amp; <b>good</b> day<p>two<!-- no --><br>three"
    )
    page += "<blockquote>what you wrote</blockquote></html>"
    found = read_mail(mail(page, Content_Type="text/html; charset=utf-8"))
    assert found.text == "Hello & good day\ntwo\nthree\n> what you wrote"
    answer = read_mail(
        mail(
            page.replace("<blockquote>", "<p>On Monday, Sam wrote:<blockquote>"),
            Content_Type="text/html",
            Subject="Re: x",
        )
    )
    assert answer.text == "Hello & good day\ntwo\nthree"
    assert answer.quoted == "On Monday, Sam wrote:\n> what you wrote"


def test_of_alternatives_the_plain_one_is_read_and_files_are_listed() -> None:
    message = EmailMessage()
    message["From"] = "jo@acme.example"
    message.set_content("plain words")
    message.add_alternative("<p>the same in HTML</p>", subtype="html")
    message.add_attachment(b"%PDF-1.7 12345", maintype="application", subtype="pdf", filename="Rechnung März.pdf")
    message.add_attachment("a,b\n", subtype="csv", filename="rows.csv")
    found = read_mail(message.as_bytes())
    assert found.text == "plain words"
    assert [(a.name, a.media_type, a.size) for a in found.attachments] == [
        ("Rechnung März.pdf", "application/pdf", 14),
        ("rows.csv", "text/csv", 4),
    ]


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("New words\n\nOn Mon, 1 Feb 2027 at 10:00, Sam <s@x.example>\nwrote:\n> old\n> words\n", "New words"),
        ("Neu\n\nAm 01.02.2027 um 10:00 schrieb Sam:\n> alt", "Neu"),
        ("Nouveau\n\nLe 1 févr. 2027 à 10:00, Sam a écrit :\n> vieux", "Nouveau"),
        ("お世話になります。\n\n2027年2月1日(月) 10:00 サービス <s@x.example>:\n> 以前", "お世話になります。"),
        ("New\n-----Original Message-----\nFrom: a\nold", "New"),
        ("New\n\nFrom: Sam\nSent: Monday\nTo: Jo\n\nold", "New"),
        ("> question\nanswer below\n-- \nJo Weber\nAcme", "answer below\n--\nJo Weber\nAcme"),
        ("On Mon, 1 Feb 2027, Sam wrote:\n> question\n\nanswer below", "answer below"),
        ("one\n> two?\nyes\n> three?\nno", "one\n> two?\nyes\n> three?\nno"),
        ("On Mon, 1 Feb 2027, Sam wrote:\n> two?\nyes\n> three?\nno", "yes\nno"),
        ("> all of it quoted", "> all of it quoted"),
        ("On Monday I wrote: nothing", "On Monday I wrote: nothing"),
    ],
)
def test_what_is_quoted_is_cut(text: str, said: str) -> None:
    assert split(text, Letter(answers=True)).text == said


@pytest.mark.parametrize(
    ("headers", "sign"),
    [
        ({"Auto-Submitted": "auto-replied; owner=x"}, "Auto-Submitted: auto-replied"),
        ({"Auto-Submitted": "auto-generated"}, "Auto-Submitted: auto-generated"),
        ({"Precedence": "Bulk"}, "Precedence: bulk"),
        ({"List-Id": "<news.acme.example>"}, "the header list-id"),
        ({"Return-Path": "<>"}, "an empty return path"),
        ({"From": "MAILER-DAEMON@acme.example"}, "its sender mailer-daemon@acme.example"),
        ({"From": "No-Reply <noreply@acme.example>"}, "its sender noreply@acme.example"),
        ({"Auto-Submitted": "no", "Return-Path": "<jo@acme.example>", "Precedence": "normal"}, None),
        ({"X-Auto-Response-Suppress": "DR, OOF, AutoReply"}, None),
        ({"List-Id": "<it.acme.example>", "List-Post": "<mailto:it@acme.example>", "Precedence": "list"}, None),
    ],
)
def test_what_no_person_wrote_is_told_apart(headers: dict[str, str], sign: str | None) -> None:
    assert read_mail(mail(**headers)).automatic == sign


def test_the_envelope_counts_too() -> None:
    found = read_mail(mail(), recipients=["CASE+9@seller.example"], return_path="")
    assert found.automatic == "an empty return path"
    assert found.recipients == ("case+9@seller.example",)


REPORT = b"""\
From: MAILER-DAEMON@mx.example
Message-ID: <r@mx.example>
Subject: Undelivered Mail Returned to Sender
MIME-Version: 1.0
Content-Type: multipart/report; report-type=delivery-status; boundary="B"

--B
Content-Type: text/plain

I am sorry.
--B
Content-Type: message/delivery-status

Reporting-MTA: dns; mx.example

Final-Recipient: rfc822; Jo@acme.example
Action: failed
Status: STATUS
Diagnostic-Code: smtp; 550 no such user
--B
Content-Type: text/rfc822-headers

Message-ID: <sent@seller.example>
Subject: Welcome
--B--
"""


@pytest.mark.parametrize(
    ("status", "for_good"),
    [
        ("5.1.1", True),
        ("5.2.1", True),
        ("5.1.8", False),
        ("5.2.3", False),
        ("4.2.2", False),
        ("5.7.1", False),
        ("", False),
    ],
)
def test_a_delivery_report_is_read(status: str, for_good: bool) -> None:
    report = read_mail(REPORT.replace(b"STATUS", status.encode())).bounce
    assert report is not None
    assert (report.recipient, report.message_ids) == ("jo@acme.example", ("<sent@seller.example>",))
    assert report.said == "550 no such user"
    assert report.is_for_good is for_good


def test_a_wish_for_no_more_mails_is_read() -> None:
    assert read_mail(mail(Subject="unsubscribe acme/p-1")).unsubscribes == ("acme", "p-1")
    assert read_mail(mail(Subject="How do I unsubscribe acme/p-1?")).unsubscribes is None


def test_the_key_follows_what_the_sender_wrote() -> None:
    first = mail(Subject="A")
    by_another_way = (
        b"Return-Path: <jo@acme.example>\r\nReceived: from a by b\r\n" + first.replace(b"\r\n", b"\n") + b"\n\n"
    )
    assert mail_key(by_another_way) == mail_key(first)
    assert (
        len({mail_key(m) for m in (first, mail(Subject="B"), mail("Other", Subject="A"), mail(From="a@b.example"))})
        == 4
    )
    dated = {"Date": "Mon, 1 Feb 2027 10:00:00 +0900"}
    footed = mail("It broke.\r\n____\r\nWritten on the move", Subject="[EXTERNAL] A", **dated)
    assert mail_key(footed) == mail_key(mail(Subject="A", **dated)) != mail_key(mail("It works.", Subject="A", **dated))
    alarm = b"From: alarm@acme.example\r\nSubject: Paper jam\r\n\r\nTill 3"
    moments = [datetime(2027, 2, 1, hour, tzinfo=UTC) for hour in (1, 2)]
    assert len({mail_key(alarm, moment) for moment in moments}) == 2


# Whatever arrives

_HEADERS = st.sampled_from(
    [b"From", b"To", b"Subject", b"Date", b"Message-ID", b"References", b"Content-Type", b"Content-Disposition",
     b"Content-Transfer-Encoding", b"Auto-Submitted", b"Return-Path"]
)  # fmt: skip
_VALUES = st.one_of(
    st.binary(max_size=80),
    st.sampled_from(
        [b"multipart/mixed; boundary=x", b"multipart/report; boundary=x", b"multipart/alternative; boundary=\"x\"",
         b"message/rfc822", b"message/delivery-status", b"text/html; charset=utf-7", b"text/plain; charset=\x00",
         b"base64", b"quoted-printable", b"x-uuencode", b"attachment; filename*=utf-8''%ff", b"=?utf-8?q?=ff?= <a@b>",
         b"=?a?b?c?=", b"<a@b> <c@d>", b"Mon, 99 Foo 99999 99:99:99 +9999", b"(((((((((", b"\"\\", b"a@b, c@d;"]
    ),
)  # fmt: skip
_LINES = st.lists(st.tuples(_HEADERS, _VALUES), max_size=6).map(
    lambda pairs: b"".join(name + b": " + value.replace(b"\n", b"") + b"\r\n" for name, value in pairs)
)
_MAILS = st.builds(
    lambda head, inner, body: head + b"\r\n--x\r\n" + inner + b"\r\n" + body + b"\r\n--x--\r\n",
    _LINES,
    _LINES,
    st.binary(max_size=200),
)


@examples(400)
@given(st.one_of(st.binary(max_size=400), _MAILS))
def test_no_bytes_are_too_broken_to_be_read(raw: bytes) -> None:
    found = read_mail(raw)
    assert InboundMail.model_validate_json(found.model_dump_json()) == found
    said = "".join([found.subject, found.text, found.quoted, found.sender, found.sender_name, *found.answers])
    said.encode()  # no lone surrogates
    assert "\x00" not in said
    assert mail_key(raw) == mail_key(raw + b"\r\n")


@examples(200)
@given(st.text(max_size=300))
def test_text_and_pages_are_read_whatever_they_hold(text: str) -> None:
    split(printable(text), Letter(answers=True))
    text_of_html(text)


@pytest.mark.parametrize(
    "piece", ["<p ", "<!--", "<![", "<", "&#", "On x wrote:\n", "> ", "2027年1月1日", "=?utf-8?q?", "<a@", "((("]
)
def test_large_nonsense_takes_no_longer_than_sense(piece: str) -> None:
    nonsense = piece * (300_000 // len(piece))
    began = time.process_time()
    read_mail(mail(nonsense, Content_Type="text/html", Subject=nonsense, References=nonsense, To=nonsense))
    read_mail(mail(nonsense, Content_Type="text/plain"))
    assert time.process_time() - began < 15


@pytest.mark.parametrize(
    "body",
    [
        b"--B\r\n\r\nHelp\r\n" * 200_000,
        b"".join(
            b"--%s\r\nContent-Type: multipart/mixed; boundary=%s\r\n\r\n" % (outer, inner)
            for outer, inner in ((b"B", b"b0"), *((b"b%d" % n, b"b%d" % (n + 1)) for n in range(300)))
        )
        + b"Help\r\n" * 1_000_000,
    ],
    ids=["many parts", "nested parts"],
)
def test_a_mail_made_to_keep_its_reader_busy_does_not(body: bytes) -> None:
    began = time.process_time()
    found = read_mail(mail(body, MIME_Version="1.0", Content_Type="multipart/mixed; boundary=B"))
    assert time.process_time() - began < 15
    assert found.sender == "jo@acme.example"


def test_a_large_mail_with_its_files_is_read_whole() -> None:
    file = (b"A" * 76 + b"\r\n") * 200_000
    body = (
        b"--B\r\nContent-Type: text/plain\r\n\r\nSee the boundary of the files.\r\n--B\r\nContent-Type: application/pdf\r\n"
        b"Content-Transfer-Encoding: base64\r\nContent-Disposition: attachment; filename=a.pdf\r\n\r\n"
        + file
        + b"--B--\r\n"
    )
    found = read_mail(mail(body, MIME_Version="1.0", Content_Type="multipart/mixed; boundary=B"))
    assert found.text == "See the boundary of the files."
    assert [(one.name, one.size) for one in found.attachments] == [("a.pdf", 200_000 * 57)]


OWN_WORDS = b"""\
From: MAILER-DAEMON <>
To: <service@seller.example>
Subject: Mail delivery failed
Message-ID: <1@mx.example>

This is the mail server of mx.example. Your mail could not be delivered:

mx.acme.example said: 550 5.1.1 jo@acme.example: no such user here

Message headers follow.

From: service@seller.example
To: Jo <jo@acme.example>
Message-ID: <sent@seller.example>
Subject: Welcome
"""


def test_a_report_in_a_servers_own_words_is_read() -> None:
    found = read_mail(OWN_WORDS)
    assert (found.kind, found.may_answer) == ("bounce", False)
    assert found.bounce is not None
    assert (found.bounce.recipient, found.bounce.message_ids) == ("jo@acme.example", ("<sent@seller.example>",))
    assert found.bounce.is_for_good


@pytest.mark.parametrize(
    ("status", "said", "for_good"),
    [
        ("5.0.0", "550 5.1.1 User unknown", True),
        ("5.0.0", "550 no such user", True),
        ("5.0.0", "552 mailbox is over quota", False),
        ("5.4.1", "550 5.4.1 Recipient address rejected: Access denied", True),
        ("5.2.2", "552 5.2.2 mailbox full", False),
        ("4.4.7", "delivery delayed", False),
    ],
)
def test_an_address_is_wrong_for_good_by_status_or_words(status: str, said: str, for_good: bool) -> None:
    raw = REPORT.replace(b"STATUS", f"{status} (a remark)".encode()).replace(b"550 no such user", said.encode())
    report = read_mail(raw).bounce
    assert report is not None
    assert (report.status, report.is_for_good) == (status, for_good)
