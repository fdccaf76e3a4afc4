"""A mail that came in, as it can be read: who wrote what, which mail it answers, and whether a person wrote it at all.

Whatever arrives can be read: what is broken in a mail is left out of the reading, never an error.
"""

from __future__ import annotations

import email
import hashlib
import re
from collections.abc import Iterable
from datetime import UTC, datetime
from email.message import Message
from email.utils import parsedate_to_datetime
from enum import StrEnum

from domain.kernel.base import Carried
from domain.mail.bounces import Bounce, bounce_of, is_report
from domain.mail.headers import Headers, addresses_in, header_fields, message_ids, split_mail
from domain.mail.mime_parts import Leaf, leaves
from domain.mail.quoting import Letter, QuotedText, base_subject, is_answer, passes_on, split
from domain.mail.text import printable
from domain.mail.winmail import is_wrapper, opened
from domain.mail.writers import Writer, writer_of

_EFFORT_LIMIT = 8_000_000
"""Lines compared with delimiters in reading a mail: more than one of 30 MB with attachments needs, some seconds of work."""
_PART_EFFORT = 500
_PREFIX = 16_000
"""Bytes of the body that are read of a mail made to keep its reader busy."""
_HEAD_BYTES = 500_000
"""Bytes of headers that are read; an honest mail has some thousands."""
_KEY_BYTES = 64_000
_REFERENCES_LIMIT = 50
_SUBJECT_LIMIT = 300
_SERVERS_LIMIT = 20
_ID = r"[A-Za-z0-9][A-Za-z0-9_.-]{0,55}"
_TOPIC = re.compile(rf"\[({_ID})\]|【({_ID})】|[(（]({_ID})[)）]")
_CASE_BOX = "case+"
_SIGNED_BOX = "reply+"
_UNSUBSCRIBE = re.compile(r"unsubscribe\s+([\w.-]{1,64})/([\w.-]{1,64})", re.IGNORECASE)


class Kind(StrEnum):
    """What wrote a mail."""

    PERSON = "person"
    MACHINE = "machine"
    BOUNCE = "bounce"
    """a mail server says that a mail could not be delivered"""


class Attachment(Carried):
    """A file that came along. It stays in the mail as received; `size` is in bytes, decoded."""

    name: str
    media_type: str
    size: int


class InboundMail(Carried):
    """A mail as read.

    Addresses are in lower case; message ids have their angle brackets. `text` is what the sender wrote or passes on,
    `quoted` what it quotes of the mail that it answers. `automatic` says by which sign no person wrote it.
    """

    message_id: str | None = None
    sender: str = ""
    sender_name: str = ""
    recipients: tuple[str, ...] = ()
    subject: str = ""
    date: datetime | None = None
    text: str = ""
    own_words: str = ""
    """`text` without the words of messages that came along"""
    quoted: str = ""
    attachments: tuple[Attachment, ...] = ()
    in_reply_to: str | None = None
    answers: tuple[str, ...] = ()
    """the mails that it answers, the nearest first"""
    automatic: str | None = None
    may_answer: bool = True
    """false if no machine may answer it, whoever wrote it"""
    bounce: Bounce | None = None
    authentication: tuple[str, ...] = ()
    """what servers on its way said of who sent it (Authentication-Results), the latest first"""

    @property
    def kind(self) -> Kind:
        """Person, machine, or a server that could not deliver."""
        if self.bounce is not None:
            return Kind.BOUNCE
        return Kind.PERSON if self.automatic is None else Kind.MACHINE

    @property
    def unsubscribes(self) -> tuple[str, str] | None:
        """The account and the contact that want no more optional mails, if that is what the mail asks for."""
        found = _UNSUBSCRIBE.fullmatch(self.subject.strip())
        return (found[1], found[2]) if found else None


