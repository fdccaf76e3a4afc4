"""Sales beside service: the review of holds, what people decide about them, and leads. Each in a transaction that no mail leaves in."""

from __future__ import annotations

from collections.abc import Callable
from difflib import get_close_matches

from temporalio import activity

from activities.frame.unit_of_work import Activities, UnitOfWork
from activities.orders import order_rows as order_store
from domain.frame.calls import StepCall
from domain.frame.decision import Decision
from domain.frame.situation import SERVICE, Situation
from domain.frame.state import Outcome, Step
from domain.holds import leads
from domain.holds.sales_requests import (
    HandOverLead,
)
from domain.journey import mail_anew, mornings
from domain.kernel.refusals import UNKNOWN_PRODUCT, Problem, Refusal


async def _in_catalogue(work: UnitOfWork, _: Situation, request: HandOverLead) -> tuple[()]:
    """Refuses a lead about a product that nobody sells."""
    if await order_store.known_products(work.connection, {request.product}):
        return ()
    similar = get_close_matches(request.product, await order_store.product_codes(work.connection), 3)
    advice = f"; did you mean {', '.join(similar)}?" if similar else ""
    problem = Problem(field="product", problem=f"{request.product!r} is not in the catalogue{advice}")
    raise Refusal(UNKNOWN_PRODUCT, "the lead cannot be handed over", [problem])


class HoldKeeping(Activities):
    """What a journey does about holds and leads."""

    looks = {"hand_over_lead": _in_catalogue}

    async def _perform(self, call: StepCall, rule: Callable[[Situation, Step], Decision]) -> Outcome:
        return await self._performer.step(call, rule, SERVICE)

    @activity.defn
    async def service_review(self, call: StepCall) -> Outcome:
        """What holds sales back now, and what may go after all."""
        return await self._perform(call, mail_anew.review)

    @activity.defn
    async def service_hold_lift(self, call: StepCall) -> Outcome:
        """The time of a hold or an override is over: the same look."""
        return await self._perform(call, mail_anew.review)

    @activity.defn
    async def relationship_morning(self, call: StepCall) -> Outcome:
        """What was decided by night leaves."""
        return await self._perform(call, mornings.leave)

    @activity.defn
    async def service_lead_reminder(self, call: StepCall) -> Outcome:
        """A lead waits for its answer."""
        return await self._perform(call, leads.remind)

    @activity.defn
    async def service_lead_overdue(self, call: StepCall) -> Outcome:
        """A lead was not answered in time."""
        return await self._perform(call, leads.overdue)
