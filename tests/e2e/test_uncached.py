"""A worker that keeps no run in memory: each task is done from the history, from its beginning, and nothing comes out otherwise."""

from __future__ import annotations

from datetime import timedelta
from uuid import uuid4

import pytest
from temporalio.api.enums.v1 import EventType

from gateway.cases import CaseClient
from gateway.client import PerennialClient
from tests.builders import order
from tests.conftest import Servers
from tests.e2e.lives import account_of, onboard
from workers.wiring import build_worker

pytestmark = pytest.mark.engine
FAILED = EventType.EVENT_TYPE_WORKFLOW_TASK_FAILED


async def test_a_life_without_a_cache(servers: Servers) -> None:
    queue = f"uncached-{uuid4().hex[:8]}"
    settings = servers.settings.model_copy(update={"task_queue": queue})
    client = PerennialClient(servers.temporal, servers.pool, task_queue=queue)
    cases = CaseClient(servers.temporal, servers.pool, task_queue=queue)
    document = order()
    account = account_of(document)
    async with build_worker(servers.temporal, servers.pool, settings, max_cached_workflows=0):
        await client.place_order(document)
        await onboard(client, account)
        case_id = f"C-{account}"
        await cases.open_case(
            {"case_id": case_id, "account_id": account, "subject": "Till is down", "body": "since nine"}
        )
        await client.fast_forward(account, timedelta(days=30))
        await client.ask(account, "pause", {"reason": "stocktaking"})
        await client.ask(account, "resume", {})
        await client.fast_forward(account, timedelta(days=30))
        agenda = await client.agenda_of(account)
    assert agenda is not None
    assert agenda.steps
    for handle in (servers.handle(account), servers.temporal.get_workflow_handle(f"case-{case_id}")):
        kinds = [event.event_type async for event in handle.fetch_history_events()]
        assert FAILED not in kinds
    done = await servers.pool.fetchval("select count(*) from effect where account_id = $1", account)
    assert done > 15
