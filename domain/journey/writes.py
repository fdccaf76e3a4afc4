"""What is written when people change an account or its contacts, and when it ends."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import date, datetime

from domain.kernel.base import Write
from domain.orders.order import ContactRole


@dataclass(frozen=True)
class ChangedAccount(Write):
    """The account's fields as they are now; `fields` are those that this request set.

    followed: a contact's column, with the value that gives way to another; succeeded: whose open tasks go to whom.
    """

    owner: str
    success_manager: str
    segment: str
    playbook_version: int
    language: str
    time_zone: str
    billed_until: date | None
    fields: tuple[str, ...]
    followed: dict[str, tuple[str, str]] = field(default_factory=dict)
    succeeded: dict[str, str] = field(default_factory=dict)


@dataclass(frozen=True)
class NewContact:
    """A contact as it is to be. `phone`: null leaves what is known."""

    contact_id: str
    name: str
    email: str
    role: ContactRole
    language: str
    time_zone: str
    phone: str | None


@dataclass(frozen=True)
class SavedContacts(Write):
    """Contacts by their place among the account's; `country` is where their numbers are dialled."""

    contacts: dict[int, NewContact]
    country: str


@dataclass(frozen=True)
class GoneContacts(Write):
    """Contacts that are taken off the account."""

    contact_ids: tuple[str, ...]
    by: str
    at: datetime


@dataclass(frozen=True)
class CloseAccount(Write):
    """The customer's journey has ended."""

    reason: str
    at: datetime
