"""What may be asked of a case about money given back: one model each, with who asks and in which role."""

from __future__ import annotations

from decimal import Decimal
from enum import StrEnum
from typing import Annotated

from pydantic import Field, StringConstraints, model_validator

from domain.claims.price_protection import ApprovalLevel
from domain.kernel.ids import OrderRef
from domain.kernel.money import CurrencyCode
from domain.kernel.requests import Reason, Remark
from domain.service.case_requests import CaseRequest

LineRef = Annotated[str, StringConstraints(pattern=r"^[\w-]{1,40}$")]
Units = Annotated[int, Field(strict=True, ge=1, le=10_000_000)]
Amount = Annotated[Decimal, Field(gt=0, le=Decimal("1e12"), decimal_places=6)]


class Role(StrEnum):
    """In which role somebody asks or decides; each may do what those before it may."""

    AGENT = "agent"
    LEAD = "lead"
    MANAGER = "manager"
    DIRECTOR = "director"

    def reaches(self, level: ApprovalLevel) -> bool:
        """True if this role may approve what needs `level`."""
        return list(Role).index(self) >= list(Role).index(Role(level.value))


class ClaimPriceMatch(CaseRequest):
    """The customer gets back what a line costs less now. `quantity`: only so many of its units.

    `refund` is the amount that the preview showed: the claim is refused if it is another by now. One refund per line and price.
    """

    order_id: OrderRef
    line_id: LineRef
    quantity: Units | None = None
    refund: Amount | None = None
    role: Role = Role.AGENT
    reason: Remark = ""


class GrantGoodwill(CaseRequest):
    """A credit that no policy owes, with its reason, from a budget for each customer and year.

    Without a line it is for the one that the case is about.
    """

    amount: Amount
    currency: CurrencyCode | None = None
    order_id: OrderRef | None = None
    line_id: LineRef | None = None
    role: Role = Role.AGENT
    reason: Reason

    @model_validator(mode="after")
    def _names_a_whole_line(self) -> GrantGoodwill:
        if (self.order_id is None) != (self.line_id is None):
            raise ValueError("order_id and line_id name a line together; give both or none")
        return self


class ApproveClaim(CaseRequest):
    """A named approver lets a claim pass. Without `claim_id` it is the one that waits.

    Above the agent's band a claim waits, and is refused after two business days.
    """

    claim_id: Annotated[str, StringConstraints(max_length=120)] | None = None
    role: Role = Role.LEAD
    reason: Remark = ""


class RejectClaim(ApproveClaim):
    """A named approver refuses a claim, with the reason."""

    reason: Reason


class DisputeRefund(CaseRequest):
    """The customer does not accept what came of a refund: sales keeps away until the case is over."""

    reason: Reason
    by: Annotated[str, StringConstraints(pattern=r"^[\w.:-]{1,64}$")] = "customer"
