"""What our people have to do: they say that it is done, let it rest, hand it over, open it again; and the journey follows."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Any
from zoneinfo import ZoneInfo

import pytest

from domain.kernel.refusals import Refusal
from tests.agendas import apart
from tests.builders import order
from tests.conftest import Servers
from tests.e2e.lives import account_of, attention_of, settled
from tests.workflows.service_side import live_holds, onboarded, report_full_use
from tests.workflows.success.test_unhappy import notices, offered, unhappy

TOKYO = ZoneInfo("Asia/Tokyo")


async def task_of(servers: Servers, account: str, key: str) -> dict[str, Any]:
    """The newest task of an account whose key begins so."""
    row = await servers.pool.fetchrow(
        "select * from staff_task where account_id = $1 and starts_with(key, $2) order by opened_at desc limit 1",
        account,
        key,
    )
    assert row is not None
    return dict(row)


async def helped(servers: Servers) -> tuple[str, dict[str, Any]]:
    """A customer who uses few of their seats: the account, and the task to help them, which is S-2's."""
    _, account = await onboarded(servers)
    await report_full_use(servers, account, users=8)
    await servers.client.fast_forward(account, timedelta(days=1))
    return account, await task_of(servers, account, "adoption/help")


async def titles(servers: Servers, account: str) -> list[tuple[str, str]]:
    return [(person, title) for person, title, _, _ in await notices(servers, account)]


@pytest.mark.engine
async def test_help_that_a_person_gave_is_over_with_their_word(servers: Servers) -> None:
    account, task = await helped(servers)
    assert (task["staff_id"], task["reason"][:12]) == ("S-2", "They use lit")
    assert "low_adoption" in await attention_of(servers.temporal, account)
    request = {"task_id": task["task_id"], "outcome": "they train on Monday", "by": "S-2", "request_id": "r-1"}
    answer = await servers.client.ask(account, "finish_staff_task", request)
    assert answer == await servers.client.ask(account, "finish_staff_task", request)
    assert (answer["state"], answer["owner"]) == ("done", "S-2")
    done = await task_of(servers, account, "adoption/help")
    assert (done["ended"], done["ended_by"], done["outcome"]) == ("done", "S-2", "they train on Monday")
    assert "low_adoption" not in await attention_of(servers.temporal, account)
    assert await apart(servers, account) == []
    (line,) = [row for row in await servers.journal(account) if row["kind"] == "finish_staff_task"]
    assert line["title"].startswith("Task done by Sam Success: Low adoption")
    assert line["title"].endswith(": they train on Monday")
    assert (line["detail"]["by"], line["detail"]["task_id"]) == ("S-2", task["task_id"])
    again = {**request, "request_id": "r-2"}
    with pytest.raises(Refusal, match=r"was done on .* by .*they train on Monday; `perennial task reopen`"):
        await servers.client.ask(account, "finish_staff_task", again)
    opened = await servers.client.ask(
        account, "reopen_staff_task", {"task_id": task["task_id"], "reason": "nobody came", "by": "S-2"}
    )
    assert opened["state"] == "open"
    assert datetime.fromisoformat(opened["due_at"]).astimezone(TOKYO).hour == 9
    assert "low_adoption" in await attention_of(servers.temporal, account)
    assert await apart(servers, account) == []
    kinds = [row["kind"] for row in await servers.journal(account)]
    assert kinds.count("finish_staff_task") == kinds.count("reopen_staff_task") == 1
    await servers.client.fast_forward(account, timedelta(days=24))  # two weeks, a weekend and holidays
    assert "adoption_still_low" in {row["kind"] for row in await servers.journal(account)}


async def test_a_late_task_of_an_onboarding_is_ended_by_what_it_is_about(servers: Servers) -> None:
    document = order()
    account = account_of(document)
    await servers.client.place_order(document)
    await servers.client.fast_forward(account, timedelta(days=40))
    task = await task_of(servers, account, f"onboarding:{document['order_id']}/kickoff")
    assert task["closed_at"] is None
    request = {"task_id": task["task_id"], "outcome": "they will", "by": "S-1"}
    with pytest.raises(Refusal) as refused:
        await servers.client.ask(account, "finish_staff_task", request)
    how = f"journey ask {account} complete_task task=kickoff order_id={document['order_id']}"
    assert refused.value.type == "NotAllowed"
    assert how in str(refused.value)
    await servers.client.ask(account, "complete_task", {"task": "kickoff", "by": "S-2"})
    done = await task_of(servers, account, f"onboarding:{document['order_id']}/kickoff")
    assert (done["ended"], done["ended_by"]) == ("done", "S-2")
    with pytest.raises(Refusal, match="stays over: the task of the onboarding that it was about, 'kickoff', is over"):
        await servers.client.ask(account, "reopen_staff_task", {**_only(request), "reason": "again"})


def _only(request: dict[str, Any]) -> dict[str, Any]:
    return {"task_id": request["task_id"], "by": request["by"]}


