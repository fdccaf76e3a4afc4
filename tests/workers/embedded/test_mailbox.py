"""The mailbox, over real SMTP and HTTP on loopback."""

import asyncio
import errno
import http.client
import os
import smtplib
import socket
from datetime import UTC, datetime, timedelta, timezone
from email.message import EmailMessage
from email.utils import format_datetime
from html.parser import HTMLParser
from pathlib import Path

import pytest

from domain.journey.traces import Traces
from workers.embedded import mailbox_server, ports
from workers.embedded.errors import AlreadyRunningError, EmbeddedError
from workers.embedded.mailbox import Mailbox, MailNotFoundError
from workers.embedded.mailbox_server import EmbeddedMailbox
from workers.embedded.ports import LOOPBACK
from workers.embedded.process import listens

JAPAN = timezone(timedelta(hours=9))


def renewal_notice(message_id: str = "<renewal-1@perennial.example>") -> EmailMessage:
    mail = EmailMessage()
    mail["From"] = "お客様担当 <success@perennial.example>"
    mail["To"] = "佐藤 花子 <hanako@capricorn.example>"
    mail["Subject"] = "ご契約更新のお知らせ カプリコーン珈琲 様"
    mail["Date"] = format_datetime(datetime(2027, 3, 1, 9, 30, tzinfo=JAPAN))
    mail["Message-ID"] = message_id
    mail["List-Unsubscribe"] = "<https://perennial.example/u/1>"
    mail.set_content("更新日は四月一日です。https://perennial.example/q/7?a=1&b=2\n")
    mail.add_alternative("<p>更新日は<b>四月一日</b>です。</p><script>steal()</script>\n", subtype="html")
    mail["Content-Language"] = "ja"
    return mail


class Seen(HTMLParser):
    """What a browser makes of a page."""

    def __init__(self, page: str) -> None:
        super().__init__()
        self.tags: set[str] = set()
        self.links: set[str | None] = set()
        self.text = ""
        self.feed(page)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.add(tag)
        self.links.update(value for name, value in attrs if name == "href")

    def handle_data(self, data: str) -> None:
        self.text += data


async def send(server: EmbeddedMailbox, mail: EmailMessage | bytes, *to: str) -> None:
    """Deliver over SMTP, to the given envelope recipients or else the To header's."""

    def deliver() -> None:
        with smtplib.SMTP(server.smtp_host, server.smtp_port) as smtp:
            if isinstance(mail, bytes):
                smtp.sendmail("sender@perennial.example", to or ["x@y.example"], mail)
            else:
                smtp.send_message(mail, to_addrs=to or None)

    await asyncio.to_thread(deliver)


async def get(server: EmbeddedMailbox, path: str, host: str | None = None) -> tuple[int, str, dict[str, str]]:
    """Status, body and headers of a page."""

    def fetch() -> tuple[int, str, dict[str, str]]:
        connection = http.client.HTTPConnection(server.web_url.removeprefix("http://"), timeout=60)
        try:
            connection.request("GET", path, headers={"Host": host} if host else {})
            answer = connection.getresponse()
            return answer.status, answer.read().decode(), dict(answer.getheaders())
        finally:
            connection.close()

    return await asyncio.to_thread(fetch)


async def test_a_japanese_mail_is_listed_and_read(tmp_path: Path) -> None:
    async with EmbeddedMailbox(tmp_path / "mails") as server:
        await send(server, renewal_notice())
        [summary] = server.mailbox.list()
        assert summary.to == "hanako@capricorn.example"
        assert summary.recipients == ("hanako@capricorn.example",)
        assert summary.sender == "お客様担当 <success@perennial.example>"
        assert summary.subject == "ご契約更新のお知らせ カプリコーン珈琲 様"
        assert summary.language == "ja"
        assert summary.at == datetime(2027, 3, 1, 0, 30, tzinfo=UTC)
        assert summary.at.utcoffset() == timedelta(hours=9)
        assert summary.message_id == "<renewal-1@perennial.example>"
        mail = server.mailbox.read(summary.id)
        assert mail.summary == summary
        assert mail.text is not None
        assert "更新日は四月一日です" in mail.text
        assert mail.html is not None
        assert "<b>四月一日</b>" in mail.html
        assert mail.headers["List-Unsubscribe"] == "<https://perennial.example/u/1>"
        assert mail.headers["Return-Path"] == "<success@perennial.example>"


