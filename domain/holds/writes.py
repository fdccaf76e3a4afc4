"""What decisions about holds and leads write. Carried out in the decision's own transaction."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from domain.frame.sales_holds import HoldLevel, HoldReason, Override, Purpose
from domain.frame.service_facts import LeadStatus
from domain.frame.state import Step
from domain.holds.holds import Hold
from domain.kernel.base import Write


@dataclass(frozen=True)
class KeepHolds(Write):
    """The holds that follow from the facts now; those on record that are not among them are lifted."""

    holds: tuple[Hold, ...]


@dataclass(frozen=True)
class PlaceManualHold(Write):
    """A hold that a person places."""

    hold_id: str
    level: HoldLevel
    says: str
    product: str | None
    until: datetime | None
    by: str
    reason: HoldReason = HoldReason.MANUAL


@dataclass(frozen=True)
class LiftManualHold(Write):
    """A hold that a person lifts."""

    hold_id: str
    by: str


@dataclass(frozen=True)
class RecordOverride(Write):
    """A named person reaches the customer in spite of the holds of these cases."""

    override: Override
    case_ids: tuple[str, ...]


@dataclass(frozen=True)
class RecordAcknowledgement(Write):
    """Somebody has read why the customer is held."""

    source: str
    by: str


@dataclass(frozen=True)
class RecordRelease(Write):
    """A renewal may, or may not, be talked about while a case is open."""

    release_id: str
    case_id: str
    by: str
    role: str
    released: bool
    reason: str


@dataclass(frozen=True)
class ReleaseMails(Write):
    """Held mails go out after all."""

    delivery_ids: tuple[str, ...]


@dataclass(frozen=True)
class WithdrawMail(Write):
    """A held mail is not worth sending any more."""

    delivery_id: str
    reason: str


@dataclass(frozen=True)
class HoldBackStep(Write):
    """A step of the journey waits until the holds allow it."""

    step: Step
    purpose: Purpose
    product: str | None = None


@dataclass(frozen=True)
class RewriteMail(Write):
    """A mail that waits says something else: these fields of its message are as they are here."""

    delivery_id: str
    body: dict[str, Any]


@dataclass(frozen=True)
class ForgetHeldSteps(Write):
    """Steps that waited, by key or its beginning and a *, wait no longer."""

    key: str


@dataclass(frozen=True)
class NoteOnCase(Write):
    """A line in a case's own history: what sales did that its owner should know of."""

    case_id: str
    name: str
    by: str
    detail: dict[str, Any] = field(default_factory=dict)


@dataclass(frozen=True)
class RecordTold(Write):
    """Somebody who saw a case was told that it is over."""

    case_id: str
    staff_id: str


@dataclass(frozen=True)
class NoteChased(Write):
    """Whoever has to call an unhappy customer was reminded, or it went to somebody else (`escalated`)."""

    source: str
    escalated: bool


@dataclass(frozen=True)
class NoteReminded(Write):
    """The owner was reminded of a case that goes on holding sales back."""

    case_id: str


@dataclass(frozen=True)
class FileLead(Write):
    """A lead that service found. `routed_to` is `owner` or `success_manager`; null while it is held back."""

    lead_id: str
    contact_id: str
    product: str
    motion: str
    evidence: str
    case_id: str | None
    urgency: str
    status: LeadStatus
    sourced_by: str
    routed_to: str | None
    due_at: datetime | None
    offer_id: str | None = None
    consent: bool = True


@dataclass(frozen=True)
class AddEvidence(Write):
    """The same lead again: what was seen is added to the first one."""

    lead_id: str
    evidence: str


@dataclass(frozen=True)
class RouteLead(Write):
    """A lead goes to `to` (`owner` or `success_manager`), who has to answer until `due_at`."""

    lead_id: str
    to: str
    due_at: datetime
    again: bool = False


@dataclass(frozen=True)
class SettleLead(Write):
    """Where a lead stands by somebody's answer. `closed` ones are over, with the credit to `by`."""

    lead_id: str
    status: LeadStatus
    by: str
    reason: str
    closed: bool
    order_id: str | None = None


@dataclass(frozen=True)
class WarnOfLead(Write):
    """The case that a lead came from was reopened, and whoever has the lead was told."""

    lead_id: str
