"""The plugin in clients and workers of others: what they have of their own stays, and our payloads are written as ours are."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

import pytest
from pydantic import BaseModel
from temporalio.api.common.v1 import Payload
from temporalio.converter import DataConverter, PayloadCodec
from temporalio.worker import Replayer, UnsandboxedWorkflowRunner
from temporalio.worker.workflow_sandbox import SandboxedWorkflowRunner

from gateway.plugin import OWN, PerennialPlugin
from tests.gateway.shop import Shop


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


@pytest.mark.parametrize(
    ("plugin", "runner"), [(PerennialPlugin(), SandboxedWorkflowRunner), (OWN, UnsandboxedWorkflowRunner)]
)
def test_others_keep_their_sandbox_and_ours_run_as_they_are(plugin: PerennialPlugin, runner: type) -> None:
    used = Replayer(workflows=[Shop], plugins=[plugin]).config(active_config=True)["workflow_runner"]
    assert type(used) is runner
    if isinstance(used, SandboxedWorkflowRunner):
        assert {"domain", "gateway"} <= used.restrictions.passthrough_modules
