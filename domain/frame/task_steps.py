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

    def name(self, task: str) -> str:
        return f"{task}{self.ending}"

    def key(self, stage: str, task: str) -> str:
        return f"{stage}/{self.name(task)}"

    def on(self, situation: Situation, stage: str, task: str, day: date) -> Step:
        """The step of a task at 9 o'clock on `day`, moved to a business day."""
        return situation.step(self.kind, stage, self.name(task), day)


INVITATION = TaskStep("onboarding_invite", "-invite", "Invitation to {task}", "invitation to {}")
REMINDER = TaskStep("onboarding_reminder", "-remind", "Reminder of {task}", "reminder of {}")
ESCALATION = TaskStep("onboarding_escalation", "-escalate", "Task is late: {task}", "{} is late", among_us=True)

TASK_STEPS = (INVITATION, REMINDER, ESCALATION)
"""All of them; a new one is one line more."""


def task_of(name: str) -> str:
    """The task behind a step's name."""
    for step in TASK_STEPS:
        name = name.removesuffix(step.ending)
    return name


def keys_of(stage: str, task: str) -> list[str]:
    """The keys of all steps that a task may have: what falls away with it."""
    return [step.key(stage, task) for step in TASK_STEPS]
