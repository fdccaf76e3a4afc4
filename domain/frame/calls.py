"""What the activities of a journey are asked: steps, requests, deliveries."""

from __future__ import annotations

from datetime import date
from typing import Any

from pydantic import AwareDatetime

from domain.frame.state import Outcome, Step
from domain.kernel.base import Carried
from domain.kernel.refusals import Problem, Refusal


class StepCall(Carried):
    """The input of a step's activity."""

    account_id: str
    step: Step
    as_of: AwareDatetime
    kept: list[date] = []
    """the local days of the check-ins that are to come"""
    near: list[Step] = []
    """the steps of the next days that send one optional mail and nothing else"""


class Barred(Carried):
    """A refusal on its way to whoever knows whether the request was done before."""

    type: str
    says: str
    problems: list[Problem] = []

    def refusal(self) -> Refusal:
        """The refusal itself."""
        refused = Refusal(self.type, self.says)
        refused.problems = tuple(self.problems)
        return refused


class RequestCall(Carried):
    """The input of a request's activity. `run` and `repeated` tell a retry of this very call from a request sent again."""

    account_id: str
    request_id: str
    body: dict[str, Any]
    as_of: AwareDatetime
    run: str
    repeated: bool = False
    opening: bool = False
    """true while the journey has no agenda yet: what the facts know of the customer is planned anew"""
    steps: list[Step] = []
    """the steps that the request is about: what is overdue for one that resumes, the one that is named"""
    barred: Barred | None = None
    """what the journey's own state says against it, unless it was done before"""
    update_id: str = ""
    """of what may be more in a higher role; empty as releases before wrote it, whose requests counted as they said"""


class Together(Carried):
    """What came of deliveries that were taken out at once, by their ids: outcomes, and reasons of what failed for good. What is in
    neither could not leave yet, and is tried by itself."""

    outcomes: dict[str, Outcome] = {}
    failed: dict[str, str] = {}
