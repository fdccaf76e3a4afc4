"""What the server keeps of an attempt that failed: what was wrong, however deep the causes and however long the traces."""

from __future__ import annotations

import asyncio
from datetime import timedelta
from uuid import uuid4

import pytest
from temporalio import activity, workflow
from temporalio.api.failure.v1 import Failure
from temporalio.client import Client, WorkflowHandle
from temporalio.exceptions import ApplicationError
from temporalio.testing import ActivityEnvironment
from temporalio.worker import Worker

from gateway.failures import KEPT
from gateway.plugin import OWN
from tests.conftest import Servers
from tests.driver.in_memory.plain import CONVERTER

LONG = "the mail server said: " + "ここに長い返事 " * 400


def _deep(levels: int, said: str) -> None:
    if levels:
        try:
            _deep(levels - 1, said)
        except OSError as error:
            raise OSError(f"level {levels} of {said}") from error
    raise OSError(said)


def _fails(said: str) -> Failure:
    failure = Failure()
    try:
        _deep(40, said)
    except OSError as error:
        CONVERTER.failure_converter.to_failure(error, CONVERTER.payload_converter, failure)
    return failure


def _refuses(said: str) -> Failure:
    failure = Failure()
    refusal = ApplicationError(said, type="Refused", non_retryable=True)
    CONVERTER.failure_converter.to_failure(refusal, CONVERTER.payload_converter, failure)
    return failure


def test_an_attempt_says_what_was_wrong_in_few_bytes() -> None:
    for said in ("nobody there", LONG):
        failure = ActivityEnvironment().run(_fails, said)
        assert failure.ByteSize() <= KEPT
        assert failure.message.startswith("level 40 of ")
        assert "_deep" in failure.stack_trace


def test_a_refusal_says_everything() -> None:
    assert ActivityEnvironment().run(_refuses, LONG).message == LONG
    assert _fails("nobody there").ByteSize() > KEPT  # outside of an activity nothing is short of room


@activity.defn
async def knock() -> None:
    """Fails, deep down."""
    _deep(40, "nobody there")


@workflow.defn(sandboxed=False)
class Knocking:
    """Waits for somebody to be there."""

    @workflow.run
    async def run(self) -> None:
        await workflow.execute_activity(knock, start_to_close_timeout=timedelta(seconds=30))


async def _last_failure(handle: WorkflowHandle[Knocking, None]) -> Failure:
    while True:
        described = await handle.describe()
        for one in described.raw_description.pending_activities:
            if one.HasField("last_failure"):
                return one.last_failure
        await asyncio.sleep(0.1)


@pytest.mark.engine
async def test_an_operator_reads_what_was_wrong_while_it_is_tried_again(servers: Servers) -> None:
    client = await Client.connect(servers.stack.temporal_address, plugins=[OWN])
    queue = f"knocking-{uuid4().hex}"
    async with Worker(client, task_queue=queue, workflows=[Knocking], activities=[knock]):
        handle = await client.start_workflow(Knocking.run, id=queue, task_queue=queue)
        failure = await asyncio.wait_for(_last_failure(handle), 30)
        await handle.terminate()
    assert "nobody there" in failure.message
