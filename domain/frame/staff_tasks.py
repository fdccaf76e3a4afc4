"""What our people are asked to do: each task has an owner, a day and a reason, and an ending that says what came of it."""

from __future__ import annotations

from datetime import UTC, datetime
from enum import StrEnum

from pydantic import AwareDatetime

from domain.frame.customer import StaffFacts
from domain.kernel.base import Carried
from domain.kernel.ids import opaque_id


class TaskState(StrEnum):
    """Where a task stands."""

    OPEN = "open"
    SNOOZED = "snoozed"
    """silent until a day"""
    DONE = "done"
    TAKEN_BACK = "taken_back"
    """nobody needs it any more"""


def task_id(account_id: str, key: str, opened_at: datetime) -> str:
    """The id of the task that is opened for an account under a key at an instant."""
    return opaque_id(f"{account_id}/{key}/{opened_at.astimezone(UTC).isoformat()}")


class StaffTaskFacts(Carried):
    """A task as it stands; `key` names what it is about, such as `adoption/help`."""

    task_id: str
    key: str
    title: str
    reason: str
    person: StaffFacts
    """whose it is"""
    opened_at: AwareDatetime
    due_at: AwareDatetime
    snoozed_until: AwareDatetime | None = None
    reminded_at: AwareDatetime | None = None
    escalated_at: AwareDatetime | None = None
    closed_at: AwareDatetime | None = None
    ended: TaskState | None = None
    ended_by: str | None = None
    outcome: str = ""
    reopened_at: AwareDatetime | None = None
    twin: str | None = None
    """another task about the same that is open"""

    def state(self, at: datetime) -> TaskState:
        """Where it stands at an instant."""
        if self.closed_at is not None:
            return self.ended or TaskState.DONE
        snoozed = self.snoozed_until is not None and at < self.snoozed_until
        return TaskState.SNOOZED if snoozed else TaskState.OPEN

    @property
    def as_asked(self) -> bool:
        """True while nobody has put it off or opened it again: its day is the one that it was asked for."""
        return self.snoozed_until is None and self.reopened_at is None

    @property
    def counts_from(self) -> datetime:
        """The instant from which it is late: when it is due, or comes back."""
        return max(self.due_at, self.snoozed_until or self.due_at)
