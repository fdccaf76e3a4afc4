"""The steps that come of an onboarding task, each with the ending of its name: one list, from which their words are made, what falls
away with a task that is done, and what becomes of them after a pause. Pure."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date

from domain.frame.situation import Situation
from domain.frame.state import Step


@dataclass(frozen=True)
class TaskStep:
    """One of them.

    row: what it does, in the Temporal UI. named: the step itself, as it is spoken of. among_us: true if only our people read what
    it says, so that it leaves before all that customers read after a pause.
    """

    kind: str
    ending: str
    row: str
    named: str
    among_us: bool = False

    def name(self, task: str, turn: int = 0, number: int = 0) -> str:
        """Of the `turn` in which its date was set, and of so many of the kind in it: `kickoff-remind`, `kickoff-remind.1`,
        `kickoff-again.0.2`."""
        of_turn = f".{turn}" if turn or number else ""
        return f"{task}{self.ending}{of_turn}" + (f".{number}" if number else "")

    def key(self, stage: str, task: str, turn: int = 0) -> str:
        return f"{stage}/{self.name(task, turn)}"

    def on(self, situation: Situation, stage: str, task: str, day: date, turn: int = 0, number: int = 0) -> Step:
        """The step of a task at 9 o'clock on `day`, moved to a business day."""
        return situation.step(self.kind, stage, self.name(task, turn, number), day)


INVITATION = TaskStep("onboarding_invite", "-invite", "Invitation to {task}", "invitation to {}")
REMINDER = TaskStep("onboarding_reminder", "-remind", "Reminder of {task}", "reminder of {}")
OVERDUE = TaskStep("onboarding_overdue", "-again", "Reminder after the date: {task}", "reminder after the date of {}")
ESCALATION = TaskStep("onboarding_escalation", "-escalate", "Task is late: {task}", "{} is late", among_us=True)
BLOCKED = TaskStep(
    "onboarding_blocked", "-blocked", "Task has waited for long: {task}", "{} has waited for long", among_us=True
)

TASK_STEPS = (INVITATION, REMINDER, OVERDUE, ESCALATION, BLOCKED)
"""All of them; a new one is one line more."""


def task_of(name: str) -> str:
    """The task behind a step's name, of whatever turn."""
    name = name.partition(".")[0]
    for step in TASK_STEPS:
        name = name.removesuffix(step.ending)
    return name


def keys_of(stage: str, task: str) -> list[str]:
    """The keys of all steps that a task may have, of every turn (the beginning and a *): what falls away with it."""
    return [f"{step.key(stage, task)}*" for step in TASK_STEPS]
