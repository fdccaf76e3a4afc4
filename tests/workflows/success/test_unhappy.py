"""An unhappy customer has a person within a business day; what waits because of it ends, and its owner knows what and why."""

from __future__ import annotations

import re
from datetime import datetime, timedelta
from typing import Any
from urllib.parse import quote
from zoneinfo import ZoneInfo

import pytest

from tests.agendas import apart
from tests.cases import case_client, customer, staffed
from tests.conftest import Servers
from tests.e2e.lives import account_of, attention_of, settled
from tests.plain_words import of_machines
from tests.workflows.service_side import FIRST_ASKED, live_holds, onboarded
from tests.workflows.success.test_surveys import resolved_and_asked

TOKYO = ZoneInfo("Asia/Tokyo")


async def notices(servers: Servers, account: str) -> list[tuple[str, str, datetime, str]]:
    """What our people were told: to whom, the title, when, and the lines."""
    await settled(servers.pool, account)
    rows = await servers.pool.fetch(
        "select staff_id, body, created_at from outbox where account_id = $1 and channel = 'deliver_notice'"
        " order by created_at, delivery_id",
        account,
    )
    for row in rows:
        own = row["body"]["own"]
        ours = [line for n, line in enumerate(row["body"]["lines"]) if n not in own]
        assert of_machines(row["body"]["title"], *ours) == []
    return [(row["staff_id"], row["body"]["title"], row["created_at"], " ".join(row["body"]["lines"])) for row in rows]


async def offered(servers: Servers, account: str, title: str) -> list[str]:
    """What the notices of that title offer their readers to do."""
    rows = await servers.pool.fetch(
        "select body->'acts' as acts from outbox where account_id = $1 and body->>'title' like $2 order by delivery_id",
        *(account, title),
    )
    return [act for row in rows for act in row["acts"]]


async def unhappy(servers: Servers, score: int = 3) -> tuple[str, str, datetime]:
    """A customer who has just answered the survey: the account, the survey, and when."""
    _, account = await onboarded(servers)
    await servers.client.fast_forward(account, FIRST_ASKED)
    survey = await servers.pool.fetchval("select survey_id from survey where account_id = $1 and kind = 'nps'", account)
    at = await servers.client.now(account)
    await servers.client.ask(account, "answer_survey", {"survey_id": survey, "score": score})
    await servers.client.fast_forward(account, timedelta(minutes=1))
    return account, survey, at


@pytest.mark.engine
async def test_nobody_calls_it_is_reminded_goes_further_and_the_wait_has_an_end(servers: Servers) -> None:
    account, survey, at = await unhappy(servers)
    told = await notices(servers, account)
    (owner,) = [one for one in told if one[1].startswith("Automatic mails wait: would recommend at 3 of 10")]
    ends = (at + timedelta(days=30)).astimezone(TOKYO).date()
    assert owner[0] == "S-1"
    assert {f"acknowledge_hold?source={quote(survey)}"} == {*await offered(servers, account, "Automatic mails wait%")}
    assert f"or by itself on {ends}" in owner[3]
    assert "Check-ins, surveys, offers and greetings wait" in owner[3]
    (task,) = await servers.pool.fetch(
        "select * from staff_task where account_id = $1 and key like 'survey/%'", account
    )
    assert timedelta(0) < task["due_at"] - at <= timedelta(days=5)
    await servers.client.fast_forward_to(account, task["due_at"] + timedelta(minutes=1))
    (reminder,) = [one for one in await notices(servers, account) if one[1] == "Due now: Call a detractor (3 of 10)"]
    assert reminder[0] == task["staff_id"]
    further = task["due_at"].astimezone(TOKYO).date()
    goes_on = re.search(r"If nobody has called by (\S+), Olga Owner will hear of it", reminder[3])
    assert goes_on is not None
    assert goes_on[1] > str(further)
    assert reminder[2] - task["due_at"] < timedelta(minutes=1)
    await servers.client.fast_forward(account, timedelta(days=6))
    late = [one for one in await notices(servers, account) if one[1].startswith("Nobody has called yet")]
    assert [one[0] for one in late] == ["S-1"]
    assert late[0][2].astimezone(TOKYO).hour == 9
    assert "unhappy" in await attention_of(servers.temporal, account)
    assert await apart(servers, account) == []
    await servers.client.fast_forward_to(account, at + timedelta(days=31))
    assert await live_holds(servers, account) == []
    titles = [one[1] for one in await notices(servers, account)]
    assert titles.count("Nobody called, and automatic mails go again: Call a detractor (3 of 10)") == 1
    (ended,) = [one for one in await notices(servers, account) if one[1].startswith("Nobody called, and")]
    assert ended[0] == "S-1"
    assert f"The wait for it ended by itself on {ends}." in ended[3]
    assert "Nothing waits for the call any more; please make it all the same" in ended[3]
    assert f"acknowledge_hold?source={quote(survey)}" in await offered(servers, account, "Nobody called%")
    await servers.client.fast_forward_to(account, at + timedelta(days=100))
    sent = (
        "select body->'context' from outbox where account_id = $1 and body->>'template' = 'check_in' and created_at > $2"
        " order by created_at limit 1"
    )
    assert (await servers.pool.fetchval(sent, account, at))["low"]["open"] is True
    await servers.client.ask(account, "acknowledge_hold", {"by": "S-2", "source": survey})
    await servers.client.fast_forward(account, timedelta(minutes=1))
    assert "unhappy" not in await attention_of(servers.temporal, account)
    assert await apart(servers, account) == []


