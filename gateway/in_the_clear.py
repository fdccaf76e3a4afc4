"""What lies in the engine's histories in the clear although payloads are sealed: callers without a key sent it, or it is older than the key."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from google.protobuf.message import Message
from temporalio.api.common.v1 import Payload
from temporalio.api.history.v1 import HistoryEvent
from temporalio.client import Client

from gateway.payloads.enclosing import ENCLOSED
from gateway.payloads.packing import ENCODING, Packing
from gateway.payloads.sealing import SEALED

_LOOKED_AT = 200
"""So many runs are looked at, the newest first: their histories are read whole."""
_OPEN_BY_NATURE = frozenset({"search_attributes", "header", "marker_recorded_event_attributes"})
"""What no codec reaches: ids and words of ours."""


@dataclass(frozen=True)
class InTheClear:
    """How many runs were looked at, in how many of them how many payloads are not sealed, and which those runs are."""

    looked_at: int
    payloads: int
    named: tuple[str, ...]

    @property
    def runs(self) -> int:
        """So many runs have some."""
        return len(self.named)


async def in_the_clear(temporal: Client) -> InTheClear | None:
    """What of the newest runs is not sealed; null where nothing is."""
    codec = temporal.data_converter.payload_codec
    if not (isinstance(codec, Packing) and codec.is_secret):
        return None
    looked_at, payloads, named = 0, 0, list[str]()
    async for run in temporal.list_workflows("ExecutionStatus = 'Running'", limit=_LOOKED_AT):
        looked_at += 1
        found = 0
        async for event in temporal.get_workflow_handle(run.id, run_id=run.run_id).fetch_history_events():
            found += sum(one.metadata.get(ENCODING) not in (SEALED, ENCLOSED) for one in payloads_of(event))
        payloads += found
        named += [run.id] if found else []
    return InTheClear(looked_at, payloads, tuple(named))


def payloads_of(event: HistoryEvent) -> Iterator[Payload]:
    """Every payload of an event that a codec reaches."""
    return _within(event)


def _within(message: Message) -> Iterator[Payload]:
    for field, value in message.ListFields():
        if field.message_type is None or field.name in _OPEN_BY_NATURE:
            continue
        if field.message_type.GetOptions().map_entry:
            inner = value.values() if field.message_type.fields_by_name["value"].message_type else ()
        else:
            inner = value if field.is_repeated else (value,)
        for one in inner:
            if isinstance(one, Payload):
                yield one
            else:
                yield from _within(one)
