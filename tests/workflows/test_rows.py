"""What a row of the Temporal UI says: every run, the next one and one that another program began, carries its account's name."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

from temporalio.client import WithStartWorkflowOperation
from temporalio.common import WorkflowIDConflictPolicy

from tests.asset_life import Life
from tests.builders import order
from tests.cases import case_client
from tests.conftest import Servers
from tests.e2e.lives import account_of


async def test_every_run_of_a_customer_has_the_name_in_its_memo(servers: Servers) -> None:
    life = await Life.begin(servers, days=1)
    name = life.document["account"]["name"]
    first = await servers.handle(life.account).describe()
    assert await first.memo() == {"account": name}
    await servers.client.fast_forward(life.account, timedelta(days=330))
    later = await servers.handle(life.account).describe()
    assert later.run_id != first.run_id, "a rollover lies between"
    assert await later.memo() == {"account": name}


async def test_a_journey_that_another_program_began_is_named_once_it_is_known(servers: Servers) -> None:
    document = order()
    start: WithStartWorkflowOperation[Any, Any] = WithStartWorkflowOperation(
        "CustomerJourney",
        id=f"journey-{account_of(document)}",
        task_queue="perennial",
        id_conflict_policy=WorkflowIDConflictPolicy.USE_EXISTING,
    )
    await servers.temporal.execute_update_with_start_workflow(
        "place_order", document, id=document["order_id"], start_workflow_operation=start
    )
    await servers.client.fast_forward(account_of(document), timedelta(minutes=1))
    described = await servers.handle(account_of(document)).describe()
    assert await described.memo() == {"account": document["account"]["name"]}


async def test_a_case_carries_its_customer_and_its_subject(servers: Servers) -> None:
    life = await Life.begin(servers, days=1)
    case_id = f"C-{life.account}"
    await case_client(servers).open_case(
        {"case_id": case_id, "account_id": life.account, "subject": "The till stands still"}
    )
    described = await servers.temporal.get_workflow_handle(f"case-{case_id}").describe()
    assert await described.memo() == {"account": life.document["account"]["name"], "subject": "The till stands still"}
