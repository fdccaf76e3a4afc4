"""What is written when people change an account or its contacts, and when it ends."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date, datetime

from domain.frame.customer import AssetFacts, ContractFacts
from domain.frame.playbook import Playbook
from domain.kernel.base import Write
from domain.orders.order import Account, Contact, ContactRole, Order


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
class CloseAccount(Write):
    """The customer's journey has ended."""

    reason: str
    at: datetime


@dataclass(frozen=True)
class SnoozeTask(Write):
    """A task of our people rests until an instant, after which it is asked for anew."""

    task_id: str
    until: datetime


@dataclass(frozen=True)
class HandOverTask(Write):
    """A task of our people is somebody else's."""

    task_id: str
    to: str


@dataclass(frozen=True)
class ReopenTask(Write):
    """A task of our people that was over is open again, with a new day."""

    task_id: str
    to: str
    due_at: datetime


@dataclass(frozen=True)
class KeepPlaybook(Write):
    """A playbook's version on record, so that journeys planned with it can go on with it."""

    playbook: Playbook


@dataclass(frozen=True)
class PlaceAccount(Write):
    """The account as an order has it; what a request has set stays, and so do segment, playbook and first day of a known one.

    `since`: the first day on which it bought something; `billing_day`: that of a known customer, where they are. `contacts`: those that
    come, by their place; `settled`: the ids of those that stay as a request has set them.
    """

    account: Account
    playbook: Playbook
    since: datetime
    time_zone: str
    language: str
    billing_day: date | None = None
    contacts: Mapping[int, Contact] = field(default_factory=dict)
    settled: frozenset[str] = frozenset()


@dataclass(frozen=True)
class ReachBack(Write):
    """An older order is taken over: the account began earlier than was known; all else about it stays."""

    since: datetime


@dataclass(frozen=True)
class PlaceOrder(Write):
    """An order with its lines, contracts and assets. The assets' actions and periods follow as changes."""

    order: Order
    contracts: Sequence[ContractFacts]
    assets: Sequence[AssetFacts]
    goods: bool
    imported: bool
