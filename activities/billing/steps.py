"""The steps of billing."""

from __future__ import annotations

from temporalio import activity

from activities.frame.carrying_out import Performer, business_errors, effect_key
from domain.billing import steps
from domain.frame.state import Outcome, StepCall


class BillingSteps:
    """What a journey invoices by itself."""

    def __init__(self, performer: Performer) -> None:
        self._performer = performer

    @activity.defn
    async def billing_invoice(self, call: StepCall) -> Outcome:
        """What has fallen due within a term is invoiced."""
        step = call.step
        async with business_errors():
            return await self._performer.once(
                call.account_id,
                effect_key(call.account_id, step.key),
                call.as_of,
                lambda situation: steps.invoice(situation, step),
                stage=step.stage,
                kind=step.kind,
            )
