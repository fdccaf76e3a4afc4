"""A case on the real engine: promises kept, broken and excused, and what starts and stops their clock."""

from __future__ import annotations

import json
from datetime import timedelta
from pathlib import Path

import pytest

from domain.kernel.refusals import Refusal
from gateway.cases import CaseClient
from tests.cases import case, case_client, customer, staffed
from tests.conftest import Servers
from tests.e2e.outages import outside
from tests.workflows.service.case_rows import ENTERPRISE, kinds, notices, promise, row_of, templates


async def test_a_case_is_answered_in_time_and_its_customer_asked_how_it_was(servers: Servers) -> None:
    client = case_client(servers)
    document = await customer(servers)
    team = await staffed(servers, "AG-1")
    opened = await client.open_case(case(document, team=team, impact="high", urgency="high"))
    assert (opened.status, opened.priority, opened.owner, opened.policy) == ("open", "urgent", "AG-1", "standard")
    assert set(opened.due) == {"first_response", "resolution"}
    briefing = await client.briefing(opened.case_id)
    assert "| first response | open |" in briefing
    assert opened.case_id in briefing
    await client.ask(opened.case_id, "respond", {"body": "Which model?\n\nThank you.", "by": "AG-1"})
    await client.ask(opened.case_id, "resolve", {"code": "fixed", "text": "A new cable.", "by": "AG-1"})
    await client.fast_forward(opened.case_id, timedelta(hours=3))
    assert await templates(servers, opened.case_id) == ["case_opened", "case_reply", "case_resolved", "case_survey"]
    answer = await client.ask(opened.case_id, "answer_csat", {"score": 5, "comment": "quick"})
    assert answer["score"] == 5
    await client.fast_forward(opened.case_id, timedelta(days=16))
    assert (await row_of(servers, opened.case_id))["status"] == "closed"
    for name in ("first_response", "resolution"):
        assert (await promise(servers, opened.case_id, name))["state"] == "met"
    assert await kinds(servers, opened.case_id) == [
        "created", "assigned", "agent_message", "resolved", "surveyed", "rated", "closed",
    ]  # fmt: skip
    titles = [row["kind"] for row in await servers.journal(document["account"]["account_id"])]
    assert titles.count("case_opened") == titles.count("case_resolved") == titles.count("case_closed") == 1


async def test_a_broken_promise_is_told_and_excused_once(servers: Servers) -> None:
    client = case_client(servers)
    document = await customer(servers, **ENTERPRISE)
    team = await staffed(servers, "AG-2")
    opened = await client.open_case(case(document, team=team, impact="high", urgency="high"))
    await client.fast_forward(opened.case_id, timedelta(minutes=50))
    assert (await promise(servers, opened.case_id, "first_response"))["warned_at"] is not None
    await client.fast_forward(opened.case_id, timedelta(hours=20))
    first, resolution = [await promise(servers, opened.case_id, name) for name in ("first_response", "resolution")]
    assert first["violated_at"] - opened.opened_at == timedelta(hours=1)
    assert resolution["violated_at"] - opened.opened_at == timedelta(hours=12)
    assert (await row_of(servers, opened.case_id))["escalated"]
    assert await templates(servers, opened.case_id) == ["case_opened", "case_apology", "case_apology"]
    told = await notices(servers, opened.case_id)
    assert sorted(told) == [
        "A half", "A three-quarters", "A three-quarters", "D very-late", "L late", "L late", "L three-quarters",
        "L three-quarters", "M late",
    ]  # fmt: skip
    await client.ask(opened.case_id, "respond", {"body": "Sorry.", "by": "AG-2"})
    await client.fast_forward(opened.case_id, timedelta(hours=4))
    assert await notices(servers, opened.case_id) == told
    assert "**late**" in await client.briefing(opened.case_id)


async def test_late_evidence_takes_a_violation_back(servers: Servers) -> None:
    client = case_client(servers)
    document = await customer(servers, **ENTERPRISE)
    team = await staffed(servers, "AG-3")
    opened = await client.open_case(case(document, team=team, impact="high", urgency="high"))
    await client.fast_forward(opened.case_id, timedelta(hours=2))
    called = opened.opened_at + timedelta(minutes=30)
    request = {"body": "Called them.", "channel": "phone", "by": "AG-3", "at": called.isoformat()}
    await client.ask(opened.case_id, "respond", request)
    first = await promise(servers, opened.case_id, "first_response")
    assert (first["state"], first["completed_at"]) == ("met", called)
    assert first["reversed_at"] is not None
    events = await kinds(servers, opened.case_id)
    assert events.count("violated") == events.count("reversed") == 1
    lines = [row["title"] for row in await servers.journal(document["account"]["account_id"])]
    assert sum("late evidence" in line for line in lines) == 1


async def test_waiting_stops_the_clock_and_the_customer_is_reminded_twice(servers: Servers) -> None:
    client = case_client(servers)
    document = await customer(servers, **ENTERPRISE)
    team = await staffed(servers, "AG-4")
    opened = await client.open_case(case(document, team=team))
    await client.ask(opened.case_id, "respond", {"body": "Which model is it?", "by": "AG-4"})
    due = (await promise(servers, opened.case_id, "resolution"))["due_at"]
    await client.ask(opened.case_id, "wait", {"reason": "the model's name", "by": "AG-4"})
    paused = await promise(servers, opened.case_id, "resolution")
    assert (paused["state"], paused["due_at"]) == ("paused", None)
    await client.fast_forward(opened.case_id, timedelta(days=7))
    assert await templates(servers, opened.case_id) == ["case_opened", "case_reply", "case_nudge", "case_nudge"]
    again = "select body->'context'->'again' from outbox where stage = $1 and body->>'template' = 'case_nudge' order by created_at"
    assert [row[0] for row in await servers.pool.fetch(again, f"service:{opened.case_id}")] == [False, True]
    assert "violated" not in await kinds(servers, opened.case_id)
    answer = await client.ask(opened.case_id, "customer_message", {"body": "A T-1000.", "channel": "web"})
    assert (answer["status"], answer["effect"]) == ("open", "resumes")
    resumed = await promise(servers, opened.case_id, "resolution")
    assert resumed["due_at"] - due >= timedelta(days=6, hours=23)
    assert (await promise(servers, opened.case_id, "next_response"))["state"] == "open"


