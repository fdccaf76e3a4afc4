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
