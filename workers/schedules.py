"""When batches are done: a schedule of Temporal for each, kept by every worker that starts."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from datetime import timedelta
from functools import partial

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
