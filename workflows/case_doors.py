"""The doors of a case: what agents, customers and services may ask of it by update. Handlers only note."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from temporalio import workflow
from temporalio.common import RawValue

from domain.journey.agenda import RunningCase
from domain.kernel.refusals import Problem, Refusal
from domain.service.case_progress import CaseChanged, CaseOutcome
from domain.service.case_requests import (
    AddNote,
    AnswerCsat,
    Assign,
    Cancel,
    Close,
    CustomerMessage,
    DeEscalate,
    Escalate,
    Identify,
    Merge,
    Prioritise,
    Reopen,
    Resolve,
    Respond,
    Resume,
    Retry,
    Wait,
)
from domain.service.opening import INVALID_CASE, read_case
from workflows.case import ID_PREFIX
from workflows.claim_doors import ClaimDoors
from workflows.journey import Asked
from workflows.refusing import refusals


class CaseDoors(ClaimDoors):
    """A case with its handlers; those for money given back have a module of their own."""

    @workflow.update(
        description="Open the case: {case_id, subject, account_id or contact, body?, channel?, impact?, urgency?, product?}"
    )
    async def open_case(self, document: Any) -> dict[str, Any]:
        """Begins the case; the same document again gets its first answer again."""
        return await self.ask("case_open", str(document["case_id"]), document)

    @open_case.validator
    def _check_open_case(self, document: Any) -> None:
        with refusals():
            case = read_case(document)
            if workflow.info().workflow_id != f"{ID_PREFIX}{case.case_id}":
                said = f"this workflow is {workflow.info().workflow_id!r}; open the case at '{ID_PREFIX}{case.case_id}'"
                raise Refusal(INVALID_CASE, "the case cannot be opened", [Problem(field="case_id", problem=said)])

    # The conversation

    @workflow.update(description="Write to the customer: {body, channel?: mail|phone|chat, by, at?}")
    async def respond(self, request: Any) -> dict[str, Any]:
        """An agent's answer."""
        return await self.ask_by("case_respond", request)

    @respond.validator
    def _check_respond(self, request: Any) -> None:
        self.check(Respond, request)

    @workflow.update(description="Keep a note among ourselves: {body, by, shared?}")
    async def note(self, request: Any) -> dict[str, Any]:
        """A note."""
        return await self.ask_by("case_note", request)

    @note.validator
    def _check_note(self, request: Any) -> None:
        self.check(AddNote, request)

    @workflow.update(description="The customer wrote or called: {body, channel?, message_id?, at?, automatic?}")
    async def customer_message(self, request: Any) -> dict[str, Any]:
        """A message of the customer."""
        return await self.ask_by("case_customer_message", request)

    @customer_message.validator
    def _check_customer_message(self, request: Any) -> None:
        self.check(CustomerMessage, request)

    @workflow.update(description="How satisfied the customer is: {score: 1-5, comment?, survey_id?}")
    async def answer_csat(self, request: Any) -> dict[str, Any]:
        """A score."""
        return await self.ask_by("case_answer_csat", request)

    @answer_csat.validator
    def _check_answer_csat(self, request: Any) -> None:
        self.check(AnswerCsat, request)

    # Its states

    @workflow.update(description="Wait: {reason, waiting_for?: customer|internal|third_party, until?, by}")
    async def wait(self, request: Any) -> dict[str, Any]:
        """The case waits."""
        return await self.ask_by("case_wait", request)

    @wait.validator
    def _check_wait(self, request: Any) -> None:
        self.check(Wait, request)

    @workflow.update(description="Go on after waiting: {by}")
    async def resume(self, request: Any) -> dict[str, Any]:
        """The case is worked on again."""
        return await self.ask_by("case_resume", request)

    @resume.validator
    def _check_resume(self, request: Any) -> None:
        self.check(Resume, request)

    @workflow.update(description="The work is done: {code, text (for the customer), by, at?}")
    async def resolve(self, request: Any) -> dict[str, Any]:
        """The case is resolved."""
        return await self.ask_by("case_resolve", request)

    @resolve.validator
    def _check_resolve(self, request: Any) -> None:
        self.check(Resolve, request)

    @workflow.update(description="Go on with a resolved or closed case: {reason, by}")
    async def reopen(self, request: Any) -> dict[str, Any]:
        """The case goes on."""
        return await self.ask_by("case_reopen", request)

    @reopen.validator
    def _check_reopen(self, request: Any) -> None:
        self.check(Reopen, request)

    @workflow.update(description="Put this case into another one of the same customer: {into, by, reason?}")
    async def merge(self, request: Any) -> dict[str, Any]:
        """The case goes up in another one."""
        return await self.ask_by("case_merge", request)

    @merge.validator
    def _check_merge(self, request: Any) -> None:
        self.check(Merge, request)

    @workflow.update(description="A resolved case is final: {by}")
    async def close(self, request: Any) -> dict[str, Any]:
        """The case is closed."""
        return await self.ask_by("case_close", request)

    @close.validator
    def _check_close(self, request: Any) -> None:
        self.check(Close, request)

    @workflow.update(description="Not needed any more: {reason or by_customer: true, by}")
    async def cancel(self, request: Any) -> dict[str, Any]:
        """The case is cancelled."""
        return await self.ask_by("case_cancel", request)

    @cancel.validator
    def _check_cancel(self, request: Any) -> None:
        self.check(Cancel, request)

    # Who, and how urgently

    @workflow.update(description="Give it to somebody: {owner?, team?, by}; with neither the rules choose")
    async def assign(self, request: Any) -> dict[str, Any]:
        """The case goes to somebody else."""
        return await self.ask_by("case_assign", request)

    @assign.validator
    def _check_assign(self, request: Any) -> None:
        self.check(Assign, request)

    @workflow.update(description="It burns: {reason, to?, by}. Lead and manager are told, sales holds still")
    async def escalate(self, request: Any) -> dict[str, Any]:
        """The flag goes up."""
        return await self.ask_by("case_escalate", request)

    @escalate.validator
    def _check_escalate(self, request: Any) -> None:
        self.check(Escalate, request)

    @workflow.update(description="It burns no longer: {reason, by}")
    async def de_escalate(self, request: Any) -> dict[str, Any]:
        """The flag comes down."""
        return await self.ask_by("case_de_escalate", request)

    @de_escalate.validator
    def _check_de_escalate(self, request: Any) -> None:
        self.check(DeEscalate, request)

    @workflow.update(description="Another priority: {impact?, urgency?, priority?: urgent|high|medium|low, by}")
    async def prioritise(self, request: Any) -> dict[str, Any]:
        """Promises are counted again."""
        return await self.ask_by("case_prioritise", request)

    @prioritise.validator
    def _check_prioritise(self, request: Any) -> None:
        self.check(Prioritise, request)

    @workflow.update(description="Whose case it is: {account_id, contact_id?, by}")
    async def identify(self, request: Any) -> dict[str, Any]:
        """The customer of a case of somebody unknown."""
        return await self.ask_by("case_identify", request)

    @identify.validator
    def _check_identify(self, request: Any) -> None:
        self.check(Identify, request)

    @workflow.query(description="The instant that the case waits for, and what is on its way out")
    def agenda(self) -> RunningCase:
        """What the case has on its agenda, at its own time."""
        view = self.progress.view
        return RunningCase(
            case_id=self.progress.case_id,
            now=workflow.now(),
            begun=self.begun,
            status=view.status.value if view else None,
            next_at=view.next_at if view else None,
            parked_at=self.parked_at,
            deliveries=self.progress.in_flight,
        )

    @workflow.update(description="Try again what could not be done or delivered: {by}")
    async def retry(self, request: Any) -> dict[str, Any]:
        """What is stuck goes on."""
        return await self.ask_by("case_retry", request)

    @retry.validator
    def _check_retry(self, request: Any) -> None:
        self.check(Retry, request)

    @workflow.signal(description="Another case went up in this one: its customer may wait for an answer")
    def case_absorbed(self, told: CaseChanged) -> None:
        """A merge, which is on record already."""
        self.asked.append(Asked("case_absorbed", told.id, told.model_dump(mode="json")))

    @workflow.signal(dynamic=True, description="A signal that this release does not know: shown, never lost")
    def unknown_signal(self, name: str, args: Sequence[RawValue]) -> None:
        """Shows a signal with an unknown name."""
        said = f"a signal named {name[:60]!r} came in, which is not understood"
        self.progress = self.progress.after(CaseOutcome(attention={"unknown_message": said}), workflow.now())
