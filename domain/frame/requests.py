"""What people and services may ask of a journey by update: one model each, with who asks."""

from __future__ import annotations

import re
from datetime import date
from enum import StrEnum
from typing import Annotated, Any, Literal, Self, TypeVar

from pydantic import AfterValidator, AwareDatetime, Field, StringConstraints, ValidationError, model_validator

from domain.kernel.base import Received
from domain.kernel.calendar import within_reach
from domain.kernel.ids import ContractRef
from domain.kernel.refusals import INVALID_REQUEST, Refusal

_PRINTABLE = r"^[^\x00-\x08\x0b\x0c\x0e-\x1f\x7f]*$"
Reason = Annotated[str, StringConstraints(min_length=1, max_length=500, pattern=_PRINTABLE)]
Remark = Annotated[str, StringConstraints(max_length=2000, pattern=_PRINTABLE)]


class Request(Received):
    """Common to all: `request_id` makes a repetition harmless (default: the update's id); `by` is an opaque id of who asks."""

    request_id: Annotated[str, StringConstraints(pattern=r"^[\w.:-]{1,120}$")] | None = None
    by: Annotated[str, StringConstraints(pattern=r"^[\w.:-]{1,64}$")] = "operator"


class CustomerDecision(StrEnum):
    """A customer's answer to a quote or an offer."""

    ACCEPT = "accept"
    DECLINE = "decline"


class CompleteTask(Request):
    """An onboarding task is done. `order_id` is needed only while several onboardings are open."""

    task: Annotated[str, StringConstraints(pattern=r"^[a-z][a-z0-9_]{0,30}$")]
    order_id: str | None = None
    evidence: Remark = ""


class AnswerRenewal(Request):
    """The customer renews a contract or does not. A refusal needs its reason."""

    contract_id: ContractRef
    decision: CustomerDecision
    reason: Remark = ""

    @model_validator(mode="after")
    def _says_why_not(self) -> Self:
        if self.decision is CustomerDecision.DECLINE and not self.reason:
            raise ValueError(
                "a declined renewal needs its reason, such as price, value, product_gap, service or business_closed"
            )
        return self


class RequestRenewal(Request):
    """The customer asks for a renewal of their own accord: its quote goes out, and waits for their answer."""

    contract_id: ContractRef


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


class PauseJourney(Request):
    """Nothing is done by itself until `until`, or until it is resumed. Requests are still answered."""

    reason: Reason
    until: Annotated[AwareDatetime, AfterValidator(within_reach)] | None = None


class ResumeJourney(Request):
    """The agenda goes on: what came due meanwhile and what was set aside is looked at again. What is still of use is planned
    for the promised hours, the rest is dropped with a line in the journal."""


_STEP_KEY = re.compile(r"[^\s/]{1,150}/\S{1,100}")


def _step_key(value: str) -> str:
    if not _STEP_KEY.fullmatch(value):
        raise ValueError(
            f"{value[:80]!r} is no step's key such as 'adoption/check-in-2027-03-12'; briefing and `perennial journey show`"
            " say those there are, in brackets"
        )
    return value


StepKey = Annotated[str, AfterValidator(_step_key)]


class RetryDeliveries(Request):
    """Whatever is on its way out and waits for its next try is tried now, what is stuck, too."""


class SkipStep(Request):
    """A planned or parked step is left out, for good; `step` is its key, as the briefing and `perennial journey show` say it."""

    step: StepKey
    reason: Reason


class RescheduleStep(Request):
    """A planned or parked step is moved to the morning of `day`, or of the next business day after it."""

    step: StepKey
    day: Annotated[date, AfterValidator(within_reach)]
    reason: Remark = ""


class CloseJourney(Request):
    """The customer's journey ends: nothing more will be done."""

    reason: Reason


class UsageChanged(Received):
    """A signal: usage crossed a threshold. The figures are in the facts; `id` names the report."""

    id: Annotated[str, StringConstraints(pattern=r"^[\w.:-]{1,64}$")]
    at: AwareDatetime
    level: Literal["low", "usual", "high"]


_Request = TypeVar("_Request", bound=Request)


def read_request(model: type[_Request], document: Any) -> _Request:
    """The request in a JSON document. Raises `Refusal` (InvalidRequest) that names each field that is wrong."""
    if refused := Refusal.of_characters(INVALID_REQUEST, "the request cannot be read", document):
        raise refused
    try:
        return model.model_validate(document)
    except ValidationError as error:
        raise Refusal.from_validation(INVALID_REQUEST, "the request cannot be read", error) from None