def mail_key(raw: bytes, received_at: datetime | None = None) -> str:
    """The id of a mail: the same however often and by whichever way it arrives, another for any other mail.

    A mail is known by its Message-ID, its date, its writer and its first line: servers on the way add footers and tags to
    subjects. One without an id and a date is another one each time that it arrives.
    """
    head, body = split_mail(raw)
    head = head[:_HEAD_BYTES]
    headers = {name.lower(): value for name, value in reversed(header_fields(head))}
    written = [" ".join(headers.get(name, "").split()) for name in ("message-id", "from", "date")]
    if written[0] and written[2]:
        content = _first_line(raw).encode("utf-8", "replace")
    else:
        content = b"\n".join(line.rstrip() for line in body.strip().splitlines())
        written.append(" ".join(headers.get("subject", "").split()))
        if not (written[0] or written[2]) and received_at is not None:
            written.append(received_at.isoformat())
    digest = hashlib.sha256("\x00".join(written).encode("utf-8", "surrogateescape") + b"\x00" + content)
    return f"m-{digest.hexdigest()[:32]}"


def _first_line(raw: bytes) -> str:
    """The first line of a mail's words, from its beginning alone."""
    try:
        found = leaves(email.message_from_bytes(_readable(raw[:_KEY_BYTES])))
    except Exception:  # as in reading it
        return ""
    lines = (" ".join(line.split()) for leaf in found for line in (leaf.text or "").split("\n"))
    return next((line for line in lines if line), "")


def read_mail(raw: bytes, *, recipients: Iterable[str] = (), return_path: str | None = None) -> InboundMail:
    """The mail in `raw`; `recipients` and `return_path` are those of its envelope, where they are known. Never raises."""
    message, found = _parsed(raw)
    headers = Headers(message) if found is not None else Headers.of(header_fields(split_mail(raw)[0]))
    parts = found or []
    subject = _short(headers.first("subject") or "", _SUBJECT_LIMIT)
    in_reply_to = message_ids(headers.first("in-reply-to"))
    answers = tuple(dict.fromkeys([*in_reply_to, *reversed(message_ids(headers.first("references")))]))
    path = return_path if return_path is not None else headers.first("return-path")
    sent_to = _recipients(headers, recipients)
    sender = next(iter(addresses_in(headers.raw("from")[:1])), ("", ""))[1]
    report = is_report(message, headers, path, sender)
    letter = Letter(
        answers=bool(answers) or is_answer(subject),
        passes_on=passes_on(subject),
        subject=base_subject(subject),
        sender=sender,
    )
    own, said = _said(parts, letter) if not report else ("", QuotedText(_all_words(parts), ""))
    writer = _writer(headers, report, path, said.text, letter)
    return InboundMail(
        message_id=next(iter(message_ids(headers.first("message-id"))), None),
        sender=writer.address,
        sender_name=writer.name,
        recipients=sent_to,
        subject=subject,
        date=_date(headers.first("date")),
        text=said.text,
        own_words=own,
        quoted=said.quoted,
        attachments=tuple(_attachment(leaf, number) for number, leaf in enumerate(parts, 1) if leaf.text is None),
        in_reply_to=next(iter(in_reply_to), None),
        answers=answers[:_REFERENCES_LIMIT],
        automatic=writer.automatic,
        may_answer=writer.may_answer,
        bounce=_bounce(message, headers) if report else None,
        authentication=tuple(headers.raw("authentication-results")[:_SERVERS_LIMIT]),
    )


def files_of(raw: bytes) -> list[tuple[Attachment, bytes]]:
    """The files of a mail with their content, in the order in which `read_mail` lists them."""
    parts = _parsed(raw)[1] or []
    return [(_attachment(leaf, number), leaf.content) for number, leaf in enumerate(parts, 1) if leaf.text is None]


def named_cases(mail: InboundMail, mail_domain: str) -> list[str]:
    """The cases that a mail may be about by its addresses (`case+C-17@…`) and its subject; whether there are such cases, the facts say."""
    domain = f"@{mail_domain.lower()}"
    boxes = [address.removesuffix(domain) for address in mail.recipients if address.endswith(domain)]
    addressed = [box.removeprefix(_CASE_BOX) for box in boxes if box.startswith(_CASE_BOX)]
    return list(dict.fromkeys([*addressed, *named_in_subject(mail.subject)]))


def named_in_subject(subject: str) -> list[str]:
    """Ids in brackets; round ones hold remarks as well, so that only what looks like an id counts there."""
    found = []
    for square, corner, curved in _TOPIC.findall(subject):
        if curved and not any(char.isdigit() for char in curved) and not ("-" in curved and curved.isupper()):
            continue
        found.append(square or corner or curved)
    return found


