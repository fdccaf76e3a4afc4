from __future__ import annotations

import asyncio
import re
import threading
from datetime import UTC, datetime, timedelta, timezone
from email import message_from_bytes
from email.header import decode_header, make_header
from email.message import EmailMessage
from email.utils import getaddresses, parsedate_to_datetime
from typing import Any

import pytest
from hypothesis import HealthCheck, given
from hypothesis import strategies as st
from pydantic import ValidationError

from activities.channels.errors import AddressRejectedError, MessageRejectedError, RenderError
from activities.channels.mail import MailChannel, SmtpSettings
from activities.channels.rendering import RenderedMail, Renderer
from activities.channels.samples import AT, COMMON, CONTEXTS, a_mail
from activities.channels.text import wire_address
from activities.kernel.computing import MANY
from domain.mail.signing import AddressPurpose, delivery_in, message_id_of, signed_address, token_of
from domain.mail.worded import IN_WORDS
from tests.activities.channels.conftest import KEY, Build
from tests.activities.channels.smtp_server import Mailbox
from tests.properties import examples


async def test_a_mail_arrives_in_text_and_html(channel: MailChannel, mailbox: Mailbox) -> None:
    await channel.send(a_mail("renewal_notice", "ja"))
    message = mailbox.last()
    assert mailbox.recipients == ["hanako@capricorn.example"]
    assert message.get_content_type() == "multipart/alternative"
    text, html = message.iter_parts()
    assert (text.get_content_type(), html.get_content_type()) == ("text/plain", "text/html")
    for part in (text, html):
        assert "￥1,380,000" in part.get_content()
        assert "2027年4月1日～2028年3月31日" in part.get_content()
        assert part.get_content_charset() == "utf-8"


async def test_a_long_mail_is_written_beside_the_loop(
    channel: MailChannel, mailbox: Mailbox, monkeypatch: pytest.MonkeyPatch
) -> None:
    threads: list[int] = []

    def noted(self: Renderer, *given: Any, **more: Any) -> RenderedMail:
        threads.append(threading.get_ident())
        return render(self, *given, **more)

    render = Renderer.render_joined
    monkeypatch.setattr(Renderer, "render_joined", noted)
    await channel.send(a_mail())
    await channel.send(a_mail(context={"lines": ["one"] * (MANY + 1)}))
    here, beside = threads
    assert (here == threading.get_ident(), beside == threading.get_ident()) == (True, False)
    assert len(mailbox.accepted) == 2


async def test_the_headers_of_a_mail(channel: MailChannel, mailbox: Mailbox) -> None:
    message_id = await channel.send(a_mail())
    message = mailbox.last()
    assert message["From"] == "Meridian Systems <success@meridian.example>"
    assert message["To"] == "田中 花子 <hanako@capricorn.example>"
    assert message["Subject"] == "【Meridian Systems】本稼働おめでとうございます"
    assert parsedate_to_datetime(message["Date"]) == AT
    assert message["Message-ID"] == message_id
    assert message["Reply-To"] == "aoi@meridian.example"
    assert message["Content-Language"] == "ja"
    assert message["Auto-Submitted"] == "auto-generated"
    assert message["List-Unsubscribe"] == "<mailto:success@meridian.example?subject=unsubscribe%20tok-123>"
    assert message["MIME-Version"] == "1.0"


async def test_a_japanese_mail_is_plain_ascii_on_the_wire(channel: MailChannel, mailbox: Mailbox) -> None:
    await channel.send(a_mail(context={"seller": "メリディアン株式会社"}))
    wire = mailbox.accepted[-1]
    assert wire.isascii()
    assert max(len(line) for line in wire.split(b"\r\n")) <= 998
    assert b"=?utf-8?" in wire
    assert mailbox.last()["From"] == "メリディアン株式会社 <success@meridian.example>"


async def test_contractual_mails_have_no_unsubscribe_header(channel: MailChannel, mailbox: Mailbox) -> None:
    await channel.send(a_mail(unsubscribe=None, reply_to=None))
    assert mailbox.last()["List-Unsubscribe"] is None
    assert mailbox.last()["Reply-To"] is None


async def test_long_identifiers_and_tokens_stay_in_one_piece(channel: MailChannel, mailbox: Mailbox) -> None:
    long_id = "journey:C-17/renewal:contract-of-the-head-office:2027/notice-60/renewal_notice"
    message_id = await channel.send(a_mail(delivery_id=long_id, unsubscribe="t" * 200))
    head = mailbox.accepted[-1].split(b"\r\n\r\n")[0]
    assert b"Message-ID: " + message_id.encode() + b"\r\n" in head
    assert b"subject=unsubscribe%20" + b"t" * 200 + b">\r\n" in head


