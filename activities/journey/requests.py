"""What people and services ask of a journey, one activity per request, each done once however often it is sent."""

from __future__ import annotations

from collections.abc import Callable
from typing import TypeVar

from temporalio import activity

from activities.frame.carrying_out import Performer, business_errors, effect_key
from domain.contracts import renewal_answers
from domain.contracts.refusing import named_refusals
from domain.contracts.requests import AnswerRenewal, RequestRenewal
from domain.frame.decision import Decision
from domain.frame.situation import Situation
from domain.frame.state import Outcome, RequestCall
from domain.journey import control
from domain.journey.requests import CloseJourney, PauseJourney, RescheduleStep, ResumeJourney, RetryDeliveries, SkipStep
from domain.kernel.fingerprints import asked_by
from domain.kernel.requests import Request, read_request
from domain.success import adoption, expansion, onboarding_tasks
from domain.success.requests import AnswerOffer, AnswerSurvey, CompleteTask

_Request = TypeVar("_Request", bound=Request)


class JourneyRequests:
    """What a journey is asked by update."""

    def __init__(self, performer: Performer) -> None:
        self._performer = performer

    async def _answer(
        self,
        call: RequestCall,
        model: type[_Request],
        decide: Callable[[Situation, _Request], Decision],
        stage: str = "relationship",
        *,
        ledger: bool = False,
    ) -> Outcome:
        async with business_errors():
            request = read_request(model, call.body)

            def named(situation: Situation) -> Decision:
                if call.barred is not None:
                    raise call.barred.refusal()
                with named_refusals():
                    return decide(situation, request)

            return await self._performer.once(
                call.account_id,
                effect_key(call.account_id, f"{activity.info().activity_type}:{call.request_id}"),
                call.as_of,
                named,
                stage=stage,
                kind=activity.info().activity_type,
                run=call.run if not call.repeated else "again",
                actor=request.by,
                ledger=ledger,
                asked=asked_by(request, call.request_id),
            )

    @activity.defn
    async def complete_task(self, call: RequestCall) -> Outcome:
        """An onboarding task is done."""
        return await self._answer(call, CompleteTask, onboarding_tasks.complete, "onboarding")

    @activity.defn
    async def answer_renewal(self, call: RequestCall) -> Outcome:
        """The customer renews, or does not."""
        return await self._answer(call, AnswerRenewal, renewal_answers.answer, "renewal", ledger=True)

    @activity.defn
    async def request_renewal(self, call: RequestCall) -> Outcome:
        """The customer asks for a renewal; its quote goes out."""
        return await self._answer(call, RequestRenewal, renewal_answers.asked_for, "renewal", ledger=True)

    @activity.defn
    async def answer_offer(self, call: RequestCall) -> Outcome:
        """The customer takes an offer, or does not."""
        return await self._answer(call, AnswerOffer, expansion.answer, "expansion", ledger=True)

    @activity.defn
    async def answer_survey(self, call: RequestCall) -> Outcome:
        """The customer gives a score."""
        return await self._answer(call, AnswerSurvey, adoption.answer_survey, "adoption")

    @activity.defn
    async def pause_journey(self, call: RequestCall) -> Outcome:
        """Nothing more is done by itself."""
        return await self._answer(call, PauseJourney, control.pause)

    @activity.defn
    async def resume_journey(self, call: RequestCall) -> Outcome:
        """The agenda goes on."""
        return await self._answer(
            call, ResumeJourney, lambda situation, request: control.resume(situation, request, call.steps)
        )

    @activity.defn
    async def retry_deliveries(self, call: RequestCall) -> Outcome:
        """What is on its way out is tried now."""
        return await self._answer(call, RetryDeliveries, control.retry)

    @activity.defn
    async def skip_step(self, call: RequestCall) -> Outcome:
        """A step is left out."""
        return await self._answer(
            call, SkipStep, lambda situation, request: control.skip(situation, request, call.steps)
        )

    @activity.defn
    async def reschedule_step(self, call: RequestCall) -> Outcome:
        """A step is moved."""
        return await self._answer(
            call, RescheduleStep, lambda situation, request: control.reschedule(situation, request, call.steps)
        )

    @activity.defn
    async def close_journey(self, call: RequestCall) -> Outcome:
        """The journey ends."""
        return await self._answer(call, CloseJourney, control.close)
