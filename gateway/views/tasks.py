"""The tasks of our people: of one of them, of a customer, and one with what became of it."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import Annotated

from pydantic import AwareDatetime

from activities.journey.task_lists import one_task, task_history, tasks_paged
from activities.kernel.pool import Connection
from domain.frame.access import FieldGroup
from domain.journey.customer_timeline import Cursor
from gateway.views.pages import Page, page_of
from gateway.views.shown import OF_SUMS, View


class TaskLine(View):
    """A task. `state`: open, snoozed, done or taken_back; `late` once its day is over, or the day until which it rests."""

    task_id: str
    account_id: str
    company: str
    title: Annotated[str, OF_SUMS]
    reason: Annotated[str, FieldGroup.NOTES]
    state: str
    late: bool
    owner: str
    owner_name: str
    opened_at: AwareDatetime
    due_at: AwareDatetime
    snoozed_until: AwareDatetime | None
    reminded_at: AwareDatetime | None
    escalated_at: AwareDatetime | None
    escalated_to: str | None
    reopened_at: AwareDatetime | None
    closed_at: AwareDatetime | None
    ended_by: str | None
    outcome: Annotated[str, FieldGroup.NOTES]


class TaskEvent(View):
    """Something that became of a task."""

    at: AwareDatetime
    kind: str
    title: Annotated[str, OF_SUMS]
    by: str | None


class Task(TaskLine):
    """A task with its history."""

    history: list[TaskEvent]


@dataclass(frozen=True)
class TaskFilter:
    """Which tasks: of one of our people, of an account, those that are over as well, only those that are late; `looked_after_by`:
    only of customers of one of our people."""

    owner: str | None = None
    account_id: str | None = None
    over: bool = False
    late: bool = False
    looked_after_by: str | None = None


async def tasks_page(
    connection: Connection, wanted: TaskFilter, now: datetime, place: Cursor | None, limit: int
) -> Page[TaskLine]:
    """Tasks, the first due first."""
    about = (now, wanted.owner, wanted.account_id, wanted.over, wanted.looked_after_by, wanted.late)
    return await page_of(TaskLine, tasks_paged, connection, place, limit, *about)


async def task(connection: Connection, task_id: str, now: datetime) -> Task | None:
    """One task; null if there is none of that id."""
    rows = await one_task(connection, now, task_id)
    if not rows:
        return None
    history = await task_history(connection, rows[0]["account_id"], task_id)
    return Task.model_validate({**rows[0], "history": history})
