"""What waits for a worker is taken by its turn: cases before planned steps, and no customer before all others."""

from __future__ import annotations

import asyncio
import os
from collections.abc import Awaitable
from datetime import timedelta
from typing import Any

import pytest
from temporalio.api.enums.v1 import EventType, TaskQueueType
from temporalio.api.taskqueue.v1 import TaskQueue
from temporalio.api.workflowservice.v1 import DescribeTaskQueueRequest
from temporalio.client import WorkflowHandle
from temporalio.service import RPCError

from gateway.cases import CaseClient
from gateway.client import PerennialClient
from tests.builders import order
from tests.conftest import Servers
from tests.e2e.lives import account_of, until
from workers.settings import Settings
from workers.wiring import build_worker

pytestmark = pytest.mark.engine
MANY = 24
ONE_AFTER_ANOTHER: dict[str, Any] = {
    "max_concurrent_workflow_tasks": 2,
    "max_concurrent_workflow_task_polls": 2,
    "max_concurrent_activities": 1,
}


def case(account: str, number: int) -> dict[str, Any]:
    return {"case_id": f"T-{account}-{number}", "account_id": account, "subject": "Till is down", "body": "since nine"}


async def taken_up(servers: Servers, workflow_id: str) -> int:
    """When a worker first took the workflow up, in nanoseconds."""
    handle: WorkflowHandle[Any, Any] = servers.temporal.get_workflow_handle(workflow_id)
    async for event in handle.fetch_history_events():
        if event.event_type == EventType.EVENT_TYPE_WORKFLOW_TASK_STARTED:
            return event.event_time.ToNanoseconds()
    raise AssertionError(f"{workflow_id} was never taken up")


async def answered(asked: Awaitable[object]) -> None:
    """Waits for an answer, whatever it is."""
    await asked


async def waiting(servers: Servers, settings: Settings, number: int) -> None:
    """Until so many workflows wait for a worker."""
    asked = DescribeTaskQueueRequest(
        namespace=servers.temporal.namespace,
        task_queue=TaskQueue(name=settings.task_queue),
        task_queue_type=TaskQueueType.TASK_QUEUE_TYPE_WORKFLOW,
        report_stats=True,
    )

    async def so_many() -> bool:
        try:
            found = await servers.temporal.workflow_service.describe_task_queue(asked)
        except RPCError:  # a queue that is only just being made
            return False
        return found.stats.approximate_backlog_count >= number

    await until(so_many, f"{number} wait")


async def test_a_case_is_taken_up_before_the_orders_that_wait_longer(servers: Servers) -> None:
    settings = servers.settings.model_copy(update={"task_queue": f"turns-{os.getpid()}"})
    long = timedelta(minutes=2)
    client = PerennialClient(servers.temporal, servers.pool, task_queue=settings.task_queue, within=long)
    cases = CaseClient(servers.temporal, servers.pool, task_queue=settings.task_queue, within=long)
    known = order()
    await servers.client.place_order(known)
    documents = [order() for _ in range(MANY)]
    journeys = [f"journey-{account_of(document)}" for document in documents]
    going = [asyncio.create_task(answered(client.place_order(one))) for one in documents]
    await waiting(servers, settings, MANY)
    urgent = case(account_of(known), 1)
    going.append(asyncio.create_task(answered(cases.open_case(urgent))))
    await waiting(servers, settings, MANY + 1)
    async with build_worker(servers.temporal, servers.pool, settings, **ONE_AFTER_ANOTHER):
        await asyncio.gather(*going)
        first = await taken_up(servers, f"case-{urgent['case_id']}")
        earlier = [journey for journey in journeys if await taken_up(servers, journey) < first]
    assert len(earlier) <= MANY // 3, earlier


async def test_one_customers_many_cases_leave_room_for_anothers(servers: Servers) -> None:
    settings = servers.settings.model_copy(update={"task_queue": f"shares-{os.getpid()}"})
    cases = CaseClient(servers.temporal, servers.pool, task_queue=settings.task_queue, within=timedelta(minutes=2))
    documents = [order(), order()]
    for document in documents:
        await servers.client.place_order(document)
    flood = [case(account_of(documents[0]), number) for number in range(MANY)]
    ids = [f"case-{one['case_id']}" for one in flood]
    going = [asyncio.create_task(answered(cases.open_case(one))) for one in flood]
    await waiting(servers, settings, MANY)
    other = case(account_of(documents[1]), 1)
    going.append(asyncio.create_task(answered(cases.open_case(other))))
    await waiting(servers, settings, MANY + 1)
    async with build_worker(servers.temporal, servers.pool, settings, **ONE_AFTER_ANOTHER):
        await asyncio.gather(*going)
        first = await taken_up(servers, f"case-{other['case_id']}")
        earlier = [one for one in ids if await taken_up(servers, one) < first]
    assert len(earlier) <= MANY // 3
