"""What a piece of work on a case sends, keeps, and asks of our people."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from domain.frame.customer import StaffFacts
from domain.frame.mail_kinds import MailKind, template_of


def digest_of(text: str) -> str:
    """Tells a message's text from another one."""
    return hashlib.sha256(text.encode()).hexdigest()


@dataclass(frozen=True)
class CaseMail:
    """A mail to the customer. Its `id` is unique for ever; `automatic` ones are counted.

    `asked_for`: one of our people wrote it, though a machine fills it in; it is never too much.
    """

    id: str
    template: str
    context: dict[str, Any] = field(default_factory=dict)
    automatic: bool = True
    body: str = ""
    asked_for: bool = False
    files_from: str | None = None

    @property
    def optional(self) -> bool:
        """True if it can be done without, and unsubscribed from."""
        return template_of(self.template).kind is MailKind.OPTIONAL


@dataclass(frozen=True)
class CaseNotice:
    """Something to tell one of our people."""

    id: str
    to: StaffFacts
    title: str
    lines: list[str]
    due: datetime | None = None
    words: str = ""
    """what somebody wrote, if that is passed on"""


@dataclass(frozen=True)
class StaffTask:
    """Something that one of our people is to do until `due`; open once per `key`."""

    key: str
    title: str
    to: StaffFacts
    due: datetime
    reason: str


@dataclass(frozen=True)
class NewMessage:
    """A message of the thread to be kept. `mail_id` is the mail that carries it, if one does."""

    direction: str
    channel: str
    at: datetime
    body: str = ""
    subject: str = ""
    sender: str = ""
    recipient: str = ""
    message_id: str | None = None
    in_reply_to: str | None = None
    references: tuple[str, ...] = ()
    automatic: bool = False
    template: str | None = None
    mail_id: str | None = None


@dataclass(frozen=True)
class CaseLine:
    """A line of the customer's journal; `name` makes its key."""

    name: str
    kind: str
    title: str
    at: datetime
    detail: dict[str, Any]
