"""Which day it is: the usual one where the workflows are in this process, and the server's clock moved forward for another (`PERENNIAL_NOW`).

The server's own clock stays; every workflow has one of its own. So each is started first, moved, and only then given its
first message: to whatever it does it is that day.
"""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from typing import Any
from unittest.mock import patch

from temporalio.client import (
    Client,
    Interceptor,
    OutboundInterceptor,
    StartWorkflowUpdateWithStartInput,
    WorkflowExecutionStatus,
    WorkflowUpdateHandle,
)
from temporalio.common import WorkflowIDConflictPolicy
from temporalio.service import RPCError, RPCStatusCode

from activities.kernel import clock
from activities.kernel.clock import begin_at, present
from gateway.clock import Clocks, server_time

_USUAL = datetime(2027, 6, 22, 3, tzinfo=UTC) - datetime.now(UTC)  # noqa: TID251 - noon of a Tuesday in Tokyo
"""How far ahead it is on the usual day: no holiday is near, and the next month is soon."""


def take_time_given() -> None:
    """From now on it is what `PERENNIAL_NOW` says, if it says anything."""
    if given := os.environ.get("PERENNIAL_NOW"):
        begin_at(datetime.fromisoformat(given))


def is_moved() -> bool:
    """Whether this process was given another time than the present one."""
    return abs(present() - datetime.now(UTC)) > timedelta(seconds=1)  # noqa: TID251 - they are compared


@contextmanager
def usual_day() -> Iterator[None]:
    """It is the usual day within the block, or what `PERENNIAL_NOW` says: tests do not depend on the day on which they run."""
    with patch.object(clock, "_ahead", clock._ahead if is_moved() else _USUAL):
        yield


def moved(client: Client) -> Client:
    """The client, whose new journeys begin in the present that was given."""
    if not is_moved():
        return client
    config = client.config()
    config["interceptors"] = [*config["interceptors"], _Ahead(client)]
    return Client(**config)


class _Ahead(Interceptor):
    def __init__(self, plain: Client) -> None:
        self._plain = plain

    def intercept_client(self, next: OutboundInterceptor) -> OutboundInterceptor:
        return _MovedFirst(next, self._plain)


class _MovedFirst(OutboundInterceptor):
    def __init__(self, next: OutboundInterceptor, plain: Client) -> None:
        super().__init__(next)
        self._plain = plain

    async def start_update_with_start_workflow(
        self, input: StartWorkflowUpdateWithStartInput
    ) -> WorkflowUpdateHandle[Any]:
        start = input.start_workflow_input
        if not await self._runs(start.id):
            await self._plain.start_workflow(
                start.workflow,
                args=start.args,
                id=start.id,
                task_queue=start.task_queue,
                id_conflict_policy=WorkflowIDConflictPolicy.USE_EXISTING,
                start_delay=present() - server_time() + timedelta(days=1),  # it must not find itself without a message
            )
            await Clocks(self._plain).forward(start.id, present())
        return await super().start_update_with_start_workflow(input)

    async def _runs(self, workflow_id: str) -> bool:
        try:
            described = await self._plain.get_workflow_handle(workflow_id).describe()
        except RPCError as error:
            if error.status is not RPCStatusCode.NOT_FOUND:
                raise
            return False
        return described.status is WorkflowExecutionStatus.RUNNING
