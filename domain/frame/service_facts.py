"""What service knows of a customer, as far as sales has to heed it: cases, answers, holds on record, and what waits until they are over."""

from __future__ import annotations

from collections.abc import Mapping
from enum import StrEnum
from typing import Any

from pydantic import AwareDatetime

from domain.frame.case_words import RUNNING
from domain.frame.customer import StaffFacts
from domain.frame.flight import Channel
from domain.frame.sales_holds import (
    AskedBefore,
    CaseForHold,
    Feedback,
    HoldLevel,
    HoldReason,
    ManualHold,
    Override,
    Purpose,
)
from domain.frame.state import OpenCaseView, Step
from domain.kernel.base import Carried

EXCERPT = 60
WRITTEN_ANEW = "written anew"
"""what is said of a mail that leaves otherwise than it was written"""


class KnownCase(CaseForHold):
    """A case as sales may see it. `said` is what the customer wrote last; `promised_at` is when its resolution is due."""

    subject: str = ""
    owner: str | None = None
    person: StaffFacts | None = None
    """its owner, if the owner is one of the people on record"""
    manager: StaffFacts | None = None
    said: str | None = None
    said_at: AwareDatetime | None = None
    next_milestone: str | None = None
    next_due: AwareDatetime | None = None
    promised_at: AwareDatetime | None = None
    reopened_at: AwareDatetime | None = None
    turned_at: AwareDatetime | None = None
    """when it was recorded last that it waits, or goes on"""

    def view(self) -> OpenCaseView:
        """What the journey's briefing shows of it."""
        return OpenCaseView(
            case_id=self.case_id,
            priority=self.priority.value,
            state=self.state.value,
            owner=self.owner,
            opened_at=self.opened_at,
            said=self.said[:EXCERPT] if self.said else None,
            next_milestone=self.next_milestone,
            next_due=self.next_due,
            promised_at=self.promised_at,
        )


class Acknowledged(Carried):
    """Somebody has read why a customer is held: `source` is the case, the survey or the manual hold."""

    source: str
    by: str


class RecordedHold(Carried):
    """A hold that is on record as live."""

    source: str
    reason: HoldReason
    level: HoldLevel
    recorded_at: AwareDatetime | None = None
    reminded_at: AwareDatetime | None = None
    """when the owner was reminded of it last"""


class WrittenMail(Carried):
    """A mail as it was written, which leaves later: `body` are the fields of its message."""

    delivery_id: str
    created_at: AwareDatetime
    stage: str = ""
    contact_id: str | None = None
    body: dict[str, Any] = {}
    quote_over: bool = False
    """true for a quote that nobody can accept any more"""

    @property
    def template(self) -> str:
        """The name of its template; empty for a notice."""
        return str(self.body.get("template", ""))

    @property
    def context(self) -> dict[str, Any]:
        """What it says."""
        found: dict[str, Any] = self.body.get("context") or {}
        return found

    def differs(self, changes: Mapping[str, Any]) -> bool:
        """True if it says something else once these fields of its message are changed."""
        return any(self.body.get(name) != value for name, value in changes.items())

    @property
    def optional(self) -> bool:
        """True if it can be unsubscribed from."""
        return self.body.get("unsubscribe") is not None


class HeldMail(WrittenMail):
    """A mail that waits for the holds, or for an hour at which it may leave. Nothing holds one without a purpose."""

    purpose: Purpose | None = None
    product: str | None = None

    @property
    def optional_to(self) -> str | None:
        """The address, in lower case, of whoever may have no more of them."""
        return str(self.body.get("to_email", "")).lower() if self.optional else None


class Written(Carried):
    """The latest mail of a template to an address, in lower case, that may have no more of them."""

    to: str
    template: str
    at: AwareDatetime


class MorningMail(WrittenMail):
    """A message that waits for a morning: a mail or a notice."""

    channel: Channel
    leaves_at: AwareDatetime | None = None


class HeldStep(Carried):
    """A step of the journey that waits for the holds to allow it."""

    step: Step
    purpose: Purpose
    product: str | None = None


class SeenCase(Carried):
    """A case that is over and that one of the seller's people saw while it was not."""

    case_id: str
    state: str
    subject: str
    person: StaffFacts


class LeadStatus(StrEnum):
    """Where a lead stands: held back, with somebody who has to answer, answered, or over."""

    HELD = "held"
    ROUTED = "routed"
    OVERDUE = "overdue"
    ATTACHED = "attached"
    ACCEPTED = "accepted"
    REJECTED = "rejected"
    WON = "won"
    LOST = "lost"
    WITHDRAWN = "withdrawn"


class LeadFacts(Carried):
    """A lead that service found, as far as its journey looks at it. `case_state` is the present one of its case."""

    lead_id: str
    contact_id: str
    product: str
    product_name: str
    motion: str
    evidence: str
    urgency: str
    status: LeadStatus
    sourced_by: str
    filed_at: AwareDatetime
    agent: StaffFacts | None = None
    seller: StaffFacts | None = None
    case_id: str | None = None
    case_state: str | None = None
    due_at: AwareDatetime | None = None
    rerouted: int = 0
    warned: bool = False


class Unhappy(Carried):
    """The call that an unhappy answer asks for, while nobody has made it: `source` is the survey, `person` has to call."""

    source: str
    title: str
    due_at: AwareDatetime
    person: StaffFacts
    manager: StaffFacts | None = None
    """of the team whose case was rated"""
    reminded: bool = False
    escalated: bool = False


class Bearing(Carried):
    """What a customer had to bear lately, by the ids of the cases: what a discount may be earned with."""

    late: list[str] = []
    """resolved later than promised"""
    reopened: list[str] = []
    low_rated: list[str] = []


class ServiceFacts(Carried):
    """All that service tells sales of one customer. What only a review looks at is left empty for others."""

    cases: list[KnownCase] = []
    feedback: list[Feedback] = []
    asked: list[AskedBefore] = []
    """the surveys about cases that went to somebody of the customer lately"""
    manual: list[ManualHold] = []
    overrides: list[Override] = []
    acknowledged: list[Acknowledged] = []
    released: list[str] = []
    """cases whose owner, or a manager, lets a renewal be talked about"""
    recorded: list[RecordedHold] = []
    mails: list[HeldMail] = []
    written: list[Written] = []
    """optional mails of the last days"""
    mornings: list[MorningMail] = []
    steps: list[HeldStep] = []
    seen: list[SeenCase] = []
    leads: list[LeadFacts] = []
    unhappy: list[Unhappy] = []
    bearing: Bearing = Bearing()

    def case(self, case_id: str) -> KnownCase | None:
        """The case of that id, if it is open or was resolved lately."""
        return next((case for case in self.cases if case.case_id == case_id), None)

    def lead(self, lead_id: str) -> LeadFacts | None:
        """The lead of that id."""
        return next((lead for lead in self.leads if lead.lead_id == lead_id), None)

    def running(self) -> list[KnownCase]:
        """The cases in which work is owed, the most pressing first."""
        found = [case for case in self.cases if case.state in RUNNING]
        return sorted(found, key=lambda case: (not case.escalated, case.priority.rank, case.opened_at))


NO_SERVICE = ServiceFacts()
