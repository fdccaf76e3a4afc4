"""The client by which channels, services, imports and the command line meet service cases."""

from __future__ import annotations

import hashlib
from datetime import datetime, timedelta
from typing import Any
from uuid import uuid4

from temporalio.client import Client

from activities.frame.customers import account_name
from activities.kernel.pool import Pool
from activities.mail.vouching import Vouching
from activities.service import case_rows, desks
from domain.frame.turns import Turn
from domain.journey.agenda import RunningCase
from domain.journey.registry import CASE
from domain.kernel.ids import case_workflow_id, journey_id
from domain.kernel.refusals import UNKNOWN_CASE, Refusal
from domain.kernel.requests import read_request
from domain.service.case import CaseFile
from domain.service.case_requests import Identify
from domain.service.desk import AgentDocument, EntitlementDocument, TeamDocument
from domain.service.opening import CaseAnswer, OpenCase, read_case
from gateway.calling import ANSWER_WITHIN
from gateway.claims import PriceDesk
from gateway.clock import Clocks, server_time
from gateway.entity import Entities, MayBeGone, Row, memo_of
from gateway.here import TASK_QUEUE

CASE_WORKFLOW = "ServiceCase"


class CaseClient(PriceDesk):
    """Cases in, and everything that is asked of them. Refused requests raise `Refusal` and change nothing.

    `open_case` takes the document of `domain.service.opening.OpenCase`, as a dict as read from JSON:

        {"case_id": "C-17", "account_id": "acme", "subject": "Till is down", "body": "Since nine o'clock …",
         "channel": "mail", "impact": "high", "urgency": "high", "product": "POS", "message_id": "<1@acme.example>"}

    Only `case_id`, `subject` and one of `account_id` and `contact` ({name, email, phone, language, time_zone}) are
    needed. Opened again with the same content, it gets the first answer again; with other content it is refused
    (CaseConflict). `ask` sends any update of `domain.service.case_requests` by its name: respond, note, wait, resume,
    assign, escalate, de_escalate, prioritise, resolve, reopen, merge, close, cancel, customer_message, answer_csat,
    identify, retry; and of `domain.service.claim_requests`: claim_price_match, grant_goodwill, approve_claim, reject_claim,
    dispute_refund.

    Args:
        temporal: the connection.
        pool: the facts. Without it the client cannot look cases up, follow merges, or meet a customer whose clock was moved.
        within: what gets no answer in that time raises `gateway.calling.NoAnswerError`; it may still happen.
    """

    def __init__(
        self, temporal: Client, pool: Pool, *, task_queue: str = TASK_QUEUE, within: timedelta = ANSWER_WITHIN
    ) -> None:
        self.temporal = temporal
        self._pool = pool
        self._cases = Entities(temporal, CASE_WORKFLOW, Turn.CASE, task_queue, within)
        self._clocks = Clocks(temporal, within)
        self._vouching = Vouching(pool)

    async def open_case(self, document: dict[str, Any]) -> CaseAnswer:
        """Opens a case. Raises `Refusal`: InvalidCase, CaseConflict, UnknownAccount."""
        case = read_case(document)
        # One id for all attempts of this call, another for the next call: a refusal of today must not answer for ever.
        update_id = f"{case.case_id}:{case.digest()[:24]}:{uuid4().hex[:8]}"
        body = case.model_dump(mode="json", exclude_unset=True)
        row = await self._row(case.account_id, _summary(case), case.subject)
        await self._meet(case.case_id, case.account_id, row)
        again = "the same case may be opened again, and is opened once"
        workflow_id = case_workflow_id(case.case_id)
        opened = await self._cases.begin_and_ask(workflow_id, "open_case", body, update_id, row, again)
        return CaseAnswer.model_validate(opened)

    async def ask(self, case_id: str, update: str, request: dict[str, Any]) -> dict[str, Any]:
        """Sends an update such as `respond`; its answer. A case whose workflow has ended is taken up again to answer.

        A `request_id` in the request makes a repetition harmless. Raises `Refusal`: what the case refuses, and UnknownCase.
        """
        if update == "identify":
            account_id = read_request(Identify, request).account_id
            await self._meet(case_id, account_id, await self._row(account_id, f"Case {case_id}"))
        workflow_id = case_workflow_id(case_id)
        kind = CASE.get(update)
        update_id = await self._vouching.update_id(workflow_id, kind, request) if kind else str(uuid4())
        with MayBeGone():
            return await self._cases.ask(workflow_id, update, request, update_id)
        facts = await self._known(case_id)
        row = await self._row(facts.account_id, f"Case {case_id} · again", facts.subject)
        await self._meet(case_id, facts.account_id, row)
        return await self._cases.begin_and_ask(workflow_id, update, request, update_id, row)

    async def agenda_of(self, case_id: str) -> RunningCase | None:
        """What the case's workflow waits for; null if none runs. Needs a worker."""
        return await self._cases.agenda_of(case_workflow_id(case_id), RunningCase)

    async def customer_message(self, case_id: str, request: dict[str, Any]) -> dict[str, Any]:
        """A message of the customer to a case, wherever it has gone meanwhile: never dropped.

        A merged case's message goes to the case it was merged into; one to a case that ended too long ago opens a new
        case linked to it. The answer's `case_id` says where it went, and `opened` whether that is a new case.
        """
        target, answer = await self._along_merges(case_id, "customer_message", request)
        if not answer.get("new_case"):
            return {**answer, "case_id": target, "opened": False}
        document = _linked(await self._known(target), request)
        if await self.case(document["case_id"]) is not None:  # the message was heard before
            return {**answer, "case_id": document["case_id"], "opened": True}
        opened = await self.open_case(document)
        return {**opened.model_dump(mode="json"), "opened": True}

    async def agent_message(self, case_id: str, request: dict[str, Any]) -> dict[str, Any]:
        """An agent's answer (`respond`) to the customer of a case, wherever that has gone meanwhile; `case_id` says where it went."""
        target, answer = await self._along_merges(case_id, "respond", request)
        return {**answer, "case_id": target}

    async def _along_merges(self, case_id: str, update: str, request: dict[str, Any]) -> tuple[str, dict[str, Any]]:
        """Asks a case, or the one that it was merged into; which one that was, and its answer."""
        target = await self.leads_to(case_id)
        while True:
            try:
                return target, await self.ask(target, update, request)
            except Refusal:
                onward = await self.leads_to(target)
                if onward == target:
                    raise
                target = onward  # it was merged at this very moment

    # Looking up

    async def case(self, case_id: str) -> CaseFile | None:
        """A case as the facts show it."""
        async with self._pool.acquire() as connection:
            return await case_rows.find_case(connection, case_id)

    async def cases_of(self, account_id: str, *, open_only: bool = False) -> list[CaseFile]:
        """An account's cases, newest first."""
        async with self._pool.acquire() as connection:
            return await case_rows.cases_of(connection, account_id, open_only=open_only)

    async def leads_to(self, case_id: str) -> str:
        """The case that messages to `case_id` belong to, along its merges."""
        async with self._pool.acquire() as connection:
            return await case_rows.merge_end(connection, case_id)

    async def briefing(self, case_id: str) -> str:
        """The briefing that operators read in the Temporal UI, as Markdown. Needs a worker."""
        return await self._cases.briefing_of(case_workflow_id(case_id))

    # Who serves, and what is owed

    async def put_team(self, document: dict[str, Any]) -> None:
        """Keeps a team: {team, name, lead?, manager?, director?}, people as {staff_id, name, email}."""
        team = TeamDocument.model_validate(document)
        async with self._pool.acquire() as connection, connection.transaction():
            await desks.save_team(connection, team)

    async def put_agent(self, document: dict[str, Any]) -> None:
        """Keeps an agent: {staff: {staff_id, name, email}, team, skills?, shift?, case_limit?, active?}."""
        agent = AgentDocument.model_validate(document)
        async with self._pool.acquire() as connection, connection.transaction():
            await desks.save_agent(connection, agent)

    async def put_entitlement(self, document: dict[str, Any]) -> None:
        """Keeps an entitlement: {entitlement_id, account_id, policy_id, product?, contract_id?, starts_on, ends_on?}."""
        entitlement = EntitlementDocument.model_validate(document)
        async with self._pool.acquire() as connection, connection.transaction():
            await desks.save_entitlement(connection, entitlement)

    # Clocks

    async def now(self, case_id: str) -> datetime:
        """The case's own time: the present, or later once it was moved."""
        return await self._clocks.told(case_workflow_id(case_id))

    async def fast_forward(self, case_id: str, by: timedelta) -> datetime:
        """Moves the clock of one case alone, on a server that allows it; a customer's cases move with `PerennialClient`."""
        now = await self.now(case_id)
        await self._clocks.move(case_workflow_id(case_id), now + by)
        return await self.now(case_id)

    async def _row(self, account_id: str | None, summary: str, subject: str | None = None) -> Row:
        """How a case's run is shown."""
        company = None
        if account_id is not None:
            async with self._pool.acquire() as connection:
                company = await account_name(connection, account_id)
        return Row(summary, memo_of(company, subject), account_id)

    async def _meet(self, case_id: str, account_id: str | None, row: Row) -> None:
        """Brings a new case to its customer's own time, if that was moved ahead: two workflows are two clocks."""
        if account_id is None:
            return
        with MayBeGone():  # without a journey the case lives in the present
            theirs = await self._clocks.told(journey_id(account_id))
            if theirs > server_time() + timedelta(seconds=2):
                await self._cases.start(case_workflow_id(case_id), row)
                await self._clocks.move(case_workflow_id(case_id), theirs)

    async def _known(self, case_id: str) -> CaseFile:
        facts = await self.case(case_id)
        if facts is None:
            raise Refusal(UNKNOWN_CASE, f"there is no case {case_id!r}; check the id, or open it")
        return facts


