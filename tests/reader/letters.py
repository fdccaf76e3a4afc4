"""Mails as they arrived, line by line as their reader sees them, each with the row of the outbox that it left by."""

from __future__ import annotations

import email
import email.policy
import re
from dataclasses import dataclass
from datetime import datetime
from html.parser import HTMLParser

from tests.reader.facts import Facts, Row
from workers.embedded.mailbox import Mailbox


@dataclass(frozen=True)
class Letter:
    """One mail that left: to whom, when, and what it says. `lines` are its paragraphs, list items (`- `) and table rows (cells
    apart by ` | `) in the form with pictures; `plain` is the other form."""

    delivery_id: str
    template: str
    to_email: str
    contact_id: str | None
    staff_id: str | None
    language: str
    """of the words: en or ja"""
    locale: str
    """of dates and numbers: the reader's own"""
    zone: str
    subject: str
    lines: tuple[str, ...]
    plain: str
    created_at: datetime
    sent_at: datetime
    optional: bool
    """it can be unsubscribed from"""
    sender: str
    reply_to: str
    arrivals: int = 1
    stage: str = ""
    files: tuple[tuple[str, ...], ...] = ()
    """the lines of the documents that came with it"""
    headings: tuple[str, ...] = ()
    """of the further parts, if it says what several mails say"""
    led_by: str = ""
    """the template of the first part, by whose sender the whole is signed"""
    message: str = ""
    """its Message-ID; parts of one message have the same"""
    links: tuple[tuple[str, str], ...] = ()
    """what can be answered by a link, in words, and its address: in both forms, one after the other"""

    @property
    def text(self) -> str:
        """Subject and body."""
        return "\n".join([self.subject, *self.lines])

    @property
    def staff(self) -> bool:
        """True for what goes to the seller's own people."""
        return self.template == "notice"


class _Lines(HTMLParser):
    """The lines of a page."""

    def __init__(self) -> None:
        super().__init__()
        self.lines: list[str] = []
        self.links: list[tuple[str, str]] = []
        self._now: list[str] = []
        self._skip = 0
        self._link = ""

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        if tag in ("head", "style", "script"):
            self._skip += 1
        elif tag == "a":
            self._link = dict(attrs).get("href") or ""
        elif tag in ("p", "tr", "br", "li", "div", "h1", "h2", "h3"):
            self._end()
            if tag == "li":
                self._now.append("- ")
        elif tag in ("td", "th") and self._now:
            self._now.append(" | ")

    def handle_endtag(self, tag: str) -> None:
        if tag in ("head", "style", "script"):
            self._skip -= 1
        elif tag == "a":
            self._link = ""
        elif tag in ("p", "tr", "li", "div", "h1", "h2", "h3"):
            self._end()

    def handle_data(self, data: str) -> None:
        if self._link:
            self.links.append((data.strip(), self._link))
        elif not self._skip:
            self._now.append(re.sub(r"[ \t\r\n]+", " ", data) if data.strip() else " " if self._now else "")

    def _end(self) -> None:
        line = re.sub(r"[ \t\n]+", " ", "".join(self._now)).strip()
        if line and line != "-":
            self.lines.append(line)
        self._now = []


def lines_of(page: str) -> tuple[str, ...]:
    """What a reader sees of a page, line by line."""
    parser = _Lines()
    parser.feed(page)
    parser.close()
    return tuple(parser.lines)


def links_of(page: str) -> list[tuple[str, str]]:
    """The links of a page: their words and their addresses."""
    parser = _Lines()
    parser.feed(page)
    parser.close()
    return parser.links


_PLAIN_LINK = re.compile(r"^ +(\S[^:：\n]*)[:：]\s*(https?://\S+)\r?\n?", re.MULTILINE)


def headings_of(page: str) -> list[str]:
    """The headings of a page."""
    return [lines_of(f"<p>{found}</p>")[0] for found in re.findall(r"<h2[^>]*>(.*?)</h2>", page, re.DOTALL)]


def read_letters(facts: Facts, mailbox: Mailbox) -> list[Letter]:
    """The mails of a customer that arrived, in the order in which they left."""
    arrived: dict[str, list[str]] = {}
    for summary in mailbox.list():
        arrived.setdefault(summary.message_id or "", []).append(summary.id)
    letters = []
    for row in facts.tables["outbox"]:
        if row["channel"] in ("deliver_mail", "deliver_notice") and row["message_id"] in arrived:
            letters.append(_letter(row, mailbox, arrived[row["message_id"]]))
    return sorted(letters, key=lambda letter: (letter.sent_at, letter.delivery_id))


def _locale(wanted: str, language: str) -> str:
    """How dates and numbers are written: as the recipient does, if the mail is in their language."""
    return wanted if wanted.replace("_", "-").split("-")[0].lower() == language else language


def _letter(row: Row, mailbox: Mailbox, ids: list[str]) -> Letter:
    mail = mailbox.read(ids[0])
    body = row["body"]
    notice = row["channel"] == "deliver_notice"
    return Letter(
        delivery_id=row["delivery_id"],
        template="notice" if notice else body["template"],
        to_email=", ".join(mail.summary.recipients),
        contact_id=row["contact_id"],
        staff_id=row["staff_id"],
        language=mail.summary.language or "",
        locale=_locale(body.get("language") or "en", mail.summary.language or "en"),
        zone=body["time_zone"],
        subject=mail.summary.subject,
        lines=lines_of(mail.html or ""),
        plain=_PLAIN_LINK.sub("", mail.text or ""),
        links=(*links_of(mail.html or ""), *_PLAIN_LINK.findall(mail.text or "")),
        created_at=row["created_at"],
        sent_at=row["settled_at"] or row["created_at"],
        optional="List-Unsubscribe" in mail.headers,
        sender=mail.headers.get("From", ""),
        reply_to=mail.headers.get("Reply-To", ""),
        arrivals=len(ids),
        stage=row["stage"],
        headings=tuple(headings_of(mail.html or "")),
        message=row["message_id"],
        files=_files(mailbox.raw(ids[0])),
    )


def _files(raw: bytes) -> tuple[tuple[str, ...], ...]:
    message = email.message_from_bytes(raw, policy=email.policy.SMTPUTF8)
    pages = (part for part in message.iter_attachments() if part.get_content_subtype() == "html")
    return tuple(lines_of(str(part.get_content())) for part in pages)