def threads(mail: InboundMail) -> list[str]:
    """The keys by which a mail would join what it belongs to: signed addresses, ids of mails that it answers, ids of cases."""
    boxes = [address.partition("@")[0] for address in mail.recipients]
    signed = [box for box in boxes if box.startswith(_SIGNED_BOX)]
    addressed = [box.removeprefix(_CASE_BOX) for box in boxes if box.startswith(_CASE_BOX)]
    returned = mail.bounce.message_ids if mail.bounce else ()
    named = {key.lower(): key for key in [*addressed, *named_in_subject(mail.subject)]}
    return list(dict.fromkeys([*signed, *mail.answers, *returned, *named.values()]))


def _parsed(raw: bytes) -> tuple[Message, list[Leaf] | None]:
    """The mail and its words and files; null for these if it is too broken."""
    try:
        message: Message = email.message_from_bytes(_readable(raw))
        found: list[Leaf] = []
        for leaf in leaves(message):
            if leaf.text is None and is_wrapper(leaf):
                said = {" ".join(one.text.split()) for one in found if one.text and one.text.strip()}
                found += [one for one in opened(leaf) if " ".join((one.text or "").split()) not in said]
            else:
                found.append(leaf)
        return message, found
    except Exception:  # the parser raises whatever comes to hand; the headers alone then say who wrote
        return email.message_from_bytes(b""), None


def _readable(raw: bytes) -> bytes:
    """The mail, or only its beginning if it is built of so many or so deeply nested parts that reading it takes minutes.

    A parser compares every line with the delimiters of all parts that are open.
    """
    head, body = split_mail(raw)
    if len(head) > _HEAD_BYTES:
        head = head[: head.rfind(b"\n", 0, _HEAD_BYTES)]
        raw = b"\n\n".join((head, body))
    if b"multipart/" not in head.lower():
        return raw
    effort = raw.count(b"\n") * raw.lower().count(b"boundary") + raw.count(b"\n--") * _PART_EFFORT
    return raw if effort <= _EFFORT_LIMIT else b"\r\n\r\n".join((head, body[:_PREFIX]))


def _said(parts: list[Leaf], letter: Letter) -> tuple[str, QuotedText]:
    """The sender's own words; and these with those that came along in messages, beside the quotation."""
    own = "\n\n".join(leaf.text for leaf in parts if leaf.text is not None and not leaf.headed)
    found = split(printable(own).strip(), letter)
    along = [f"--- {leaf.headed} ---\n{leaf.text.strip()}" for leaf in parts if leaf.text is not None and leaf.headed]
    return found.text, QuotedText(printable("\n\n".join([found.text, *along])).strip(), found.quoted)


def _all_words(parts: list[Leaf]) -> str:
    return printable("\n\n".join(leaf.text for leaf in parts if leaf.text is not None)).strip()


def _writer(headers: Headers, report: bool, path: str | None, text: str, letter: Letter) -> Writer:
    return writer_of(headers, is_report=report, return_path=path, answers=letter.answers, text=text)


def _bounce(message: Message, headers: Headers) -> Bounce | None:
    try:
        return bounce_of(message, headers)
    except Exception:  # a report too broken to be read is a machine's mail
        return None


def _recipients(headers: Headers, envelope: Iterable[str]) -> tuple[str, ...]:
    named = [value for name in ("delivered-to", "x-original-to", "to", "cc") for value in headers.raw(name)]
    return tuple(dict.fromkeys([*(address.lower() for address in envelope), *(a for _, a in addresses_in(named))]))


def _date(value: str | None) -> datetime | None:
    try:
        at = parsedate_to_datetime(value or "")
        return (at if at.tzinfo else at.replace(tzinfo=UTC)).astimezone(UTC)
    except (ValueError, TypeError, IndexError, OverflowError):
        return None


def _short(text: str, limit: int) -> str:
    return " ".join(text.split())[:limit]


def _attachment(leaf: Leaf, number: int) -> Attachment:
    return Attachment(name=printable(leaf.name or f"part {number}"), media_type=leaf.media_type, size=len(leaf.content))
