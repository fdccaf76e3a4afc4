"""Workflows that are as a copy of the engine's database has them: what came after it, they know nothing of."""

from __future__ import annotations

from uuid import uuid4

from temporalio.api.common.v1 import WorkflowExecution
from temporalio.api.enums.v1 import ResetReapplyExcludeType
from temporalio.api.workflowservice.v1 import ResetWorkflowExecutionRequest
from temporalio.client import Client


async def back_from_before(temporal: Client, workflow_id: str, event: int) -> None:
    """The workflow as it was when its event of this number was to come: nothing that came later is known to it."""
    handle = temporal.get_workflow_handle(workflow_id)
    described = await handle.describe()
    task = max(
        [
            one.event_id
            async for one in handle.fetch_history_events()
            if one.HasField("workflow_task_completed_event_attributes") and one.event_id < event
        ]
    )
    await temporal.workflow_service.reset_workflow_execution(
        ResetWorkflowExecutionRequest(
            namespace=temporal.namespace,
            workflow_execution=WorkflowExecution(workflow_id=workflow_id, run_id=described.run_id),
            reason="a copy of before",
            workflow_task_finish_event_id=task,
            request_id=str(uuid4()),
            reset_reapply_exclude_types=[
                ResetReapplyExcludeType.RESET_REAPPLY_EXCLUDE_TYPE_SIGNAL,
                ResetReapplyExcludeType.RESET_REAPPLY_EXCLUDE_TYPE_UPDATE,
            ],
        )
    )


async def number_of(temporal: Client, workflow_id: str, update: str) -> int:
    """The event with which the latest run took an update of this name and last came as far as answering it."""
    handle = temporal.get_workflow_handle(workflow_id)
    found = [
        one.event_id
        async for one in handle.fetch_history_events()
        if one.workflow_execution_update_accepted_event_attributes.accepted_request.input.name == update
    ]
    return found[-1]
