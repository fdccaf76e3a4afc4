"""That the people about a customer changed, ours or theirs: what plays count from, and what somebody new is told."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum

from pydantic import AwareDatetime

from domain.kernel.base import Carried, Write


class ChangeOf(StrEnum):
    """What changed: who looks after them, their segment, that a contact came, that a sponsor is gone."""

    OWNER = "owner"
    SUCCESS_MANAGER = "success_manager"
    SEGMENT = "segment"
    CONTACT = "contact"
    SPONSOR = "sponsor"


class PeopleChange(Carried):
    """One change: of a staff id or segment from `before` to `after`; of a contact, whom it is `about`."""

    what: ChangeOf
    about: str = ""
    before: str | None = None
    after: str | None = None
    at: AwareDatetime


@dataclass(frozen=True)
class NoteChange(Write):
    """A change goes on record."""

    what: ChangeOf
    at: datetime
    about: str = ""
    before: str | None = None
    after: str | None = None
