"""What a service policy promises: its milestones with their targets, and what happens before, at and after each."""

from __future__ import annotations

from datetime import timedelta
from enum import StrEnum

from pydantic import Field, model_validator

from domain.frame.case_words import Priority
from domain.kernel.base import Carried
from domain.kernel.business_errors import ServiceRuleError


class ActionClass(StrEnum):
    """When an action of a milestone is wanted."""

    WARNING = "warning"
    """before the target, while nothing is done yet"""
    VIOLATION = "violation"
    """at the target or after it"""
    SUCCESS = "success"
    """at the completion in time"""


class ActionKind(StrEnum):
    """What an action does."""

    TASK = "task"
    MAIL = "mail"
    FIELD_CHANGE = "field_change"
    CALL_OUT = "call_out"
    PLAYBOOK = "playbook"


class MilestoneAction(Carried):
    """One action of a milestone, at a share of its target or some open time before or after it.

    `percent` counts from the start of the milestone (75: three quarters of the target used up, 150: half of it again);
    `offset` counts from the target, below zero before it. Both are business time, and only one of them may be given.
    """

    name: str
    when: ActionClass
    does: ActionKind
    percent: int | None = Field(default=None, gt=0)
    offset: timedelta = timedelta(0)
    recipients: tuple[str, ...] = ()
    template: str | None = None

    @model_validator(mode="after")
    def _on_its_side(self) -> MilestoneAction:
        if self.percent is not None and self.offset:
            raise ServiceRuleError(f"the action {self.name!r} has a percentage and an offset; give one of them")
        early = self.offset < timedelta(0) if self.percent is None else self.percent < 100
        if self.when is ActionClass.WARNING and not early:
            raise ServiceRuleError(f"the warning {self.name!r} lies at or after the target; give under 100 percent")
        if self.when is ActionClass.VIOLATION and early:
            raise ServiceRuleError(f"the violation {self.name!r} lies before the target; give 100 percent or more")
        return self


class MilestoneKind(StrEnum):
    """What a milestone promises, which says what starts and what completes it."""

    FIRST_RESPONSE = "first_response"
    """from the creation to the first answer by a human that the customer can see"""
    NEXT_RESPONSE = "next_response"
    """from the first unanswered customer message to the next answer"""
    CUSTOMER_UPDATE = "customer_update"
    """news for the customer in a fixed rhythm, for as long as the case runs"""
    RESOLUTION = "resolution"
    """from the creation to the resolution"""
    CUSTOM = "custom"
    """from one named event to another"""


class Recurrence(StrEnum):
    """Whether a milestone comes again; at most one of its occurrences is active at a time."""

    NONE = "none"
    INDEPENDENT = "independent"
    """a new occurrence starts when the criteria match again"""
    SEQUENTIAL = "sequential"
    """as independent, but not before the previous occurrence's target: finishing early keeps the rhythm"""


class Milestone(Carried):
    """The definition of one milestone in a policy. A priority without a target has no such milestone."""

    name: str
    kind: MilestoneKind
    targets: dict[Priority, timedelta] = Field(default_factory=dict)
    recurrence: Recurrence | None = None
    pausable: bool | None = None
    starts_with: str | None = None
    completes_with: str | None = None
    from_creation: bool = True
    calendar_id: str | None = None
    order: int = 0
    actions: tuple[MilestoneAction, ...] = ()

    @property
    def recurs(self) -> Recurrence:
        """The recurrence, by default that of the kind."""
        return self.recurrence or _RECURRENCE.get(self.kind, Recurrence.NONE)

    @property
    def stops_on_pause(self) -> bool:
        """Whether pauses stop it; by default all but the first response, which nobody may dodge by parking the case."""
        return self.kind is not MilestoneKind.FIRST_RESPONSE if self.pausable is None else self.pausable


_RECURRENCE = {
    MilestoneKind.NEXT_RESPONSE: Recurrence.INDEPENDENT,
    MilestoneKind.CUSTOMER_UPDATE: Recurrence.SEQUENTIAL,
}