async def test_a_call_that_rests_is_silent_until_its_day_and_then_asked_for_again(servers: Servers) -> None:
    account, survey, _ = await unhappy(servers)
    task = await task_of(servers, account, f"survey/{survey}")
    today = (await servers.client.now(account)).astimezone(TOKYO).date()
    request = {"task_id": task["task_id"], "by": "S-2", "reason": "they are at a fair"}
    for wrong in (today, today - timedelta(days=1), today + timedelta(days=31)):
        with pytest.raises(Refusal) as refused:
            await servers.client.ask(account, "snooze_staff_task", {**request, "until": str(wrong)})
        assert refused.value.problems[0].field == "until"
    answer = await servers.client.ask(
        account, "snooze_staff_task", {**request, "until": str(today + timedelta(days=20))}
    )
    back = datetime.fromisoformat(answer["snoozed_until"]).astimezone(TOKYO)
    assert (answer["state"], back.hour) == ("snoozed", 9)
    assert await apart(servers, account) == []
    await servers.client.fast_forward_to(account, back - timedelta(minutes=1))
    told = {title for _, title in await titles(servers, account)}
    assert not [title for title in told if title.startswith(("Due now", "Nobody has called yet"))]
    assert "unhappy" not in await attention_of(servers.temporal, account)
    assert "detractor" in {reason for _, reason in await live_holds(servers, account)}
    await servers.client.fast_forward_to(account, back + timedelta(minutes=1))
    assert ("S-2", "Due now: Call a detractor (3 of 10)") in await titles(servers, account)
    await servers.client.fast_forward(account, timedelta(days=6))
    assert ("S-1", "Nobody has called yet: Call a detractor (3 of 10)") in await titles(servers, account)
    await servers.client.ask(
        account, "finish_staff_task", {"task_id": task["task_id"], "outcome": "they stay", "by": "S-1"}
    )
    await servers.client.fast_forward(account, timedelta(minutes=1))
    assert await live_holds(servers, account) == []
    assert "unhappy" not in await attention_of(servers.temporal, account)
    assert ("S-2", "Task done by Olga Owner: Call a detractor (3 of 10)") in await titles(servers, account)


async def test_a_task_goes_to_somebody_else_who_hears_of_it(servers: Servers) -> None:
    account, task = await helped(servers)
    await servers.pool.execute(
        "insert into staff (staff_id, name, email, left_at) values ('S-7', 'Rea Holm', 'rea@seller.example', null),"
        " ('S-8', 'Gus Gone', 'gus@seller.example', now()) on conflict do nothing"
    )
    request = {"task_id": task["task_id"], "to": "S-7", "reason": "she knows them", "by": "S-2"}
    for wrong, kind in (({"to": "S-99"}, "UnknownStaff"), ({"to": "S-8"}, "NotAllowed"), ({"to": "S-2"}, "NotAllowed"),
                        ({"by": "S-98"}, "UnknownStaff"), ({"by": "S-7"}, "NotAllowed"),
                        ({"task_id": "0123456789abcdef"}, "UnknownTask")):  # fmt: skip
        with pytest.raises(Refusal) as refused:
            await servers.client.ask(account, "hand_over_staff_task", {**request, **wrong})
        assert refused.value.type == kind, wrong
    assert (await task_of(servers, account, "adoption/help"))["staff_id"] == "S-2"
    answer = await servers.client.ask(account, "hand_over_staff_task", request)
    assert answer["owner"] == "S-7"
    told = [one for one in await notices(servers, account) if one[1].startswith("Handed over to you")]
    ((person, _, _, lines),) = told
    assert person == "S-7"
    assert "Why: They use little" in lines
    assert "she knows them" in lines
    assert "please note what came of it" in lines
    acts = [f"{update}?task_id={task['task_id']}" for update in ("finish_staff_task", "hand_over_staff_task")]
    assert await offered(servers, account, "Handed over to you%") == acts
    # Somebody who has no part in it acts as a manager, and whoever has it hears of that.
    finish = {"task_id": task["task_id"], "outcome": "they are well", "by": "S-8"}
    with pytest.raises(Refusal, match="as their manager says so with role"):
        await servers.client.ask(account, "finish_staff_task", finish)
    await servers.client.ask(account, "finish_staff_task", {**finish, "role": "manager"})
    await settled(servers.pool, account)
    assert "S-7" in {person for person, title in await titles(servers, account) if title.startswith("Task done by Gus")}


async def test_one_contract_is_settled_and_not_another_whose_id_begins_alike(servers: Servers) -> None:
    """The task of contract K-1 is over, that of K-10 is not."""
    _, account = await onboarded(servers)
    rows = [(f"t-{account}-{n}".lower(), account, f"renewal-hold/{account}-1{'0' * n}") for n in (0, 1)]
    await servers.pool.executemany(
        "insert into staff_task (task_id, account_id, key, opened_at, title, reason, staff_id, due_at)"
        " values ($1, $2, $3, now(), 'Decide', 'A case is open', 'S-1', now() + interval '1 day')",
        rows,
    )
    finish = {"task_id": rows[0][0], "outcome": "it may", "by": "S-1"}
    await servers.client.ask(account, "finish_staff_task", finish)
    left = await servers.pool.fetch(
        "select key from staff_task where account_id = $1 and closed_at is null and key like 'renewal-hold%'", account
    )
    assert [row["key"] for row in left] == [rows[1][2]]
