"""Schedules of batches: each worker that starts keeps them, and what a person paused stays paused."""

from __future__ import annotations

import asyncio
from contextlib import suppress
from datetime import timedelta
from uuid import uuid4

import pytest
from temporalio.client import ScheduleActionExecutionStartWorkflow, ScheduleHandle
from temporalio.service import RPCError

from activities.kernel.clock import present
from domain.frame.batches import Batch, BatchReport
from gateway.releases import Releases
from tests.builders import order
from tests.conftest import Servers
from tests.e2e.lives import account_of, until
from workers.schedules import TIMES, SchedulesOfBuild, keep_schedules
from workers.settings import Versioning
from workers.wiring import attended, build_worker


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


async def _known(servers: Servers, queue: str) -> set[str]:
    return {one.id async for one in await servers.temporal.list_schedules() if one.id.startswith(f"{queue}-")}


@pytest.mark.engine
async def test_only_the_build_that_has_the_work_writes_schedules(servers: Servers) -> None:
    queue = f"scheduled-{uuid4().hex[:8]}"
    releases = Releases(servers.temporal, queue)
    given = {"task_queue": queue, "versioning": Versioning.AUTO_UPGRADE, "works_on": "", "queues_apart": ""}
    one, other = (servers.settings.model_copy(update={**given, "build_id": id}) for id in ("1", "2"))

    def keeper(build: str) -> SchedulesOfBuild:
        return SchedulesOfBuild(servers.temporal, queue, build, timedelta(seconds=0.3))

    async def all_are_there() -> bool:
        return len(await _known(servers, queue)) == len(Batch)

    async with build_worker(servers.temporal, servers.pool, one), build_worker(servers.temporal, servers.pool, other):
        for build in ("1", "2"):
            await releases.announce(build, [])
        await releases.use("1")
        try:
            async with attended(keeper("2")):
                await asyncio.sleep(3)
                assert await _known(servers, queue) == set(), "a build that waits for the work begins nothing"
                await releases.use("2")
                await until(all_are_there, "it has the work, and its schedules")
        finally:
            for batch in Batch:
                with suppress(RPCError):
                    await servers.temporal.get_schedule_handle(f"{queue}-{batch.value}").delete()


@pytest.mark.engine
async def test_a_batch_of_a_newer_release_is_nothing_to_do(servers: Servers) -> None:
    """The release before is back, and the schedules of the newer one go on."""
    report = await asyncio.wait_for(
        servers.temporal.execute_workflow(
            "Batch",
            "batch_of_tomorrow",
            id=f"batch-{uuid4().hex[:8]}",
            task_queue=servers.settings.task_queue,
            result_type=BatchReport,
        ),
        20,
    )
    assert report == BatchReport()
