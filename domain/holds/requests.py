"""What people may ask of a journey about holds and leads, and what its cases tell it."""

from __future__ import annotations

from datetime import timedelta
from enum import StrEnum
from typing import Annotated, Any, Literal, Self

from pydantic import AfterValidator, AwareDatetime, Field, StringConstraints, model_validator

from domain.frame.case_words import Level
from domain.kernel.base import Received
from domain.kernel.calendar import within_reach
from domain.kernel.ids import CaseRef, ContactRef, ContractRef
from domain.kernel.requests import Reason, Remark, Request
from domain.orders.order import Code, Text

StaffName = Annotated[str, StringConstraints(pattern=r"^[\w.:-]{1,64}$")]
Role = Annotated[str, StringConstraints(pattern=r"^[a-z][a-z0-9_]{0,40}$")]
Instant = Annotated[AwareDatetime, AfterValidator(within_reach)]


class CaseChangedSignal(Received):
    """A signal: something about a case changed that sales has to look at. The facts have it; `id` names the change."""

    id: Annotated[str, StringConstraints(pattern=r"^[\w.:/@+-]{1,160}$")]
    at: AwareDatetime
    case_id: CaseRef
    what: Annotated[str, StringConstraints(max_length=60)]


class PlaceHold(Request):
    """Sales is held back by hand, from now until `until` or until it is lifted, for one product or for all."""

    level: Literal["warn", "block"] = "block"
    reason: Reason
    product: Code | None = None
    until: Instant | None = None


class LiftHold(Request):
    """A hold that was placed by hand ends. The others end with what raised them."""

    hold_id: Annotated[str, StringConstraints(min_length=1, max_length=120)]
    reason: Remark = ""


class OverrideHold(Request):
    """A named person lets the customer be reached in spite of the holds, for 24 hours at most. The cases' owners hear of it.

    `role` is `service_lead` or `service_manager`; `hours` or `until` says how long.
    """

    by: StaffName
    role: Role
    reason: Reason
    hours: Annotated[int, Field(ge=1, le=24)] | None = None
    until: Instant | None = None

    @model_validator(mode="after")
    def _ends(self) -> Self:
        if (self.hours is None) == (self.until is None):
            raise ValueError("say how long: give hours or until, not both")
        return self

    def end(self, now: AwareDatetime) -> AwareDatetime:
        """When it ends."""
        return self.until if self.until is not None else now + timedelta(hours=self.hours or 0)


class AcknowledgeHold(Request):
    """Somebody has read what service knows; what they themselves want to say may be said under a warning then.

    `source` is one case, survey or manual hold; without it all that hold the customer now. With a survey as source somebody has
    talked to a customer who answered unhappily, and that call is settled.
    """

    by: StaffName
    source: Annotated[str, StringConstraints(min_length=1, max_length=120)] | None = None


class ReleaseForRenewal(Request):
    """A case's owner, or a manager with their `role`, says whether the renewal may be talked about while the case is open."""

    by: StaffName
    case_id: CaseRef
    role: Role = "case_owner"
    decision: Literal["release", "keep"] = "release"
    reason: Remark = ""

    @model_validator(mode="after")
    def _says_why_not(self) -> Self:
        if self.decision == "keep" and not self.reason:
            raise ValueError("say why the renewal has to wait")
        return self


class Motion(StrEnum):
    """What a lead is about."""

    SEATS = "seats"
    TIER = "tier"
    ADD_ON = "add_on"
    CROSS_SELL = "cross_sell"


class HandOverLead(Request):
    """Service found something that sales should follow up: what was seen (`evidence`), and whether the contact agreed to be called."""

    by: StaffName
    contact: ContactRef
    product: Code
    motion: Motion
    evidence: Annotated[Reason, StringConstraints(min_length=10)]
    case_id: CaseRef | None = None
    consent: bool
    urgency: Level = Level.MEDIUM


class SellFromCase(Request):
    """Service sells in a case what the customer wants there and then: quote, order and assets at once.

    `lines` as in a quote, without discounts; `solves`: the purchase is the solution of the case. `contract_id` takes sales into
    a contract that runs.
    """

    by: StaffName
    case_id: CaseRef
    lines: Annotated[tuple[dict[str, Any], ...], Field(min_length=1, max_length=20)]
    solves: bool = False
    price_book: Text | None = None
    contract_id: ContractRef | None = None


class LeadAnswer(StrEnum):
    """What sales says of a lead."""

    ACCEPT = "accept"
    REJECT = "reject"
    WON = "won"
    LOST = "lost"


class AnswerLead(Request):
    """Sales takes a lead or does not; later it is won or lost. A rejection needs its reason, which the agent reads."""

    by: StaffName
    lead_id: Annotated[str, StringConstraints(min_length=1, max_length=120)]
    decision: LeadAnswer
    reason: Remark = ""

    @model_validator(mode="after")
    def _says_why_not(self) -> Self:
        if self.decision is LeadAnswer.REJECT and not self.reason:
            raise ValueError("a rejected lead needs its reason, which whoever found it will read")
        return self
