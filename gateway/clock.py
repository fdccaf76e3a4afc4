"""A customer's own clock, on a server that lets it be moved: read, and moved to an instant."""

from __future__ import annotations

import asyncio
from datetime import UTC, datetime, timedelta
from uuid import uuid4

from google.protobuf.field_mask_pb2 import FieldMask
from temporalio.api.common.v1 import TimeSkippingConfig, TimeSkippingInfo, WorkflowExecution
from temporalio.api.enums.v1 import FastForwardPollingResult
from temporalio.api.workflow.v1 import WorkflowExecutionOptions
from temporalio.api.workflowservice.v1 import (
    PollWorkflowExecutionTimeSkippingRequest,
    UpdateWorkflowExecutionOptionsRequest,
)
from temporalio.client import Client
from temporalio.service import RPCError, RPCStatusCode

from domain.frame.flight import TOGETHER, Channel
from gateway.calling import ANSWER_WITHIN, Call, NoAnswerError, insist
from gateway.entity import MayBeGone

MOST_SKIPS = 10_000
"""Skips in one move; the server's own limit would end a move of some months early."""


_REFUSED = frozenset(
    {
        RPCStatusCode.NOT_FOUND,
        RPCStatusCode.INVALID_ARGUMENT,
        RPCStatusCode.UNIMPLEMENTED,
        RPCStatusCode.PERMISSION_DENIED,
    }
)
_MESSAGES = frozenset({TOGETHER, *(channel.value for channel in Channel)})
_ON_ITS_WAY = 2.0
"""Seconds after a connection broke in which the server may still take what was sent. A move says by how much and not until when, so
that a second one beside it would bring the clock too far."""


class Clocks:
    """The clocks of workflows, each on its own."""

    def __init__(self, temporal: Client, within: timedelta = ANSWER_WITHIN) -> None:
        self._temporal = temporal
        self._within = within

    async def told(self, workflow_id: str) -> datetime:
        """The workflow's time, asked for until it is told. Raises NoAnswerError; RPCError for a workflow that is not known."""
        return await insist(lambda: self.now(workflow_id), Call("the question for its time", workflow_id), self._within)

    async def move(self, workflow_id: str, until: datetime) -> None:
        """Moves the clock to `until`, however long that takes, as long as it goes on; see `forward`.

        Raises NoAnswerError once it has not skipped ahead for the deadline; the move may go on when a worker runs again.
        """
        call = Call("the move of its clock", workflow_id)
        ahead = timedelta(0)
        while True:
            try:
                return await insist(lambda: self.forward(workflow_id, until), call, self._within)
            except NoAnswerError:
                skipped = await self.told(workflow_id) - server_time()
                if skipped <= ahead + timedelta(seconds=1):
                    raise
                ahead = skipped

    async def now(self, workflow_id: str) -> datetime:
        """The workflow's time: the present, or later once it was moved. Raises RPCError."""
        return _time_of(await self._info(workflow_id))

    async def is_deciding(self, workflow_id: str) -> bool:
        """Whether the workflow is about something other than a message on its way out. Never for one that is not known."""
        with MayBeGone():
            call = Call("the question what it is about", workflow_id)
            described = await insist(self._temporal.get_workflow_handle(workflow_id).describe, call, self._within)
            raw = described.raw_description
            doing = {one.activity_type.name for one in raw.pending_activities}
            return raw.HasField("pending_workflow_task") or bool(doing - _MESSAGES)
        return False

    async def forward(self, workflow_id: str, until: datetime) -> None:
        """Moves the clock to `until`; returns when it is there, or earlier if the workflow ended or the server gave up.

        Raises RPCError, after which it may be called again: a move that is under way is waited for, never added to.
        """
        info = await self._info(workflow_id)
        under_way = info.fast_forward_info if info and info.effective_config.enabled else None
        if under_way and under_way.fast_forward_id and not under_way.has_completed:
            await self._arrival(workflow_id, under_way.fast_forward_id)
            info = await self._info(workflow_id)
        now = _time_of(info)
        if now >= until:
            return
        move = str(uuid4())
        try:
            await self._start(workflow_id, move, until - now)
        except RPCError as error:
            if error.status not in _REFUSED:
                await asyncio.sleep(_ON_ITS_WAY)
            raise
        await self._arrival(workflow_id, move)

    async def _info(self, workflow_id: str) -> TimeSkippingInfo | None:
        description = await self._temporal.get_workflow_handle(workflow_id).describe()
        extended = description.raw_description.workflow_extended_info
        return extended.time_skipping_info if extended.HasField("time_skipping_info") else None

    async def _start(self, workflow_id: str, move: str, by: timedelta) -> None:
        config = TimeSkippingConfig(enabled=True, max_session_skip_count=MOST_SKIPS)
        config.fast_forward_config.id = move
        config.fast_forward_config.duration.FromTimedelta(by)
        request = UpdateWorkflowExecutionOptionsRequest(
            namespace=self._temporal.namespace,
            workflow_execution=WorkflowExecution(workflow_id=workflow_id),
            workflow_execution_options=WorkflowExecutionOptions(time_skipping_config=config),
            update_mask=FieldMask(paths=["time_skipping_config"]),
            identity=self._temporal.identity,
        )
        # Not tried again by itself: a second one would count from where the first has brought the clock by then.
        await self._temporal.workflow_service.update_workflow_execution_options(request, retry=False)

    async def _arrival(self, workflow_id: str, move: str) -> None:
        """Waits until a move has ended; it goes on through continue-as-new."""
        request = PollWorkflowExecutionTimeSkippingRequest(
            namespace=self._temporal.namespace,
            workflow_execution=WorkflowExecution(workflow_id=workflow_id),
            fast_forward_id=move,
        )
        result = FastForwardPollingResult.FAST_FORWARD_POLLING_RESULT_POLL_TIMEOUT
        while result == FastForwardPollingResult.FAST_FORWARD_POLLING_RESULT_POLL_TIMEOUT:
            answer = await self._temporal.workflow_service.poll_workflow_execution_time_skipping(request, retry=True)
            result = answer.fast_forward_polling_result


def server_time() -> datetime:
    """The server's present, which nobody here can move: what a clock shows that was never moved."""
    return datetime.now(UTC)  # noqa: TID251 - not `activities.kernel.clock`, which may have been given another time


def _time_of(info: TimeSkippingInfo | None) -> datetime:
    return info.current_time.ToDatetime(UTC) if info else server_time()