async def said(servers: Servers, account: str, template: str) -> list[dict[str, Any]]:
    """What the customer's mails of a template were filled with, in order."""
    rows = await servers.pool.fetch(
        "select body from outbox where account_id = $1 and body->>'template' = $2 order by created_at, delivery_id",
        account,
        template,
    )
    return [row["body"]["context"] for row in rows]


async def test_a_low_score_is_thanked_for_and_nothing_is_asked_until_somebody_has_followed_it_up(
    servers: Servers,
) -> None:
    account, survey, at = await unhappy(servers)
    (thanked,) = await said(servers, account, "survey_thanks")
    (due,) = await servers.pool.fetch("select due_at from staff_task where key = $1", f"survey/{survey}")
    assert (thanked["score"], thanked["of"], thanked["call_by"]) == (3, 10, str(due["due_at"].astimezone(TOKYO).date()))
    await servers.client.ask(account, "answer_survey", {"survey_id": survey, "score": 2})
    assert len(await said(servers, account, "survey_thanks")) == 1, "once"
    await servers.client.fast_forward_to(account, at + timedelta(days=215))
    assert [one["question_kind"] for one in await said(servers, account, "survey")] == ["ces", "nps"]
    (once,) = [one["low"] for one in await said(servers, account, "check_in") if one.get("low")]
    assert (once["score"], once["open"]) == (2, True)
    assert await apart(servers, account) == []
    await servers.client.ask(account, "acknowledge_hold", {"by": "S-2", "source": survey})
    await servers.client.fast_forward(account, timedelta(days=40))
    assert len(await said(servers, account, "survey")) == 3
    assert await apart(servers, account) == []


async def test_whoever_called_is_not_chased(servers: Servers) -> None:
    account, survey, _ = await unhappy(servers, 6)
    await servers.client.ask(account, "acknowledge_hold", {"by": "S-2", "source": survey})
    await servers.client.fast_forward(account, timedelta(days=8))
    await servers.client.fast_forward(account, timedelta(days=100))
    assert [one["low"]["open"] for one in await said(servers, account, "check_in") if one.get("low")] == [False]
    assert not [one for one in await notices(servers, account) if one[1].startswith(("Due now", "Nobody"))]
    assert await live_holds(servers, account) == []


@pytest.mark.parametrize("called", [True, False])
async def test_a_bad_rating_of_a_case_is_chased_as_well(servers: Servers, called: bool) -> None:
    client, document = case_client(servers), await customer(servers, segment="enterprise")
    account = account_of(document)
    team = await staffed(servers, f"UH-{called}")
    case_id = await resolved_and_asked(client, servers, document, team)
    await client.ask(case_id, "answer_csat", {"score": 1, "comment": "rude"})
    await servers.client.fast_forward(account, timedelta(minutes=5))
    told = await notices(servers, account)
    assert [one[0] for one in told if one[1] == "Automatic mails wait: rated 1 of 5"] == ["S-1"]
    if called:
        await client.ask(case_id, "respond", {"body": "We are sorry.", "channel": "phone", "by": f"UH-{called}"})
    await servers.client.fast_forward(account, timedelta(days=7))
    titles = [one[1] for one in await notices(servers, account)]
    chased = [title for title in titles if "Call back" in title and title.startswith(("Due now", "Nobody has"))]
    assert bool(chased) is not called
    assert any(title.startswith("Nobody has called yet") for title in titles) is not called
    assert await apart(servers, account) == []


@pytest.mark.damaged  # no survey of theirs is due again
async def test_a_low_answer_after_another_says_so_and_goes_to_the_manager_as_well(servers: Servers) -> None:
    account, _, at = await unhappy(servers)
    mark = account.lower()
    people = ((f"o-{mark}", "Ann Lee"), (f"m-{mark}", "Max Boss"))
    await servers.pool.executemany(
        "insert into staff (staff_id, name, email) values ($1, $2, $1 || '@seller.example')", people
    )
    await servers.pool.execute("update staff set manager_id = $2 where staff_id = $1", *(id for id, _ in people))
    await servers.pool.execute("update account set owner_id = $2 where account_id = $1", account, people[0][0])
    await servers.pool.execute(
        "insert into survey (account_id, survey_id, kind, sent_at) values ($1, $2, 'nps', $3)",
        *(account, f"again-{mark}", at),
    )
    before = len(await notices(servers, account))
    await servers.client.ask(account, "answer_survey", {"survey_id": f"again-{mark}", "score": 2})
    told = [one for one in (await notices(servers, account))[before:] if one[1] == "Survey answered: 2 of 10"]
    assert sorted(person for person, *_ in told) == sorted(("S-2", people[1][0]))
    for _, _, _, lines in told:
        assert (
            "It is low answer number 2 of theirs within a year. Nobody has called them after 1 of those before."
            in lines
        )
        assert "Ann Lee will hear of it." in lines
