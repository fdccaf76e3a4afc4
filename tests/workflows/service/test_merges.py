"""A case that goes up in another one takes along the answer that its customer waits for."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest

from activities.service.case_reports import read_case
from gateway.cases import CaseClient
from tests.cases import case, case_client, customer, staffed
from tests.conftest import Servers
from tests.e2e.lives import account_of, until
from tests.workflows.service.case_rows import ENTERPRISE, kinds, promise, row_of, templates


async def absorbed(servers: Servers, case_id: str) -> None:
    """Waits until a case has looked at what went up in it."""

    async def done() -> bool:
        found = "select count(*) from effect where starts_with(key, $1)"
        return bool(await servers.pool.fetchval(found, f"case:{case_id}/case_absorbed:"))

    await until(done, f"{case_id} has looked at the case that went up in it")


async def two_cases(servers: Servers, agent: str) -> tuple[CaseClient, dict[str, Any], str, str]:
    """A client, the order of a customer, and two cases of theirs: the first was answered, the second is an hour younger."""
    client, document = case_client(servers), await customer(servers, **ENTERPRISE)
    team = await staffed(servers, agent)
    first = await client.open_case(case(document, team=team, impact="high", urgency="high"))
    await client.ask(first.case_id, "respond", {"body": "Which model?", "by": agent})
    await servers.client.fast_forward(account_of(document), timedelta(hours=1))
    second = await client.open_case(case(document, team=team))
    return client, document, first.case_id, second.case_id


@pytest.mark.engine
async def test_the_answer_that_is_owed_is_owed_by_the_target_from_when_the_customer_wrote(servers: Servers) -> None:
    client, document, first, second = await two_cases(servers, "MG-1")
    await client.ask(first, "wait", {"reason": "the model", "by": "MG-1"})
    await servers.client.fast_forward(account_of(document), timedelta(minutes=10))
    await client.ask(second, "merge", {"into": first, "by": "MG-1"})
    await absorbed(servers, first)
    owed = await promise(servers, first, "next_response")
    wrote_at = (await row_of(servers, second))["opened_at"]
    assert (owed["state"], owed["started_at"]) == ("open", wrote_at)
    row = await row_of(servers, first)
    assert row["status"] == "open"
    assert row["next_action_at"] <= owed["due_at"]
    assert (await kinds(servers, first))[-2:] == ["absorbed", "resumed"]
    briefing = await client.briefing(first)
    assert "| next response | open |" in briefing
    await servers.client.fast_forward(account_of(document), timedelta(days=1))
    assert (await promise(servers, first, "next_response"))["violated_at"] == owed["due_at"]
    assert (await templates(servers, first)).count("case_apology") == 1


async def test_what_was_answered_is_not_owed_again(servers: Servers) -> None:
    client, document, first, second = await two_cases(servers, "MG-2")
    await client.ask(second, "respond", {"body": "It is the same matter.", "by": "MG-2"})
    await servers.client.fast_forward(account_of(document), timedelta(minutes=10))
    version = (await row_of(servers, first))["version"]
    await client.ask(second, "merge", {"into": first, "by": "MG-2"})
    await absorbed(servers, first)
    assert await promise(servers, first, "next_response") is None
    # Whoever read the case after the merge may act on it: the run has learnt of the new version.
    assert (await row_of(servers, first))["version"] == version + 1
    await client.ask(first, "wait", {"reason": "parts", "by": "MG-2", "expected_version": version + 1})


async def test_a_message_later_than_a_resolution_reopens_the_case_it_is_merged_into(servers: Servers) -> None:
    client, document = case_client(servers), await customer(servers, **ENTERPRISE)
    team = await staffed(servers, "MG-3")
    first = await client.open_case(case(document, team=team))
    await client.ask(first.case_id, "resolve", {"code": "fixed", "text": "Restarted it.", "by": "MG-3"})
    await servers.client.fast_forward(account_of(document), timedelta(hours=1))
    second = await client.open_case(case(document, team=team, subject="Down again"))
    await client.ask(second.case_id, "merge", {"into": first.case_id, "by": "MG-3"})
    await absorbed(servers, first.case_id)
    row = await row_of(servers, first.case_id)
    assert (row["status"], row["reopen_count"], row["resolved_at"]) == ("open", 1, None)
    owed = await promise(servers, first.case_id, "next_response")
    assert owed["state"] == "open"
    assert owed["started_at"] == (await row_of(servers, second.case_id))["closed_at"]


async def test_lateness_stays_where_it_was_and_the_target_counts_from_the_merge(servers: Servers) -> None:
    client, document = case_client(servers), await customer(servers, **ENTERPRISE)
    team = await staffed(servers, "MG-4")
    first = await client.open_case(case(document, team=team, impact="low", urgency="low"))
    second = await client.open_case(case(document, team=team, impact="high", urgency="high"))
    await servers.client.fast_forward(account_of(document), timedelta(hours=2))
    late = await promise(servers, second.case_id, "first_response")
    assert late["violated_at"] is not None
    await client.ask(second.case_id, "merge", {"into": first.case_id, "by": "MG-4"})
    await absorbed(servers, first.case_id)
    owed = await promise(servers, first.case_id, "next_response")
    assert (owed["state"], owed["started_at"]) == ("open", (await row_of(servers, second.case_id))["closed_at"])
    kept = await promise(servers, second.case_id, "first_response")
    assert (kept["violated_at"], kept["state"]) == (late["violated_at"], "stopped")


async def test_an_open_case_reopens_the_resolved_one_it_is_merged_into_and_brings_its_words(servers: Servers) -> None:
    client, document = case_client(servers), await customer(servers, **ENTERPRISE)
    team = await staffed(servers, "MG-5")
    first = await client.open_case(case(document, team=team))
    second = await client.open_case(
        case(document, team=team, subject="The till", body="The drawer does not open either.")
    )
    await servers.client.fast_forward(account_of(document), timedelta(hours=1))
    await client.ask(second.case_id, "escalate", {"reason": "the shop is closed", "by": "MG-5"})
    await client.ask(first.case_id, "resolve", {"code": "fixed", "text": "Restarted it.", "by": "MG-5"})
    await servers.client.fast_forward(account_of(document), timedelta(hours=1))
    await client.ask(second.case_id, "merge", {"into": first.case_id, "by": "MG-5"})
    await absorbed(servers, first.case_id)
    row = await row_of(servers, first.case_id)
    assert (row["status"], row["resolved_at"], row["escalated"]) == ("open", None, True)
    owed = await promise(servers, first.case_id, "next_response")
    assert (owed["state"], owed["started_at"]) == ("open", (await row_of(servers, second.case_id))["closed_at"])
    async with servers.pool.acquire() as connection:
        thread = await read_case(connection, first.case_id)
    assert thread is not None
    assert "The drawer does not open either." in [one["body"] for one in thread["messages"]]
    told = "select count(*) from outbox where channel = 'deliver_notice' and starts_with(delivery_id, $1)"
    assert await servers.pool.fetchval(told, f"case:{first.case_id}/case_absorbed:")
    await servers.client.fast_forward(account_of(document), timedelta(days=30))
    assert (await row_of(servers, first.case_id))["status"] == "open"


async def test_a_case_that_was_answered_but_not_done_reopens_what_it_is_merged_into(servers: Servers) -> None:
    client, _, first, second = await two_cases(servers, "MG-6")
    await client.ask(first, "resolve", {"code": "fixed", "text": "Restarted it.", "by": "MG-6"})
    await client.ask(second, "respond", {"body": "We look into it.", "by": "MG-6"})
    await client.ask(second, "merge", {"into": first, "by": "MG-6"})
    await absorbed(servers, first)
    assert (await row_of(servers, first))["status"] == "open"
    assert await promise(servers, first, "next_response") is None


@pytest.mark.parametrize("later", [timedelta(minutes=5), timedelta(hours=3)])
async def test_a_merge_wins_no_time_for_what_was_urgent(servers: Servers, later: timedelta) -> None:
    client, document = case_client(servers), await customer(servers, **ENTERPRISE)
    team = await staffed(servers, "MG-U")
    calm = await client.open_case(case(document, team=team, impact="medium", urgency="medium"))
    await servers.client.fast_forward(account_of(document), timedelta(minutes=20))
    urgent = await client.open_case(case(document, team=team, impact="high", urgency="high"))
    promised = await promise(servers, urgent.case_id, "resolution")
    before = await promise(servers, calm.case_id, "resolution")
    assert promised["due_at"] < before["due_at"]
    await client.fast_forward(urgent.case_id, later)
    await client.fast_forward(calm.case_id, later)
    late = promised["due_at"] <= await client.now(urgent.case_id)
    await client.ask(urgent.case_id, "merge", {"into": calm.case_id, "by": "MG-U"})
    await absorbed(servers, calm.case_id)
    row = await row_of(servers, calm.case_id)
    assert row["priority"] == "urgent"
    after = await promise(servers, calm.case_id, "resolution")
    assert after["state"] == "open"
    assert after["due_at"] == promised["due_at"] if not late else after["due_at"] < before["due_at"]
    assert "prioritised" in await kinds(servers, calm.case_id)
    assert "| resolution | open |" in await client.briefing(calm.case_id)


async def test_a_calm_case_that_goes_up_in_an_urgent_one_changes_no_clock(servers: Servers) -> None:
    client, document = case_client(servers), await customer(servers, **ENTERPRISE)
    team = await staffed(servers, "MG-C")
    urgent = await client.open_case(case(document, team=team, impact="high", urgency="high"))
    calm = await client.open_case(case(document, team=team, impact="medium", urgency="medium"))
    before = await promise(servers, urgent.case_id, "resolution")
    await client.ask(calm.case_id, "merge", {"into": urgent.case_id, "by": "MG-C"})
    await absorbed(servers, urgent.case_id)
    assert (await row_of(servers, urgent.case_id))["priority"] == "urgent"
    assert (await promise(servers, urgent.case_id, "resolution"))["due_at"] == before["due_at"]
