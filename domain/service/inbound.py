"""A mail that came in, as it can be read: who wrote what, which mail it answers, and whether a person wrote it at all.

Whatever arrives can be read: what is broken in a mail is left out of the reading, never an error.
"""

from __future__ import annotations

import email
import email.policy
import hashlib
import re
from collections.abc import Iterable, Iterator
from datetime import UTC, datetime
from email.message import Message
from email.utils import parsedate_to_datetime

from domain.model import Carried
from domain.service.mailheaders import Headers, addresses_in, decoded_header, header_fields, message_ids, split_mail
from domain.service.mailtext import decoded, printable, text_of_html, without_quotes

_PARTS_LIMIT = 200
_EFFORT_LIMIT = 8_000_000
"""Lines compared with delimiters in reading a mail: more than one of 30 MB with attachments needs, some seconds of work."""
_PART_EFFORT = 500
_PREFIX = 16_000
"""Bytes of the body that are read of a mail made to keep its reader busy."""
_DEPTH_LIMIT = 20
_REFERENCES_LIMIT = 50
_SUBJECT_LIMIT = 300
_TOPIC = re.compile(r"\[([A-Za-z0-9][A-Za-z0-9_.-]{0,55})\]")
_CASE_BOX = "case+"
_UNSUBSCRIBE = re.compile(r"unsubscribe\s+([\w.-]{1,64})/([\w.-]{1,64})", re.IGNORECASE)


class Attachment(Carried):
    """A file that came along. It stays in the mail as received; `size` is in bytes, decoded."""

    name: str
    media_type: str
    size: int


class Bounce(Carried):
    """A report that a mail could not be delivered (RFC 3464). `message_ids` are those of the mail that it is about."""

    recipient: str
    status: str
    said: str
    message_ids: tuple[str, ...] = ()

    @property
    def is_for_good(self) -> bool:
        """True if the address itself was refused and will be again: the same judgement as of an SMTP reply (RFC 3463)."""
        found = re.fullmatch(r"5\.(\d{1,3})\.(\d{1,3})", self.status)
        if found is None:
            return False
        subject, detail = found.groups()
        return (subject == "1" and detail not in ("7", "8")) or (subject == "2" and detail != "3")


class InboundMail(Carried):
    """A mail as read.

    Addresses are in lower case; message ids have their angle brackets. `text` is all that was written, `said` the same
    without what it quotes and without the signature. `automatic` says by which sign no person wrote it.
    """

    message_id: str | None = None
    sender: str = ""
    sender_name: str = ""
    recipients: tuple[str, ...] = ()
    subject: str = ""
    date: datetime | None = None
    text: str = ""
    said: str = ""
    attachments: tuple[Attachment, ...] = ()
    in_reply_to: str | None = None
    answers: tuple[str, ...] = ()
    """the mails that it answers, the nearest first"""
    automatic: str | None = None
    bounce: Bounce | None = None

    @property
    def unsubscribes(self) -> tuple[str, str] | None:
        """The account and the contact that want no more optional mails, if that is what the mail asks for."""
        found = _UNSUBSCRIBE.fullmatch(self.subject.strip())
        return (found[1], found[2]) if found else None


def mail_key(raw: bytes) -> str:
    """The id of a mail: the same however often and by whichever way it arrives, another for any other mail.

    It is made of what the sender wrote, not of what the servers on the way have added.
    """
    head, body = split_mail(raw)
    headers = {name.lower(): value for name, value in reversed(header_fields(head))}
    written = [" ".join(headers.get(name, "").split()) for name in ("message-id", "from", "date", "subject")]
    content = "\x00".join(written).encode("utf-8", "surrogateescape")
    digest = hashlib.sha256(content + b"\x00" + b"\n".join(line.rstrip() for line in body.strip().splitlines()))
    return f"m-{digest.hexdigest()[:32]}"


