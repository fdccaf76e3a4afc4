"""Whether anybody works: what Temporal knows of the workers of a task queue."""

from __future__ import annotations

import asyncio
import socket
from datetime import UTC, timedelta

from temporalio.api.enums.v1 import TaskQueueType, WorkerStatus
from temporalio.api.taskqueue.v1 import TaskQueue
from temporalio.api.workflowservice.v1 import DescribeTaskQueueRequest, ListWorkersRequest
from temporalio.client import Client, WorkflowQueryFailedError
from temporalio.service import RPCError

from activities.kernel.engine import is_unknown
from gateway.calling import Call, NoAnswerError, insist
from gateway.clock import server_time

POLLS_EVERY = timedelta(seconds=90)
"""A worker asks for work again after a minute at the latest; one that was silent for longer is gone."""
PROBE = timedelta(seconds=8)
"""So long a question to a running workflow may take; a worker that was killed is known to be gone only by its silence."""


async def worker_runs_here(
    client: Client, task_queue: str, *, host: str | None = None, within: timedelta = timedelta(minutes=2, seconds=30)
) -> bool:
    """Whether Temporal heard `within` this time from a running worker of `task_queue` on `host` (default: this one).

    A worker reports once a minute and when it begins and ends. A container's host name is its own, so a health check
    inside it finds its own worker and no other. Temporal forgets the reports when it restarts, until the next.
    """
    since = server_time() - within
    conditions = {
        "TaskQueue =": task_queue,
        "HostName =": host or socket.gethostname(),
        "Status =": "Running",
        "HeartbeatTime >": since.strftime("%Y-%m-%dT%H:%M:%SZ"),
    }
    query = " AND ".join(f"{field} '{value}'" for field, value in conditions.items())
    listed = await client.workflow_service.list_workers(
        ListWorkersRequest(namespace=client.namespace, page_size=1, query=query)
    )
    return len(listed.workers) > 0


async def is_polled(client: Client, task_queue: str) -> bool:
    """Whether anybody asks for the activities of a task queue."""
    pollers = await _pollers(client, task_queue, TaskQueueType.TASK_QUEUE_TYPE_ACTIVITY)
    return bool(pollers - await _ended(client, task_queue))


async def absence(client: Client, task_queue: str) -> str | None:
    """Why nothing of `task_queue` is done, in words; null if workers ask for its work and answer."""
    kinds = (TaskQueueType.TASK_QUEUE_TYPE_WORKFLOW, TaskQueueType.TASK_QUEUE_TYPE_ACTIVITY)
    polled = await asyncio.gather(*(_pollers(client, task_queue, kind) for kind in kinds))
    ended = await _ended(client, task_queue)
    if not all(pollers - ended for pollers in polled):
        return f"nobody asks for the work of task queue {task_queue!r}"
    return await _silence(client, task_queue)


async def _pollers(client: Client, task_queue: str, kind: TaskQueueType.ValueType) -> set[str]:
    described = await client.workflow_service.describe_task_queue(
        DescribeTaskQueueRequest(
            namespace=client.namespace, task_queue=TaskQueue(name=task_queue), task_queue_type=kind
        )
    )
    since = server_time() - POLLS_EVERY
    return {one.identity for one in described.pollers if one.last_access_time.ToDatetime(tzinfo=UTC) >= since}


async def _ended(client: Client, task_queue: str) -> set[str]:
    """Workers that said that they end: Temporal shows their last question for a while."""
    listed = await client.workflow_service.list_workers(
        ListWorkersRequest(namespace=client.namespace, page_size=1000, query=f"TaskQueue = '{task_queue}'")
    )
    reports = [one.worker_heartbeat for one in listed.workers_info]
    running = {one.worker_identity for one in reports if one.status == WorkerStatus.WORKER_STATUS_RUNNING}
    return {one.worker_identity for one in reports} - running


async def _silence(client: Client, task_queue: str) -> str | None:
    """What is amiss if a workflow that runs does not answer."""
    query = f"ExecutionStatus = 'Running' AND TaskQueue = '{task_queue}'"
    runs = [run async for run in client.list_workflows(query, limit=1)]
    if not runs:
        return None
    handle = client.get_workflow_handle(runs[0].id)
    try:
        await insist(lambda: handle.query("agenda"), Call("a question", handle.id), PROBE)
    except NoAnswerError:
        return f"{handle.id} does not answer: the worker is gone, or has too much to do"
    except WorkflowQueryFailedError:
        return None  # somebody answered
    except RPCError as error:
        if not is_unknown(error):
            raise
    return None
