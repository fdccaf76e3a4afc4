"""What decisions about onboarding, use, offers and surveys write."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, datetime
from decimal import Decimal
from typing import Any

from domain.frame.success_facts import OfferStatus, OnboardingTaskStatus
from domain.kernel.base import Write


@dataclass(frozen=True)
class OpenOnboardingTask(Write):
    """An onboarding task is promised."""

    stage: str
    name: str
    title: dict[str, str]
    owner: str
    due_on: date
    due_at: datetime
    status: OnboardingTaskStatus = OnboardingTaskStatus.OPEN


@dataclass(frozen=True)
class CompleteOnboardingTask(Write):
    """An onboarding task is done; `value` marks the customer's first value."""

    stage: str
    name: str
    at: datetime
    by: str
    evidence: str = ""
    value: bool = False


@dataclass(frozen=True)
class NoteOutcome(Write):
    """What a task that is done has brought, told later."""

    stage: str
    name: str
    evidence: str


@dataclass(frozen=True)
class InviteToTask(Write):
    """The customer is written to about a task."""

    stage: str
    name: str
    at: datetime


@dataclass(frozen=True)
class HoldTask(Write):
    """What came due of a task is not done, as something else comes first."""

    stage: str
    name: str
    at: datetime


@dataclass(frozen=True)
class DateTask(Write):
    """A task that is open has a date of its own from now on, or its steps begin anew for the same one; it waits for nobody."""

    stage: str
    name: str
    at: datetime
    due_on: date
    due_at: datetime
    turn: int
    was_due_on: date
    reason: str
    by: str


@dataclass(frozen=True)
class KeepTaskWaiting(Write):
    """A task waits for the customer or for us."""

    stage: str
    name: str
    at: datetime
    waits_for: str
    reason: str
    by: str


@dataclass(frozen=True)
class LetTaskGoOn(Write):
    """A task does not wait any more."""

    stage: str
    name: str
    at: datetime
    reason: str
    by: str


@dataclass(frozen=True)
class OpenTaskAgain(Write):
    """A task that was done too early is open again; `value`: it had been the customer's first value."""

    stage: str
    name: str
    at: datetime
    reason: str
    by: str
    value: bool = False


@dataclass(frozen=True)
class DropOnboarding(Write):
    """What is still open of an onboarding will not be done any more."""

    stage: str


@dataclass(frozen=True)
class DropTask(Write):
    """An onboarding task will not be done any more, as somebody said for a reason."""

    stage: str
    name: str
    by: str
    reason: str


@dataclass(frozen=True)
class RecordHealth(Write):
    """A health score with everything that explains it; `told_at`: when the journey heard of its news."""

    at: datetime
    score: int | None
    band: str
    parts: list[dict[str, Any]]
    profile: str
    profile_version: int
    why: str
    cause: str
    rules: list[dict[str, str]]
    trend: dict[str, Any] | None
    since: datetime
    news: str | None
    told_at: datetime


@dataclass(frozen=True)
class TellHealth(Write):
    """The journey has heard of all scores up to an instant."""

    until: datetime
    at: datetime


@dataclass(frozen=True)
class RecordHealthOverride(Write):
    """What a person says the health is, until an instant."""

    override_id: str
    band: str
    reason: str
    by: str
    since: datetime
    until: datetime


@dataclass(frozen=True)
class MakeOffer(Write):
    """An offer of more units."""

    offer_id: str
    asset_id: str
    add: int
    unit_price: Decimal
    currency: str
    mrr_change: Decimal
    at: datetime
    expires_at: datetime


@dataclass(frozen=True)
class SettleOffer(Write):
    """An offer is accepted, declined or expired."""

    offer_id: str
    status: OfferStatus
    reason: str
    at: datetime


@dataclass(frozen=True)
class SendSurvey(Write):
    """A survey goes out, to the address `sent_to` in lower case."""

    survey_id: str
    kind: str
    at: datetime
    sent_to: str


@dataclass(frozen=True)
class AskReference(Write):
    """A customer is asked to be a reference, by a mail to `sent_to`."""

    reference_id: str
    contact_id: str
    sent_to: str
    at: datetime


@dataclass(frozen=True)
class RecordReferenceAnswer(Write):
    """They would be one, or not."""

    reference_id: str
    answer: str
    comment: str
    at: datetime


@dataclass(frozen=True)
class RecordSurveyAnswer(Write):
    """A survey is answered."""

    survey_id: str
    score: int
    comment: str
    at: datetime
