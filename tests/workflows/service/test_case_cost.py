"""What a case with ordinary traffic may cost: billable actions by the published rules, and events of its history."""

from __future__ import annotations

import pytest

from tests.bench.cases import cost, ordinary_case
from tests.conftest import Servers

MOST_ACTIONS = 41
MOST_EVENTS = 90
"""without those of workflow tasks"""
MOST_TASKS = 32
"""workflow tasks, three events each: what arrives at one moment shares one, so that there are more or fewer by chance"""


@pytest.mark.engine
async def test_an_ordinary_case_stays_in_its_budget(servers: Servers) -> None:
    case_id = await ordinary_case(servers)
    actions, events, names = await cost(servers, case_id)
    kinds = await servers.pool.fetch("select kind from case_event where case_id = $1 order by sequence", case_id)
    assert [row["kind"] for row in kinds] == [
        "created", "assigned", "agent_message", "waiting", "resumed", "customer_message", "agent_message",
        "agent_message", "resolved", "surveyed", "closed",
    ]  # fmt: skip
    assert actions <= MOST_ACTIONS, names
    tasks = names["workflow_task_scheduled"]
    assert events - 3 * tasks <= MOST_EVENTS, names
    assert tasks <= MOST_TASKS, names


@pytest.mark.engine
async def test_nothing_happens_while_nothing_is_due(servers: Servers) -> None:
    case_id = await ordinary_case(servers)
    _, _, names = await cost(servers, case_id)
    assert names["timer_fired"] == 2  # the survey, and closing by itself
    assert names["activity_task_scheduled"] == 7 + 6 + 2  # requests, mails, and those two instants