async def test_the_date_keeps_the_instant(channel: MailChannel, mailbox: Mailbox) -> None:
    at = datetime(2031, 3, 1, 9, 30, tzinfo=timezone(timedelta(hours=9)))
    await channel.send(a_mail(at=at))
    assert parsedate_to_datetime(mailbox.last()["Date"]) == at


async def test_a_resend_is_the_same_message(channel: MailChannel, mailbox: Mailbox) -> None:
    first, second = await channel.send(a_mail()), await channel.send(a_mail())
    assert first == second == "<journey%3AC-17%2Fgo-live%3AO-1%2Fgo_live@mail.meridian.example>"
    assert mailbox.accepted[0] == mailbox.accepted[1]


async def test_what_is_signed_says_so_in_its_ids_the_same_at_every_attempt(
    channel_with: Build, mailbox: Mailbox
) -> None:
    served = channel_with(reply_domain="reply.meridian.example")
    first, second = await served.send(a_mail(key=KEY.number)), await served.send(a_mail(key=KEY.number))
    assert first == second == message_id_of(a_mail().delivery_id, "mail.meridian.example", KEY)
    assert mailbox.accepted[0] == mailbox.accepted[1]
    message = mailbox.last()
    assert message["Reply-To"] == signed_address(
        a_mail().delivery_id, AddressPurpose.REPLY, KEY, "reply.meridian.example"
    )
    stop = signed_address(a_mail().delivery_id, AddressPurpose.STOP, KEY, "reply.meridian.example")
    assert message["List-Unsubscribe"] == f"<mailto:{stop}?subject=unsubscribe>"


def text_of(message: EmailMessage) -> str:
    """The plain text of a mail."""
    return str(next(message.iter_parts()).get_content())


async def test_without_an_inbox_answers_go_to_a_person(
    channel: MailChannel, channel_with: Build, mailbox: Mailbox
) -> None:
    message_id = await channel.send(a_mail(key=KEY.number))
    message = mailbox.last()
    assert message["Reply-To"] == "aoi@meridian.example"
    assert delivery_in(message_id, "mail.meridian.example", {KEY.number: KEY}) == a_mail().delivery_id
    token = token_of(a_mail().delivery_id, AddressPurpose.STOP, KEY)
    assert message["List-Unsubscribe"] == f"<mailto:success@meridian.example?subject=unsubscribe%20{token}>"
    assert "返信" not in text_of(message)
    await channel_with(reply_domain="meridian.example").send(a_mail(key=KEY.number))
    assert "返信" in text_of(mailbox.last())


async def test_optional_mails_are_unsubscribed_from_by_one_click(channel_with: Build, mailbox: Mailbox) -> None:
    served = channel_with(reply_domain="reply.meridian.example", public_url="https://mail.meridian.example/p/")
    await served.send(a_mail(key=KEY.number))
    message, token = mailbox.last(), token_of(a_mail().delivery_id, AddressPurpose.STOP, KEY)
    assert message["List-Unsubscribe"] == (
        f"<https://mail.meridian.example/p/unsubscribe/{token}>,"
        f" <mailto:stop+{token}@reply.meridian.example?subject=unsubscribe>"
    )
    assert message["List-Unsubscribe-Post"] == "List-Unsubscribe=One-Click"
    await served.send(a_mail(key=KEY.number, unsubscribe=None))
    assert (mailbox.last()["List-Unsubscribe"], mailbox.last()["List-Unsubscribe-Post"]) == (None, None)
    await served.send(a_mail())  # written before there were keys
    assert mailbox.last()["List-Unsubscribe-Post"] is None


@pytest.mark.parametrize(("kind", "scores"), [("nps", 11), ("ces", 7)])
@pytest.mark.parametrize("language", ["en", "ja"])
async def test_a_survey_has_a_link_for_each_score_where_a_page_is_served(
    channel_with: Build, mailbox: Mailbox, kind: str, scores: int, language: str
) -> None:
    context = {**a_mail().context, "survey_id": "nps-C-1", "question_kind": kind}
    survey = a_mail(key=KEY.number, template="survey", context=context, language=language)
    await channel_with(public_url="https://mail.meridian.example").send(survey)
    message, token = mailbox.last(), token_of(survey.delivery_id, AddressPurpose.ANSWER, KEY)
    links = re.findall(rf"https://mail\.meridian\.example/answer/{token}/(\d+)\s", text_of(message))
    assert len(links) == scores
    assert links[-1] == str(scores - (kind == "nps"))
    await channel_with().send(survey)
    assert "/answer/" not in text_of(mailbox.last())


