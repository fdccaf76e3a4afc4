"""What a playbook promises about overdue invoices: reminders that grow firmer, and a person at the end."""

from __future__ import annotations

from enum import StrEnum
from typing import Annotated, Self

from pydantic import Field, model_validator

from domain.kernel.base import Received


class DunningTone(StrEnum):
    """How a reminder is written."""

    FRIENDLY = "friendly"
    FIRM = "firm"
    FINAL = "final"


class DunningHand(StrEnum):
    """Who takes over."""

    FINANCE = "finance"
    """whoever has that role, or else the owner"""
    OWNER = "owner"


class DunningStep(Received):
    """So many days `after` an invoice is overdue: a mail in a `tone`, or a `task` for a person."""

    after: Annotated[int, Field(ge=0, le=366)]
    tone: DunningTone | None = None
    task: DunningHand | None = None

    @model_validator(mode="after")
    def _is_one_of_both(self) -> Self:
        if (self.tone is None) == (self.task is None):
            raise ValueError("give a tone, for a mail, or a task, for a person; not both")
        return self


class DunningLadder(Received):
    """The steps, in the order of their days, counted from the oldest invoice that is overdue. Without any nobody is reminded.

    A step waits `put_off_days` at a time while a refund is disputed, a case is about the invoice, or somebody holds sales back by hand.
    """

    steps: Annotated[tuple[DunningStep, ...], Field(max_length=10)] = (
        DunningStep(after=3, tone=DunningTone.FRIENDLY),
        DunningStep(after=10, tone=DunningTone.FIRM),
        DunningStep(after=20, tone=DunningTone.FINAL),
        DunningStep(after=30, task=DunningHand.FINANCE),
    )
    put_off_days: Annotated[int, Field(ge=1, le=30)] = 3

    @model_validator(mode="after")
    def _rises(self) -> Self:
        days = [step.after for step in self.steps]
        if days != sorted(set(days)):
            raise ValueError("the days of the steps must rise, each day once")
        return self
