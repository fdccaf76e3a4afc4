"""The doors of a case for money given back: claims, goodwill, their approval, and disputes. Handlers only note."""

from __future__ import annotations

from typing import Any

from temporalio import workflow

from domain.service.claim_requests import ApproveClaim, ClaimPriceMatch, DisputeRefund, GrantGoodwill, RejectClaim
from workflows.case import Case


class ClaimDoors(Case):
    """A case that can give money back."""

    @workflow.update(
        description="Give back what a line costs less now: {order_id, line_id, by, quantity?, refund? (as shown), role?}"
    )
    async def claim_price_match(self, request: Any) -> dict[str, Any]:
        """A price match: refunded at once, or waiting for an approval."""
        return await self.ask_by("claim_price_match", request)

    @claim_price_match.validator
    def _check_claim_price_match(self, request: Any) -> None:
        self.check(ClaimPriceMatch, request)

    @workflow.update(description="Credit what no policy owes: {amount, reason, by, order_id?, line_id?, role?}")
    async def grant_goodwill(self, request: Any) -> dict[str, Any]:
        """Goodwill: credited at once, or waiting for an approval."""
        return await self.ask_by("grant_goodwill", request)

    @grant_goodwill.validator
    def _check_grant_goodwill(self, request: Any) -> None:
        self.check(GrantGoodwill, request)

    @workflow.update(description="Let a claim pass that waits: {by, role: lead|manager|director, claim_id?, reason?}")
    async def approve_claim(self, request: Any) -> dict[str, Any]:
        """The claim is refunded."""
        return await self.ask_by("approve_claim", request)

    @approve_claim.validator
    def _check_approve_claim(self, request: Any) -> None:
        self.check(ApproveClaim, request)

    @workflow.update(description="Refuse a claim that waits: {by, role: lead|manager|director, reason, claim_id?}")
    async def reject_claim(self, request: Any) -> dict[str, Any]:
        """The claim is refused."""
        return await self.ask_by("reject_claim", request)

    @reject_claim.validator
    def _check_reject_claim(self, request: Any) -> None:
        self.check(RejectClaim, request)

    @workflow.update(description="The customer disputes a refund: {reason, by?}. Sales keeps away until it is over")
    async def dispute_refund(self, request: Any) -> dict[str, Any]:
        """The case becomes a refund dispute."""
        return await self.ask_by("dispute_refund", request)

    @dispute_refund.validator
    def _check_dispute_refund(self, request: Any) -> None:
        self.check(DisputeRefund, request)
