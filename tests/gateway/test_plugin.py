"""The plugin in clients and workers of others: what they have of their own stays, and our payloads are written as ours are."""

from __future__ import annotations

import logging
from collections.abc import Sequence
from dataclasses import replace
from typing import Any
from uuid import uuid4

import pytest
from pydantic import BaseModel, TypeAdapter
from temporalio.api.common.v1 import Payload
from temporalio.client import Client
from temporalio.converter import DataConverter, PayloadCodec
from temporalio.worker import Replayer, UnsandboxedWorkflowRunner, Worker
from temporalio.worker.workflow_sandbox import SandboxedWorkflowRunner

from gateway import plugin
from gateway.plugin import (
    OWN,
    CompactPayloadConverter,
    OwnCompact,
    OwnDemanding,
    OwnEnclosing,
    PerennialPlugin,
)
from tests.conftest import Servers
from tests.gateway.shop import Counting, Shop, one_more


class _Backwards(PayloadCodec):
    async def encode(self, payloads: Sequence[Payload]) -> list[Payload]:
        return [Payload(metadata=dict(one.metadata), data=one.data[::-1]) for one in payloads]

    async def decode(self, payloads: Sequence[Payload]) -> list[Payload]:
        return await self.encode(payloads)


class _Seats(BaseModel):
    quantity: int
    note: str = ""


async def test_a_codec_stays_and_fields_that_nobody_set_are_not_sent() -> None:
    theirs = replace(DataConverter.default, payload_codec=_Backwards())
    config = PerennialPlugin().configure_client({"data_converter": theirs})  # type: ignore[typeddict-item]
    converter = config["data_converter"]
    (sent,) = await converter.encode([_Seats(quantity=3)])
    assert sent.data[::-1] == b'{"quantity":3}'
    assert await converter.decode([sent], [_Seats]) == [_Seats(quantity=3)]


async def test_a_codec_that_comes_along_takes_the_place_of_theirs() -> None:
    for theirs in (None, DataConverter.default):
        config = PerennialPlugin(codec=_Backwards()).configure_client({"data_converter": theirs})  # type: ignore[typeddict-item]
        (sent,) = await config["data_converter"].encode([_Seats(quantity=3)])
        assert sent.data[::-1] == b'{"quantity":3}'


@pytest.mark.engine
async def test_a_worker_of_others_has_the_interceptors_too(servers: Servers, caplog: pytest.LogCaptureFixture) -> None:
    theirs = await Client.connect(servers.stack.temporal_address, plugins=[PerennialPlugin(codec=_Backwards())])
    queue = f"others-{uuid4().hex}"
    with caplog.at_level(logging.INFO, "perennial.work"):
        async with Worker(theirs, task_queue=queue, workflows=[Counting], activities=[one_more]):
            assert await theirs.execute_workflow("Counting", 2, id=queue, task_queue=queue) == 3
    assert "request one_more: done" in caplog.messages


@pytest.mark.parametrize(
    ("plugin", "runner"), [(PerennialPlugin(), SandboxedWorkflowRunner), (OWN, UnsandboxedWorkflowRunner)]
)
def test_others_keep_their_sandbox_and_ours_run_as_they_are(plugin: PerennialPlugin, runner: type) -> None:
    used = Replayer(workflows=[Shop], plugins=[plugin]).config(active_config=True)["workflow_runner"]
    assert type(used) is runner
    if isinstance(used, SandboxedWorkflowRunner):
        assert {"domain", "gateway"} <= used.restrictions.passthrough_modules


def test_runs_of_workflows_share_what_is_learned_of_types(monkeypatch: pytest.MonkeyPatch) -> None:
    """Each run has a converter of its own, and keeps it for as long as it sleeps."""
    made: list[Any] = []

    def counted(kind: Any) -> TypeAdapter[Any]:
        made.append(kind)
        return TypeAdapter(kind)

    monkeypatch.setattr("temporalio.contrib.pydantic.TypeAdapter", counted)
    plugin._shared_json.cache_clear()
    (payload,) = CompactPayloadConverter().to_payloads([{"days": 3}])
    for kind in (OwnCompact, OwnEnclosing, OwnDemanding):
        for _ in range(3):
            assert kind().from_payloads([payload], [dict[str, int]]) == [{"days": 3}]
    assert made == [dict[str, int]]
    for _ in range(3):  # a sandbox brings types of its own, which go with it
        assert CompactPayloadConverter().from_payloads([payload], [dict[str, int]]) == [{"days": 3}]
    assert len(made) == 4
    plugin._shared_json.cache_clear()