@pytest.mark.parametrize("language", ["en", "ja"])
async def test_what_wants_to_hear_something_has_a_link_for_it_where_a_page_is_served(
    channel_with: Build, mailbox: Mailbox, language: str
) -> None:
    for template in IN_WORDS:
        mail = a_mail(template, language, key=KEY.number)
        await channel_with(public_url="https://mail.meridian.example").send(mail)
        token = token_of(mail.delivery_id, AddressPurpose.ANSWER, KEY)
        assert re.search(rf"https://mail\.meridian\.example/answer/{token}\s", text_of(mailbox.last())), template
        await channel_with().send(mail)
        assert "/answer/" not in text_of(mailbox.last())


async def test_a_signed_address_of_a_long_domain_stays_in_one_piece(channel_with: Build, mailbox: Mailbox) -> None:
    domain = f"{'a' * 60}.{'b' * 60}.example"
    await channel_with(reply_domain=domain).send(a_mail(key=KEY.number))
    address = signed_address(a_mail().delivery_id, AddressPurpose.REPLY, KEY, domain)
    assert f"Reply-To: {address}\r\n".encode() in mailbox.accepted[-1]


async def test_each_delivery_has_a_message_id_of_its_own(channel: MailChannel) -> None:
    ids = ["a:b", "a/b", "a.b", "a%3Ab", "a b", "ab", "A:b", ".", "ü", "x" * 300, "x" * 301, "<a@b>", "a\r\nb"]
    sent = [await channel.send(a_mail(delivery_id=delivery_id)) for delivery_id in ids]
    assert len(set(sent)) == len(ids)
    for message_id in sent:
        assert message_id.startswith("<")
        assert message_id.endswith("@mail.meridian.example>")
        assert len(message_id) < 200


async def test_the_renderers_language_is_the_mails(channel: MailChannel, mailbox: Mailbox) -> None:
    await channel.send(a_mail("check_in", "de"))
    assert mailbox.last()["Content-Language"] == "en"
    assert mailbox.last()["Subject"] == "Checking in: how are things going?"


async def test_every_template_can_be_sent(channel: MailChannel, mailbox: Mailbox) -> None:
    for template in CONTEXTS:
        for language in ("en", "ja"):
            await channel.send(a_mail(template, language, delivery_id=f"{template}/{language}"))
    assert len(mailbox.accepted) == 2 * len(CONTEXTS)


HEADERS = sorted(
    [
        *("From", "To", "Subject", "Date", "Message-ID", "Reply-To", "Auto-Submitted", "List-Unsubscribe"),
        *("MIME-Version", "Content-Type", "Content-Language"),
    ]
)
NAMES = st.text(st.characters(codec="utf-8") | st.sampled_from(',;:<>@"\\()[]=?_\r\n\t 田中太郎\u3000é😀'), max_size=80)


