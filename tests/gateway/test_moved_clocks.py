"""A clock is moved to an instant and no further, whatever becomes of the connection meanwhile."""

from __future__ import annotations

import asyncio
from datetime import datetime, timedelta
from types import SimpleNamespace
from typing import Any, cast

import pytest
from temporalio.client import Client
from temporalio.service import RPCError, RPCStatusCode

from activities.kernel.clock import present
from domain.kernel.ids import journey_id
from gateway import in_step
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


async def test_a_case_that_is_still_about_what_was_due_is_waited_for(
    servers: Servers, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Its server is away while time goes on: what it decides next falls due before the journey goes further."""
    begins = present()
    first, second, until = (begins + timedelta(days=days) for days in (1, 2, 9))
    moves: list[tuple[str, datetime]] = []
    looks = iter((True, True, False, False))
    due = [("C-1", first), ("C-1", second)]

    async def next_due(pool: Any, account_id: str, until: datetime, without: set[str]) -> tuple[str, datetime] | None:
        return due[0] if due and not without else None

    async def is_deciding(workflow_id: str) -> bool:
        if not (still := next(looks)):
            due.pop(0)
        return still

    async def move(workflow_id: str, until: datetime) -> None:
        moves.append((workflow_id, until))

    async def move_journey(until: datetime) -> datetime:
        moves.append(("journey", until))
        return until

    monkeypatch.setattr(in_step, "_next_due", next_due)
    clocks = cast("Clocks", SimpleNamespace(move=move, is_deciding=is_deciding))
    await in_step.move_together(servers.pool, clocks, "nobody", move_journey, until)
    second_later = timedelta(seconds=1)
    assert moves == [
        ("journey", first),
        ("case-C-1", first + second_later),
        ("journey", second),
        ("case-C-1", second + second_later),
        ("journey", until),
    ]
