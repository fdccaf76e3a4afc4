"""A clock is moved to an instant and no further, whatever becomes of the connection meanwhile."""

from __future__ import annotations

import asyncio
from datetime import timedelta
from types import SimpleNamespace
from typing import Any, cast

import pytest
from temporalio.client import Client
from temporalio.service import RPCError, RPCStatusCode

from domain.kernel.ids import journey_id
from gateway.clock import Clocks
from tests.conftest import Servers
from tests.e2e.lives import settled
from tests.gateway.api.test_reading import placed


class _BreaksOnce:
    """A connection that breaks while the first move is on its way: the server has it a moment later."""

    def __init__(self, client: Client) -> None:
        self._client = client
        self.late: asyncio.Task[Any] | None = None

    def __getattr__(self, name: str) -> Any:
        return getattr(self._client.workflow_service, name)

    async def update_workflow_execution_options(self, request: Any, **how: Any) -> Any:
        send = self._client.workflow_service.update_workflow_execution_options
        if self.late is not None:
            return await send(request, **how)

        async def later() -> None:
            await asyncio.sleep(0.5)
            await send(request, **how)

        self.late = asyncio.create_task(later())
        raise RPCError("transport error", RPCStatusCode.UNKNOWN, b"")


@pytest.mark.engine
async def test_a_move_that_broke_off_and_arrived_all_the_same_is_not_made_twice(servers: Servers) -> None:
    account = (await placed(servers))["account"]["account_id"]
    await settled(servers.pool, account)
    breaks = _BreaksOnce(servers.temporal)
    client = SimpleNamespace(
        workflow_service=breaks,
        namespace=servers.temporal.namespace,
        identity=servers.temporal.identity,
        get_workflow_handle=servers.temporal.get_workflow_handle,
    )
    clocks = Clocks(cast("Client", client))
    until = await clocks.now(journey_id(account)) + timedelta(minutes=90)
    await clocks.move(journey_id(account), until)
    assert breaks.late is not None
    await breaks.late
    await asyncio.sleep(1)
    assert timedelta(0) <= await clocks.now(journey_id(account)) - until < timedelta(minutes=30)
