"""What a newer release wrote is read by this one: fields that it does not know are left aside, wherever they stand."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from pydantic import BaseModel
from temporalio import activity, workflow
from temporalio.api.common.v1 import Payload
from temporalio.client import WorkflowHistory
from temporalio.converter import PayloadCodec

from gateway.plugin import CompactPayloadConverter
from tests.conftest import Servers
from tests.replay.record import HISTORIES
from tests.replay.record_batches import BATCHES
from tests.replay.record_cases import CASES
from workers.wiring import WORKFLOWS, build_activities

NEWER = "of_a_newer_release"
FILES = [path for folder in (HISTORIES, CASES, BATCHES) for path in sorted(folder.glob("*.json"))]
LEAST_MODELS = 20
"""So many models are carried at least; fewer would mean that nothing was looked at."""


def extended(value: Any, said: Any, models: set[str]) -> Any:
    """The JSON that a value was read from, with one field more in each model."""
    if isinstance(value, BaseModel) and isinstance(said, dict):
        models.add(type(value).__name__)
        aliases = {(field.alias or name): name for name, field in type(value).model_fields.items()}
        parts = {
            name: extended(getattr(value, aliases[name]), part, models) if name in aliases else part
            for name, part in said.items()
        }
        return {**parts, NEWER: {"since": 1}}
    if isinstance(value, Mapping) and isinstance(said, dict):
        return {name: extended(value.get(name), part, models) for name, part in said.items()}
    if isinstance(value, Sequence) and isinstance(said, list) and len(value) == len(said):
        return [extended(one, part, models) for one, part in zip(value, said, strict=True)]
    return said


def carried(history: WorkflowHistory, takes: Mapping[str, list[type]], gives: Mapping[str, type]) -> Iterator[Any]:
    """Each payload of a history that is read as a type, with it: the input of runs, and what activities take and give."""
    scheduled: dict[int, str] = {}
    for event in history.events:
        if event.HasField("workflow_execution_started_event_attributes"):
            started = event.workflow_execution_started_event_attributes
            yield from zip(started.input.payloads, takes[started.workflow_type.name], strict=False)
        elif event.HasField("activity_task_scheduled_event_attributes"):
            asked = event.activity_task_scheduled_event_attributes
            scheduled[event.event_id] = asked.activity_type.name
            yield from zip(asked.input.payloads, takes[asked.activity_type.name], strict=False)
        elif event.HasField("activity_task_completed_event_attributes"):
            done = event.activity_task_completed_event_attributes
            kind = gives.get(scheduled[done.scheduled_event_id])
            yield from ((payload, kind) for payload in done.result.payloads if kind is not None)


async def test_fields_of_a_newer_release_are_left_aside(servers: Servers) -> None:
    takes: dict[str, list[type]] = {}
    gives: dict[str, type] = {}
    for one in WORKFLOWS:
        kind = workflow._Definition.must_from_class(one)
        takes[kind.name or ""] = kind.arg_types or []
    for act in build_activities(servers.pool, servers.settings, servers.temporal):
        done = activity._Definition.must_from_callable(act)
        takes[done.name or ""] = done.arg_types or []
        if done.ret_type is not None:
            gives[done.name or ""] = done.ret_type
    converter, codec = CompactPayloadConverter(), servers.temporal.data_converter.payload_codec
    assert isinstance(codec, PayloadCodec)
    models, wrong, looked_at = set[str](), dict[str, str](), 0
    for path in FILES:
        history = WorkflowHistory.from_json(path.stem, path.read_text(encoding="utf-8"))
        for payload, kind in carried(history, takes, gives):
            (plain,) = await codec.decode([payload])
            value = converter.from_payload(plain, kind)
            newer = Payload(
                metadata=plain.metadata, data=json.dumps(extended(value, json.loads(plain.data), models)).encode()
            )
            looked_at += 1
            try:
                assert converter.from_payload(newer, kind) == value
            except Exception as error:
                wrong.setdefault(str(getattr(kind, "__name__", kind)), f"{path.stem}: {str(error)[:600]}")
    assert wrong == {}
    assert looked_at > 500
    assert len(models) >= LEAST_MODELS, sorted(models)