def _summary(case: OpenCase) -> str:
    """The row of a case in the Temporal UI: ids and words of ours alone."""
    about = f" · {case.product}" if case.product else ""
    return f"Case {case.case_id} · {case.account_id or 'unknown customer'} · {case.category.value}{about}"[:190]


def _linked(facts: CaseFile, request: dict[str, Any]) -> dict[str, Any]:
    """The document of the case that a late message opens. Its id follows from the message: sent again, it is the same case."""
    content = f"{request.get('message_id') or request.get('request_id') or request}\0{request.get('body', '')}"
    number = hashlib.sha256(content.encode()).hexdigest()[:8]
    contact = facts.contact
    document: dict[str, Any] = {
        "case_id": f"{facts.case_id[:47]}.{number}",
        "account_id": facts.account_id,
        "subject": request.get("subject") or facts.subject,
        "body": request.get("body", ""),
        "channel": request.get("channel", "mail"),
        "product": facts.product_code,
        "asset_id": facts.asset_id,
        "follows": facts.case_id,
        "message_id": request.get("message_id"),
        "references": list(request.get("references", [])),
        "opened_at": request.get("at"),
    }
    if facts.account_id is not None:
        document["contact_id"] = facts.contact_id
    if facts.account_id is None or facts.contact_id is None:
        kept = contact.model_dump(include={"name", "email", "phone", "language", "time_zone"}, exclude_defaults=True)
        document["contact"] = kept if contact.email or contact.phone else None
    return {key: value for key, value in document.items() if value is not None}
