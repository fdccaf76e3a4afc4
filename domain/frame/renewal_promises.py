"""What a playbook promises around the renewal of a contract beside its notices: our people's own steps, by the size of the deal."""

from __future__ import annotations

from collections.abc import Sequence
from decimal import Decimal
from enum import StrEnum
from typing import Annotated, Literal, Self

from pydantic import Field, model_validator

from domain.frame.renewal_facts import ChurnReason
from domain.kernel.base import Received
from domain.kernel.money import CurrencyCode

Before = Annotated[int, Field(ge=1, le=366)]


class Rung(StrEnum):
    """What our people do before a renewal."""

    DATA_CHECK = "data_check"
    RISK_REVIEW = "risk_review"
    MEETING = "meeting"
    PROPOSAL = "proposal"
    REMINDER = "reminder"
    LAST_CALL = "last_call"
    MID_TERM = "mid_term"


class LadderStep(Received):
    """A task `days` before the last day to decide, for the owner or the success manager, who has `within` days for it."""

    rung: Rung
    days: Before
    to: Literal["owner", "success_manager"] = "owner"
    within: Annotated[int, Field(ge=1, le=90)] = 5


def _steps(data_check: int) -> tuple[LadderStep, ...]:
    return (
        LadderStep(rung=Rung.DATA_CHECK, days=data_check),
        LadderStep(rung=Rung.RISK_REVIEW, days=90, to="success_manager", within=7),
        LadderStep(rung=Rung.MEETING, days=45, within=10),
        LadderStep(rung=Rung.PROPOSAL, days=30, within=3),
        LadderStep(rung=Rung.REMINDER, days=14, within=3),
        LadderStep(rung=Rung.LAST_CALL, days=7, within=2),
    )


class SaveOffer(Received):
    """What whoever declines for one of these `reasons` may be offered, once: so many percent off, if `role` or one above it approves."""

    reasons: tuple[ChurnReason, ...] = (ChurnReason.PRICE, ChurnReason.VALUE)
    percent: Annotated[Decimal, Field(gt=0, le=100)]
    role: Annotated[str, Field(min_length=1)] = "manager"


class Ladder(Received):
    """Tasks of our people before the last day on which a customer decides: the end of the term, or the day of notice if that is earlier.

    A contract that is worth `large_from` a year, or more, in its currency has the steps `large`. One that is sold for
    `review_from_months` or longer has a review in the middle of its term (0: none has).
    """

    steps: tuple[LadderStep, ...] = _steps(120)
    large: tuple[LadderStep, ...] = _steps(180)
    large_from: dict[CurrencyCode, Annotated[Decimal, Field(gt=0)]] = {
        "EUR": Decimal(50_000),
        "GBP": Decimal(50_000),
        "JPY": Decimal(7_500_000),
        "USD": Decimal(50_000),
    }
    review_from_months: Annotated[int, Field(ge=0, le=240)] = 24

    @model_validator(mode="after")
    def _falls(self) -> Self:
        for name, steps in (("steps", self.steps), ("large", self.large)):
            days = [step.days for step in steps]
            if days != sorted(set(days), reverse=True):
                raise ValueError(f"renewal.ladder.{name} must fall: the earliest step first, each day once")
            if any(step.rung is Rung.MID_TERM for step in steps):
                raise ValueError(f"renewal.ladder.{name}: mid_term follows from review_from_months; leave it out")
        return self

    def steps_for(self, arr: Decimal, currency: str) -> Sequence[LadderStep]:
        """The steps of a contract that is worth `arr` a year."""
        least = self.large_from.get(currency)
        return self.large if least is not None and arr >= least else self.steps
