"""Somebody goes from the engine: runs that are over are deleted with their histories, and those that go on are looked through.

What still names somebody in a run that goes on is waited for: it is looked at again until that run is over, too. What this process
cannot read was not looked through: it says so, and nothing is deleted.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable, Sequence
from contextlib import AbstractContextManager
from dataclasses import dataclass, field
from types import TracebackType

from google.protobuf.message import Message
from temporalio.api.common.v1 import Payload, WorkflowExecution
from temporalio.api.workflowservice.v1 import DeleteWorkflowExecutionRequest
from temporalio.client import Client, WorkflowExecutionStatus
from temporalio.client import WorkflowExecution as Run

from activities.kernel.engine import is_unknown
from domain.journey.erasures import ErasedRun
from domain.journey.traces import Traces
from domain.kernel.ids import journey_id
from domain.kernel.refusals import MendableError

ThrowAway = Callable[[Sequence[str]], Awaitable[int]]
"""What a codec has whose customers have keys of their own."""
OF_CUSTOMERS_KEY = b"prs2"
"""The encoding of what is sealed with a key of its journey's or case's own."""
_READ = frozenset({b"json/plain", b"json/protobuf", b"binary/plain", b"binary/protobuf", b"binary/null"})
"""The encodings of what names are found in; a codec is to turn all others into one of them."""
_IDS_AT_ONCE = 50
_LOOKS, _BETWEEN = 75, 0.2
"""so often, so many seconds apart, it is looked whether a deletion is done"""


class CannotFinishError(MendableError):
    """An erasure that cannot go on before somebody does something; the message says what."""


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


async def look_for_runs(
    temporal: Client, account_id: str, traces: Traces | None, workflow_ids: Sequence[str] = ()
) -> Forgotten:
    """The runs of an account and of its cases: `gone` are those that are over, and can go. traces: of a person, whose names may stand
    in runs that go on; of a customer who is erased as a whole nothing may go on. Raises CannotFinishError for what cannot be read."""
    found = Forgotten()
    async for run in runs_of(temporal, account_id, workflow_ids):
        if run.status is not WorkflowExecutionStatus.RUNNING:
            found.gone.append(ErasedRun(workflow_id=run.id, run_id=run.run_id, events=run.history_length))
            continue
        found.running.add(run.id)
        if traces is None or await names_in(temporal, run, traces):
            found.left.append(run.id)
    return found


async def check_keys(temporal: Client, account_id: str, runs: Sequence[ErasedRun]) -> None:
    """Whoever deletes these runs can throw their keys away too, if they have any. Raises CannotFinishError, and what the codec does
    whose store is not there."""
    codec = temporal.data_converter.payload_codec
    for run in runs:
        handle = temporal.get_workflow_handle(run.workflow_id, run_id=run.run_id)
        with MayBeForgotten():
            async for event in handle.fetch_history_events():
                sealed = [one for one in _payloads_in(event) if one.metadata.get("encoding") == OF_CUSTOMERS_KEY]
                if sealed and (codec is None or not hasattr(codec, "throw_away")):
                    raise CannotFinishError(
                        f"histories of {account_id} are sealed with keys of their own, which this process cannot throw away:"
                        " set PERENNIAL_KEY_STORE and the key for payloads as the workers have them"
                    )
                if sealed and codec is not None:
                    await codec.decode(sealed[:1])
                    return


class MayBeForgotten(AbstractContextManager[None, bool]):
    """Goes on after the block for a run that the server does not know any more."""

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> bool:
        return is_unknown(error)


async def forget_runs(
    temporal: Client, account_id: str, runs: Sequence[ErasedRun], workflow_ids: Sequence[str] = ()
) -> None:
    """Deletes these runs with their histories. Raises TimeoutError if they are still listed after a while."""
    for run in runs:
        await _delete(temporal, run)
    gone = {run.run_id for run in runs}
    for _ in range(_LOOKS):
        if not {run.run_id async for run in runs_of(temporal, account_id, workflow_ids)} & gone:
            return
        await asyncio.sleep(_BETWEEN)
    raise TimeoutError(f"the engine still lists runs of {account_id} that it was asked to delete")


async def throw_keys_away(temporal: Client, workflow_ids: Sequence[str]) -> int:
    """What these workflows were asked cannot be read any more, wherever copies of their histories lie, if they have keys of their own:
    how many keys there were."""
    throw_away: ThrowAway | None = getattr(temporal.data_converter.payload_codec, "throw_away", None)
    return await throw_away(workflow_ids) if throw_away is not None and workflow_ids else 0


async def runs_of(temporal: Client, account_id: str, workflow_ids: Sequence[str] = ()) -> AsyncIterator[Run]:
    """All runs of an account's journey and of its cases, over or not. workflow_ids: those of cases that may have begun as another
    account's."""
    seen = set()
    queries = [f"WorkflowId = '{journey_id(account_id)}'", f"AccountId = '{account_id}'"]
    for at in range(0, len(workflow_ids), _IDS_AT_ONCE):
        some = workflow_ids[at : at + _IDS_AT_ONCE]
        queries.append("WorkflowId in ({})".format(", ".join(f"'{one}'" for one in some)))
    for query in queries:
        async for run in temporal.list_workflows(query):
            if run.run_id not in seen:
                seen.add(run.run_id)
                yield run


async def _delete(temporal: Client, run: ErasedRun) -> None:
    execution = WorkflowExecution(workflow_id=run.workflow_id, run_id=run.run_id)
    asked = DeleteWorkflowExecutionRequest(namespace=temporal.namespace, workflow_execution=execution)
    with MayBeForgotten():
        await temporal.workflow_service.delete_workflow_execution(asked)


async def names_in(temporal: Client, run: Run, traces: Traces) -> bool:
    """True for a run in whose history somebody is named. Raises CannotFinishError for what this process cannot read."""
    async for event in temporal.get_workflow_handle(run.id, run_id=run.run_id).fetch_history_events():
        sent = [one async for one in _payloads(temporal, run, event)]
        if any(traces.are_in(text) for text in (*sent, *_texts(event))):
            return True
    return False


async def _payloads(temporal: Client, run: Run, message: Message) -> AsyncIterator[str]:
    """What the payloads of an event say, as they were before any codec."""
    codec = temporal.data_converter.payload_codec
    found = _payloads_in(message)
    read = await codec.decode(found) if codec is not None and found else found
    for one in read:
        if one.data and (encoding := one.metadata.get("encoding", b"")) not in _READ:
            raise CannotFinishError(
                f"run {run.run_id} of {run.id} cannot be read here ({encoding.decode(errors='replace') or 'no encoding'}):"
                " set the keys for payloads and PERENNIAL_KEY_STORE as the workers have them"
            )
        yield one.data.decode(errors="replace")


def _payloads_in(message: Message) -> list[Payload]:
    return [part for part in _parts(message, Payload) if isinstance(part, Payload)]


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
