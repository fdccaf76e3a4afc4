"""What our people are reminded of when it is due, and who hears of what is still open a business day later. Pure.

All that is due of one customer is told in one notice, on the morning of a business day.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime, time, timedelta

from domain.contracts.revising import APPROVAL_TASK
from domain.frame.customer import OPENS, StaffFacts
from domain.frame.notice_acts import act
from domain.frame.staff_tasks import StaffTaskFacts, TaskState
from domain.kernel.base import Carried
from domain.kernel.calendar import business_day_from, is_business_day, local_day, local_instant
from domain.kernel.zones import local_time

NOON = time(12)
_ONCE_DONE = "Once it is done, please note what came of it."


class OwedTask(Carried):
    """A task with the customer that it is for, and those who answer for them. `manager`: whom the owner reports to."""

    task: StaffTaskFacts
    account_id: str
    company: str
    country: str
    time_zone: str
    owner: StaffFacts
    success_manager: StaffFacts
    manager: StaffFacts | None = None
    by_playbook: bool = False
    """a step of the customer's journey tells somebody else of it, on a day that their playbook says"""

    def morning_after(self, at: datetime) -> datetime:
        """Nine o'clock of the first business day after an instant, where the customer is."""
        day = business_day_from(local_day(at, self.time_zone) + timedelta(days=1), self.country)
        return local_instant(day, self.time_zone)

    def in_the_morning(self, at: datetime) -> bool:
        """True from nine to noon on a business day, where the customer is."""
        local = local_time(at, self.time_zone)
        return OPENS <= local.time() < NOON and is_business_day(local.date(), self.country)

    @property
    def due_on(self) -> str:
        """The day from which it is late, where the customer is."""
        return str(local_day(self.task.counts_from, self.time_zone))

    @property
    def escalates_at(self) -> datetime | None:
        """When somebody else hears that it is still open; at once if whoever has it has left, and not from here if the playbook sees to it."""
        task = self.task
        if task.person.left_at is not None:
            return task.counts_from
        return None if self.by_playbook else self.morning_after(task.counts_from)

    @property
    def next_person(self) -> StaffFacts | None:
        """Who hears of it then: the owner of the customer, of what is the owner's their manager, else the success manager; null if
        nobody else is there."""
        others = (self.owner, self.manager, self.success_manager)
        there = (one for one in others if one is not None and one.left_at is None)
        return next((one for one in there if one.staff_id != self.task.person.staff_id), None)

    def told_at(self, as_of: datetime) -> bool | None:
        """What is to be told of it at `as_of`: that it is due (false), or still open (true); null if nothing is, or was already. What is
        late for long is told once, not twice."""
        task = self.task
        if task.state(as_of) is not TaskState.OPEN or as_of < task.counts_from or task.escalated_at is not None:
            return None
        if self.escalates_at is None or as_of < self.escalates_at:
            return None if task.reminded_at is not None else False
        return True


class FollowUp(Carried):
    """What one person is told of tasks of a customer, once: that they are due, or that they are still open (`escalated`)."""

    tasks: list[OwedTask]
    escalated: bool
    to: StaffFacts
    title: str
    lines: list[str]
    due: datetime

    @property
    def acts(self) -> tuple[str, ...]:
        """What it offers: of one task by what it ends, of several the customer's page, which has them all."""
        return acts_of(self.tasks[0].task) if len(self.tasks) == 1 else ()


def follow_ups(owed: Sequence[OwedTask], as_of: datetime) -> list[FollowUp]:
    """What is to be told of a customer's tasks at `as_of`: one notice for each who is told; none if nobody is at work."""
    groups: dict[tuple[bool, str], tuple[StaffFacts, list[OwedTask]]] = {}
    for one in sorted(owed, key=lambda one: (one.task.counts_from, one.task.task_id)):
        late = one.told_at(as_of) if one.in_the_morning(as_of) else None
        if late is None:
            continue
        to = (one.next_person or one.task.person) if late else one.task.person
        groups.setdefault((late, to.staff_id), (to, []))[1].append(one)
    return [
        _escalation(to, tasks, as_of) if late else _reminder(to, tasks) for (late, _), (to, tasks) in groups.items()
    ]


def _reminder(to: StaffFacts, tasks: list[OwedTask]) -> FollowUp:
    first = tasks[0]
    at, then = first.escalates_at, first.next_person
    further = (
        [f"If it is still open on {local_day(at, first.time_zone)}, {then.name} hears of it."] if then and at else []
    )
    title = f"Due now: {_counted(tasks)}"
    lines = [f"Why: {first.task.reason}"] if len(tasks) == 1 else [_named(one) for one in tasks]
    due = at or first.morning_after(first.task.counts_from)
    return FollowUp(tasks=tasks, escalated=False, to=to, title=title, lines=[*lines, *further, _asks(tasks)], due=due)


def _escalation(to: StaffFacts, tasks: list[OwedTask], as_of: datetime) -> FollowUp:
    first = tasks[0]
    title = f"Still to be done: {_counted(tasks)}"
    whose = [f"It was due on {first.due_on} and is up to {first.task.person.name}.", f"Why: {first.task.reason}"]
    lines = whose if len(tasks) == 1 else [_whose(one) for one in tasks]
    due = first.morning_after(as_of)
    return FollowUp(tasks=tasks, escalated=True, to=to, title=title, lines=[*lines, _asks(tasks)], due=due)


def _counted(tasks: list[OwedTask]) -> str:
    return tasks[0].task.title if len(tasks) == 1 else f"{len(tasks)} tasks"


def _asks(tasks: list[OwedTask]) -> str:
    return how(tasks[0].task) if len(tasks) == 1 else _ONCE_DONE


def _named(owed: OwedTask) -> str:
    return f"Due on {owed.due_on}: {owed.task.title}"


def _whose(owed: OwedTask) -> str:
    return f"Due on {owed.due_on}, up to {owed.task.person.name}: {owed.task.title}"


def how(task: StaffTaskFacts) -> str:
    """What is asked of whoever has a task."""
    return "Please approve or reject it." if task.key.startswith(f"{APPROVAL_TASK}/") else _ONCE_DONE


def acts_of(task: StaffTaskFacts) -> tuple[str, ...]:
    """By what a task ends, or goes to somebody else."""
    hand_over = act("hand_over_staff_task", task_id=task.task_id)
    if task.key.startswith(f"{APPROVAL_TASK}/"):
        return (act("approve_renewal", contract_id=task.key.removeprefix(f"{APPROVAL_TASK}/")), hand_over)
    return (act("finish_staff_task", task_id=task.task_id), hand_over)