async def test_mails_keep_their_order_over_a_restart_and_duplicates_are_kept(tmp_path: Path) -> None:
    async with EmbeddedMailbox(tmp_path) as server:
        await send(server, renewal_notice("<1@x>"), "a@x.example", "b@x.example")
        await send(server, renewal_notice("<2@x>"))
    async with EmbeddedMailbox(tmp_path) as server:
        await send(server, renewal_notice("<1@x>"))
    mails = Mailbox(tmp_path).list()
    assert [mail.message_id for mail in mails] == ["<1@x>", "<2@x>", "<1@x>"]
    assert [mail.id for mail in mails] == ["00000001", "00000002", "00000003"]
    assert mails[0].recipients == ("a@x.example", "b@x.example")
    assert mails[0].to == "a@x.example, b@x.example"
    assert sorted(os.listdir(tmp_path)) == [*(f"0000000{n}.eml" for n in (1, 2, 3)), "owner.lock"]


async def test_rejected_recipients_get_the_reply_and_no_mail(tmp_path: Path) -> None:
    def reject(address: str) -> str | None:
        return "550 5.1.1 no such user" if address.startswith("gone@") else None

    async with EmbeddedMailbox(tmp_path, reject=reject) as server:
        with pytest.raises(smtplib.SMTPRecipientsRefused) as refusal:
            await send(server, renewal_notice(), "gone@x.example")
        assert refusal.value.recipients == {"gone@x.example": (550, b"5.1.1 no such user")}
        assert server.mailbox.list() == []
        await send(server, renewal_notice(), "gone@x.example", "here@x.example")
        assert [mail.to for mail in server.mailbox.list()] == ["here@x.example"]
        server.reject = None
        await send(server, renewal_notice(), "gone@x.example")
        assert [mail.to for mail in server.mailbox.list()] == ["here@x.example", "gone@x.example"]


