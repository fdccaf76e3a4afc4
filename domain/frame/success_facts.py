"""What is on record of a customer's onboarding, use, offers, surveys and health."""

from __future__ import annotations

from datetime import date
from decimal import Decimal
from enum import StrEnum

from pydantic import AwareDatetime

from domain.kernel.base import Carried


class OnboardingTaskStatus(StrEnum):
    """Where a promised task stands; one that is past was due before the import and never acted on, or is not wanted any more."""

    OPEN = "open"
    DONE = "done"
    PAST = "past"


class TaskFacts(Carried):
    """An onboarding task and where it stands.

    turn: how often its date was set anew, last at `dated_at`. held_at: when a step of its was held, as something else comes first.
    waits_for: whom it waits for, `customer` or `us`, `blocks` being how often it has waited.
    """

    stage: str
    name: str
    title: dict[str, str]
    owner: str
    due_on: date
    due_at: AwareDatetime
    status: OnboardingTaskStatus
    completed_at: AwareDatetime | None = None
    evidence: str = ""
    turn: int = 0
    dated_at: AwareDatetime | None = None
    invited_at: AwareDatetime | None = None
    held_at: AwareDatetime | None = None
    waits_for: str | None = None
    waits_since: AwareDatetime | None = None
    waits_why: str = ""
    blocks: int = 0
    over: bool = False
    """what was sold has ended, or the journey was closed since"""

    @property
    def is_open(self) -> bool:
        """True while somebody has to do it."""
        return self.status == OnboardingTaskStatus.OPEN


class UsageFacts(Carried):
    """Use of one product up to now: means of daily active users over the last 28 days and the 28 before; null without data.
    `since`: the first day of those that was reported."""

    product: str
    latest_day: date
    recent: Decimal | None
    earlier: Decimal | None
    last: Decimal
    since: date | None = None


class OfferStatus(StrEnum):
    """Where an offer stands."""

    OPEN = "open"
    ACCEPTED = "accepted"
    DECLINED = "declined"
    EXPIRED = "expired"


class OfferFacts(Carried):
    """An offer of more units of an asset."""

    offer_id: str
    asset_id: str
    add: int
    unit_price: Decimal
    status: OfferStatus
    offered_at: AwareDatetime
    expires_at: AwareDatetime

    @property
    def is_open(self) -> bool:
        """True while it waits for an answer."""
        return self.status == OfferStatus.OPEN


class SurveyFacts(Carried):
    """A survey that went out, to the address `sent_to` in lower case, and its answer if there is one, first given at `answered_at`."""

    survey_id: str
    sent_at: AwareDatetime
    sent_to: str | None = None
    score: int | None = None
    answered_at: AwareDatetime | None = None


class ReferenceFacts(Carried):
    """A question whether they would be a reference, and its answer, `yes` or `no`, if there is one."""

    reference_id: str
    contact_id: str
    sent_at: AwareDatetime
    answer: str | None = None


class HealthFacts(Carried):
    """A recorded health score."""

    at: AwareDatetime
    score: int | None
    band: str
