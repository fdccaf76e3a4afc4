"""A folder of received mails, one `.eml` file each, in the order of arrival."""

import contextlib
import email
import email.policy
import os
import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from email.header import decode_header
from email.message import EmailMessage
from email.utils import getaddresses, parsedate_to_datetime
from pathlib import Path

Rejection = Callable[[str], str | None]
"""Given a recipient's address, the SMTP reply that refuses it (`550 5.1.1 no such user`), or None to accept."""

_NAME = re.compile(r"\d{8}\.eml")
_FOLDED = re.compile(r"\r?\n(?=[ \t])")
_HEADER_END = re.compile(rb"\r?\n\r?\n")


class MailNotFoundError(LookupError):
    """No mail has this id."""


@dataclass(frozen=True)
class MailSummary:
    """What a list of mails shows.

    Attributes:
        id: position in the order of arrival, eight digits.
        to: the addresses that it was delivered to, joined by commas.
        recipients: the same addresses one by one.
        sender: the From header, decoded.
        senders: the addresses in it, as it came.
        subject: decoded.
        language: the Content-Language header.
        at: the Date header; the instant of storing when there is no valid one. Always aware.
        message_id: the Message-ID header, angle brackets included.
    """

    id: str
    to: str
    recipients: tuple[str, ...]
    sender: str
    senders: tuple[str, ...]
    subject: str
    language: str | None
    at: datetime
    message_id: str | None


@dataclass(frozen=True)
class StoredMail:
    """One mail in full: its bodies as far as it has them, and its headers decoded (the first of each name)."""

    summary: MailSummary
    text: str | None
    html: str | None
    headers: Mapping[str, str]


class Mailbox:
    """The mails in a folder. Every arrival is kept, a second one with the same Message-ID too.

    Reading needs no server: the mails of an earlier run can be listed as well. One process at a time may store.
    """

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._seen: dict[str, MailSummary] = {}  # files never change
        self._last: int | None = None

    @property
    def folder(self) -> Path:
        """Where the files lie."""
        return self._folder

    def list(self) -> list[MailSummary]:
        """All mails, the oldest first."""
        return [self._summary(name) for name in self._names()]

    def read(self, mail_id: str) -> StoredMail:
        """One mail.

        Raises:
            MailNotFoundError: there is none with this id.
        """
        raw = self.raw(mail_id)
        message = email.message_from_bytes(raw, policy=email.policy.SMTPUTF8)
        headers: dict[str, str] = {}
        for name in message:
            headers.setdefault(name, _header(message, name) or "")
        return StoredMail(
            summary=self._summary(f"{mail_id}.eml"),
            text=_body(message, "plain"),
            html=_body(message, "html"),
            headers=headers,
        )

    def raw(self, mail_id: str) -> bytes:
        """One mail as it was received, after a `Return-Path` and a `Delivered-To` line for each recipient.

        Raises:
            MailNotFoundError: there is none with this id.
        """
        if not _NAME.fullmatch(f"{mail_id}.eml"):
            raise MailNotFoundError(mail_id)
        try:
            return (self._folder / f"{mail_id}.eml").read_bytes()
        except FileNotFoundError as error:
            raise MailNotFoundError(mail_id) from error

    def store(self, sender: str, recipients: Sequence[str], content: bytes) -> str:
        """Keep a mail and return its id. The file appears complete or not at all.

        Raises:
            OSError: it cannot be kept, as on a full disk; nothing of it is left.
        """
        if self._last is None:
            names = self._names()
            self._last = int(names[-1][:8]) if names else 0
        number = self._last + 1
        envelope = [f"Return-Path: <{sender}>", *(f"Delivered-To: {address}" for address in recipients)]
        draft = self._folder / f"{number:08d}.new"
        try:
            draft.write_bytes("".join(f"{line}\r\n" for line in envelope).encode(errors="surrogateescape") + content)
            draft.replace(self._folder / f"{number:08d}.eml")
        except OSError:
            draft.unlink(missing_ok=True)
            raise
        self._last = number
        return f"{number:08d}"

    def of(self, is_theirs: Callable[[str], bool]) -> Sequence[MailSummary]:
        """The mails to or from somebody, whose addresses `is_theirs` knows: addresses are asked about, whole, and no names."""
        return [mail for mail in self.list() if any(map(is_theirs, [*_addresses(mail.recipients), *mail.senders]))]

    def forget(self, is_theirs: Callable[[str], bool]) -> int:
        """Deletes the mails to or from somebody; how many."""
        theirs = self.of(is_theirs)
        for mail in theirs:
            (self._folder / f"{mail.id}.eml").unlink(missing_ok=True)
            self._seen.pop(f"{mail.id}.eml", None)
        return len(theirs)

    def _names(self) -> tuple[str, ...]:
        with contextlib.suppress(FileNotFoundError):
            return tuple(sorted(name for name in os.listdir(self._folder) if _NAME.fullmatch(name)))
        return ()

    def _summary(self, name: str) -> MailSummary:
        if name not in self._seen:
            self._seen[name] = _summarise(self._folder / name)
        return self._seen[name]


