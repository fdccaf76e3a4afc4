"""The doors of a journey for what service cases report, and what service may ask of sales."""

from __future__ import annotations

from typing import Any

from pydantic import ValidationError
from temporalio import workflow

from domain.frame.state import Outcome
from domain.holds.sales_requests import (
    AcknowledgeHold,
    AnswerLead,
    CaseChangedSignal,
    HandOverLead,
    LiftHold,
    OverrideHold,
    PlaceHold,
    ReleaseForRenewal,
    SellFromCase,
)
from domain.kernel.refusals import Refusal
from domain.success.requests import UsageChanged
from workflows import service
from workflows.journey import Journey


class ServiceDoors(Journey):
    """A journey with these handlers."""

    @workflow.signal(
        description="Something about a case changed that sales has to look at: {id, at, case_id, what}. The facts have it"
    )
    def case_changed(self, signal: Any = None, *more: Any) -> None:
        """Notes that the holds should be looked at. Takes whatever comes: a handler that fails would stop the journey."""
        try:
            self.noted.append(CaseChangedSignal.model_validate(signal))
        except ValidationError as error:
            self.noted.append(str(Refusal.from_validation("InvalidSignal", "case_changed cannot be read", error)))

    def take_note(self, note: UsageChanged | CaseChangedSignal | str) -> None:
        """A signal of a case: a look at the holds becomes due."""
        if not isinstance(note, CaseChangedSignal):
            super().take_note(note)
        elif step := service.review_for(self.state, note, workflow.now()):
            self.state = self.state.after(Outcome(plan=[step]), workflow.now())

    @workflow.update(description="Hold sales back by hand: {reason, level?: block|warn, product?, until?, by?}")
    async def place_hold(self, request: Any) -> dict[str, Any]:
        """Places a hold."""
        return await self.ask_by("place_hold", request)

    @place_hold.validator
    def _check_place_hold(self, request: Any) -> None:
        self.check(PlaceHold, request)

    @workflow.update(description="End a hold that was placed by hand: {hold_id, reason?, by?}")
    async def lift_hold(self, request: Any) -> dict[str, Any]:
        """Lifts a hold."""
        return await self.ask_by("lift_hold", request)

    @lift_hold.validator
    def _check_lift_hold(self, request: Any) -> None:
        self.check(LiftHold, request)

    @workflow.update(
        description="Reach the customer in spite of the holds, 24 hours at most: {by, role, reason, hours|until}"
    )
    async def override_hold(self, request: Any) -> dict[str, Any]:
        """Overrides the holds for a short time."""
        return await self.ask_by("override_hold", request)

    @override_hold.validator
    def _check_override_hold(self, request: Any) -> None:
        self.check(OverrideHold, request)

    @workflow.update(description="I have read what service knows: {by, source?: a case, survey or manual hold}")
    async def acknowledge_hold(self, request: Any) -> dict[str, Any]:
        """Acknowledges what holds the customer."""
        return await self.ask_by("acknowledge_hold", request)

    @acknowledge_hold.validator
    def _check_acknowledge_hold(self, request: Any) -> None:
        self.check(AcknowledgeHold, request)

    @workflow.update(
        description="May the renewal be talked about while a case is open: {by, case_id, decision?: release|keep, role?, reason?}"
    )
    async def release_for_renewal(self, request: Any) -> dict[str, Any]:
        """Records the decision of a case's owner or a manager."""
        return await self.ask_by("release_for_renewal", request)

    @release_for_renewal.validator
    def _check_release_for_renewal(self, request: Any) -> None:
        self.check(ReleaseForRenewal, request)

    @workflow.update(
        description="Service found a lead: {by, contact, product, motion: seats|tier|add_on|cross_sell, evidence, consent, case_id?}"
    )
    async def hand_over_lead(self, request: Any) -> dict[str, Any]:
        """Files a lead."""
        return await self.ask_by("hand_over_lead", request)

    @hand_over_lead.validator
    def _check_hand_over_lead(self, request: Any) -> None:
        self.check(HandOverLead, request)

    @workflow.update(description="Sales answers a lead: {by, lead_id, decision: accept|reject|won|lost, reason?}")
    async def answer_lead(self, request: Any) -> dict[str, Any]:
        """Records the answer to a lead."""
        return await self.ask_by("answer_lead", request)

    @answer_lead.validator
    def _check_answer_lead(self, request: Any) -> None:
        self.check(AnswerLead, request)

    @workflow.update(
        description="Service sells in a case, quote to asset: {by, case_id, lines, solves?, price_book?, contract_id?}"
    )
    async def sell_from_case(self, request: Any) -> dict[str, Any]:
        """Sells within an agent's limits."""
        return await self.ask_by("sell_from_case", request)

    @sell_from_case.validator
    def _check_sell_from_case(self, request: Any) -> None:
        self.check(SellFromCase, request)
