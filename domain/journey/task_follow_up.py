"""What our people are reminded of when it is due, and who hears of what is still open a business day later. Pure."""

from __future__ import annotations

from datetime import datetime, timedelta

from domain.frame.customer import CLOSES, OPENS, StaffFacts
from domain.frame.decision import Notice
from domain.frame.staff_tasks import StaffTaskFacts, TaskState
from domain.kernel.base import Carried
from domain.kernel.calendar import business_day_from, is_business_day, local_day, local_instant
from domain.kernel.zones import local_time


class OwedTask(Carried):
    """A task with the customer that it is for, and those who answer for them."""

    task: StaffTaskFacts
    account_id: str
    company: str
    country: str
    time_zone: str
    owner: StaffFacts
    success_manager: StaffFacts
    by_playbook: bool = False
    """a step of the customer's journey tells somebody else of it, on a day that their playbook says"""

    def morning_after(self, at: datetime) -> datetime:
        """Nine o'clock of the first business day after an instant, where the customer is."""
        day = business_day_from(local_day(at, self.time_zone) + timedelta(days=1), self.country)
        return local_instant(day, self.time_zone)

    def at_work(self, at: datetime) -> bool:
        """True from nine to six on a business day, where the customer is."""
        local = local_time(at, self.time_zone)
        return OPENS <= local.time() < CLOSES and is_business_day(local.date(), self.country)

    @property
    def escalates_at(self) -> datetime | None:
        """When somebody else hears that it is still open; at once if whoever has it has left, and not from here if the playbook sees to it."""
        task = self.task
        if task.person.left_at is not None:
            return task.counts_from
        return None if self.by_playbook else self.morning_after(task.counts_from)

    @property
    def next_person(self) -> StaffFacts | None:
        """Who hears of it then: the owner of the customer, else their success manager; null if it is theirs and nobody else's."""
        others = (one for one in (self.owner, self.success_manager) if one.staff_id != self.task.person.staff_id)
        return next((one for one in others if one.left_at is None), None)


class FollowUp(Carried):
    """What is told of a task, once: a reminder, or that it is still open (`escalated`)."""

    escalated: bool
    to: StaffFacts
    title: str
    lines: list[str]
    due: datetime

    @property
    def notice(self) -> Notice:
        """What the one who is told reads."""
        return Notice(self.title, self.lines, due=self.due, person=self.to)


def follow_up(owed: OwedTask, as_of: datetime) -> FollowUp | None:
    """What is to be told of a task at `as_of`; null if nothing is, or was already, or nobody is at work. What is late for long is told
    once, not twice."""
    task = owed.task
    if not owed.at_work(as_of):
        return None
    if task.state(as_of) is not TaskState.OPEN or as_of < task.counts_from or task.escalated_at is not None:
        return None
    if owed.escalates_at is None or as_of < owed.escalates_at:
        return None if task.reminded_at is not None else _reminder(owed)
    return _escalation(owed, as_of)


def _reminder(owed: OwedTask) -> FollowUp:
    task, to, at = owed.task, owed.next_person, owed.escalates_at
    further = [f"If it is still open on {local_day(at, owed.time_zone)}, {to.name} hears of it."] if to and at else []
    lines = [f"Why: {task.reason}", *further, _how(task)]
    return FollowUp(
        escalated=False,
        to=task.person,
        title=f"Due now: {task.title}",
        lines=lines,
        due=at or owed.morning_after(task.counts_from),
    )


def _escalation(owed: OwedTask, as_of: datetime) -> FollowUp:
    task = owed.task
    was_due = local_day(task.counts_from, owed.time_zone)
    return FollowUp(
        escalated=True,
        to=owed.next_person or task.person,
        title=f"Still to be done: {task.title}",
        lines=[
            f"It was due on {was_due} and is up to {task.person.name}.",
            f"Why: {task.reason}",
            f"`perennial task hand-over {task.task_id}` gives it to somebody else.",
            _how(task),
        ],
        due=owed.morning_after(as_of),
    )


def _how(task: StaffTaskFacts) -> str:
    return f"Once it is done: `perennial task done {task.task_id}`, with a word on what came of it."