async def test_a_mail_that_finds_the_disk_full_is_asked_to_come_again(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    full = OSError(errno.ENOSPC, "No space left on device")

    def write(path: Path, content: bytes) -> int:
        path.touch()
        raise full

    async with EmbeddedMailbox(tmp_path / "mails") as server:
        with monkeypatch.context() as disk:
            disk.setattr(Path, "write_bytes", write)
            with pytest.raises(smtplib.SMTPDataError) as refusal:
                await send(server, renewal_notice())
        assert 400 <= refusal.value.smtp_code < 500
        assert {path.suffix for path in server.mailbox.folder.iterdir()} == {".lock"}
        await send(server, renewal_notice())
        assert [mail.id for mail in server.mailbox.list()] == ["00000001"]


async def test_pages_show_the_newest_first_and_every_value_escaped(tmp_path: Path) -> None:
    mail = renewal_notice()
    mail.replace_header("Subject", '<img src=x onerror="alert(1)">')
    async with EmbeddedMailbox(tmp_path) as server:
        await send(server, renewal_notice())
        await send(server, mail)
        status, page, headers = await get(server, "/")
        assert status == 200
        assert page.index("/mail/00000002") < page.index("/mail/00000001")
        assert "ご契約更新のお知らせ カプリコーン珈琲 様" in page
        seen = Seen(page)
        assert "img" not in seen.tags
        assert '<img src=x onerror="alert(1)">' in seen.text
        assert "script-src" not in headers["Content-Security-Policy"]
        assert headers["Content-Security-Policy"].startswith("default-src 'none'")
        status, page, _ = await get(server, "/?q=ALERT")
        assert "/mail/00000002" in page
        assert "/mail/00000001" not in page


async def test_the_html_of_a_mail_is_shown_in_a_frame_without_scripts(tmp_path: Path) -> None:
    async with EmbeddedMailbox(tmp_path) as server:
        await send(server, renewal_notice())
        status, page, headers = await get(server, "/mail/00000001")
        assert status == 200
        assert "<script" not in page
        assert "&lt;script&gt;steal()" in page  # inside the srcdoc attribute
        assert 'sandbox="allow-popups allow-popups-to-escape-sandbox"' in page
        assert "default-src 'none'" in headers["Content-Security-Policy"]
        assert "https://perennial.example/q/7?a=1&b=2" in Seen(page).links
        status, source, headers = await get(server, "/mail/00000001/raw")
        assert source.startswith("Return-Path: <success@perennial.example>")
        assert headers["Content-Type"].startswith("text/plain")


async def test_pages_refuse_foreign_names_and_unknown_mails(tmp_path: Path) -> None:
    (tmp_path / "secret.eml").write_text("Subject: not in the box\r\n\r\n")
    async with EmbeddedMailbox(tmp_path / "mails") as server:
        await send(server, renewal_notice())
        assert (await get(server, "/", host="evil.example"))[0] == 403
        assert (await get(server, "/", host="localhost:1"))[0] == 200
        for path in ("/mail/00000002", "/mail/../secret", "/mail/%2e%2e%2fsecret", "/mail/00000001/other", "/x"):
            assert (await get(server, path))[0] == 404, path
        with pytest.raises(MailNotFoundError):
            server.mailbox.read("../secret")


async def test_a_long_list_has_pages(tmp_path: Path) -> None:
    async with EmbeddedMailbox(tmp_path) as server:
        for number in range(101):
            server.mailbox.store("a@x.example", ["b@x.example"], f"Subject: number {number}\r\n\r\n".encode())
        _, page, _ = await get(server, "/?q=number")
        assert "101 mails" in page
        assert "number 100<" in page
        assert "number 0<" not in page
        _, page, _ = await get(server, "/?q=number&before=00000002")
        assert "number 0<" in page
        assert "number 100<" not in page


BROKEN = {
    "empty": b"",
    "no header": b"just text\r\n",
    "raw bytes": b"Subject: \xff\xfe caf\xe9\r\nTo: \xff@x\r\n\r\n\xff\xfe",
    "charset": b"Subject: =?x-none?B?/////w==?=\r\nContent-Type: text/plain; charset=klingon\r\n\r\n\xe3\x81\x82",
    "encoding": b"Content-Type: text/html\r\nContent-Transfer-Encoding: base64\r\n\r\n!!!not base64!!!",
    "multipart": b"Content-Type: multipart/alternative; boundary=x\r\n\r\nno part at all",
    "addresses": b"From: <<>@,;:\r\nTo: ,,,\r\nMessage-ID: <\r\nDate: someday\r\nSubject: odd\r\n\r\nx",
    "date": b"Date: Mon, 99 Foo 2027 99:99:99 +9999\r\n\r\nx",
}


@pytest.mark.parametrize("kind", BROKEN)
async def test_broken_mails_are_shown_as_well_as_may_be(tmp_path: Path, kind: str) -> None:
    async with EmbeddedMailbox(tmp_path) as server:
        await send(server, BROKEN[kind], "x@y.example")
        [summary] = server.mailbox.list()
        assert summary.at.tzinfo is not None
        mail = server.mailbox.read(summary.id)
        (summary.subject + summary.sender + (mail.text or "") + (mail.html or "")).encode()
        assert (await get(server, "/"))[0] == 200
        assert (await get(server, f"/mail/{summary.id}"))[0] == 200
        assert (await get(server, f"/mail/{summary.id}/raw"))[0] == 200


async def test_ports_are_given_back_even_with_a_client_connected(tmp_path: Path) -> None:
    async with EmbeddedMailbox(tmp_path) as server:
        smtp_port, web_port = server.smtp_port, int(server.web_url.rsplit(":", 1)[1])
        assert listens(os.getpid(), smtp_port)
        assert listens(os.getpid(), web_port)
        idle = await asyncio.to_thread(smtplib.SMTP, LOOPBACK, smtp_port)
        with pytest.raises(AlreadyRunningError):
            await EmbeddedMailbox(tmp_path).__aenter__()
    assert not listens(os.getpid(), smtp_port)
    assert not listens(os.getpid(), web_port)
    idle.close()
    with socket.create_server((LOOPBACK, 0)) as taken:
        port = taken.getsockname()[1]
        with pytest.raises(EmbeddedError, match=f"Port {port} is taken"):
            await EmbeddedMailbox(tmp_path, smtp_port=port).__aenter__()


async def test_ports_that_others_take_between_look_and_bind_are_left_to_them(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Two stacks that start at once see the same free ports."""
    async with EmbeddedMailbox(tmp_path / "first") as first:
        taken = [first.smtp_port, int(first.web_url.rsplit(":", 1)[1].strip("/"))]
        real = ports.choose_port
        seen: list[int] = []

        def hasty(asked: int | None, preferred: int) -> int:
            seen.append(preferred)
            return taken[len(seen) - 1] if len(seen) <= 2 else real(asked, preferred)

        monkeypatch.setattr(mailbox_server, "choose_port", hasty)
        async with EmbeddedMailbox(tmp_path / "second") as second:
            assert second.smtp_port not in taken
            assert second.web_url != first.web_url
        assert len(seen) == 4


async def test_lines_longer_than_the_standard_has_them_are_taken(tmp_path: Path) -> None:
    async with EmbeddedMailbox(tmp_path) as server:
        await send(server, b"Subject: long\r\n\r\n" + b"x" * 30_000 + b"\r\n", "x@y.example")
        [summary] = server.mailbox.list()
        assert (server.mailbox.read(summary.id).text or "").strip() == "x" * 30_000


async def test_a_subject_that_is_folded_before_its_first_word_begins_with_that_word(tmp_path: Path) -> None:
    folded = b"From: a@seller.example\r\nTo: b@buyer.example\r\nSubject:\r\n [Acme] 14 more seats\r\n\r\nHello\r\n"
    async with EmbeddedMailbox(tmp_path) as server:
        await send(server, folded)
        assert [mail.subject for mail in server.mailbox.list()] == ["[Acme] 14 more seats"]


def test_the_mails_of_somebody_are_known_by_their_whole_address(tmp_path: Path) -> None:
    box = Mailbox(tmp_path)
    theirs = Traces(("Li Na",), ("li@acme.example",))
    box.store("us@perennial.example", ["li@acme.example"], b"From: us@perennial.example\r\n\r\nHello")
    box.store("us@perennial.example", ["jet.li@acme.example"], b"From: us@perennial.example\r\n\r\nHello")
    box.store("na@other.example", ["us@perennial.example"], b"From: Li Na <na@other.example>\r\n\r\nHello")
    box.store("LI@acme.example", ["us@perennial.example"], b"From: Li Na <LI@acme.example>\r\n\r\nHello")
    assert box.forget(theirs.are_in) == 2
    assert [mail.id for mail in box.list()] == ["00000002", "00000003"]


def test_a_header_that_nobody_can_decode_hides_no_mail(tmp_path: Path) -> None:
    mailbox = Mailbox(tmp_path)
    for head in (
        b"X-Note: =?\xc3\xbctf-8?q?x?=\r\nSubject: fine",
        b"Subject: =?\xc3\xbctf-8?q?x?=",
        b"Subject: =?utf-8?q?x?= caf\xc3\xa9",
        b"Message-ID: <=?utf-8?q?x?=@y.example>\r\nSubject: fine",
        b"Subject: a =? b",
    ):
        mailbox.store("a@b.example", ["jo@acme.example"], head + b"\r\n\r\nHello\r\n")
    first, second, third, fourth, fifth = mailbox.list()
    assert (first.subject, fourth.subject, fourth.message_id) == ("fine", "fine", "<=?utf-8?q?x?=@y.example>")
    assert "x" in second.subject
    assert (third.subject, fifth.subject) == ("x café", "a =? b")


def test_a_name_that_holds_an_address_is_a_name(tmp_path: Path) -> None:
    mailbox = Mailbox(tmp_path)
    mailbox.store("", ["us@seller.example"], b"From: =?utf-8?q?J=C3=B6_=28Sales?= <jo@acme.example>\r\n\r\nHello\r\n")
    other = b"From: =?utf-8?q?jo=40acme=2Eexample=2C_=C3=B6?= <o@y.example>\r\n\r\nHello\r\n"
    mailbox.store("", ["us@seller.example"], other)
    assert [mail.sender for mail in mailbox.list()] == [
        "Jö (Sales <jo@acme.example>",
        "jo@acme.example, ö <o@y.example>",
    ]
    assert mailbox.forget(lambda address: address == "jo@acme.example") == 1
    assert [mail.id for mail in mailbox.list()] == ["00000002"]
