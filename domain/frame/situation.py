"""What a decision is taken from: the customer, the playbook and the instant; and how steps are planned from days."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import date, datetime, timedelta
from enum import Enum, auto
from typing import Any

from domain.assets.model import AssetRecord
from domain.frame.customer import Customer
from domain.frame.playbook import Playbook
from domain.frame.service_facts import NO_SERVICE, ServiceFacts
from domain.frame.state import AccountView, Step

TOLERATED_DELAY = timedelta(days=7)
"""A step that came due this long before it was planned is still done; an older one is recorded as past."""


@dataclass(frozen=True)
class HelpOwed:
    """A step of help that nobody has done yet: the key of its task, whose it is, and when it is due."""

    key: str
    staff_id: str
    name: str
    due_at: datetime


@dataclass(frozen=True)
class Looks:
    """The looks at how a customer uses what they pay for: since when help is under way (null: none is), the last check-in and
    the last follow-up. And what was talked about: `said_at` and `said`, when the last check-in was written and what it was filled with;
    `seen`, the figures of that one and of those after it; `told_at`, when we wrote about their use last; `talked_at`, when they last
    answered, called, or had an answer from somebody in a case; `replaced`: another word about their use took the place of the check-in
    that the last one promised, and said so. `back_at`: when they came back, if nothing was in force for a while."""

    help_since: datetime | None = None
    checked_in_at: datetime | None = None
    followed_up_at: datetime | None = None
    help_steps: int = 0
    """how many steps of the help that is under way have followed on its mail"""
    help_owed: tuple[HelpOwed, ...] = ()
    """the steps that are open, the first due first"""
    said_at: datetime | None = None
    said: Mapping[str, Any] | None = None
    seen: tuple[tuple[datetime, Mapping[str, Any]], ...] = ()
    told_at: datetime | None = None
    talked_at: datetime | None = None
    back_at: datetime | None = None
    replaced: bool = False


class Breadth(Enum):
    """What is read first of contracts and assets, of which some customers have a thousand: all, those of the contract that a step is
    of, or none. It is no promise: for whoever asks for more all of them are read."""

    ALL = auto()
    OWN = auto()
    NONE = auto()


@dataclass(frozen=True)
class Needs:
    """What a rule looks at beside the customer and their playbook: the asset ledger, all that a review of holds looks at, the latest
    looks at use, and whoever asks by name. `holdings`: which contracts and assets, with their part of the ledger."""

    ledger: bool = False
    service: bool = False
    looks: bool = False
    names: bool = False
    holdings: Breadth = Breadth.ALL


NOTHING = Needs()
LEDGER = Needs(ledger=True)
SERVICE = Needs(service=True, names=True, holdings=Breadth.NONE)
LOOKS = Needs(looks=True)
NO_HOLDINGS = Needs(holdings=Breadth.NONE)
OWN_CONTRACT = Needs(ledger=True, holdings=Breadth.OWN)


@dataclass(frozen=True)
class Situation:
    """The customer, their playbook and the instant at which is decided."""

    customer: Customer
    playbook: Playbook
    as_of: datetime
    records: Mapping[str, AssetRecord] = field(default_factory=dict)
    """the asset ledger, by asset; loaded for what changes assets or prices them"""
    imported: bool = False
    """true while an order of the past is taken over: nothing that lies before `as_of` is acted on"""
    looks: Looks | None = None
    """when help was offered and when was looked whether it has helped; loaded for the looks at use themselves"""
    service: ServiceFacts = NO_SERVICE
    """what service knows of the customer and sales has to heed"""
    kept: tuple[date, ...] | None = None
    """the local days of check-ins that are to come, which the customer was told of; null if they are not known"""

    people: Mapping[str, str] = field(default_factory=dict)
    """names of our people by their ids, beside those who look after the customer"""

    def named(self, staff_id: str) -> str:
        """One of our people by name; an id that nobody bears stays as it is."""
        known = {one.staff_id: one.name for one in (self.customer.owner, self.customer.success_manager)}
        return self.people.get(staff_id) or known.get(staff_id, staff_id)

    @property
    def account_view(self) -> AccountView:
        """The account as its journey names itself."""
        account = self.customer.account
        return AccountView(
            name=account.name,
            time_zone=account.time_zone,
            owner=self.customer.owner.staff_id,
            playbook=self.playbook.named,
        )

    @property
    def today(self) -> date:
        """The customer's local day."""
        return self.customer.day_of(self.as_of)

    @property
    def billing_day(self) -> date:
        """The day by which is invoiced and credited now."""
        return self.customer.billing_day(self.as_of)

    def is_past(self, at: datetime) -> bool:
        """True for a step that is too late to be planned."""
        return at < self.as_of if self.imported else at < self.as_of - TOLERATED_DELAY

    def step(self, kind: str, stage: str, name: str, day: date, *, business_day: bool = True) -> Step:
        """A step at 9 o'clock on `day` in the customer's zone, moved to a business day."""
        at, on = self.customer.morning(day, business_day=business_day)
        return Step(kind=kind, stage=stage, name=name, at=at, on=on)

    def step_now(self, kind: str, stage: str, name: str) -> Step:
        """A step that is due at once."""
        return Step(kind=kind, stage=stage, name=name, at=self.as_of, on=self.today)

    def step_soon(self, kind: str, stage: str, name: str) -> Step:
        """A step that is due at once, or by night and on free days on the next morning: what a person is to read."""
        at, on = self.soon
        return Step(kind=kind, stage=stage, name=name, at=at, on=on)

    @property
    def soon(self) -> tuple[datetime, date]:
        """Now with its day, or by night and on free days the next morning: when a person reads what is written."""
        if self.customer.at_work(self.as_of):
            return self.as_of, self.today
        at, on = self.customer.morning(self.today)
        return self.customer.morning(self.in_days(1)) if at < self.as_of else (at, on)

    def in_days(self, days: int) -> date:
        """The local day `days` from today."""
        return self.today + timedelta(days=days)