@given(name=NAMES, company=NAMES, product=NAMES)
@examples(150, suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_no_name_can_change_the_headers(
    channel_with: Build, mailbox: Mailbox, name: str, company: str, product: str
) -> None:
    mail = a_mail(
        "recovered", "en", to_name=name, context={"seller": company, "product": product, "contact_name": name}
    )
    asyncio.run(channel_with().send(mail))
    message = message_from_bytes(mailbox.accepted[-1])  # a parser that shares nothing with the composer
    assert sorted(message.keys()) == HEADERS
    for header, address in (("To", "hanako@capricorn.example"), ("From", "success@meridian.example")):
        unfolded = str(message[header]).replace("\r\n", "").replace("\n", "")
        assert [found for _, found in getaddresses([unfolded])] == [address]


@pytest.mark.parametrize(
    "name",
    [
        "田中, 太郎",
        'Ann "The Boss" Müller',
        "O'Neil; Sons: <x@y.example>",
        "株式会社カプリコーン・コーヒー・ホールディングス東日本営業統括本部 田中 太郎",
    ],
)
async def test_names_round_trip(channel: MailChannel, mailbox: Mailbox, name: str) -> None:
    await channel.send(a_mail(to_name=name))
    raw = str(message_from_bytes(mailbox.accepted[-1])["To"]).replace("\r\n", "")
    [(shown, address)] = getaddresses([raw])
    assert str(make_header(decode_header(shown))) == name
    assert address == "hanako@capricorn.example"


async def test_a_name_that_looks_encoded_is_not_decoded(channel: MailChannel, mailbox: Mailbox) -> None:
    encoded = "=?utf-8?q?=0D=0ABcc:_x=40y.example?="
    await channel.send(a_mail("recovered", "en", to_name=encoded, context={"product": encoded}))
    for header in ("To", "Subject"):
        raw = str(message_from_bytes(mailbox.accepted[-1])[header])
        assert "Bcc:_x=40y.example" in str(make_header(decode_header(raw))).replace("\r\n", "").replace(" ", "")


async def test_line_breaks_in_a_name_are_not_headers(channel: MailChannel, mailbox: Mailbox) -> None:
    name = "Taro\r\nBcc: everybody@capricorn.example\r\n\r\nHello"
    await channel.send(a_mail("recovered", to_name=name, context={"product": name}))
    assert mailbox.last()["Bcc"] is None
    assert mailbox.last()["To"] == '"Taro Bcc: everybody@capricorn.example Hello" <hanako@capricorn.example>'
    assert "Taro Bcc: everybody@capricorn.example Hello" in mailbox.last()["Subject"]
    assert mailbox.recipients == ["hanako@capricorn.example"]


@pytest.mark.parametrize(
    "address",
    [
        "",
        "nobody",
        "@capricorn.example",
        "a@",
        "a b@capricorn.example",
        "花子@capricorn.example",
        "a@b@c.example",
        "a..b@c.example",
        "a@-c.example",
        "a@c..example",
        "a@c.example\r\nBcc: x@y.example",
        "a\r\nRCPT TO:<x@y.example>@c.example",
        "<a@c.example>",
        "a" * 65 + "@c.example",
        "a@" + "c" * 64 + ".example",
        "a@c.exam\u2028ple",
    ],
)
async def test_an_address_that_cannot_be_written_is_rejected(
    channel: MailChannel, mailbox: Mailbox, address: str
) -> None:
    with pytest.raises(AddressRejectedError) as caught:
        await channel.send(a_mail(to_email=address))
    assert caught.value.code is None
    assert "\n" not in caught.value.reason
    assert mailbox.accepted == []


async def test_a_domain_in_japanese_is_sent_in_its_ascii_form(channel: MailChannel, mailbox: Mailbox) -> None:
    await channel.send(a_mail(to_email="hanako@珈琲.example"))
    assert mailbox.recipients == ["hanako@" + "珈琲".encode("idna").decode() + ".example"]


def test_wire_address_keeps_what_is_plain() -> None:
    assert wire_address("Hanako.T+orders@Sub.Capricorn.example") == "Hanako.T+orders@Sub.Capricorn.example"
    assert wire_address("root@localhost") == "root@localhost"


async def test_a_message_of_ours_that_is_wrong_says_so(channel: MailChannel, mailbox: Mailbox) -> None:
    with pytest.raises(RenderError, match="days_to_value"):
        await channel.send(a_mail().having(context=COMMON))
    with pytest.raises(MessageRejectedError, match="Reply-To"):
        await channel.send(a_mail(reply_to="aoi@meridian.example\r\nBcc: x@y.example"))
    assert mailbox.accepted == []


def test_a_mail_needs_an_instant() -> None:
    with pytest.raises(ValidationError, match="timezone"):
        a_mail(at=datetime(2027, 3, 1))  # noqa: DTZ001


SETTINGS = {"sender": "success@meridian.example", "mail_domain": "meridian.example"}


@pytest.mark.parametrize(
    ("changes", "problem"),
    [
        ({"sender": "success"}, "name@domain"),
        ({"mail_domain": "meridian example"}, "no domain"),
        ({"reply_domain": "meridian example"}, "no domain"),
        ({"public_url": "mail.meridian.example"}, "no address to put in mails"),
        ({"public_url": "https://mail.meridian.example/?a=1"}, "no address to put in mails"),
        ({"public_url": "https://mail.meridian.example/a>b"}, "no address to put in mails"),
        ({"public_url": "https://[mail"}, "no address to put in mails"),
        ({"public_url": "https://mail.meridian.example\r\nBcc:x@y.example"}, "no address to put in mails"),
        ({"public_url": "http://mail.meridian.example"}, "use https"),
        ({"public_url": "ftp://mail.meridian.example"}, "use https"),
        ({"tls": True, "start_tls": True}, "exclude each other"),
        ({"username": "perennial"}, "go together"),
        ({"username": "perennial", "password": "x", "host": "mail.meridian.example"}, "in the clear"),
        ({"port": 0}, "port"),
        ({"timeout_seconds": 0}, "timeout_seconds"),
        ({"hosts": "x"}, "hosts"),
    ],
)
def test_settings_that_cannot_work_are_refused(changes: dict[str, object], problem: str) -> None:
    SmtpSettings.model_validate(SETTINGS)
    with pytest.raises(ValidationError, match=problem):
        SmtpSettings.model_validate(SETTINGS | changes)


def test_the_password_is_not_shown() -> None:
    shown = repr(SmtpSettings.model_validate(SETTINGS | {"username": "perennial", "password": "s3cret"}))
    assert "s3cret" not in shown


async def test_the_settings_name_stands_in_where_no_company_is_named(
    channel_with: Build, renderer: Renderer, mailbox: Mailbox
) -> None:
    await channel_with(sender_name="Perennial").send(a_mail("notice", at=datetime(2027, 3, 1, tzinfo=UTC)))
    assert mailbox.last()["From"] == "Perennial <success@meridian.example>"
