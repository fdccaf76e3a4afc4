"""What people and services ask of a journey, one activity per request, each done once however often it is sent."""

from __future__ import annotations

from temporalio import activity

from activities.frame.situations import LEDGER
from activities.frame.unit_of_work import Activities
from domain.contracts import renewal_answers
from domain.contracts.requests import AnswerRenewal, RequestRenewal
from domain.frame.calls import RequestCall
from domain.frame.state import Outcome
from domain.journey import control
from domain.journey.requests import CloseJourney, PauseJourney, RescheduleStep, ResumeJourney, RetryDeliveries, SkipStep
from domain.success import adoption, expansion, onboarding_tasks
from domain.success.requests import AnswerOffer, AnswerSurvey, CompleteTask


class JourneyRequests(Activities):
    """What a journey is asked by update."""

    @activity.defn
    async def complete_task(self, call: RequestCall) -> Outcome:
        """An onboarding task is done."""
        return await self._performer.answer(call, CompleteTask, onboarding_tasks.complete, "onboarding")

    @activity.defn
    async def answer_renewal(self, call: RequestCall) -> Outcome:
        """The customer renews, or does not."""
        return await self._performer.answer(call, AnswerRenewal, renewal_answers.answer, "renewal", LEDGER)

    @activity.defn
    async def request_renewal(self, call: RequestCall) -> Outcome:
        """The customer asks for a renewal; its quote goes out."""
        return await self._performer.answer(call, RequestRenewal, renewal_answers.asked_for, "renewal", LEDGER)

    @activity.defn
    async def answer_offer(self, call: RequestCall) -> Outcome:
        """The customer takes an offer, or does not."""
        return await self._performer.answer(call, AnswerOffer, expansion.answer, "expansion", LEDGER)

    @activity.defn
    async def answer_survey(self, call: RequestCall) -> Outcome:
        """The customer gives a score."""
        return await self._performer.answer(call, AnswerSurvey, adoption.answer_survey, "adoption")

    @activity.defn
    async def pause_journey(self, call: RequestCall) -> Outcome:
        """Nothing more is done by itself."""
        return await self._performer.answer(call, PauseJourney, control.pause)

    @activity.defn
    async def resume_journey(self, call: RequestCall) -> Outcome:
        """The agenda goes on."""
        return await self._performer.answer(
            call, ResumeJourney, lambda situation, request: control.resume(situation, request, call.steps)
        )

    @activity.defn
    async def retry_deliveries(self, call: RequestCall) -> Outcome:
        """What is on its way out is tried now."""
        return await self._performer.answer(call, RetryDeliveries, control.retry)

    @activity.defn
    async def skip_step(self, call: RequestCall) -> Outcome:
        """A step is left out."""
        return await self._performer.answer(
            call, SkipStep, lambda situation, request: control.skip(situation, request, call.steps)
        )

    @activity.defn
    async def reschedule_step(self, call: RequestCall) -> Outcome:
        """A step is moved."""
        return await self._performer.answer(
            call, RescheduleStep, lambda situation, request: control.reschedule(situation, request, call.steps)
        )

    @activity.defn
    async def close_journey(self, call: RequestCall) -> Outcome:
        """The journey ends."""
        return await self._performer.answer(call, CloseJourney, control.close)
