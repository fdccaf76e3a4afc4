"""What histories hold, and what they cost in billable actions by Temporal's published rules."""

from __future__ import annotations

import asyncio
import re
import urllib.request
from collections import Counter
from collections.abc import Iterable
from typing import Any

from temporalio.api.enums.v1 import EventType
from temporalio.client import Client

# What one event of a history costs in billable actions.
BILLABLE = {
    EventType.EVENT_TYPE_WORKFLOW_EXECUTION_STARTED: 1,
    EventType.EVENT_TYPE_TIMER_STARTED: 1,
    EventType.EVENT_TYPE_ACTIVITY_TASK_SCHEDULED: 1,
    EventType.EVENT_TYPE_WORKFLOW_EXECUTION_SIGNALED: 1,
    EventType.EVENT_TYPE_WORKFLOW_EXECUTION_UPDATE_ACCEPTED: 1,
    EventType.EVENT_TYPE_UPSERT_WORKFLOW_SEARCH_ATTRIBUTES: 1,
    EventType.EVENT_TYPE_WORKFLOW_EXECUTION_CONTINUED_AS_NEW: 0,
}
SKIPS = (
    EventType.EVENT_TYPE_WORKFLOW_EXECUTION_TIME_SKIPPING_TRANSITIONED,
    EventType.EVENT_TYPE_WORKFLOW_EXECUTION_OPTIONS_UPDATED,
)
VERSIONS = "TemporalChangeVersion"
"""What a run notes of its own version is not billed."""
UNCOUNTED = ("grpc_UpdateWorkflowExecutionOptions",)
"""Fast-forward calls, which only rehearsals make."""


def billable(event: Any) -> int:
    """What an event costs by the published rules."""
    if event.HasField("upsert_workflow_search_attributes_event_attributes"):
        changed = event.upsert_workflow_search_attributes_event_attributes.search_attributes.indexed_fields
        return int(set(changed) != {VERSIONS})
    return BILLABLE.get(event.event_type, 0)


def kinds(events: Iterable[Any]) -> Counter[str]:
    """How many events of each kind."""
    return Counter(EventType.Name(event.event_type).removeprefix("EVENT_TYPE_").lower() for event in events)


async def histories_of(client: Client, workflow_id: str) -> list[Any]:
    """Every run's history of a journey, in order, without the events of time skipping."""
    found = []
    async for run in client.list_workflows(f"WorkflowId = '{workflow_id}'"):
        history = await client.get_workflow_handle(run.id, run_id=run.run_id).fetch_history()
        found.append([event for event in history.events if event.event_type not in SKIPS])
    return sorted(found, key=lambda events: events[0].event_time.ToDatetime())


async def events_of(client: Client, workflow_id: str) -> list[Any]:
    """All events of all runs, in order."""
    return [event for run in await histories_of(client, workflow_id) for event in run]


def actions_metric(url: str) -> float:
    """The server's own count of billable actions in our namespace, without fast-forward calls."""
    text = urllib.request.urlopen(url, timeout=5).read().decode()
    lines = re.findall(r"^action\{(.*)\} ([0-9.e+]+)$", text, re.MULTILINE)
    return sum(
        float(value)
        for labels, value in lines
        if 'namespace="default"' in labels and not any(f'"{name}"' in labels for name in UNCOUNTED)
    )


async def settled_actions(url: str) -> float:
    """The metric once it has stopped moving: the server publishes it with a delay."""
    seen = -1.0
    while (now := actions_metric(url)) != seen:
        seen = now
        await asyncio.sleep(3)
    return now
