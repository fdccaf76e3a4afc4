"""Somebody goes from the engine: runs that are over are deleted with their histories, and those that go on are looked through.

What still names somebody in a run that goes on is waited for: it is looked at again until that run is over, too.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable, Sequence
from dataclasses import dataclass, field

from google.protobuf.message import Message
from temporalio.api.common.v1 import Payload, WorkflowExecution
from temporalio.api.workflowservice.v1 import DeleteWorkflowExecutionRequest
from temporalio.client import Client, WorkflowExecutionStatus
from temporalio.client import WorkflowExecution as Run
from temporalio.service import RPCError, RPCStatusCode

from domain.journey.erasures import ErasedRun
from domain.journey.traces import Traces
from domain.kernel.ids import journey_id

ThrowAway = Callable[[Sequence[str]], Awaitable[int]]
"""What a codec has whose customers have keys of their own."""
_LOOKS, _BETWEEN = 75, 0.2
"""so often, so many seconds apart, it is looked whether a deletion is done"""


@dataclass
class Forgotten:
    """What the engine has forgotten, and which runs still hold something."""

    gone: list[ErasedRun] = field(default_factory=list)
    left: list[str] = field(default_factory=list)
    running: set[str] = field(default_factory=set)
    """the workflows of which a run goes on"""

    def over(self) -> list[str]:
        """The workflows of which no run goes on."""
        return sorted({run.workflow_id for run in self.gone} - self.running)


async def look_for_runs(temporal: Client, account_id: str, traces: Traces | None) -> Forgotten:
    """The runs of an account and of its cases: `gone` are those that are over, and can go. traces: of a person, whose names may stand
    in runs that go on; of a customer who is erased as a whole nothing may go on."""
    found = Forgotten()
    async for run in runs_of(temporal, account_id):
        if run.status is not WorkflowExecutionStatus.RUNNING:
            found.gone.append(ErasedRun(workflow_id=run.id, run_id=run.run_id, events=run.history_length))
            continue
        found.running.add(run.id)
        if traces is None or await names_in(temporal, run, traces):
            found.left.append(run.id)
    return found


async def forget_runs(temporal: Client, account_id: str, runs: Sequence[ErasedRun]) -> None:
    """Deletes these runs with their histories. Raises TimeoutError if they are still listed after a while."""
    for run in runs:
        await _delete(temporal, run)
    gone = {run.run_id for run in runs}
    for _ in range(_LOOKS):
        if not {run.run_id async for run in runs_of(temporal, account_id)} & gone:
            return
        await asyncio.sleep(_BETWEEN)
    raise TimeoutError(f"the engine still lists runs of {account_id} that it was asked to delete")


async def throw_keys_away(temporal: Client, workflow_ids: Sequence[str]) -> int:
    """What these workflows were asked cannot be read any more, wherever copies of their histories lie, if they have keys of their own:
    how many keys there were."""
    throw_away: ThrowAway | None = getattr(temporal.data_converter.payload_codec, "throw_away", None)
    return await throw_away(workflow_ids) if throw_away is not None and workflow_ids else 0


async def runs_of(temporal: Client, account_id: str) -> AsyncIterator[Run]:
    """All runs of an account's journey and of its cases, over or not."""
    seen = set()
    for query in (f"WorkflowId = '{journey_id(account_id)}'", f"AccountId = '{account_id}'"):
        async for run in temporal.list_workflows(query):
            if run.run_id not in seen:
                seen.add(run.run_id)
                yield run


async def _delete(temporal: Client, run: ErasedRun) -> None:
    execution = WorkflowExecution(workflow_id=run.workflow_id, run_id=run.run_id)
    asked = DeleteWorkflowExecutionRequest(namespace=temporal.namespace, workflow_execution=execution)
    try:
        await temporal.workflow_service.delete_workflow_execution(asked)
    except RPCError as error:
        if error.status is not RPCStatusCode.NOT_FOUND:
            raise


async def names_in(temporal: Client, run: Run, traces: Traces) -> bool:
    """True for a run in whose history somebody is named."""
    async for event in temporal.get_workflow_handle(run.id, run_id=run.run_id).fetch_history_events():
        sent = [one async for one in _payloads(temporal, event)]
        if any(traces.are_in(text) for text in (*sent, *_texts(event))):
            return True
    return False


async def _payloads(temporal: Client, message: Message) -> AsyncIterator[str]:
    """What the payloads of an event say, as they were before any codec."""
    codec = temporal.data_converter.payload_codec
    found = [part for part in _parts(message, Payload) if isinstance(part, Payload)]
    read = await codec.decode(found) if codec is not None and found else found
    for one in read:
        yield one.data.decode(errors="replace")


def _texts(message: Message) -> list[str]:
    return [value for part in _parts(message, Message) for _, value in part.ListFields() if isinstance(value, str)]


def _parts(message: Message, kind: type[Message]) -> list[Message]:
    """The message itself and what it holds, those of a kind."""
    found = [message] if isinstance(message, kind) else []
    for about, value in message.ListFields():
        if about.message_type is None:
            continue
        if about.message_type.GetOptions().map_entry:
            inner = [one for one in value.values() if isinstance(one, Message)]
        else:
            inner = list(value) if about.is_repeated else [value]
        for one in inner:
            found += _parts(one, kind)
    return found