def read_mail(raw: bytes, *, recipients: Iterable[str] = (), return_path: str | None = None) -> InboundMail:
    """The mail in `raw`; `recipients` and `return_path` are those of its envelope, where they are known. Never raises."""
    try:
        message: Message = email.message_from_bytes(_readable(raw), policy=email.policy.default)
        headers = Headers(message)
        parts = list(_parts(message, 0))[:_PARTS_LIMIT]
    except Exception:  # the parser raises whatever comes to hand; the headers alone then say who wrote
        message = email.message_from_bytes(b"")
        headers, parts = Headers.of(header_fields(split_mail(raw)[0])), []
    text = printable("\n\n".join(_text(part) for part in parts if _is_text(part))).strip()
    sender, sender_name = _sender(headers)
    in_reply_to = message_ids(headers.first("in-reply-to"))
    path = return_path if return_path is not None else headers.first("return-path")
    bounce = _bounce(message) if _is_report(message) else None
    return InboundMail(
        message_id=next(iter(message_ids(headers.first("message-id"))), None),
        sender=sender,
        sender_name=sender_name,
        recipients=_recipients(headers, recipients),
        subject=_short(headers.first("subject") or "", _SUBJECT_LIMIT),
        date=_date(headers.first("date")),
        text=text,
        said=without_quotes(text),
        attachments=tuple(_attachment(part, number) for number, part in enumerate(parts, 1) if not _is_text(part)),
        in_reply_to=next(iter(in_reply_to), None),
        answers=tuple(dict.fromkeys([*in_reply_to, *reversed(message_ids(headers.first("references")))]))[
            :_REFERENCES_LIMIT
        ],
        automatic=_automatic(headers, message, sender, path),
        bounce=bounce,
    )


def case_address(case_id: str, mail_domain: str) -> str:
    """Where answers to a case go."""
    return f"{_CASE_BOX}{case_id}@{mail_domain}"


def named_cases(mail: InboundMail, mail_domain: str) -> list[str]:
    """The cases that a mail may be about by its addresses and its subject; whether there are such cases, the facts say."""
    domain = f"@{mail_domain.lower()}"
    boxes = [address.removesuffix(domain) for address in mail.recipients if address.endswith(domain)]
    addressed = [box.removeprefix(_CASE_BOX) for box in boxes if box.startswith(_CASE_BOX)]
    return list(dict.fromkeys([*addressed, *_TOPIC.findall(mail.subject)]))


def _readable(raw: bytes) -> bytes:
    """The mail, or only its beginning if it is built of so many or so deeply nested parts that reading it takes minutes.

    A parser compares every line with the delimiters of all parts that are open.
    """
    head, body = split_mail(raw)
    if b"multipart/" not in head.lower():
        return raw
    effort = raw.count(b"\n") * raw.lower().count(b"boundary") + raw.count(b"\n--") * _PART_EFFORT
    return raw if effort <= _EFFORT_LIMIT else b"\r\n\r\n".join((head, body[:_PREFIX]))


def _sender(headers: Headers) -> tuple[str, str]:
    name, address = next(iter(addresses_in(headers.raw("from")[:1])), ("", ""))
    return address, _short(name, 200)


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


# Signs that no person wrote it

_ROBOTS = re.compile(r"^(mailer-daemon|postmaster|no-?reply|do-?not-?reply|bounces?([+-].*)?)@", re.IGNORECASE)
_PRECEDENCE = frozenset({"bulk", "junk", "list", "auto_reply", "auto-reply"})
_SUPPRESSES = frozenset({"all", "oof", "autoreply"})
_MARKS = ("list-id", "list-post", "x-autoreply", "x-autorespond", "x-auto-reply", "x-loop", "feedback-id")


def _automatic(headers: Headers, message: Message, sender: str, return_path: str | None) -> str | None:
    """By which sign a mail was not written by a person (RFC 3834 and what servers are used to)."""
    submitted = (headers.first("auto-submitted") or "no").split(";")[0].strip().lower()
    if submitted != "no":
        return f"Auto-Submitted: {submitted}"[:100]
    if _is_report(message):
        return "a delivery report"
    if return_path is not None and return_path.strip().strip("<>") == "":
        return "an empty return path"
    precedence = (headers.first("precedence") or "").strip().lower()
    if precedence in _PRECEDENCE:
        return f"Precedence: {precedence}"
    wishes = {wish.strip().lower() for wish in (headers.first("x-auto-response-suppress") or "").split(",")}
    if wishes & _SUPPRESSES:
        return "X-Auto-Response-Suppress"
    if mark := next((mark for mark in _MARKS if headers.has(mark)), None):
        return f"the header {mark}"
    return f"its sender {sender}" if _ROBOTS.match(sender) else None


