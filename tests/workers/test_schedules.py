"""Schedules of batches: each worker that starts keeps them, and what a person paused stays paused."""

from __future__ import annotations

import asyncio
from datetime import timedelta

import pytest
from temporalio.client import ScheduleActionExecutionStartWorkflow, ScheduleHandle

from activities.kernel.clock import present
from domain.frame.batches import Batch, BatchReport
from tests.builders import order
from tests.conftest import Servers
from tests.e2e.lives import account_of
from workers.schedules import TIMES, keep_schedules


def test_each_batch_has_its_time_and_says_what_it_does() -> None:
    assert set(TIMES) == set(Batch)
    assert all(batch.says for batch in Batch)


@pytest.mark.engine
async def test_a_batch_is_done_at_its_time_and_a_pause_outlives_workers(servers: Servers) -> None:
    document = order()
    account = account_of(document)
    await servers.client.place_order(document)
    long_ago = present() - timedelta(days=500)
    await servers.pool.execute(
        "insert into outbox (delivery_id, account_id, channel, stage, body, created_at, status, settled_at)"
        " values ($1 || '/old', $1, 'deliver_webhook', '', '{}', $2, 'sent', $2)",
        account,
        long_ago,
    )
    queue = servers.settings.task_queue
    kept = [servers.temporal.get_schedule_handle(f"{queue}-{batch.value}") for batch in Batch]
    pruning = servers.temporal.get_schedule_handle(f"{queue}-{Batch.PRUNE.value}")
    try:
        await keep_schedules(servers.temporal, queue)
        await pruning.pause(note="the auditors are here")
        await keep_schedules(servers.temporal, queue)
        paused = (await pruning.describe()).schedule.state
        assert (paused.paused, paused.note) == (True, "the auditors are here")
        await pruning.unpause()
        await pruning.trigger()
        report = await _report(servers, pruning)
        assert report.counts["events"] >= 1
        left = "select count(*) from outbox where account_id = $1 and channel = 'deliver_webhook'"
        assert await servers.pool.fetchval(left, account) == 0
    finally:
        for handle in kept:
            await handle.delete()


async def _report(servers: Servers, schedule: ScheduleHandle) -> BatchReport:
    """What the newest run has done."""
    for _ in range(100):
        if actions := (await schedule.describe()).info.recent_actions:
            run = actions[-1].action
            assert isinstance(run, ScheduleActionExecutionStartWorkflow)
            report: BatchReport = await servers.temporal.get_workflow_handle(
                run.workflow_id, result_type=BatchReport
            ).result()
            return report
        await asyncio.sleep(0.1)
    raise AssertionError("the schedule began nothing")
