"""What is on record of a customer's onboarding, use, offers, surveys and health."""

from __future__ import annotations

from datetime import date
from decimal import Decimal

from pydantic import AwareDatetime

from domain.kernel.base import Carried


class TaskFacts(Carried):
    """An onboarding task and where it stands: open, done or past (due before the import, never acted on)."""

    stage: str
    name: str
    title: dict[str, str]
    owner: str
    due_on: date
    due_at: AwareDatetime
    status: str
    completed_at: AwareDatetime | None = None


class UsageFacts(Carried):
    """Use of one product up to now: means of daily active users over the last 28 days and the 28 before; null without data."""

    product: str
    latest_day: date
    recent: Decimal | None
    earlier: Decimal | None
    last: Decimal


class OfferFacts(Carried):
    """An offer of more units of an asset. `status`: open, accepted, declined or expired."""

    offer_id: str
    asset_id: str
    add: int
    unit_price: Decimal
    status: str
    offered_at: AwareDatetime
    expires_at: AwareDatetime


class SurveyFacts(Carried):
    """A survey that went out, to the address `sent_to` in lower case, and its answer if there is one, first given at `answered_at`."""

    survey_id: str
    sent_at: AwareDatetime
    sent_to: str | None = None
    score: int | None = None
    answered_at: AwareDatetime | None = None


class HealthFacts(Carried):
    """A recorded health score."""

    at: AwareDatetime
    score: int | None
    band: str
