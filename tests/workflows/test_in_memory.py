"""Customers in memory: what they have otherwise than the facts call for is seen, and calls side by side are all answered."""

from __future__ import annotations

import asyncio
from datetime import timedelta

import pytest
from temporalio.client import WorkflowExecutionStatus
from temporalio.service import RPCError

from tests import agendas
from tests.builders import order
from tests.conftest import Servers
from tests.driver.in_memory.service import InMemoryService
from tests.e2e.lives import account_of


@pytest.fixture
def in_memory_alone(servers: Servers, request: pytest.FixtureRequest) -> None:
    """Not asked where every test lives on the engine."""
    if request.config.getoption("--engine"):
        pytest.skip("on the engine")
    assert isinstance(servers.temporal.service_client, InMemoryService)


@pytest.mark.damaged
@pytest.mark.usefixtures("in_memory_alone")
async def test_an_agenda_that_is_otherwise_is_seen(servers: Servers, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(agendas, "PATIENCE", 0.0)
    account = account_of(document := order())
    await servers.client.place_order(document)
    assert await agendas.apart_of_all(servers, [account]) == {}
    await servers.pool.execute(
        "update contract_term set ends_at = ends_at + interval '31 days', until = until + 31 where contract_id = $1",
        document["contracts"][0]["contract_id"],
    )
    assert list(await agendas.apart_of_all(servers, [account])) == [account]


@pytest.mark.usefixtures("in_memory_alone")
async def test_calls_side_by_side_are_all_answered(servers: Servers) -> None:
    documents = [order() for _ in range(4)]
    await asyncio.gather(*(servers.client.place_order(document) for document in documents))
    accounts = [account_of(document) for document in documents]
    began = [await servers.client.now(account) for account in accounts]
    month = timedelta(days=30)
    await asyncio.gather(*(servers.client.fast_forward(account, month) for account in accounts))
    for account, at in zip(accounts, began, strict=True):
        assert timedelta() <= await servers.client.now(account) - at - month < timedelta(minutes=1)


@pytest.mark.usefixtures("in_memory_alone")
async def test_a_journey_that_was_terminated_is_gone(servers: Servers) -> None:
    account = account_of(document := order())
    await servers.client.place_order(document)
    await servers.handle(account).terminate()
    assert (await servers.handle(account).describe()).status is WorkflowExecutionStatus.TERMINATED
    with pytest.raises(RPCError, match="runs"):
        await servers.handle(account).signal("case_changed", {})