def _is_report(message: Message) -> bool:
    return _type(message) == "multipart/report"


def _bounce(message: Message) -> Bounce | None:
    """What a delivery report says of the first recipient that failed."""
    ids: list[str] = []
    failed: dict[str, str] | None = None
    for part in _all_parts(message, 0):
        kind = _type(part)
        if kind == "message/delivery-status":
            failed = failed or next((said for said in map(_fields_of, _inner(part)) if _failed(said)), None)
        elif kind == "text/rfc822-headers":
            ids += message_ids(Headers.of(header_fields(_content(part))).first("message-id"))
        elif kind == "message/rfc822":
            ids += [found for inner in _inner(part) for found in message_ids(Headers(inner).first("message-id"))]
    if failed is None:
        return None
    recipient = (failed.get("original-recipient") or failed.get("final-recipient") or "").rpartition(";")[2].strip()
    return Bounce(
        recipient=next((address for _, address in addresses_in([recipient])), ""),
        status=failed.get("status", "").strip()[:20],
        said=failed.get("diagnostic-code", "").rpartition(";")[2].strip()[:300] or "the address was refused",
        message_ids=tuple(ids),
    )


def _fields_of(block: Message) -> dict[str, str]:
    return {name.lower(): decoded_header(str(value)) for name, value in block.raw_items()}


def _failed(said: dict[str, str]) -> bool:
    return said.get("action", "").strip().lower() == "failed"


# Parts


def _type(part: Message) -> str:
    try:
        return printable(part.get_content_type())
    except Exception:
        return "application/octet-stream"


def _inner(part: Message) -> list[Message]:
    payload = part.get_payload()
    return [one for one in payload if isinstance(one, Message)] if isinstance(payload, list) else []


def _all_parts(part: Message, depth: int) -> Iterator[Message]:
    yield part
    if depth < _DEPTH_LIMIT and _type(part).startswith("multipart/"):
        for inner in _inner(part):
            yield from _all_parts(inner, depth + 1)


def _parts(part: Message, depth: int) -> Iterator[Message]:
    """The leaves of a mail: of alternatives the plainest that says something."""
    kind, inner = _type(part), _inner(part)
    if not inner or not kind.startswith("multipart/") or depth >= _DEPTH_LIMIT:
        yield part
        return
    if kind == "multipart/alternative":
        plain = [one for one in inner if _type(one) == "text/plain" and _text(one).strip()]
        inner = plain[:1] or [one for one in inner if _type(one) != "text/plain"][-1:] or inner[:1]
    for one in inner:
        yield from _parts(one, depth + 1)


def _is_text(part: Message) -> bool:
    return _type(part) in ("text/plain", "text/html") and not _is_attached(part)


def _is_attached(part: Message) -> bool:
    try:
        return part.get_content_disposition() == "attachment" or part.get_filename() is not None
    except Exception:
        return True


def _content(part: Message) -> bytes:
    try:
        payload = part.get_payload(decode=True)
    except Exception:
        payload = None
    if isinstance(payload, bytes):
        return payload
    try:
        return part.as_bytes() if isinstance(part.get_payload(), list) else b""
    except Exception:
        return b""


def _text(part: Message) -> str:
    try:
        charset = part.get_param("charset")
    except Exception:
        charset = None
    text = decoded(_content(part), charset if isinstance(charset, str) else None)
    return text_of_html(text) if _type(part) == "text/html" else text


def _attachment(part: Message, number: int) -> Attachment:
    try:
        name = part.get_filename()
    except Exception:
        name = None
    kind = _type(part)
    return Attachment(
        name=_short(printable(name or f"part {number}"), 200), media_type=kind[:100], size=len(_content(part))
    )
