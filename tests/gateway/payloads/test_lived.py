"""A journey on the engine whose caller has no codec: it is asked in plain JSON, answers so, and what it keeps is packed."""

from __future__ import annotations

import pytest
from temporalio.client import Client, WithStartWorkflowOperation
from temporalio.common import WorkflowIDConflictPolicy
from temporalio.worker import Replayer

from gateway.payloads.packing import NEWEST, packed
from gateway.plugin import OWN
from tests.builders import order
from tests.conftest import Servers
from tests.e2e.lives import account_of
from workers.wiring import WORKFLOWS

pytestmark = pytest.mark.engine  # histories are the server's


async def test_a_caller_without_a_codec_asks_and_reads_and_the_packed_history_replays(servers: Servers) -> None:
    document = order()
    account = account_of(document)
    bare = await Client.connect(servers.stack.temporal_address)
    start: WithStartWorkflowOperation[object, object] = WithStartWorkflowOperation(
        "CustomerJourney",
        id=f"journey-{account}",
        task_queue=servers.settings.task_queue,
        id_conflict_policy=WorkflowIDConflictPolicy.USE_EXISTING,
    )
    answer = await bare.execute_update_with_start_workflow("place_order", document, start_workflow_operation=start)
    assert answer["order_id"] == document["order_id"]
    handle = bare.get_workflow_handle(f"journey-{account}")
    assert (await handle.query("agenda"))["account_id"] == account

    # Ours goes on where theirs began, and what it sends is packed.
    asked = {"task": "kickoff", "evidence": "they were all there, and know what comes next"}
    await servers.client.ask(account, "complete_task", asked)
    history = await servers.handle(account).fetch_history()
    inputs = [
        event.activity_task_scheduled_event_attributes.input.payloads[0]
        for event in history.events
        if event.HasField("activity_task_scheduled_event_attributes")
    ]
    left = [one for one in inputs if one.metadata["encoding"] != NEWEST]
    assert len(inputs) > 2
    assert left == [one for one in left if packed(one) == one], left  # nothing that would have got smaller
    assert len(left) <= 1
    updates = [
        event.workflow_execution_update_accepted_event_attributes.accepted_request.input.args.payloads[0]
        for event in history.events
        if event.HasField("workflow_execution_update_accepted_event_attributes")
    ]
    assert [one.metadata["encoding"] for one in updates] == [b"json/plain", NEWEST]
    result = await Replayer(workflows=WORKFLOWS, plugins=[OWN]).replay_workflow(history)
    assert result.replay_failure is None
