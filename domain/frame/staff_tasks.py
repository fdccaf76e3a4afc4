"""What our people are asked to do: each task has an owner, a day and a reason, and an ending that says what came of it."""

from __future__ import annotations

from datetime import UTC, datetime
from enum import StrEnum

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
