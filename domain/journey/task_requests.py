"""What can be asked about the tasks of our people: one model for each update."""

from __future__ import annotations

from datetime import date
from typing import Annotated, Literal

from pydantic import StringConstraints

from domain.holds.requests import StaffName
from domain.kernel.ids import StaffRef
from domain.kernel.requests import Reason, Remark, Request


class TaskRequest(Request):
    """Common to all: whose word it is, and on which task.

    `by` is whoever has the task, or owns or looks after the customer; anybody else of our people says `role` `manager`.
    """

    by: StaffName
    task_id: Annotated[str, StringConstraints(pattern=r"^[0-9a-z-]{1,64}$")]
    role: Literal["manager"] | None = None


class FinishStaffTask(TaskRequest):
    """A task of our people is done: `outcome` says what came of it.

    What it stands for ends with it, such as the help that was offered. A task that only a fact can end is refused, and the refusal
    says what to ask instead.
    """

    outcome: Reason


class SnoozeStaffTask(TaskRequest):
    """A task of our people rests until nine o'clock of a day: nobody is reminded of it and it goes to nobody else before."""

    until: date
    reason: Remark = ""


class HandOverStaffTask(TaskRequest):
    """A task of our people goes to somebody else, who hears of it with `reason`, what is known, and the day it is due."""

    to: StaffRef
    reason: Remark = ""


class ReopenStaffTask(TaskRequest):
    """A task of our people that was over is open again, with its history; `due` is its new day, in two days by default."""

    reason: Reason
    due: date | None = None
