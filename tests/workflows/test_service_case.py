"""A case on the real engine: what was promised, what is kept, and what the customer and our own people hear."""

from __future__ import annotations

import asyncio
import re
from datetime import timedelta
from email import message_from_bytes
from pathlib import Path
from typing import Any

import pytest

from activities.kernel.clock import present
from domain.kernel.refusals import Refusal
from gateway.cases import CaseClient
from tests.cases import case, case_client, customer, staffed
from tests.conftest import Servers
from tests.e2e.outages import outside


async def kinds(servers: Servers, case_id: str) -> list[str]:
    rows = await servers.pool.fetch("select kind from case_event where case_id = $1 order by sequence", case_id)
    return [row["kind"] for row in rows]


async def row_of(servers: Servers, case_id: str) -> Any:
    return await servers.pool.fetchrow("select * from service_case where case_id = $1", case_id)


async def promise(servers: Servers, case_id: str, name: str) -> Any:
    return await servers.pool.fetchrow(
        "select * from case_milestone where case_id = $1 and milestone = $2 order by number desc limit 1", case_id, name
    )


async def templates(servers: Servers, case_id: str) -> list[str]:
    rows = await servers.pool.fetch(
        "select template from case_message where case_id = $1 and template is not null order by number", case_id
    )
    return [row["template"] for row in rows]


async def notices(servers: Servers, case_id: str) -> list[str]:
    """Who was told what: `M late`, the first letter of a staff id and the end of the action's key."""
    rows = await servers.pool.fetch(
        "select staff_id, delivery_id from outbox where stage = $1 and channel = 'deliver_notice' order by delivery_id",
        f"service:{case_id}",
    )
    return [f"{row['staff_id'][0]} {row['delivery_id'].split('#')[0].rsplit('/', 1)[1]}" for row in rows]


ENTERPRISE: dict[str, Any] = {"segment": "enterprise"}
"""Customers whose promises count at every hour: first response within one, resolution within twelve when it is urgent."""


async def test_what_an_agent_writes_bears_the_name_of_that_agent(servers: Servers) -> None:
    """Whoever has the case may be somebody else; what we send of our own accord is theirs."""
    client = case_client(servers)
    document = await customer(servers)
    team = await staffed(servers, "AG-HAS", "AG-WRITES")
    opened = await client.open_case(case(document, team=team, owner="AG-HAS"))
    await client.ask(opened.case_id, "respond", {"body": "Which model?", "by": "AG-WRITES"})
    await client.ask(opened.case_id, "resolve", {"code": "fixed", "text": "A new cable.", "by": "AG-WRITES"})
    await client.fast_forward(opened.case_id, timedelta(hours=3))
    rows = await servers.pool.fetch(
        "select body->>'template' as template, body->'context'->>'sender_name' as name from outbox"
        " where stage = $1 and channel = 'deliver_mail' order by created_at",
        f"service:{opened.case_id}",
    )
    assert {row["template"]: row["name"] for row in rows} == {
        "case_opened": "Agent AG-HAS",
        "case_reply": "Agent AG-WRITES",
        "case_resolved": "Agent AG-WRITES",
        "case_survey": "Agent AG-HAS",
    }


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
async def test_what_is_not_allowed_names_what_is_and_two_at_once_are_told(servers: Servers) -> None:
    client = case_client(servers)
    document = await customer(servers)
    team = await staffed(servers, "AG-6")
    opened = await client.open_case(case(document, team=team))
    with pytest.raises(Refusal, match=r"cannot become closed; it can become waiting_customer.*resolved") as refused:
        await client.ask(opened.case_id, "close", {"by": "AG-6"})
    assert refused.value.type == "TransitionNotAllowed"
    with pytest.raises(Refusal, match="resolution code"):
        await client.ask(opened.case_id, "resolve", {"by": "AG-6"})
    version = (await row_of(servers, opened.case_id))["version"]
    both = [
        client.ask(opened.case_id, "wait", {"reason": "parts", "by": agent, "expected_version": version})
        for agent in ("AG-6", "AG-7")
    ]
    outcomes = await asyncio.gather(*both, return_exceptions=True)
    refusals = [one for one in outcomes if isinstance(one, Refusal)]
    assert [one.type for one in refusals] == ["StaleCase"]
    assert len(outcomes) == 2
    assert (await kinds(servers, opened.case_id)).count("waiting") == 1
    with pytest.raises(Refusal, match="none of our people"):
        await client.ask(opened.case_id, "assign", {"owner": "AG-404", "by": "AG-6"})
    future = {"body": "x", "by": "AG-6", "at": "2199-01-01T00:00:00Z"}
    with pytest.raises(Refusal, match="must lie between"):
        await client.ask(opened.case_id, "respond", future)


