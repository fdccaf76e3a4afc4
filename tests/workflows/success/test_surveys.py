"""Nobody is asked too often, a survey that did not go out has asked nobody, and an unhappy answer is followed up."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Any

import pytest

from domain.kernel.refusals import Refusal
from gateway.cases import CaseClient
from tests.builders import order
from tests.cases import case, case_client, customer, staffed
from tests.conftest import Servers
from tests.e2e.lives import account_of, onboard, settled
from tests.workflows.service_side import FIRST_ASKED

ENTERPRISE: dict[str, Any] = {"segment": "enterprise"}


async def resolved_and_asked(client: CaseClient, servers: Servers, document: dict[str, Any], team: str) -> str:
    """A case that was resolved three hours ago."""
    opened = await client.open_case(case(document, team=team))
    await client.ask(opened.case_id, "resolve", {"code": "fixed", "text": "Restarted it.", "by": opened.owner})
    await servers.client.fast_forward(account_of(document), timedelta(hours=3))
    return opened.case_id


async def surveys_of(servers: Servers, case_id: str) -> list[str]:
    rows = await servers.pool.fetch(
        "select survey_id from case_survey where case_id = $1 and withdrawn_at is null order by sent_at", case_id
    )
    return [row["survey_id"] for row in rows]


async def lines(servers: Servers, account: str, kind: str) -> list[str]:
    return [row["title"] for row in await servers.journal(account) if row["kind"] == kind]


async def tasks(servers: Servers, account: str) -> list[tuple[str, datetime, bool]]:
    """Follow-ups of surveys: title, due instant, and whether it is still open."""
    rows = await servers.pool.fetch(
        "select * from staff_task where account_id = $1 and starts_with(key, 'survey/') order by opened_at", account
    )
    return [(row["title"], row["due_at"], row["closed_at"] is None) for row in rows]


@pytest.mark.engine
async def test_a_contact_is_asked_once_in_thirty_days_and_a_case_once(servers: Servers) -> None:
    client, document = case_client(servers), await customer(servers, **ENTERPRISE)
    account = account_of(document)
    team = await staffed(servers, "SV-1")
    first = await resolved_and_asked(client, servers, document, team)
    assert await surveys_of(servers, first) == [f"{first}-1"]
    second = await resolved_and_asked(client, servers, document, team)
    assert await surveys_of(servers, second) == []
    (said,) = await lines(servers, account, "case_survey_withheld")
    assert said.startswith(f"Case {second}: no survey, they were asked lately, not again before 20")
    assert "case survey not sent: they were asked lately, not again before 20" in await client.briefing(second)
    await client.ask(first, "reopen", {"reason": "down again", "by": "SV-1"})
    await client.ask(first, "resolve", {"code": "fixed", "text": "A new cable.", "by": "SV-1"})
    await servers.client.fast_forward(account, timedelta(days=31))
    assert await surveys_of(servers, first) == [f"{first}-1"]
    third = await resolved_and_asked(client, servers, document, team)
    assert await surveys_of(servers, third) == [f"{third}-1"]


async def test_a_low_score_is_followed_up_and_an_answer_has_its_time(servers: Servers) -> None:
    client, document = case_client(servers), await customer(servers, **ENTERPRISE)
    account = account_of(document)
    team = await staffed(servers, "SV-2")
    case_id = await resolved_and_asked(client, servers, document, team)
    await client.ask(case_id, "answer_csat", {"score": 2, "comment": "rude"})
    now = await servers.client.now(account)
    ((title, due, is_open),) = await tasks(servers, account)
    assert (title, is_open) == (f"Call back: Case {case_id} was rated 2 of 5", True)
    assert timedelta(hours=23) < due - now <= timedelta(days=5)
    await client.ask(case_id, "respond", {"body": "We are sorry.", "channel": "phone", "by": "SV-2"})
    assert [one[2] for one in await tasks(servers, account)] == [False]
    await servers.client.fast_forward(account, timedelta(hours=20))
    await client.ask(case_id, "answer_csat", {"score": 4, "comment": "you called"})
    await servers.client.fast_forward(account, timedelta(hours=5))
    with pytest.raises(Refusal, match="can be changed for 24 hours"):
        await client.ask(case_id, "answer_csat", {"score": 5})
    row = await servers.pool.fetchrow("select score, comment from case_survey where case_id = $1", case_id)
    assert row is not None
    assert (row["score"], row["comment"]) == (4, "you called")
    await servers.client.fast_forward(account, timedelta(days=10))
    closed = [line["title"] for line in await servers.journal(account) if line["kind"] == "case_closed"]
    assert closed == [f"Case {case_id} closed: it was not reopened"]  # it was heard of: by a score


async def test_an_answer_that_comes_too_late_is_refused(servers: Servers) -> None:
    client, document = case_client(servers), await customer(servers, **ENTERPRISE)
    team = await staffed(servers, "SV-3")
    case_id = await resolved_and_asked(client, servers, document, team)
    await servers.client.fast_forward(account_of(document), timedelta(days=8))
    with pytest.raises(Refusal, match="answered for 7 days"):
        await client.ask(case_id, "answer_csat", {"score": 5})


async def test_who_wants_no_optional_mails_is_not_asked_and_does_not_count_as_asked(servers: Servers) -> None:
    client, document = case_client(servers), order()
    account = account_of(document)
    await servers.client.place_order(document)
    await servers.pool.execute("update contact set unsubscribed_at = now() where account_id = $1", account)
    team = await staffed(servers, "SV-4")
    case_id = await resolved_and_asked(client, servers, document, team)
    assert await surveys_of(servers, case_id) == []
    assert await lines(servers, account, "case_survey_withheld") == [
        f"Case {case_id}: no survey, the customer wants no optional mails"
    ]
    with pytest.raises(Refusal, match="no survey was sent"):
        await client.ask(case_id, "answer_csat", {"score": 5})
    await servers.client.fast_forward(account, timedelta(days=45))
    await onboard(servers.client, account)
    await servers.client.fast_forward(account, timedelta(days=30))
    assert not await servers.pool.fetchval("select count(*) from survey where account_id = $1", account)
    assert "Survey not sent: 山本 葵 (main contact) wants no optional mails" in await lines(
        servers, account, "mail_unwanted"
    )


async def test_the_relationship_is_not_asked_about_right_after_a_case(servers: Servers) -> None:
    client, document = case_client(servers), order()
    account = account_of(document)
    await servers.client.place_order(document)
    team = await staffed(servers, "SV-5")
    await servers.client.fast_forward(account, timedelta(days=45))
    case_id = await resolved_and_asked(client, servers, document, team)
    asked_at = await servers.pool.fetchval("select sent_at from case_survey where case_id = $1", case_id)
    await onboard(servers.client, account)
    await servers.client.fast_forward(account, timedelta(days=90))
    await settled(servers.pool, account)
    row = await servers.pool.fetchrow("select * from survey where account_id = $1 and kind = 'nps'", account)
    assert row is not None
    assert row["sent_at"] - asked_at >= timedelta(days=30)
    assert row["sent_to"] == document["contacts"][0]["email"]
    put_off = [line for line in await lines(servers, account, "adoption_survey") if "put off" in line]
    assert "Survey put off: the customer was asked about a case lately" in put_off
    await client.ask(case_id, "note", {"body": "all well", "by": "SV-5"})


async def test_a_detractor_who_changes_their_mind_needs_no_call(servers: Servers) -> None:
    document = order()
    account = account_of(document)
    await servers.client.place_order(document)
    await servers.client.fast_forward(account, timedelta(days=45))
    await onboard(servers.client, account)
    await servers.client.fast_forward(account, FIRST_ASKED)
    survey = await servers.pool.fetchval("select survey_id from survey where account_id = $1 and kind = 'nps'", account)
    await servers.client.ask(account, "answer_survey", {"survey_id": survey, "score": 6})
    ((title, _, is_open),) = await tasks(servers, account)
    assert (title, is_open) == ("Call a detractor (6 of 10)", True)
    await servers.client.ask(account, "answer_survey", {"survey_id": survey, "score": 9, "comment": "wrong button"})
    assert [one[2] for one in await tasks(servers, account)] == [False]
    await servers.client.fast_forward(account, timedelta(days=2))
    with pytest.raises(Refusal, match="answered already with 9; an answer can be changed for 24 hours"):
        await servers.client.ask(account, "answer_survey", {"survey_id": survey, "score": 1})


async def test_a_survey_that_waited_until_its_moment_passed_has_asked_nobody(servers: Servers) -> None:
    document = order()
    account = account_of(document)
    await servers.client.place_order(document)
    await servers.client.fast_forward(account, timedelta(days=45))
    await onboard(servers.client, account)
    await servers.client.fast_forward(account, FIRST_ASKED)
    survey = await servers.pool.fetchval("select survey_id from survey where account_id = $1 and kind = 'nps'", account)
    await servers.pool.execute(
        "update outbox set status = 'held', created_at = created_at - interval '31 days'"
        " where account_id = $1 and body->'context'->>'survey_id' = $2",
        account,
        survey,
    )
    held = await servers.client.ask(account, "place_hold", {"reason": "a dispute", "by": "S-1"})
    await servers.client.ask(account, "lift_hold", {"hold_id": held["hold_id"], "reason": "settled", "by": "S-1"})
    await servers.client.fast_forward(account, timedelta(hours=1))
    assert await servers.pool.fetchval("select withdrawn_at from survey where survey_id = $1", survey) is not None
    with pytest.raises(Refusal, match="was not sent to this customer"):
        await servers.client.ask(account, "answer_survey", {"survey_id": survey, "score": 9})
