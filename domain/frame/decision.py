"""What a decision can say: the journal's line, what is written, who is told, and what the journey learns. All done in one transaction."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from datetime import datetime
from typing import Any

from domain.frame.customer import StaffFacts
from domain.frame.mail_kinds import MailKind, template_of
from domain.frame.sales_holds import Purpose
from domain.frame.staff_tasks import TaskState
from domain.frame.state import Outcome
from domain.kernel.base import Write
from domain.orders.order import ContactRole


@dataclass(frozen=True)
class JournalLine:
    """A line of the customer's history. `name` tells several lines of one step apart."""

    title: str
    at: datetime | None = None
    name: str = ""
    kind: str | None = None
    detail: dict[str, Any] = field(default_factory=dict)


@dataclass(frozen=True)
class Mail:
    """A mail to the customer: to whom its template concerns, or to `contact_id` alone. What it is stands in `mail_kinds.py`.

    `asked_of`: the role that a playbook names instead. `but`: contacts who read it elsewhere, and get no copy.

    A hold keeps it back by its `purpose` and the `product` that it is about; without one, that of the template counts.
    `completes`: the task of its stage that is done once it has left. `documents`: what it takes along, see `OutgoingMail`.
    """

    template: str
    context: dict[str, Any] = field(default_factory=dict)
    contact_id: str | None = None
    purpose: Purpose | None = None
    product: str | None = None
    completes: str | None = None
    documents: tuple[dict[str, Any], ...] = ()
    asked_of: ContactRole | None = None
    but: frozenset[str] = frozenset()

    @property
    def kind(self) -> MailKind:
        """Whether it is an answer, owed by contract or optional."""
        return template_of(self.template).kind

    @property
    def contractual(self) -> bool:
        """True if nobody can unsubscribe from it."""
        return self.kind is MailKind.CONTRACTUAL

    @property
    def role(self) -> ContactRole:
        """The role of the contact whom it concerns."""
        return self.asked_of or template_of(self.template).role


@dataclass(frozen=True)
class Notice:
    """An internal notice to the owner or the success manager, or to `person`."""

    title: str
    lines: list[str]
    to: str = "success_manager"
    due: datetime | None = None
    person: StaffFacts | None = None
    words: str = ""
    """what somebody wrote, if that is passed on"""
    case_id: str | None = None
    """the case whose customer gets what is replied to it"""
    acts: tuple[str, ...] = ()
    """what it offers its reader to do, see `notice_acts.py`"""
    task: str | None = None
    """the key of the task that it asks of them: once that is settled, a notice that still waits says nothing to anybody"""


@dataclass(frozen=True)
class OpenStaffTask(Write):
    """A task for one of the seller's people, at most one open per key. Nothing is asked of a person without an owner and a day.

    to: `owner`, `success_manager` or a staff id; due_at: with its zone; reason: why it exists, in words, by default its title.
    Raises ValueError without owner, words or an instant that has a zone.
    """

    key: str
    title: str
    to: str
    due_at: datetime
    reason: str = ""

    def __post_init__(self) -> None:
        if not (self.key and self.title and self.to):
            raise ValueError(f"a task needs a key, a title and an owner: {self.key!r}, {self.title!r}, {self.to!r}")
        if self.due_at.tzinfo is None:
            raise ValueError(f"task {self.key!r} is due at {self.due_at}, which is no instant: it has no zone")


@dataclass(frozen=True)
class GoneContacts(Write):
    """Contacts that are taken off the account."""

    contact_ids: tuple[str, ...]
    by: str
    at: datetime


@dataclass(frozen=True)
class CloseStaffTasks(Write):
    """The task whose key is `prefix`, or with a `/` at its end all whose keys begin so, are settled: done, or not needed any more
    (`ended`). `outcome` says what came of them."""

    prefix: str
    at: datetime
    ended: TaskState = TaskState.DONE
    by: str = "system"
    outcome: str = ""


@dataclass(frozen=True)
class RequestProvisioning:
    """The lines of an order are to be provided by the provisioning service."""

    order_id: str
    items: list[dict[str, Any]]


@dataclass(frozen=True)
class Convey:
    """The assets of a transfer are to be taken to the other account's journey."""

    transfer_id: str
    to_account: str
    stage: str


@dataclass(frozen=True)
class Decision:
    """The whole of what one step or request does."""

    line: JournalLine
    outcome: Outcome = field(default_factory=Outcome)
    writes: list[Write] = field(default_factory=list)
    mails: list[Mail] = field(default_factory=list)
    notices: list[Notice] = field(default_factory=list)
    provisioning: RequestProvisioning | None = None
    more_lines: list[JournalLine] = field(default_factory=list)
    conveyance: Convey | None = None

    def __add__(self, other: Decision | Outcome) -> Decision:
        """Both as one, of one step or request: the line of the first one leads."""
        if isinstance(other, Outcome):
            return replace(self, outcome=self.outcome + other)
        return replace(
            self,
            outcome=self.outcome + other.outcome,
            writes=[*self.writes, *other.writes],
            mails=[*self.mails, *other.mails],
            notices=[*self.notices, *other.notices],
            more_lines=[*self.more_lines, *([other.line] if other.line.title else []), *other.more_lines],
        )