async def test_a_merged_case_hands_its_customer_on_and_circles_are_refused(servers: Servers) -> None:
    client = case_client(servers)
    document = await customer(servers)
    team = await staffed(servers, "AG-8")
    one, two = [await client.open_case(case(document, team=team)) for _ in range(2)]
    with pytest.raises(Refusal, match="circle") as refused:
        await client.ask(one.case_id, "merge", {"into": one.case_id, "by": "AG-8"})
    assert refused.value.type == "MergeRefused"
    other = await client.open_case(case(await customer(servers), team=team))
    with pytest.raises(Refusal, match="different customers"):
        await client.ask(one.case_id, "merge", {"into": other.case_id, "by": "AG-8"})
    await client.ask(one.case_id, "merge", {"into": two.case_id, "by": "AG-8"})
    with pytest.raises(Refusal, match="circle"):
        await client.ask(two.case_id, "merge", {"into": one.case_id, "by": "AG-8"})
    answer = await client.customer_message(one.case_id, {"body": "More of it.", "channel": "web"})
    assert answer["case_id"] == two.case_id
    assert (await kinds(servers, two.case_id))[-2:] == ["absorbed", "customer_message"]
    merged = await row_of(servers, one.case_id)
    assert (merged["status"], merged["merged_into"], merged["next_action_at"]) == ("merged", two.case_id, None)
    assert (await promise(servers, one.case_id, "resolution"))["state"] == "stopped"


async def test_mails_are_in_the_customers_language_and_keep_their_thread(servers: Servers) -> None:
    client = case_client(servers)
    document = await customer(servers)
    team = await staffed(servers, "AG-9")
    asked = case(document, team=team, subject="レジが動きません")
    opened = await client.open_case(asked)
    await client.ask(opened.case_id, "respond", {"body": "機種名をお知らせください。", "by": "AG-9"})
    await client.fast_forward(opened.case_id, timedelta(minutes=1))
    mails = [mail for mail in servers.mails_to(document["contacts"][0]["email"]) if opened.case_id in mail.subject]
    assert [mail.subject for mail in mails] == [
        f"【InfintraBytes】お問い合わせを受け付けました（{opened.case_id}）：レジが動きません",
        f"Re: レジが動きません（{opened.case_id}）",
    ]
    messages = [message_from_bytes(servers.stack.mailbox.raw(mail.id)) for mail in mails]
    assert [message["In-Reply-To"] for message in messages] == [asked["message_id"]] * 2
    assert messages[1]["References"].split() == [asked["message_id"], messages[0]["Message-ID"]]
    assert [message["Auto-Submitted"] for message in messages] == ["auto-generated", None]
    addresses = [message["Reply-To"] for message in messages]
    assert all(re.fullmatch(r"reply\+[a-z2-7]{48}@perennial\.example", address) for address in addresses)
    assert addresses[0] != addresses[1]
    assert await client.thread_of([messages[1]["Message-ID"]]) == opened.case_id


@pytest.mark.engine
async def test_a_case_lives_without_a_journey_that_hears_of_it(servers: Servers) -> None:
    client = case_client(servers)
    document = await customer(servers)
    account = document["account"]["account_id"]
    await servers.client.ask(account, "close_journey", {"reason": "moved away"})
    await servers.handle(account).result()
    opened = await client.open_case(case(document))
    await client.fast_forward(opened.case_id, timedelta(minutes=1))
    assert "case_unheard" in [row["kind"] for row in await servers.journal(account)]
    assert (await row_of(servers, opened.case_id))["status"] == "new"


async def test_somebody_unknown_is_served_and_found_out(servers: Servers) -> None:
    client = case_client(servers)
    document = await customer(servers)
    unknown = case(document, account_id=None, contact={"name": "Ann", "email": document["contacts"][0]["email"]})
    opened = await client.open_case({key: value for key, value in unknown.items() if value is not None})
    assert opened.account_id is None
    await client.fast_forward(opened.case_id, timedelta(minutes=1))
    assert await templates(servers, opened.case_id) == ["case_opened"]
    account = document["account"]["account_id"]
    await client.ask(opened.case_id, "identify", {"account_id": account, "by": "AG-1"})
    row = await row_of(servers, opened.case_id)
    assert (row["account_id"], row["contact_id"]) == (account, "P-1")
    assert "case_opened" in [line["kind"] for line in await servers.journal(account)]


@pytest.mark.engine
async def test_a_late_message_reopens_a_closed_case_and_a_very_late_one_opens_another(servers: Servers) -> None:
    client = case_client(servers)
    document = await customer(servers, **ENTERPRISE)
    account = document["account"]["account_id"]
    team = await staffed(servers, "AG-10")
    one, two = [await client.open_case(case(document, team=team)) for _ in range(2)]
    for opened in (one, two):
        await client.ask(opened.case_id, "resolve", {"code": "fixed", "text": "Done.", "by": "AG-10"})
    await servers.client.fast_forward(account, timedelta(days=9))
    handle = servers.temporal.get_workflow_handle(f"case-{one.case_id}")
    await handle.result()
    message = {"body": "Again.", "channel": "web", "message_id": f"<late-{one.case_id}@customer.example>"}
    answer = await client.customer_message(one.case_id, message)
    assert (answer["effect"], answer["status"]) == ("reopens", "open")
    now = await servers.client.now(account)
    reopened = await servers.pool.fetchval("select status_at from service_case where case_id = $1", one.case_id)
    assert abs(reopened - now) < timedelta(minutes=1)
    assert (await client.customer_message(one.case_id, message))["known"]
    await servers.client.fast_forward(account, timedelta(days=9))
    late = {"body": "And again.", "channel": "web", "message_id": f"<late-{two.case_id}@customer.example>"}
    answer = await client.customer_message(two.case_id, late)
    assert answer["opened"]
    linked = await row_of(servers, answer["case_id"])
    assert (linked["follows_id"], linked["account_id"], linked["status"]) == (
        two.case_id,
        account,
        "open" if linked["owner_id"] else "new",
    )
    assert (await client.customer_message(two.case_id, late))["case_id"] == answer["case_id"]


