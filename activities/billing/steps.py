"""The steps of billing."""

from __future__ import annotations

from temporalio import activity

from activities.frame.unit_of_work import Activities
from domain.billing import steps
from domain.frame.calls import StepCall
from domain.frame.state import Outcome


class BillingSteps(Activities):
    """What a journey invoices by itself."""

    @activity.defn
    async def billing_invoice(self, call: StepCall) -> Outcome:
        """What has fallen due within a term is invoiced."""
        return await self._performer.step(call, steps.invoice)
