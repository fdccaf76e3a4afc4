"""A worker that dies while a promise breaks: the violation, the apology, the notices and the flag come once."""

from __future__ import annotations

import asyncio
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest

from activities.frame.unit_of_work import Performer
from activities.service.case_work import CaseWorker
from activities.service.cases import ServiceCases
from activities.service_policies import read_service_book
from domain.service.case_progress import CaseCall
from gateway.cases import CaseClient
from tests.cases import case, customer, staffed
from tests.conftest import Servers
from tests.e2e.killing import WorkerProcess
from tests.e2e.lives import until
from tests.patience import patient

QUEUE = "dying"


async def effects(servers: Servers, case_id: str) -> dict[str, Any]:
    """Everything that a breach leaves behind."""
    pool = servers.pool
    counted = {
        "violated": "select count(*) from case_event where case_id = $1 and kind = 'violated'",
        "escalated": "select count(*) from case_event where case_id = $1 and kind = 'escalated'",
        "fired": "select count(*) from case_action where case_id = $1",
        "apologies": "select count(*) from case_message where case_id = $1 and template = 'case_apology'",
        "waiting": "select count(*) from outbox where stage = 'service:' || $1 and status = 'waiting'",
        "messages": "select count(*) from outbox where stage = 'service:' || $1",
    }
    return {name: await pool.fetchval(query, case_id) for name, query in counted.items()}


async def blocked(servers: Servers) -> None:
    """Waits until an activity stands at a lock."""

    async def at_the_lock() -> bool:
        waiting = "select count(*) from pg_stat_activity where wait_event_type = 'Lock'"
        return bool(await servers.pool.fetchval(waiting))

    await until(at_the_lock, "somebody comes to the lock")


@pytest.mark.slow("kill")
async def test_a_worker_killed_in_the_middle_of_a_breach(servers: Servers, tmp_path: Path) -> None:
    document = await customer(servers, segment="enterprise")
    team = await staffed(servers, "AG-B")
    stack = servers.stack
    worker = WorkerProcess(
        tmp_path,
        "worker",
        {
            "TEMPORAL_ADDRESS": stack.temporal_address,
            "PERENNIAL_DATABASE_URL": stack.postgres_dsn,
            "PERENNIAL_SMTP_HOST": stack.smtp_host,
            "PERENNIAL_SMTP_PORT": str(stack.smtp_port),
            "PERENNIAL_TASK_QUEUE": QUEUE,
        },
    )
    await worker.start()
    try:
        client = CaseClient(servers.temporal, servers.pool, task_queue=QUEUE)
        opened = await client.open_case(case(document, team=team, impact="high", urgency="high"))
        await client.fast_forward(opened.case_id, timedelta(hours=11, minutes=50))
        before = await effects(servers, opened.case_id)
        assert (before["violated"], before["escalated"], before["apologies"]) == (1, 0, 1)  # the first response
        async with servers.pool.acquire() as connection, connection.transaction():
            await connection.execute("select 1 from service_case where case_id = $1 for update", opened.case_id)
            moving = asyncio.create_task(client.fast_forward(opened.case_id, timedelta(hours=1)))
            await blocked(servers)
            await worker.kill()
        await worker.start()
        await moving
    finally:
        await worker.kill()
    after = await effects(servers, opened.case_id)
    assert (after["violated"], after["escalated"], after["apologies"], after["waiting"]) == (2, 1, 2, 0)
    assert after["messages"] - before["messages"] == 3  # the lead, the manager, the customer
    sent = await servers.pool.fetch("select message_id from outbox where stage = $1", f"service:{opened.case_id}")
    arrived = [mail.message_id for mail in stack.mailbox.list()]
    assert all(arrived.count(row["message_id"]) == 1 for row in sent)


async def test_a_wake_that_comes_again_after_its_commit_changes_nothing(servers: Servers) -> None:
    document = await customer(servers, segment="enterprise")
    team = await staffed(servers, "AG-C")
    client = CaseClient(servers.temporal, servers.pool)
    opened = await client.open_case(case(document, team=team, impact="high", urgency="high"))
    await client.fast_forward(opened.case_id, timedelta(hours=2))
    before = await effects(servers, opened.case_id)
    history = await servers.temporal.get_workflow_handle(f"case-{opened.case_id}").fetch_history()
    calls = [
        event.activity_task_scheduled_event_attributes
        for event in history.events
        if event.activity_task_scheduled_event_attributes.activity_type.name == "case_wake"
    ]
    assert len(calls) == 2  # the warning and the breach
    worker = CaseWorker(Performer(servers.pool, "Seller"), read_service_book(), "perennial.example")
    for scheduled in calls:
        [call] = await servers.temporal.data_converter.decode(scheduled.input.payloads, [CaseCall])
        again = await patient().run(ServiceCases(worker).case_wake, call)
        assert again.view is not None
    assert await effects(servers, opened.case_id) == before