def _summarise(path: Path) -> MailSummary:
    head = _HEADER_END.split(path.read_bytes(), maxsplit=1)[0]
    found = list(email.message_from_bytes(head + b"\r\n\r\n", policy=email.policy.compat32).raw_items())
    recipients = tuple(_printable(value) for name, value in found if name == "Delivered-To")
    said: dict[str, str] = {}
    for name, value in found:
        said.setdefault(name.lower(), _printable(_FOLDED.sub("", value)).strip())
    return MailSummary(
        id=path.stem,
        to=", ".join(recipients),
        recipients=recipients,
        sender=_decoded(said.get("from", "")),
        senders=tuple(_addresses([said.get("from", "")])),
        subject=_decoded(said.get("subject", "")),
        language=said.get("content-language"),
        at=_date(said.get("date", "")) or datetime.fromtimestamp(path.stat().st_mtime, UTC),
        message_id=said.get("message-id"),
    )


def _addresses(headers: Sequence[str]) -> list[str]:
    """The addresses in headers as they came: a decoded name may hold whatever looks like one."""
    return [address for _, address in getaddresses([*headers]) if address]


def _header(message: EmailMessage, name: str) -> str | None:
    try:
        value = message[name]
        return None if value is None else _printable(str(value)).strip()
    except Exception:  # a mailbox shows broken mails too, and the parser raises whatever comes to hand
        return next((_printable(value) for found, value in message.raw_items() if found.lower() == name.lower()), None)


def _decoded(value: str) -> str:
    """A header as people read it. The library's newer reader would do as well, and takes ten times as long: lists have many mails."""
    if "=?" not in value:
        return value
    try:
        # Text where nothing is encoded at all; else bytes, and what is not encoded comes as the decoder has escaped it.
        said = (
            part if isinstance(part, str) else part.decode(charset or "raw-unicode-escape", "replace")
            for part, charset in decode_header(value)
        )
        return _printable("".join(said)).strip()
    except Exception:  # a mailbox shows broken mails too, and the decoder raises whatever comes to hand
        return value


def _date(said: str) -> datetime | None:
    try:
        at = parsedate_to_datetime(said)
    except ValueError:
        return None
    return at if at.tzinfo else at.replace(tzinfo=UTC)  # "-0000": UTC, the zone of the sender unknown


def _body(message: EmailMessage, kind: str) -> str | None:
    part = message.get_body((kind,))
    if part is None:
        return None
    try:
        return _printable(str(part.get_content()))
    except (LookupError, UnicodeError):  # an unknown or wrong character set
        payload = part.get_payload(decode=True)
        return payload.decode("utf-8", errors="replace") if isinstance(payload, bytes) else ""


def _printable(value: str) -> str:
    """Bytes that were not valid UTF-8 arrive as surrogates, which no output stream takes."""
    return value.encode("utf-8", errors="surrogateescape").decode("utf-8", errors="replace")
