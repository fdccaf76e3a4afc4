"""What can be asked of a journey about onboarding, offers of more seats and surveys: one model for each update."""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import AwareDatetime, Field, StringConstraints

from domain.kernel.base import Received
from domain.kernel.requests import CustomerDecision, Remark, Request


class CompleteTask(Request):
    """An onboarding task is done. `order_id` is needed only while several onboardings are open."""

    task: Annotated[str, StringConstraints(pattern=r"^[a-z][a-z0-9_]{0,30}$")]
    order_id: str | None = None
    evidence: Remark = ""


class AnswerOffer(Request):
    """The customer takes an offer of more seats or does not."""

    offer_id: str
    decision: CustomerDecision
    reason: Remark = ""


class AnswerSurvey(Request):
    """A customer's score: 0 (would not recommend) to 10 (would)."""

    survey_id: str
    score: Annotated[int, Field(strict=True, ge=0, le=10)]
    comment: Remark = ""


class UsageChanged(Received):
    """A signal: usage crossed a threshold. The figures are in the facts; `id` names the report."""

    id: Annotated[str, StringConstraints(pattern=r"^[\w.:-]{1,64}$")]
    at: AwareDatetime
    level: Literal["low", "usual", "high"]
