"""The doors of a journey: what services, people and operators may ask of it by update, and tell it by signal.

Handlers only note; what can be known here is refused by a validator before it costs history.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from temporalio import workflow
from temporalio.common import RawValue

from domain.contracts.requests import AnswerRenewal, RequestRenewal
from domain.frame.state import JourneyState
from domain.journey.requests import CloseJourney, PauseJourney, ResumeJourney
from domain.success.requests import AnswerOffer, AnswerSurvey, CompleteTask
from workflows import amendment, expansion, onboarding, relationship, renewal
from workflows.agenda_doors import AgendaDoors
from workflows.asset_doors import AssetDoors
from workflows.import_doors import ImportDoors
from workflows.mail_doors import MailDoors
from workflows.people_doors import PeopleDoors
from workflows.quote_doors import QuoteDoors
from workflows.service_doors import ServiceDoors
from workflows.step_doors import StepDoors


class Doors(AssetDoors, QuoteDoors, ServiceDoors, PeopleDoors, StepDoors, MailDoors, ImportDoors, AgendaDoors):
    """A journey with all its handlers; those for assets, quotes and service have modules of their own."""

    # Orders

    @workflow.update(
        description="An activated order: {order_id, activated_at, account, contacts, currency, contracts, lines}"
    )
    async def place_order(self, order: Any) -> dict[str, Any]:
        """An order was activated. The first one begins the journey; a repeated one gets its first answer again."""
        return await self.ask("activate_order", str(order["order_id"]), order)

    @workflow.update(
        description="An order of the past, taken over with its true dates: nothing that lies before now is acted on"
    )
    async def import_order(self, order: Any) -> dict[str, Any]:
        """An order of the past is taken over."""
        return await self.ask("take_over_order", str(order["order_id"]), order)

    @place_order.validator
    def _check_place_order(self, order: Any) -> None:
        self.check_order(order)

    @import_order.validator
    def _check_import_order(self, order: Any) -> None:
        self.check_order(order)

    # People

    @workflow.update(description="An onboarding task is done: {task, order_id?, evidence?, by?, request_id?}")
    async def complete_task(self, request: Any) -> dict[str, Any]:
        """Completes an open onboarding task."""
        return await self.ask_by("complete_task", request)

    @complete_task.validator
    def _check_complete_task(self, request: Any) -> None:
        self.check(CompleteTask, request, onboarding.check_complete_task, recorded=True)

    @workflow.update(
        description="The customer's answer to a renewal: {contract_id, decision: accept|decline, reason?, by?}"
    )
    async def answer_renewal(self, request: Any) -> dict[str, Any]:
        """Renews a contract, or lets it run out."""
        return await self.ask_by("answer_renewal", request)

    @answer_renewal.validator
    def _check_answer_renewal(self, request: Any) -> None:
        self.check(AnswerRenewal, request, renewal.check_answer_renewal, recorded=True)

    @workflow.update(description="The customer asks for a renewal: its quote goes out now: {contract_id, by?}")
    async def request_renewal(self, request: Any) -> dict[str, Any]:
        """Quotes the next term of a contract."""
        return await self.ask_by("request_renewal", request)

    @request_renewal.validator
    def _check_request_renewal(self, request: Any) -> None:
        self.check(RequestRenewal, request, renewal.check_request_renewal, recorded=True)

    @workflow.update(
        description="The customer's answer to an offer: {offer_id, decision: accept|decline, reason?, by?}"
    )
    async def answer_offer(self, request: Any) -> dict[str, Any]:
        """Accepts or declines an offer of more seats."""
        return await self.ask_by("answer_offer", request)

    @answer_offer.validator
    def _check_answer_offer(self, request: Any) -> None:
        self.check(AnswerOffer, request, expansion.check_answer_offer, recorded=True)

    @workflow.update(description="The customer's answer to a survey: {survey_id, score: 0-10, comment?}")
    async def answer_survey(self, request: Any) -> dict[str, Any]:
        """Records a score."""
        return await self.ask_by("answer_survey", request)

    @answer_survey.validator
    def _check_answer_survey(self, request: Any) -> None:
        self.check(AnswerSurvey, request)

    # Operators

    @workflow.update(description="Do nothing by itself: {reason, until?, by?}. Requests are still answered")
    async def pause(self, request: Any) -> dict[str, Any]:
        """Pauses the agenda."""
        return await self.ask_by("pause_journey", request)

    @pause.validator
    def _check_pause(self, request: Any) -> None:
        self.check(PauseJourney, request, _may_pause, recorded=True)

    @workflow.update(description="Go on after a pause, and try parked steps and stuck deliveries again: {by?}")
    async def resume(self, request: Any) -> dict[str, Any]:
        """Resumes the agenda."""
        return await self.ask_by("resume_journey", request)

    @resume.validator
    def _check_resume(self, request: Any) -> None:
        self.check(ResumeJourney, request, relationship.check_resume, recorded=True)

    @workflow.update(description="End this customer's journey for good: {reason, by?}")
    async def close_journey(self, request: Any) -> dict[str, Any]:
        """Closes the journey."""
        return await self.ask_by("close_journey", request)

    @close_journey.validator
    def _check_close_journey(self, request: Any) -> None:
        self.check(CloseJourney, request, amendment.check_close, recorded=True)

    # Signals

    @workflow.signal(
        description="Usage crossed a threshold: {id, at, level: low|usual|high}. The figures are in the facts"
    )
    def usage_changed(self, signal: Any = None, *more: Any) -> None:
        """Notes that usage should be looked at. Takes whatever comes: a handler that fails would stop the journey."""
        self.note_usage(signal)

    @workflow.signal(dynamic=True, description="A signal that this release does not know: shown, never lost")
    def unknown_signal(self, name: str, args: Sequence[RawValue]) -> None:
        """Notes a signal with an unknown name."""
        self.note_unknown(name)


def _may_pause(state: JourneyState, request: PauseJourney) -> None:
    relationship.check_pause(state, request, workflow.now())
