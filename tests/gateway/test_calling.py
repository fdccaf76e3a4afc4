"""A call waits for what passes: a workflow whose task cannot be done for a moment, because workers keep dying over it."""

from __future__ import annotations

import asyncio
from datetime import timedelta

import pytest
from temporalio import workflow
from temporalio.service import RPCError, RPCStatusCode
from temporalio.worker import UnsandboxedWorkflowRunner, Worker

from gateway.calling import Call, NoAnswerError, insist
from tests.conftest import Servers

TRIPS = 4
"""tasks that fail; from the fourth on the server refuses updates at once"""
_left = TRIPS


@workflow.defn(sandboxed=False)
class Trips:
    """Fails its first tasks, as one does whose worker dies, and then answers."""

    def __init__(self) -> None:
        self._over = False

    @workflow.run
    async def run(self) -> None:
        global _left  # noqa: PLW0603 - what fails is the worker, whatever the workflow remembers
        if _left:
            _left -= 1
            raise RuntimeError("stumbled")
        await workflow.wait_condition(lambda: self._over)

    @workflow.update
    async def ask(self) -> str:
        self._over = True
        return "here"


@pytest.mark.engine
async def test_a_task_that_failed_some_times_is_waited_for(servers: Servers) -> None:
    queue = "trips"
    within = timedelta(
        seconds=1
    )  # a worker says of a first task alone that it failed; what follows is found to be late
    handle = await servers.temporal.start_workflow(Trips.run, id=queue, task_queue=queue, task_timeout=within)
    call = Call("ask", queue, "u-1")
    async with Worker(
        servers.temporal, task_queue=queue, workflows=[Trips], workflow_runner=UnsandboxedWorkflowRunner()
    ):
        while (await handle.describe()).raw_description.pending_workflow_task.attempt <= 3:  # noqa: ASYNC110 - it tells nobody
            await asyncio.sleep(0.02)
        with pytest.raises(RPCError) as refused:
            await handle.execute_update(Trips.ask, id="u-0")
        assert refused.value.status is RPCStatusCode.FAILED_PRECONDITION
        assert await insist(lambda: handle.execute_update(Trips.ask, id="u-1"), call, timedelta(seconds=120)) == "here"


async def test_what_is_refused_for_another_reason_is_not_tried_again() -> None:
    async def send() -> None:
        raise RPCError("no such thing", RPCStatusCode.FAILED_PRECONDITION, b"")

    with pytest.raises(RPCError, match="no such thing"):
        await insist(send, Call("ask", "somebody", "u-1"), timedelta(seconds=5))


async def test_who_waits_too_long_hears_what_the_server_said() -> None:
    async def send() -> None:
        said = "Unable to perform workflow execution update due to Workflow Task in failed state."
        raise RPCError(said, RPCStatusCode.FAILED_PRECONDITION, b"")

    with pytest.raises(NoAnswerError, match="failed state"):
        await insist(send, Call("ask", "somebody", "u-1"), timedelta(seconds=0.3))
