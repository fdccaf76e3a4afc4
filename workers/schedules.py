"""When batches are done: a schedule of Temporal for each, kept by every worker that starts and whose build has the work."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Mapping
from dataclasses import replace
from datetime import timedelta
from functools import partial

from temporalio.api.workflowservice.v1 import DescribeWorkerDeploymentRequest
from temporalio.client import (
    Client,
    Schedule,
    ScheduleActionStartWorkflow,
    ScheduleAlreadyRunningError,
    ScheduleOverlapPolicy,
    SchedulePolicy,
    ScheduleSpec,
    ScheduleUpdate,
    ScheduleUpdateInput,
)
from temporalio.common import Priority
from temporalio.service import RPCError

from domain.frame.batches import Batch
from domain.frame.turns import Turn
from workflows.batch import BatchRun

TIMES: Mapping[Batch, str] = {
    Batch.PRUNE: "20 2 * * 0",
    Batch.HEALTH: "10 3 * * *",
    Batch.EXPANSION: "40 3 * * 1",
    Batch.RENEWALS: "10 4 * * *",
    Batch.ATTEND: "0 * * * *",
    Batch.ERASE: "30 * * * *",
}
"""The time of each, in cron's words, UTC."""

_log = logging.getLogger(__name__)
_MISSED = timedelta(days=1)
"""A run that nobody could begin, because Temporal was away, is made up for within this time."""


async def keep_schedules(client: Client, task_queue: str) -> None:
    """Every batch has its schedule on the namespace of `client`. One that is there gets today's times; if somebody paused it, it stays
    paused. Raises RPCError."""
    for batch in Batch:
        wanted = _schedule(batch, task_queue)
        id = f"{task_queue}-{batch.value}"
        try:
            await client.create_schedule(id, wanted)
        except ScheduleAlreadyRunningError:
            await client.get_schedule_handle(id).update(partial(_updated, wanted))


class SchedulesOfBuild:
    """The schedules of a build of workers, where builds are kept apart: written whenever it is given the work, so that none begins what
    the build that has it does not know."""

    def __init__(self, client: Client, task_queue: str, build: str, every: timedelta = timedelta(seconds=20)) -> None:
        self._client = client
        self._task_queue = task_queue
        self._build = build
        self._every = every

    async def run(self) -> None:
        """Looks again and again whether the build has the work."""
        kept = False
        while True:
            try:
                has = await self._has_the_work()
                if has and not kept:
                    await keep_schedules(self._client, self._task_queue)
                kept = has
            except RPCError as away:
                _log.warning("schedules are looked after again in a moment: %s", away)
            await asyncio.sleep(self._every.total_seconds())

    async def _has_the_work(self) -> bool:
        request = DescribeWorkerDeploymentRequest(namespace=self._client.namespace, deployment_name=self._task_queue)
        answer = await self._client.workflow_service.describe_worker_deployment(request)
        routing = answer.worker_deployment_info.routing_config
        return routing.current_deployment_version.build_id == self._build


def _updated(wanted: Schedule, found: ScheduleUpdateInput) -> ScheduleUpdate | None:
    return ScheduleUpdate(replace(wanted, state=found.description.schedule.state))


def _schedule(batch: Batch, task_queue: str) -> Schedule:
    return Schedule(
        action=ScheduleActionStartWorkflow(
            BatchRun.run,
            batch,
            id=batch.value,
            task_queue=task_queue,
            static_summary=batch.says,
            priority=Priority(priority_key=Turn.BATCH),
        ),
        spec=ScheduleSpec(cron_expressions=[TIMES[batch]]),
        policy=SchedulePolicy(overlap=ScheduleOverlapPolicy.SKIP, catchup_window=_MISSED),
    )
