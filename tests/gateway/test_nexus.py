"""Another company's workflow, on a worker of its own in Temporal's sandbox, places an order and asks an amendment over Nexus."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import timedelta
from typing import Any
from uuid import uuid4

import pytest
from temporalio.client import Client, WorkflowFailureError
from temporalio.exceptions import ApplicationError, NexusOperationError
from temporalio.worker import Worker

from activities.frame import audit_rows
from domain.frame.access import AccessRole
from gateway.acting import Acting
from gateway.calling import NoAnswerError
from gateway.contract import ENDPOINT
from gateway.doors import Doors
from gateway.nexus import service_of
from gateway.plugin import PerennialPlugin
from tests.builders import order
from tests.conftest import Servers
from tests.gateway.shop import Shop
from workers.registering import RegistrationError, register_endpoint
from workers.wiring import roles_of

pytestmark = pytest.mark.engine  # Nexus is Temporal's own


@asynccontextmanager
async def _shop(servers: Servers) -> AsyncIterator[Client]:
    """A caller's client, with a worker of its own; the endpoint leads to ours."""
    await register_endpoint(servers.temporal, servers.settings.task_queue)
    theirs = await Client.connect(servers.stack.temporal_address, plugins=[PerennialPlugin()])
    async with Worker(theirs, task_queue="shop", workflows=[Shop]):
        yield theirs


async def _bought(client: Client, *given: Any) -> list[dict[str, Any]]:
    found: list[dict[str, Any]] = await client.execute_workflow(
        "Shop", args=given, id=f"shop-{uuid4().hex}", task_queue="shop", execution_timeout=timedelta(minutes=2)
    )
    return found


def _ten_more(document: dict[str, Any]) -> dict[str, Any]:
    seats = f"{document['order_id']}.{document['contracts'][0]['lines'][0]['line_id']}"
    return {"assets": [{"asset_id": seats, "add": 10}], "reason": "they have grown"}


async def test_an_order_and_an_amendment_are_done_once_even_if_their_answers_were_lost(
    servers: Servers, monkeypatch: pytest.MonkeyPatch
) -> None:
    document = order()
    account = document["account"]["account_id"]
    asked, lost = list[str](), list[str]()
    carry_out = Acting.carry_out

    async def forgetful(acting: Acting, who: Any, operation: str, *given: Any) -> dict[str, Any]:
        answer = await carry_out(acting, who, operation, *given)
        asked.append(operation)
        if operation not in lost:
            lost.append(operation)
            raise NoAnswerError("the answer got lost on its way")
        return answer

    monkeypatch.setattr(Acting, "carry_out", forgetful)
    async with _shop(servers) as client:
        placed, changed = await _bought(client, document, _ten_more(document))
    assert asked == ["place_order", "place_order", "amend_assets", "amend_assets"]
    assert placed["account_id"] == account
    assert changed["assets"][0]["version"] == 2
    count = "select count(*) from asset_action join asset using (asset_id) where account_id = $1 and sequence > 1"
    assert await servers.pool.fetchval(count, account) == 1
    assert await servers.pool.fetchval("select count(*) from sales_order where account_id = $1", account) == 1
    async with servers.pool.acquire() as connection:
        log = await audit_rows.entries(connection, f"account/{account}", None, None, 10)
    assert {(row["actor"], row["door"]) for row in log} == {(f"nexus:{ENDPOINT}", "nexus")}
    assert len({row["request_id"] for row in log if row["operation"] == "amend_assets"}) == 1


async def test_a_refusal_reaches_the_caller_with_its_name_and_its_fields(servers: Servers) -> None:
    document = order()
    document["contracts"][0]["lines"][0]["product"] = "SEATZ"
    async with _shop(servers) as client:
        with pytest.raises(WorkflowFailureError) as failed:
            await _bought(client, document, None)
    operation = failed.value.cause
    assert isinstance(operation, NexusOperationError)
    refused = operation.__cause__.__cause__ if operation.__cause__ else None
    assert isinstance(refused, ApplicationError)
    assert refused.type == "UnknownProduct"
    assert [problem["field"] for problem in refused.details[0]] == ["contracts[0].lines[0].product"]


async def test_an_endpoint_asks_in_the_roles_that_a_setting_gives_it(servers: Servers) -> None:
    queue, endpoint = f"sellers-{uuid4().hex}", f"sellers-{uuid4().hex}"
    settings = servers.settings.model_copy(
        update={"task_queue": queue, "nexus_roles": {endpoint: [AccessRole.SALES, AccessRole.PROGRAM]}}
    )
    doors = Doors(servers.temporal, servers.pool, servers.settings.task_queue)
    await register_endpoint(servers.temporal, queue, endpoint)

    async def cancelled(client: Client, by: str) -> str:
        document = order()
        wish = {"contract_id": document["contracts"][0]["contract_id"], "effective": "period_end", "reason": "moved"}
        await _bought(client, document, wish, "cancel_assets", by)
        return str(document["account"]["account_id"])

    async with (
        _shop(servers) as client,
        Worker(servers.temporal, task_queue=queue, nexus_service_handlers=[service_of(doors, roles_of(settings))]),
    ):
        account = await cancelled(client, endpoint)
        with pytest.raises(WorkflowFailureError) as failed:
            await cancelled(client, ENDPOINT)
    async with servers.pool.acquire() as connection:
        log = await audit_rows.entries(connection, f"account/{account}", None, None, 10)
    assert ("cancel_assets", f"nexus:{endpoint}") in {(row["operation"], row["actor"]) for row in log}
    operation = failed.value.cause
    refused = operation.__cause__.__cause__ if operation is not None and operation.__cause__ else None
    assert isinstance(refused, ApplicationError)
    assert refused.type == "NotAllowed"


async def test_the_endpoint_is_made_once_and_never_taken_from_others(servers: Servers) -> None:
    queue = servers.settings.task_queue
    await register_endpoint(servers.temporal, queue)
    assert await register_endpoint(servers.temporal, queue) is False
    with pytest.raises(RegistrationError, match=f"leads to namespace 'default', task queue '{queue}'"):
        await register_endpoint(servers.temporal, "elsewhere")
