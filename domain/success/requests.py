"""What can be asked of a journey about onboarding, offers of more seats and surveys: one model for each update."""

from __future__ import annotations

from datetime import date, timedelta
from typing import Annotated, Literal, Self

from pydantic import AwareDatetime, Field, StringConstraints, model_validator

from domain.kernel.base import Received
from domain.kernel.requests import CustomerDecision, Reason, Remark, Request
from domain.orders.order import Text

TaskName = Annotated[str, StringConstraints(pattern=r"^[a-z][a-z0-9_]{0,30}$")]


class CompleteTask(Request):
    """An onboarding task is done. `order_id` is needed only while several onboardings are open. `evidence`: what was reached, in a word
    or a figure; the task that stands for the first value is asked about until there is some, and takes it later as well."""

    task: TaskName
    order_id: str | None = None
    evidence: Remark = ""


class BlockTask(Request):
    """An onboarding task waits for the `customer` or for `us`. While it waits for the customer (one of theirs: for whomever), its date
    stands still and nobody is reminded; time to value goes on."""

    task: TaskName
    order_id: str | None = None
    waits_for: Literal["customer", "us"]
    reason: Reason


class UnblockTask(Request):
    """An onboarding task does not wait any more: its date moves by the days for which it stood still."""

    task: TaskName
    order_id: str | None = None
    note: Remark = ""


class ReopenMilestone(Request):
    """An onboarding task was not done after all. What was on record of it stays in its history. `due_on`: its new date, in a week by
    default. With go-live, what follows on that is taken back: the survey, if it was not sent yet, and the day of the next check-in."""

    task: TaskName
    order_id: str | None = None
    reason: Reason
    due_on: date | None = None


class AnswerOffer(Request):
    """The customer takes an offer of more seats or does not."""

    offer_id: str
    decision: CustomerDecision
    reason: Remark = ""


class Suggested(Received):
    """A product that `together` of the `buyers` of another product, `because`, have bought too; all by name."""

    product: Text
    because: Text
    together: Annotated[int, Field(ge=1)]
    buyers: Annotated[int, Field(ge=1)]

    @model_validator(mode="after")
    def _are_among_the_buyers(self) -> Self:
        if self.together > self.buyers:
            raise ValueError(f"together is {self.together} of {self.buyers} buyers; it cannot be more than all of them")
        return self


class ConsiderExpansion(Request):
    """Whether this customer is ready to be asked for more. If they are, their owner gets a task with the reason, once in a while.

    `suggested` is what customers who bought the same have bought too, the likeliest first; `perennial report cross-sell` has it.
    """

    suggested: Annotated[list[Suggested], Field(max_length=10)] = []


class AnswerSurvey(Request):
    """A customer's score: 0 (would not recommend us) to 10 (would), or of how easy it was to begin 1 (very hard) to 7 (very easy)."""

    survey_id: str
    score: Annotated[int, Field(strict=True, ge=0, le=10)]
    comment: Remark = ""


class AnswerReference(Request):
    """A customer whom we asked to be a reference would be one, or would rather not: then nobody asks again."""

    reference_id: str
    decision: Literal["yes", "no"]
    comment: Remark = ""


MOST_OVERRIDDEN = timedelta(days=30)
StaffId = Annotated[str, StringConstraints(pattern=r"^[\w.:-]{1,64}$")]


class OverrideHealth(Request):
    """A person knows better than the score: the band of health is what they say, for at most 30 days and until it ends or is overridden
    once more. Whoever declined or is in grace is never healthy, and a hold that blocks leaves watch at most.

    `until` or `days` says how long.
    """

    by: StaffId
    band: Literal["critical", "watch", "healthy"]
    reason: Reason
    days: Annotated[int, Field(ge=1, le=30)] | None = None
    until: AwareDatetime | None = None

    @model_validator(mode="after")
    def _ends(self) -> Self:
        if (self.days is None) == (self.until is None):
            raise ValueError("say how long: give days or until, not both")
        return self


class UsageChanged(Received):
    """A signal: usage crossed a threshold. The figures are in the facts; `id` names the report."""

    id: Annotated[str, StringConstraints(pattern=r"^[\w.:-]{1,64}$")]
    at: AwareDatetime
    level: Literal["low", "usual", "high"]


class HealthChanged(Received):
    """A signal: the daily look has found another band of health. The score is in the facts; `id` names it."""

    id: Annotated[str, StringConstraints(pattern=r"^[\w.:-]{1,64}$")]
    at: AwareDatetime
    band: Literal["critical", "watch", "healthy", "unknown"]
