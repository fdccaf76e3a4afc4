"""Sales beside service: the review of holds, what people decide about them, and leads. Each in a transaction that no mail leaves in."""

from __future__ import annotations

import hashlib
from collections.abc import Callable
from difflib import get_close_matches
from typing import TypeVar

from temporalio import activity

from activities.frame.carrying_out import Performer, business_errors, effect_key
from activities.orders import order_rows as order_store
from domain.frame.decision import Decision
from domain.frame.situation import Situation
from domain.frame.state import Outcome, RequestCall, Step, StepCall
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
from domain.kernel.fingerprints import asked_by
from domain.kernel.refusals import UNKNOWN_PRODUCT, Problem, Refusal
from domain.kernel.requests import Request, read_request

_Request = TypeVar("_Request", bound=Request)


class HoldKeeping:
    """What a journey does about holds and leads."""

    def __init__(self, performer: Performer) -> None:
        self._performer = performer

    async def _perform(self, call: StepCall, rule: Callable[[Situation, Step], Decision]) -> Outcome:
        step = call.step
        async with business_errors():
            return await self._performer.once(
                call.account_id,
                effect_key(call.account_id, step.key),
                call.as_of,
                lambda situation: rule(situation, step),
                stage=step.stage,
                kind=step.kind,
                service=True,
                kept=call.kept,
            )

    async def _answer(
        self, call: RequestCall, model: type[_Request], decide: Callable[[Situation, _Request, str], Decision]
    ) -> Outcome:
        name = activity.info().activity_type
        key = effect_key(call.account_id, f"{name}:{call.request_id}")
        async with business_errors():
            request = read_request(model, call.body)
            return await self._performer.once(
                call.account_id,
                key,
                call.as_of,
                lambda situation: decide(situation, request, _id_from(key)),
                stage=holding.STAGE,
                kind=name,
                run=call.run if not call.repeated else "again",
                actor=request.by,
                asked=asked_by(request, call.request_id),
                service=True,
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
        async with business_errors():
            await self._check_product(read_request(HandOverLead, call.body).product)
        return await self._answer(call, HandOverLead, leads.hand_over)

    @activity.defn
    async def answer_lead(self, call: RequestCall) -> Outcome:
        """Sales takes a lead, or does not."""
        return await self._answer(call, AnswerLead, lambda situation, request, _: leads.answer(situation, request))

    async def _check_product(self, code: str) -> None:
        async with self._performer.transaction() as connection:
            if await order_store.known_products(connection, {code}):
                return
            similar = get_close_matches(code, await order_store.product_codes(connection), 3)
        advice = f"; did you mean {', '.join(similar)}?" if similar else ""
        problem = Problem(field="product", problem=f"{code!r} is not in the catalogue{advice}")
        raise Refusal(UNKNOWN_PRODUCT, "the lead cannot be handed over", [problem])


def _id_from(key: str) -> str:
    """An opaque id for what a request creates: the same for the same request, however often it is sent."""
    return hashlib.sha256(key.encode()).hexdigest()[:16]