async def test_a_reopened_case_is_not_asked_how_it_was(servers: Servers) -> None:
    client = case_client(servers)
    document = await customer(servers, **ENTERPRISE)
    team = await staffed(servers, "AG-5")
    opened = await client.open_case(case(document, team=team))
    await client.ask(opened.case_id, "resolve", {"code": "fixed", "text": "Restarted it.", "by": "AG-5"})
    answer = await client.customer_message(opened.case_id, {"body": "Still down.", "channel": "web"})
    assert (answer["effect"], answer["opened"]) == ("reopens", False)
    await client.fast_forward(opened.case_id, timedelta(hours=6))
    assert "case_survey" not in await templates(servers, opened.case_id)
    row = await row_of(servers, opened.case_id)
    assert (row["status"], row["reopen_count"], row["resolved_at"]) == ("open", 1, None)
    resolution = await promise(servers, opened.case_id, "resolution")
    assert (resolution["state"], resolution["completed_at"]) == ("open", None)


@pytest.mark.engine
async def test_a_survey_that_has_not_left_yet_never_does_once_the_case_goes_on(
    servers: Servers, tmp_path: Path
) -> None:
    document = await customer(servers, **ENTERPRISE)
    team = await staffed(servers, "AG-14")
    async with outside(servers, tmp_path) as world:
        client = CaseClient(servers.temporal, servers.pool, task_queue=world.task_queue)
        opened = await client.open_case(case(document, team=team))
        await client.ask(opened.case_id, "resolve", {"code": "fixed", "text": "Restarted it.", "by": "AG-14"})
        await client.fast_forward(opened.case_id, timedelta(minutes=30))
        await world.mail_goes_down()
        await client.fast_forward(opened.case_id, timedelta(hours=2))
        survey = "select status from outbox where delivery_id like '%/survey/%' and stage = $1"
        assert await servers.pool.fetchval(survey, f"service:{opened.case_id}") == "waiting"
        await client.ask(opened.case_id, "reopen", {"reason": "still down", "by": "AG-14"})
        assert await servers.pool.fetchval(survey, f"service:{opened.case_id}") == "withdrawn"
        await world.mail_comes_up()
        await client.fast_forward(opened.case_id, timedelta(hours=8))
        arrived = [mail.subject for mail in world.mailbox.list() if opened.case_id in mail.subject]
        with pytest.raises(Refusal, match="no survey"):
            await client.ask(opened.case_id, "answer_csat", {"score": 4})
        await client.fast_forward(opened.case_id, timedelta(days=1))
        await client.ask(opened.case_id, "resolve", {"code": "fixed", "text": "A new cable.", "by": "AG-14"})
        await client.fast_forward(opened.case_id, timedelta(hours=3))
        assert (await client.ask(opened.case_id, "answer_csat", {"score": 4}))["survey_id"].endswith("-2")
    assert [word for word in ("受け付け", "解決の", "お詫び", "アンケート") if word in "".join(arrived)] == [
        "受け付け",
        "解決の",
    ]


@pytest.mark.engine
async def test_escalation_priority_and_a_low_score(servers: Servers) -> None:
    client = case_client(servers)
    document = await customer(servers, **ENTERPRISE)
    team = await staffed(servers, "AG-12")
    opened = await client.open_case(case(document, team=team, impact="low", urgency="low"))
    low = (await promise(servers, opened.case_id, "resolution"))["due_at"]
    await client.ask(opened.case_id, "escalate", {"reason": "the shop is closed", "by": "AG-12"})
    answer = await client.ask(opened.case_id, "prioritise", {"impact": "high", "urgency": "high", "by": "AG-12"})
    assert answer["priority"] == "urgent"
    urgent = await promise(servers, opened.case_id, "resolution")
    assert urgent["due_at"] - urgent["counted_from"] == timedelta(hours=12)
    assert low - opened.opened_at > timedelta(days=1)
    with pytest.raises(Refusal, match="reason"):
        await client.ask(opened.case_id, "de_escalate", {"by": "AG-12"})
    await client.ask(opened.case_id, "de_escalate", {"reason": "a spare till works", "by": "AG-12"})
    with pytest.raises(Refusal, match="not escalated"):
        await client.ask(opened.case_id, "de_escalate", {"reason": "again", "by": "AG-12"})
    await client.ask(opened.case_id, "resolve", {"code": "fixed", "text": "A new till.", "by": "AG-12"})
    await client.fast_forward(opened.case_id, timedelta(hours=3))
    await client.ask(opened.case_id, "answer_csat", {"score": 1, "comment": "too slow", "by": "customer"})
    history = await servers.temporal.get_workflow_handle(f"case-{opened.case_id}").fetch_history()
    told = [
        json.dumps(await servers.temporal.data_converter.decode(sent.input.payloads))
        for event in history.events
        if (sent := event.signal_external_workflow_execution_initiated_event_attributes).workflow_execution.workflow_id
    ]
    whats = [
        what
        for line in told
        for what in ("opened", "de_escalated", "escalated", "prioritised", "resolved", "rated")
        if f'"{what}"' in line
    ]
    assert whats == ["opened", "escalated", "prioritised", "de_escalated", "resolved", "rated"]
