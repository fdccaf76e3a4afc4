"""When the steps of an onboarding task come: its invitation, its reminders before and after the date, its escalation, and what comes
of a task that waits for somebody. Pure."""

from __future__ import annotations

from datetime import date, datetime, timedelta

from domain.frame.playbook import OnboardingTask, TaskOwner
from domain.frame.situation import Situation
from domain.frame.state import Step
from domain.frame.success_facts import TaskFacts
from domain.frame.task_steps import BLOCKED, ESCALATION, INVITATION, OVERDUE, REMINDER


def kind_of_own(task: OnboardingTask) -> str:
    """The kind of the step by which the system does a task of its own."""
    return "onboarding_provisioning" if task.provisions else "onboarding_mail"


def reminder(situation: Situation, stage: str, task: OnboardingTask, due_on: date, turn: int = 0) -> Step:
    """The reminder of a task, some days before it is due."""
    day = due_on - timedelta(days=task.remind_before)
    return REMINDER.on(situation, stage, task.name, max(day, situation.today), turn)


def after_invitation(situation: Situation, stage: str, task: OnboardingTask, due_on: date, turn: int = 0) -> Step:
    """The reminder that follows an invitation of today; who was invited late has as many days to answer as others."""
    if due_on < situation.today:
        due_on = situation.in_days(2 * task.remind_before)
    return reminder(situation, stage, task, due_on, turn)


def late_steps(
    situation: Situation, stage: str, task: OnboardingTask, facts: TaskFacts, since: date | None = None
) -> list[Step]:
    """What comes next of a task that stays open: one more reminder, as long as the playbook has some after `since` (today, by default);
    then a person takes over. The system needs no reminder."""
    after = since or situation.today
    again = task.remind_again if task.owner is not TaskOwner.SYSTEM else ()
    for days in again:
        day = facts.due_on + timedelta(days=days)
        if day > after and days < task.escalate_after:
            return [OVERDUE.on(situation, stage, task.name, max(day, situation.in_days(1)), facts.turn, days)]
    day = max(facts.due_on + timedelta(days=task.escalate_after), situation.in_days(1))
    return [ESCALATION.on(situation, stage, task.name, day, facts.turn)]


def steps_of_turn(situation: Situation, stage: str, task: OnboardingTask, facts: TaskFacts) -> list[Step]:
    """What comes first once the date of a task was set anew: the invitation if there was none, else the reminder; at once what the
    system does itself."""
    if task.owner is TaskOwner.SYSTEM:
        name = f"{task.name}.{facts.turn}"
        if facts.due_on <= situation.today:
            return [situation.step_soon(kind_of_own(task), stage, name)]
        return [situation.step(kind_of_own(task), stage, name, facts.due_on)]
    if facts.invited_at is None and task.invite_after is not None:
        day = facts.due_on - timedelta(days=task.due_after - task.invite_after)
        return [INVITATION.on(situation, stage, task.name, max(day, situation.today), facts.turn)]
    return [reminder(situation, stage, task, facts.due_on, facts.turn)]


def too_long(situation: Situation, stage: str, facts: TaskFacts, since: datetime) -> Step:
    """The look at a task that has waited for more business days than the playbook allows. facts: with the number of this wait."""
    day = situation.customer.day_of(since)
    for _ in range(situation.playbook.onboarding.blocked_days + 1):
        day = situation.customer.morning(day + timedelta(days=1))[1]
    return BLOCKED.on(situation, stage, facts.name, day, number=facts.blocks)
