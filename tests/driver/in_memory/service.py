"""The server in memory as clients see it: the calls of Temporal's service that we make, answered."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import timedelta
from typing import Any

from google.protobuf.message import Message
from temporalio.api.common.v1 import SearchAttributes, WorkflowExecution
from temporalio.api.enums.v1 import (
    FastForwardPollingResult,
    QueryRejectCondition,
    UpdateWorkflowExecutionLifecycleStage,
    WorkflowExecutionStatus,
)
from temporalio.api.update.v1 import UpdateRef
from temporalio.api.workflowservice.v1 import (
    DescribeWorkflowExecutionRequest,
    DescribeWorkflowExecutionResponse,
    ExecuteMultiOperationRequest,
    ExecuteMultiOperationResponse,
    PollWorkflowExecutionTimeSkippingResponse,
    PollWorkflowExecutionUpdateRequest,
    QueryWorkflowRequest,
    QueryWorkflowResponse,
    SignalWorkflowExecutionRequest,
    SignalWorkflowExecutionResponse,
    StartWorkflowExecutionRequest,
    StartWorkflowExecutionResponse,
    TerminateWorkflowExecutionRequest,
    TerminateWorkflowExecutionResponse,
    UpdateWorkflowExecutionOptionsRequest,
    UpdateWorkflowExecutionOptionsResponse,
    UpdateWorkflowExecutionRequest,
    UpdateWorkflowExecutionResponse,
)
from temporalio.bridge.proto.workflow_activation import DoUpdate, InitializeWorkflow, QueryWorkflow, SignalWorkflow
from temporalio.service import ConnectConfig, RPCError, RPCStatusCode, ServiceClient

from tests.driver.in_memory.run import TASK_QUEUE, Run
from tests.driver.in_memory.server import Server

_ANSWERED = UpdateWorkflowExecutionLifecycleStage.UPDATE_WORKFLOW_EXECUTION_LIFECYCLE_STAGE_COMPLETED
_ARRIVED = FastForwardPollingResult.FAST_FORWARD_POLLING_RESULT_FAST_FORWARD_COMPLETED
_NOT_OPEN = QueryRejectCondition.QUERY_REJECT_CONDITION_NOT_OPEN

_ENDS = {
    "completed": WorkflowExecutionStatus.WORKFLOW_EXECUTION_STATUS_COMPLETED,
    "continued": WorkflowExecutionStatus.WORKFLOW_EXECUTION_STATUS_CONTINUED_AS_NEW,
    "terminated": WorkflowExecutionStatus.WORKFLOW_EXECUTION_STATUS_TERMINATED,
}


class InMemoryService(ServiceClient):
    """Temporal's service over a server in memory; a call that it does not know raises NotImplementedError."""

    def __init__(self, server: Server) -> None:
        super().__init__(ConnectConfig(target_host="in-memory:7233", identity="driver"))
        self._server = server

    @property
    def worker_service_client(self) -> Any:
        """There are no workers."""
        raise NotImplementedError("activities and workflows run in the server here")

    def update_rpc_metadata(self, metadata: Mapping[str, str | bytes]) -> None:
        """Nobody reads it."""

    def update_api_key(self, api_key: str | None) -> None:
        """Nobody asks for it."""

    async def _rpc_call(
        self,
        rpc: str,
        req: Message,
        resp_type: type[Any],
        *,
        service: str,
        retry: bool,
        metadata: Mapping[str, str | bytes],
        timeout: timedelta | None,  # noqa: ASYNC109 - it is the base class's
    ) -> Any:
        match req:
            case StartWorkflowExecutionRequest():
                return StartWorkflowExecutionResponse(run_id=self._start(req).run_id)
            case ExecuteMultiOperationRequest():
                return await self._start_and_update(req)
            case UpdateWorkflowExecutionRequest():
                return await self._update(self._server.running(req.workflow_execution.workflow_id), req)
            case SignalWorkflowExecutionRequest():
                signal = SignalWorkflow(signal_name=req.signal_name, input=req.input.payloads)
                await self._server.signal(self._server.running(req.workflow_execution.workflow_id), signal)
                return SignalWorkflowExecutionResponse()
            case QueryWorkflowRequest():
                return await self._query(req)
            case DescribeWorkflowExecutionRequest():
                return self._describe(req.execution.workflow_id)
            case TerminateWorkflowExecutionRequest():
                self._server.terminate(self._server.running(req.workflow_execution.workflow_id))
                return TerminateWorkflowExecutionResponse()
            case UpdateWorkflowExecutionOptionsRequest():
                await self._move(req)
                return UpdateWorkflowExecutionOptionsResponse()
        if isinstance(req, PollWorkflowExecutionUpdateRequest):  # an update is answered at once, or was none
            workflow = req.update_ref.workflow_execution.workflow_id
            raise RPCError(f"no update of {workflow} waits", RPCStatusCode.NOT_FOUND, b"")
        if rpc == "poll_workflow_execution_time_skipping":  # a move is over before its call is
            return PollWorkflowExecutionTimeSkippingResponse(fast_forward_polling_result=_ARRIVED)
        raise NotImplementedError(f"the server in memory does not know {rpc}")

    def _start(self, req: StartWorkflowExecutionRequest) -> Run:
        init = InitializeWorkflow(
            workflow_id=req.workflow_id,
            workflow_type=req.workflow_type.name,
            arguments=req.input.payloads,
            memo=req.memo,
            search_attributes=req.search_attributes,
        )
        return self._server.start(init)

    async def _start_and_update(self, req: ExecuteMultiOperationRequest) -> ExecuteMultiOperationResponse:
        start, update = req.operations
        run = self._start(start.start_workflow)
        answer = await self._update(run, update.update_workflow)
        part = ExecuteMultiOperationResponse.Response
        started = StartWorkflowExecutionResponse(run_id=run.run_id)
        return ExecuteMultiOperationResponse(responses=[part(start_workflow=started), part(update_workflow=answer)])

    async def _update(self, run: Run, req: UpdateWorkflowExecutionRequest) -> UpdateWorkflowExecutionResponse:
        asked = req.request
        job = DoUpdate(
            id=asked.meta.update_id,
            protocol_instance_id=asked.meta.update_id,
            name=asked.input.name,
            input=asked.input.args.payloads,
            meta=asked.meta,
            run_validator=True,
        )
        outcome = await self._server.update(run, job)
        execution = WorkflowExecution(workflow_id=run.workflow_id, run_id=run.run_id)
        ref = UpdateRef(workflow_execution=execution, update_id=job.id)
        return UpdateWorkflowExecutionResponse(update_ref=ref, outcome=outcome, stage=_ANSWERED)

    async def _query(self, req: QueryWorkflowRequest) -> QueryWorkflowResponse:
        run = self._server.runs.get(req.execution.workflow_id)
        answer = QueryWorkflowResponse()
        if run is not None and run.over is not None and req.query_reject_condition == _NOT_OPEN:
            answer.query_rejected.status = WorkflowExecutionStatus.WORKFLOW_EXECUTION_STATUS_COMPLETED
            return answer
        job = QueryWorkflow(query_id="q", query_type=req.query.query_type, arguments=req.query.query_args.payloads)
        payload = await self._server.query(self._server.known(req.execution.workflow_id), job)
        answer.query_result.payloads.append(payload)
        return answer

    def _describe(self, workflow_id: str) -> DescribeWorkflowExecutionResponse:
        run = self._server.known(workflow_id)
        status = WorkflowExecutionStatus.WORKFLOW_EXECUTION_STATUS_RUNNING
        if run.over is not None:
            status = _ENDS[run.over]
        described = DescribeWorkflowExecutionResponse()
        described.workflow_execution_info.execution.workflow_id = workflow_id
        described.workflow_execution_info.execution.run_id = run.run_id
        described.workflow_execution_info.status = status
        described.workflow_execution_info.task_queue = TASK_QUEUE
        attributes = SearchAttributes(indexed_fields=run.attributes)
        described.workflow_execution_info.search_attributes.CopyFrom(attributes)
        described.workflow_extended_info.time_skipping_info.current_time.FromDatetime(self._server.now(workflow_id))
        return described

    async def _move(self, req: UpdateWorkflowExecutionOptionsRequest) -> None:
        workflow_id = self._server.running(req.workflow_execution.workflow_id).workflow_id
        move = req.workflow_execution_options.time_skipping_config.fast_forward_config
        await self._server.forward(workflow_id, self._server.now(workflow_id) + move.duration.ToTimedelta())
