"""Sales beside service: the review of holds, what people decide about them, and leads. Each in a transaction that no mail leaves in."""

from __future__ import annotations

from collections.abc import Callable
from difflib import get_close_matches
from typing import TypeVar

from temporalio import activity

from activities.frame.situations import SERVICE
from activities.frame.unit_of_work import Activities, id_from, request_key
from activities.kernel.pool import Connection
from activities.orders import order_rows as order_store
from domain.frame.calls import RequestCall, StepCall
from domain.frame.decision import Decision
from domain.frame.situation import Situation
from domain.frame.state import Outcome, Step
from domain.holds import holding, leads, requests
from domain.holds.sales_requests import (
    AcknowledgeHold,
    AnswerLead,
    HandOverLead,
    LiftHold,
    OverrideHold,
    PlaceHold,
    ReleaseForRenewal,
)
from domain.journey import mail_anew, mornings
from domain.kernel.refusals import UNKNOWN_PRODUCT, Problem, Refusal
from domain.kernel.requests import Request

_Request = TypeVar("_Request", bound=Request)


class HoldKeeping(Activities):
    """What a journey does about holds and leads."""

    async def _perform(self, call: StepCall, rule: Callable[[Situation, Step], Decision]) -> Outcome:
        return await self._performer.step(call, rule, SERVICE)

    async def _answer(
        self, call: RequestCall, model: type[_Request], decide: Callable[[Situation, _Request, str], Decision]
    ) -> Outcome:
        new_id = id_from(request_key(call))
        return await self._performer.answer(
            call, model, lambda situation, request: decide(situation, request, new_id), holding.STAGE, SERVICE
        )

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

    @activity.defn
    async def place_hold(self, call: RequestCall) -> Outcome:
        """A hold by hand."""
        return await self._answer(call, PlaceHold, requests.place)

    @activity.defn
    async def lift_hold(self, call: RequestCall) -> Outcome:
        """The end of a hold by hand."""
        return await self._answer(call, LiftHold, requests.lift)

    @activity.defn
    async def override_hold(self, call: RequestCall) -> Outcome:
        """The holds count for nothing for a short time."""
        return await self._answer(call, OverrideHold, requests.override)

    @activity.defn
    async def acknowledge_hold(self, call: RequestCall) -> Outcome:
        """Somebody has read what service knows."""
        return await self._answer(call, AcknowledgeHold, requests.acknowledge)

    @activity.defn
    async def release_for_renewal(self, call: RequestCall) -> Outcome:
        """A renewal may be talked about, or not."""
        return await self._answer(call, ReleaseForRenewal, requests.release)

    @activity.defn
    async def hand_over_lead(self, call: RequestCall) -> Outcome:
        """Service found a lead."""
        new_id = id_from(request_key(call))
        return await self._performer.answer(
            call,
            HandOverLead,
            lambda situation, request: leads.hand_over(situation, request, new_id),
            holding.STAGE,
            SERVICE,
            look=_in_catalogue,
        )

    @activity.defn
    async def answer_lead(self, call: RequestCall) -> Outcome:
        """Sales takes a lead, or does not."""
        return await self._answer(call, AnswerLead, lambda situation, request, _: leads.answer(situation, request))


async def _in_catalogue(connection: Connection, _: Situation, request: HandOverLead) -> tuple[()]:
    """Refuses a lead about a product that nobody sells."""
    if await order_store.known_products(connection, {request.product}):
        return ()
    similar = get_close_matches(request.product, await order_store.product_codes(connection), 3)
    advice = f"; did you mean {', '.join(similar)}?" if similar else ""
    problem = Problem(field="product", problem=f"{request.product!r} is not in the catalogue{advice}")
    raise Refusal(UNKNOWN_PRODUCT, "the lead cannot be handed over", [problem])