async def test_the_same_case_again_gets_its_first_answer_and_other_content_is_refused(servers: Servers) -> None:
    client = case_client(servers)
    document = await customer(servers)
    asked = case(document)
    first = await client.open_case(asked)
    assert await client.open_case(asked) == first
    with pytest.raises(Refusal, match="other content") as refused:
        await client.open_case({**asked, "subject": "Something else"})
    assert refused.value.type == "CaseConflict"
    with pytest.raises(Refusal, match="no account"):
        await client.open_case(case(document, account_id="nobody"))
    with pytest.raises(Refusal, match="there is no case"):
        await client.ask("C-none", "respond", {"body": "x"})
    assert await kinds(servers, first.case_id) == ["created"]


async def test_journey_and_cases_move_in_step(servers: Servers) -> None:
    client = case_client(servers)
    document = await customer(servers)
    account = document["account"]["account_id"]
    team = await staffed(servers, "AG-11")
    await servers.client.fast_forward(account, timedelta(days=30))
    ahead = await servers.client.now(account)
    one, two = [await client.open_case(case(document, team=team)) for _ in range(2)]
    assert abs(one.opened_at - ahead) < timedelta(minutes=1)
    await client.ask(two.case_id, "respond", {"body": "We look into it.", "by": "AG-11"})
    await servers.client.fast_forward(account, timedelta(days=20))
    assert abs(await client.now(one.case_id) - await servers.client.now(account)) < timedelta(seconds=5)
    rows = await servers.pool.fetch(
        "select max(at) over (order by journal_id) - at as late from journal where account_id = $1", account
    )
    assert max(row["late"] for row in rows) <= timedelta(seconds=2)
    assert {"case_violated", "case_escalated"} <= {row["kind"] for row in await servers.journal(account)}


async def test_cases_go_to_whoever_is_least_busy_and_wait_for_a_shift(servers: Servers) -> None:
    client = case_client(servers)
    document = await customer(servers, **ENTERPRISE)
    n = f"{present():%H%M%S%f}"
    team = await staffed(servers, f"AX-{n}", f"AY-{n}", case_limit=2)
    owners = [(await client.open_case(case(document, team=team))).owner for _ in range(5)]
    assert sorted(owners, key=str) == [f"AX-{n}", f"AX-{n}", f"AY-{n}", f"AY-{n}", None]
    assert owners[0] != owners[1]
    nights = await staffed(servers, f"AZ-{n}", shift="office-jp")
    opened = await client.open_case(case(document, team=nights, impact="low", urgency="low"))
    await client.fast_forward(opened.case_id, timedelta(days=6))
    row = await row_of(servers, opened.case_id)
    assert (row["owner_id"], row["status"]) == (f"AZ-{n}", "open")


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
        str(event.signal_external_workflow_execution_initiated_event_attributes.input.payloads[0].data)
        for event in history.events
        if event.HasField("signal_external_workflow_execution_initiated_event_attributes")
    ]
    whats = [
        what
        for line in told
        for what in ("opened", "de_escalated", "escalated", "prioritised", "resolved", "rated")
        if f'"{what}"' in line
    ]
    assert whats == ["opened", "escalated", "prioritised", "de_escalated", "resolved", "rated"]


async def test_no_thread_gets_more_than_three_automatic_mails_a_day(servers: Servers) -> None:
    client = case_client(servers)
    document = await customer(servers, **ENTERPRISE)
    team = await staffed(servers, "AG-13")
    opened = await client.open_case(case(document, team=team))
    for _ in range(4):
        await client.ask(opened.case_id, "resolve", {"code": "fixed", "text": "Restarted.", "by": "AG-13"})
        await client.ask(opened.case_id, "reopen", {"reason": "still down", "by": "AG-13"})
    # What somebody did is told each time; of what the case sends by itself it is enough for one day.
    assert await templates(servers, opened.case_id) == ["case_opened", *["case_resolved"] * 4]
    await client.ask(opened.case_id, "resolve", {"code": "fixed", "text": "A new one.", "by": "AG-13"})
    await client.fast_forward(opened.case_id, timedelta(hours=12))
    assert "case_survey" not in await templates(servers, opened.case_id)
    await client.ask(opened.case_id, "reopen", {"reason": "still down", "by": "AG-13"})
    kept = {"body": "I am out of office.", "automatic": True, "channel": "mail"}
    answer = await client.customer_message(opened.case_id, kept)
    assert (answer["effect"], answer["status"]) == ("kept", "open")
    assert await promise(servers, opened.case_id, "next_response") is None
