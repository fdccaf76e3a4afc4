"""What a row of the Temporal UI says: every run, the next one and one that another program began, carries its account's name."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest
from temporalio.client import WithStartWorkflowOperation
from temporalio.common import WorkflowIDConflictPolicy

from domain.kernel.ids import case_workflow_id
from domain.kernel.shown import as_text
from gateway.cases import CASE_WORKFLOW
from gateway.saved_views import JOURNEYS
from tests.asset_life import Life
from tests.builders import order
from tests.cases import case, case_client, customer, staffed
from tests.conftest import Servers
from tests.e2e.lives import account_of, attention_of, place, run_id, until

pytestmark = pytest.mark.engine  # what operators see in the server's own lists


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


async def test_a_name_is_no_markup_in_the_row_of_its_journey(servers: Servers) -> None:
    document = order()
    document["account"]["name"] = "![x](http://evil.example/p.png) <b>Tanuki</b>"
    await servers.client.place_order(document)
    described = await servers.handle(account_of(document)).describe()
    assert await described.static_summary() == as_text(document["account"]["name"])


async def test_a_case_carries_its_customer_and_its_subject(servers: Servers) -> None:
    life = await Life.begin(servers, days=1)
    case_id = f"C-{life.account}"
    await case_client(servers).open_case(
        {"case_id": case_id, "account_id": life.account, "subject": "The till stands still"}
    )
    described = await servers.temporal.get_workflow_handle(f"case-{case_id}").describe()
    assert await described.memo() == {"account": life.document["account"]["name"], "subject": "The till stands still"}


@pytest.mark.parametrize("events", [12, 14])
async def test_a_run_that_ends_with_a_request_takes_what_it_changed_into_its_row(servers: Servers, events: int) -> None:
    document = order()
    account = account_of(document)
    await place(servers.temporal, document, start={"roll_over_after_events": events})
    began = await run_id(servers.temporal, account)
    for update, paused in (("pause", True), ("resume", False)) * 2:
        await servers.client.ask(account, update, {"reason": "stocktaking"} if paused else {})

        async def is_shown(expected: bool = paused) -> bool:
            return ("paused" in await attention_of(servers.temporal, account)) is expected

        await until(is_shown, f"{update} is shown", 5)
    assert await run_id(servers.temporal, account) != began


async def test_a_case_whose_run_ends_with_a_request_takes_what_it_changed_into_its_row(servers: Servers) -> None:
    client, document = case_client(servers), await customer(servers)
    asked = case(document, team=await staffed(servers, "AG-R"))
    workflow_id = case_workflow_id(asked["case_id"])
    await servers.temporal.start_workflow(
        CASE_WORKFLOW, {"roll_over_after_events": 12}, id=workflow_id, task_queue=servers.settings.task_queue
    )
    began = (await servers.temporal.get_workflow_handle(workflow_id).describe()).run_id
    await client.open_case(asked)
    for update, status in (("wait", "waiting_customer"), ("resume", "open")) * 2:
        await client.ask(asked["case_id"], update, {"reason": "parts", "by": "AG-R"})

        async def is_shown(expected: str = status) -> bool:
            described = await servers.temporal.get_workflow_handle(workflow_id).describe()
            found = {pair.key.name: pair.value for pair in described.typed_search_attributes}
            return found.get("CaseStatus") == expected

        await until(is_shown, f"{update} is shown", 5)
    assert (await servers.temporal.get_workflow_handle(workflow_id).describe()).run_id != began


async def test_whoever_is_paused_is_not_overdue_and_says_when_it_goes_on(servers: Servers) -> None:
    paused, until_soon = await Life.begin(servers, days=1), await Life.begin(servers, days=1)
    now = await servers.client.now(paused.account)
    back = (await servers.client.now(until_soon.account) + timedelta(days=90)).replace(microsecond=0)
    await paused.ask("pause", reason="the shop is rebuilt")
    await until_soon.ask("pause", reason="stocktaking", until=back.isoformat())
    for life in (paused, until_soon):
        await servers.client.fast_forward(life.account, timedelta(days=40))
    later = now + timedelta(days=200)

    async def overdue() -> set[str]:
        query = JOURNEYS["overdue"].query(later)
        return {found.id async for found in servers.temporal.list_workflows(query)}

    async def is_listed() -> bool:
        return f"journey-{until_soon.account}" in await overdue()

    await until(is_listed, "whoever goes on by then is listed")
    assert f"journey-{paused.account}" not in await overdue()
    described = await servers.handle(until_soon.account).describe()
    shown = {pair.key.name: pair.value for pair in described.typed_search_attributes}
    assert shown["NextActionAt"] == back
    await paused.ask("resume")

    async def is_back() -> bool:
        described = await servers.handle(paused.account).describe()
        return "NextActionAt" in {pair.key.name for pair in described.typed_search_attributes}

    await until(is_back, "the next step is shown again")
