"""A customer who would recommend us is asked once to be a reference: a yes is a lead with a day, a no is for good."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest

from domain.kernel.refusals import Refusal
from tests.agendas import apart
from tests.conftest import Servers
from tests.e2e.lives import settled
from tests.workflows.service_side import FIRST_ASKED, onboarded, sent_to_customer


async def promoter(servers: Servers, score: int = 9) -> str:
    """A customer who has just said whether they would recommend us."""
    _, account = await onboarded(servers)
    await servers.client.fast_forward(account, FIRST_ASKED)
    survey = await servers.pool.fetchval("select survey_id from survey where account_id = $1 and kind = 'nps'", account)
    await servers.client.ask(account, "answer_survey", {"survey_id": survey, "score": score})
    return account


async def asked(servers: Servers, account: str) -> list[Any]:
    """The questions for a reference that went out."""
    await settled(servers.pool, account)
    return list(await servers.pool.fetch("select * from reference_ask where account_id = $1 order by sent_at", account))


@pytest.mark.engine
async def test_a_yes_is_a_lead_of_the_owner_with_a_task_and_a_day(servers: Servers) -> None:
    account = await promoter(servers)
    assert await apart(servers, account) == []
    await servers.client.fast_forward(account, timedelta(days=12))
    (one,) = await asked(servers, account)
    assert "reference" in await sent_to_customer(servers, account)
    answer = {"reference_id": one["reference_id"], "decision": "yes", "comment": "gladly", "by": "customer"}
    at = await servers.client.now(account)
    given = await servers.client.ask(account, "answer_reference", answer)
    lead = await servers.pool.fetchrow("select * from lead where account_id = $1", account)
    assert lead is not None
    assert (lead["lead_id"], lead["motion"], lead["status"], lead["routed_to"]) == (
        given["lead_id"], "reference", "routed", "S-1",
    )  # fmt: skip
    assert at < lead["due_at"] <= at + timedelta(days=12)
    task = "select title, staff_id, due_at, closed_at from staff_task where account_id = $1 and key like 'lead/%'"
    row = await servers.pool.fetchrow(task, account)
    assert row is not None
    assert tuple(row) == ("They would be a reference", "S-1", lead["due_at"], None)
    assert await apart(servers, account) == []
    assert await servers.client.ask(account, "answer_reference", answer) == {
        "reference_id": one["reference_id"], "decision": "yes",
    }  # fmt: skip
    with pytest.raises(Refusal, match="answered already with yes"):
        await servers.client.ask(account, "answer_reference", {**answer, "decision": "no"})
    taken = {"lead_id": lead["lead_id"], "decision": "accept", "by": "S-1"}
    await servers.client.ask(account, "answer_lead", taken)
    row = await servers.pool.fetchrow(task, account)
    assert row is not None
    assert row["closed_at"] is not None
    assert await apart(servers, account) == []


async def test_a_no_is_for_good_and_who_says_nothing_is_not_asked_twice_a_year(servers: Servers) -> None:
    account = await promoter(servers)
    await servers.client.fast_forward(account, timedelta(days=12))
    (one,) = await asked(servers, account)
    await servers.client.ask(account, "answer_reference", {"reference_id": one["reference_id"], "decision": "no"})
    silent = await promoter(servers)
    for who in (account, silent):
        await servers.client.fast_forward(who, timedelta(days=205))
        survey = await servers.pool.fetchval(
            "select survey_id from survey where account_id = $1 and kind = 'nps' and score is null", who
        )
        await servers.client.ask(who, "answer_survey", {"survey_id": survey, "score": 10})
        await servers.client.fast_forward(who, timedelta(days=30))
        assert len(await asked(servers, who)) == 1
        assert await apart(servers, who) == []
    assert not await servers.pool.fetchval("select count(*) from lead where account_id = $1", account)


async def test_it_waits_while_service_holds_sales_back_and_is_not_asked_of_a_critical_customer(
    servers: Servers,
) -> None:
    account = await promoter(servers)
    held = await servers.client.ask(account, "place_hold", {"reason": "a dispute", "by": "S-1"})
    await servers.client.fast_forward(account, timedelta(days=12))
    assert await asked(servers, account) == []
    assert await apart(servers, account) == []
    await servers.client.ask(account, "lift_hold", {"hold_id": held["hold_id"], "reason": "settled", "by": "S-1"})
    await servers.client.fast_forward(account, timedelta(days=5))
    assert len(await asked(servers, account)) == 1
    critical = await promoter(servers)
    said = {"band": "critical", "reason": "their budget is cut", "days": 30, "by": "S-2"}
    await servers.client.ask(critical, "override_health", said)
    await servers.client.fast_forward(critical, timedelta(days=12))
    assert await asked(servers, critical) == []


async def test_a_passive_is_not_asked_and_another_customers_question_is_refused(servers: Servers) -> None:
    account = await promoter(servers, score=8)
    await servers.client.fast_forward(account, timedelta(days=12))
    assert await asked(servers, account) == []
    with pytest.raises(Refusal, match="was not asked of this customer"):
        await servers.client.ask(account, "answer_reference", {"reference_id": "ref-X", "decision": "yes"})
