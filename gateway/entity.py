"""A customer's journey and a case are asked in one way: an update, one that starts the workflow, its agenda, its briefing."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from contextlib import AbstractContextManager, suppress
from dataclasses import dataclass, field
from datetime import timedelta
from types import TracebackType
from typing import Any, TypeVar

from temporalio.api.common.v1 import WorkflowExecution
from temporalio.api.enums.v1 import UpdateWorkflowExecutionLifecycleStage
from temporalio.api.sdk.v1 import WorkflowMetadata
from temporalio.api.update.v1 import UpdateRef
from temporalio.api.workflowservice.v1 import PollWorkflowExecutionUpdateRequest
from temporalio.client import Client, WithStartWorkflowOperation, WorkflowHandle, WorkflowQueryRejectedError
from temporalio.common import Priority, QueryRejectCondition, WorkflowIDConflictPolicy, WorkflowIDReusePolicy
from temporalio.service import RPCError

from activities.kernel.engine import is_unknown
from domain.frame.turns import Turn, share_of
from gateway.calling import Call, NoAnswerError, insist
from gateway.payloads.enclosing import Document

_Agenda = TypeVar("_Agenda")
_Answer = TypeVar("_Answer")
_LOOKED_FOR = timedelta(seconds=2)


@dataclass(frozen=True)
class Row:
    """What the Temporal UI shows of a run: a summary of ids and words of ours, and a memo. account_id: whose share of the workers
    it takes, if that is known."""

    summary: str | None = None
    memo: dict[str, str] = field(default_factory=dict)
    account_id: str | None = None


class MayBeGone(AbstractContextManager[None, bool]):
    """Goes on after the block for a workflow that the server does not know."""

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> bool:
        return is_unknown(error)


class Entities:
    """The workflows of one kind. What gets no answer `within` that time raises `gateway.calling.NoAnswerError`."""

    def __init__(self, temporal: Client, kind: str, turn: Turn, task_queue: str, within: timedelta) -> None:
        self._temporal = temporal
        self._kind = kind
        self._turn = turn
        self._task_queue = task_queue
        self._within = within

    def handle(self, workflow_id: str) -> WorkflowHandle[Any, Any]:
        """One of them, whether it runs or not."""
        return self._temporal.get_workflow_handle(workflow_id)

    async def ask(self, workflow_id: str, update: str, request: dict[str, Any], update_id: str) -> dict[str, Any]:
        """An update's answer. Raises RPCError for a workflow that does not run. update_id: the same at every attempt, so that an answer
        that got lost is not asked for anew."""
        call = Call(update, workflow_id, update_id, again_with(request, update_id))
        handle = self.handle(workflow_id)
        answer: dict[str, Any] = await self._answered(
            lambda: handle.execute_update(update, Document(request), id=update_id), call
        )
        return answer

    async def begin_and_ask(
        self, workflow_id: str, update: str, body: dict[str, Any], update_id: str, row: Row, again: str = ""
    ) -> dict[str, Any]:
        """The answer of an update that starts the workflow if it does not run. again: how it may be sent once more."""

        async def send() -> dict[str, Any]:
            start: WithStartWorkflowOperation[Any, Any] = WithStartWorkflowOperation(
                self._kind, **self._started(workflow_id, row)
            )
            try:
                answer: dict[str, Any] = await self._temporal.execute_update_with_start_workflow(
                    update, Document(body), id=update_id, start_workflow_operation=start
                )
            except BaseException:
                with suppress(
                    BaseException
                ):  # a copy of the error, which asyncio complains about if nobody looks at it
                    await start.workflow_handle()
                raise
            return answer

        return await self._answered(send, Call(update, workflow_id, update_id, again or again_with(body, update_id)))

    async def _answered(self, send: Callable[[], Awaitable[_Answer]], call: Call) -> _Answer:
        """The answer of an update; without one, NoAnswerError says whether it was taken in."""
        try:
            return await insist(send, call, self._within)
        except NoAnswerError as error:
            error.taken = await self._taken(call)
            raise

    async def _taken(self, call: Call) -> bool | None:
        """Whether the workflow has an update in its history; null if the server cannot say."""
        update = UpdateRef(
            workflow_execution=WorkflowExecution(workflow_id=call.workflow_id), update_id=call.update_id or ""
        )
        asked = PollWorkflowExecutionUpdateRequest(namespace=self._temporal.namespace, update_ref=update)
        try:
            found = await self._temporal.workflow_service.poll_workflow_execution_update(asked, timeout=_LOOKED_FOR)
        except RPCError as error:
            return False if is_unknown(error) else None
        return found.stage >= UpdateWorkflowExecutionLifecycleStage.UPDATE_WORKFLOW_EXECUTION_LIFECYCLE_STAGE_ACCEPTED

    async def start(self, workflow_id: str, row: Row) -> None:
        """Starts the workflow without a message, unless it runs."""
        await insist(
            lambda: self._temporal.start_workflow(self._kind, **self._started(workflow_id, row)),
            Call("the start", workflow_id),
            self._within,
        )

    def _started(self, workflow_id: str, row: Row) -> dict[str, Any]:
        return {
            "id": workflow_id,
            "task_queue": self._task_queue,
            "id_conflict_policy": WorkflowIDConflictPolicy.USE_EXISTING,
            "id_reuse_policy": WorkflowIDReusePolicy.ALLOW_DUPLICATE,
            "memo": row.memo,
            "static_summary": row.summary,
            "priority": Priority(
                priority_key=self._turn, fairness_key=share_of(row.account_id) if row.account_id else None
            ),
        }

    async def agenda_of(self, workflow_id: str, model: type[_Agenda]) -> _Agenda | None:
        """What the workflow has on its agenda; null if none runs. Needs a worker."""
        handle = self.handle(workflow_id)
        with MayBeGone(), suppress(WorkflowQueryRejectedError):
            found: _Agenda = await insist(
                lambda: handle.query("agenda", result_type=model, reject_condition=QueryRejectCondition.NOT_OPEN),
                Call("the question for its agenda", workflow_id),
                self._within,
            )
            return found
        return None

    async def briefing_of(self, workflow_id: str) -> str:
        """The details that a workflow shows in the Temporal UI, as Markdown. Needs a worker."""
        handle = self.handle(workflow_id)
        metadata = await insist(
            lambda: handle.query("__temporal_workflow_metadata", result_type=WorkflowMetadata),
            Call("the question for its briefing", workflow_id),
            self._within,
        )
        details: str = metadata.current_details
        return details


def memo_of(company: str | None, subject: str | None = None) -> dict[str, str]:
    """What a run carries for people: the account's name and what it is about, as far as they are known."""
    return {key: value for key, value in (("account", company), ("subject", subject)) if value}


def again_with(request: dict[str, Any], update_id: str) -> str:
    """How a request that got no answer is sent once more: one without an id of its own goes by that of its update."""
    return f"it may be sent again with request_id {request.get('request_id') or update_id}, and is done once"
