"""What mail that comes in writes about contacts."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from domain.kernel.base import Write


@dataclass(frozen=True)
class StopOptionalMails(Write):
    """A contact wants no optional mails any more."""

    contact_id: str
    at: datetime


@dataclass(frozen=True)
class FlagContact(Write):
    """Mail to a contact's address came back for good."""

    contact_id: str
    email: str
    at: datetime
    reason: str


@dataclass(frozen=True)
class KeepMailWishes(Write):
    """Which optional mails a contact wants, and how often: `declined` are topics, `every_days` null for as often as usual."""

    contact_id: str
    declined: tuple[str, ...]
    every_days: int | None
    at: datetime
