"""What the engine's histories remember of a customer, as far back as they are kept: what was answered, done and sent."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from temporalio.client import Client
from temporalio.service import RPCError, RPCStatusCode

from domain.journey import Channel
from gateway.client import journey_id

ORDERS = {"activate_order": False, "take_over_order": True}
"""The activities that accept an order; true for those that take it over with its past."""
_REPEATABLE = frozenset({"take_up_holdings", "reconcile", "resume_journey", "pause_journey"})
_SENT = frozenset({Channel.MAIL.value, Channel.NOTICE.value})


@dataclass(frozen=True)
class Answered:
    """A request that was carried out: its activity, id, content, and the customer's instant at which it was."""

    activity: str
    request_id: str
    body: dict[str, Any]
    as_of: datetime

    @property
    def is_order(self) -> bool:
        """True for an order, new or taken over."""
        return self.activity in ORDERS

    @property
    def key(self) -> str:
        """Its business key within the account."""
        return f"order:{self.request_id}" if self.is_order else f"{self.activity}:{self.request_id}"


@dataclass
class Remembered:
    """All that the histories of one journey say; keys and ids are within the account."""

    answered: dict[str, Answered] = field(default_factory=dict)
    sent: dict[str, datetime] = field(default_factory=dict)
    """mails and notices that went out"""


async def remember(temporal: Client, account_id: str) -> Remembered:
    """What the runs of an account's journey remember, the oldest first."""
    found = Remembered()
    runs = [run async for run in temporal.list_workflows(f"WorkflowId = '{journey_id(account_id)}'")]
    for run in sorted(runs, key=lambda run: run.start_time):
        try:
            await _read(temporal, account_id, run.run_id, found)
        except RPCError as error:
            if error.status is not RPCStatusCode.NOT_FOUND:
                raise  # a run whose history is not kept any more has nothing to say
    return found


async def _read(temporal: Client, account_id: str, run_id: str, found: Remembered) -> None:
    handle = temporal.get_workflow_handle(journey_id(account_id), run_id=run_id)
    scheduled: dict[int, tuple[str, dict[str, Any]]] = {}
    async for event in handle.fetch_history_events():
        if event.HasField("activity_task_scheduled_event_attributes"):
            asked = event.activity_task_scheduled_event_attributes
            (given,) = await temporal.data_converter.decode(asked.input.payloads, [dict[str, Any]])
            scheduled[event.event_id] = (asked.activity_type.name, given)
        elif event.HasField("activity_task_completed_event_attributes"):
            done = event.activity_task_completed_event_attributes
            name, given = scheduled[done.scheduled_event_id]
            results = await temporal.data_converter.decode(done.result.payloads, [dict[str, Any]])
            _note(found, name, given, results[0] if results else {})


def _note(found: Remembered, name: str, given: dict[str, Any], outcome: dict[str, Any]) -> None:
    as_of = datetime.fromisoformat(given["as_of"])
    if "request_id" in given and not outcome.get("repeated"):
        if name not in _REPEATABLE:
            answered = Answered(name, given["request_id"], given["body"], as_of)
            found.answered.setdefault(answered.key, answered)
    elif name in _SENT and not outcome.get("plan"):  # with a plan it was held back, and is looked at again
        found.sent[given["delivery_id"]] = as_of
