"""Our people are reminded of what is due, what is late goes further, and on Monday each reads what their week holds: each thing once."""

from __future__ import annotations

import itertools
import os
from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import Any
from zoneinfo import ZoneInfo

import pytest

from activities.channels.batch_notices import BatchNotices
from activities.channels.errors import ChannelUnavailableError
from activities.journey.attending import Attending
from activities.kernel.clock import present
from domain.frame.batches import Batch, BatchReport
from domain.frame.messages import StaffNotice
from domain.kernel.calendar import business_day_from, local_instant
from tests.builders import order
from tests.conftest import Servers
from tests.e2e.lives import account_of, settled
from tests.workflows.journey.test_staff_tasks import helped, task_of
from tests.workflows.service_side import open_case
from tests.workflows.success.test_plays import follow, play
from workers.wiring import build_attending
from workflows.batch import BatchRun

TOKYO = ZoneInfo("Asia/Tokyo")
_numbers = itertools.count(1)


class Away:
    """A mail server that takes nothing until it is `back`; it keeps what it took."""

    def __init__(self) -> None:
        self.back = False
        self.took: list[StaffNotice] = []

    async def send(self, notice: StaffNotice, others: Sequence[StaffNotice] = ()) -> str:
        if not self.back:
            raise ChannelUnavailableError("no connection")
        self.took.append(notice)
        return f"<{len(self.took)}@test>"


async def told(servers: Servers, like: str) -> list[tuple[str, str, list[str]]]:
    """What the batch told our people: to whom, title and lines."""
    rows = await servers.pool.fetch(
        "select staff_id, body from outbox where delivery_id like $1 and status = 'sent' order by created_at, delivery_id",
        f"batch:{like}",
    )
    return [(row["staff_id"], row["body"]["title"], row["body"]["lines"]) for row in rows]


async def bought(servers: Servers, language: str | None = None, months: int = 12) -> tuple[dict[str, Any], str, str]:
    """A new customer in real time with people of its own: the order, its owner and its success manager."""
    number = f"{os.getpid()}-{next(_numbers)}"
    document = order()
    ids = {role: f"{role[0]}-{number}" for role in ("owner", "success_manager")}
    people: dict[str, Any] = {
        role: {"staff_id": id, "name": role.title(), "email": f"{id}@seller.example", "language": language}
        for role, id in ids.items()
    }
    document["account"].update(people)
    document["contracts"][0]["term"]["months"] = months
    await servers.client.place_order(document)
    return document, ids["owner"], ids["success_manager"]


async def owed(servers: Servers, account: str, staff_id: str, title: str, due: datetime, **more: Any) -> str:
    """A task that is on record; its id."""
    id = f"{next(_numbers):016x}"
    await servers.pool.execute(
        "insert into staff_task (task_id, account_id, key, opened_at, title, reason, staff_id, due_at, snoozed_until)"
        " values ($1, $2, $1, $3, $4, 'They asked for it', $5, $6, $7)",
        *(id, account, present(), title, staff_id, due, more.get("snoozed_until")),
    )
    return id


def next_monday() -> datetime:
    """Nine in Tokyo, on the first business day of a week to come of which no day is off before Thursday."""
    day = present().astimezone(TOKYO).date()
    monday = day + timedelta(days=7 - day.weekday())
    while any(business_day_from(monday + timedelta(days=n), "JP") != monday + timedelta(days=n) for n in range(4)):
        monday += timedelta(days=7)
    return local_instant(monday, "Asia/Tokyo")


async def test_what_is_due_is_reminded_of_once_and_goes_further_once(servers: Servers) -> None:
    account, task = await helped(servers)
    attending = build_attending(servers.pool, servers.settings)
    due: datetime = task["due_at"]
    assert (await attending.attend_to(due - timedelta(minutes=1), account))["reminded"] == 0
    for _ in range(2):
        await attending.attend_to(due + timedelta(minutes=1), account)
    ((person, title, lines),) = await told(servers, f"{account}/%{task['task_id']}%")
    assert (person, title) == ("S-2", f"Due now: {task['title']}")
    assert "Olga Owner hears of it." in lines[1]
    assert lines[2] == "Once it is done, please note what came of it."
    next_day = business_day_from(due.astimezone(TOKYO).date() + timedelta(days=1), "JP")
    at = local_instant(next_day, "Asia/Tokyo")
    assert (await attending.attend_to(at - timedelta(hours=3), account))["escalated"] == 0
    for _ in range(2):
        await attending.attend_to(at, account)
    _, (person, title, lines) = await told(servers, f"{account}/%{task['task_id']}%")
    assert (person, title) == ("S-1", f"Still to be done: {task['title']}")
    assert "is up to Sam Success" in lines[0]
    row = await task_of(servers, account, "adoption/help")
    assert (row["reminded_at"], row["escalated_at"], row["escalated_to"]) == (due + timedelta(minutes=1), at, "S-1")
    kinds = [one["kind"] for one in await servers.journal(account)]
    assert (kinds.count("task_reminded"), kinds.count("task_escalated")) == (1, 1)
    subjects = [mail.subject for mail in servers.mails_to("olga@seller.example")]
    assert sum(subject.endswith(f"Still to be done: {task['title']}") for subject in subjects) >= 1


async def reports_to(servers: Servers, owner: str) -> str:
    """Puts the manager of one of our people on record; the manager's id."""
    manager = f"boss-{owner}"
    await servers.pool.execute(
        "insert into staff (staff_id, name, email) values ($1, 'Max Boss', $2)", manager, f"{manager}@seller.example"
    )
    await servers.pool.execute("update staff set manager_id = $2 where staff_id = $1", owner, manager)
    return manager


@pytest.mark.parametrize("language", [None, "ja"])
async def test_what_is_due_of_one_customer_is_one_notice_in_the_morning_and_the_owners_own_goes_to_their_manager(
    servers: Servers, language: str | None
) -> None:
    document, owner, manager = await bought(servers, language)
    account, monday = account_of(document), next_monday()
    boss = await reports_to(servers, owner)
    titles = ["Call about a hard start (2 of 7)", "Call a detractor (3 of 10)"]
    for person in (owner, manager):
        for title in titles:
            await owed(servers, account, person, title, monday - timedelta(hours=1))
    attending = build_attending(servers.pool, servers.settings)
    evening = monday + timedelta(hours=7)
    assert (await attending.attend_to(evening, account))["reminded"] == 0
    assert (await attending.attend_to(monday, account))["reminded"] == 4
    due = await told(servers, f"{account}/reminded%")
    assert sorted((person, title) for person, title, _ in due) == [
        (person, "Due now: 2 tasks") for person in sorted((owner, manager))
    ]
    day = monday.astimezone(TOKYO).date()
    assert {*due[0][2]} >= {f"Due on {day}: {title}" for title in titles}
    assert (await attending.attend_to(monday + timedelta(days=1), account))["escalated"] == 4
    late = await told(servers, f"{account}/escalated%")
    assert sorted((person, title) for person, title, _ in late) == [
        (person, "Still to be done: 2 tasks") for person in sorted((owner, boss))
    ]
    of_owner = next(lines for person, _, lines in late if person == boss)
    assert f"Due on {day}, up to Owner: {titles[0]}" in of_owner
    assert (await attending.attend_to(monday + timedelta(days=2), account))["escalated"] == 0
    subject = servers.mails_to(f"{owner}@seller.example")[-1].subject
    assert ("まだ完了していません：タスク2件" in subject) is (language == "ja")


async def test_customers_whose_clock_was_moved_are_attended_to_in_their_own_time(servers: Servers) -> None:
    account, task = await helped(servers)
    await servers.client.fast_forward(account, timedelta(days=30))  # past looks at whether the help has helped
    await build_attending(servers.pool, servers.settings).attend_to(present())
    row = await task_of(servers, account, "adoption/help")
    assert row["task_id"] == task["task_id"] or row["key"].startswith("adoption/help/")
    found = await servers.pool.fetch(
        "select escalated_to, escalated_at from staff_task where account_id = $1 and task_id = $2",
        account,
        task["task_id"],
    )
    assert [one["escalated_to"] for one in found] == ["S-1"]
    assert found[0]["escalated_at"] > task["due_at"]


async def test_what_rests_is_silent_and_comes_back(servers: Servers) -> None:
    account, task = await helped(servers)
    attending = build_attending(servers.pool, servers.settings)
    today = (await servers.client.now(account)).astimezone(TOKYO).date()
    request = {"task_id": task["task_id"], "until": str(today + timedelta(days=20)), "by": "S-2"}
    answer = await servers.client.ask(account, "snooze_staff_task", request)
    back = datetime.fromisoformat(answer["snoozed_until"])
    for days in range(1, 20):
        at = local_instant(today + timedelta(days=days), "Asia/Tokyo")
        if at < back:
            counts = await attending.attend_to(at, account)
            assert (counts["reminded"], counts["escalated"]) == (0, 0)
    assert (await attending.attend_to(back, account))["reminded"] == 1


async def test_on_monday_each_reads_what_their_week_holds_and_who_has_nothing_reads_nothing(servers: Servers) -> None:
    document, owner, manager = await bought(servers, months=2)
    account, monday = account_of(document), next_monday()
    await owed(servers, account, owner, "Send them the plan", monday - timedelta(days=4))
    await owed(servers, account, owner, "Visit them", monday + timedelta(days=3))
    await owed(servers, account, owner, "Ask again", monday, snoozed_until=monday + timedelta(days=2))
    await owed(servers, account, owner, "Much later", monday + timedelta(days=30))
    case = await open_case(servers, account)
    attending = build_attending(servers.pool, servers.settings)
    await attending.attend_to(monday - timedelta(minutes=1))
    assert await told(servers, f"{owner}/week%") == []
    for minutes in (0, 60, 24 * 60):
        await attending.attend_to(monday + timedelta(minutes=minutes))
    ((person, title, lines),) = await told(servers, f"{owner}/week%")
    assert person == owner
    day = monday.astimezone(TOKYO).date()
    company = document["account"]["name"]
    assert title == f"Your week from {day}: 1 late, 1 due, 1 back, 1 customer held, 1 renewal coming"
    assert lines[:3] == [
        f"Late since {day - timedelta(days=4)}: Send them the plan ({company})",
        f"Due on {day + timedelta(days=3)}: Visit them ({company})",
        f"Comes back on {day + timedelta(days=2)}: Ask again ({company})",
    ]
    assert lines[3].startswith(f"Sales is held back from {company}: ")
    assert case in lines[3]
    assert lines[4].startswith(f"Contract {document['contracts'][0]['contract_id']} of {company} ends on ")
    (mail,) = [one for one in servers.mails_to(f"{owner}@seller.example") if one.subject.startswith("Your week from")]
    text = servers.stack.mailbox.read(mail.id).text or ""
    assert "Visit them" in text
    assert "Account" not in text
    # Nothing is asked of the manager, but customer and renewal are theirs as well; a second person has nothing at all.
    ((_, title, _),) = await told(servers, f"{manager}/week%")
    assert title == f"Your week from {day}: 1 customer held, 1 renewal coming"


async def test_nobody_with_nothing_reads_of_it_and_a_week_is_japanese(servers: Servers) -> None:
    document, owner, manager = await bought(servers, "ja")
    monday = next_monday()
    await owed(servers, account_of(document), owner, "Visit them", monday + timedelta(days=1))
    await build_attending(servers.pool, servers.settings).attend_to(monday + timedelta(minutes=5))
    assert await told(servers, f"{manager}/week%") == []
    (mail,) = [one for one in servers.mails_to(f"{owner}@seller.example") if "1週間" in one.subject]
    assert "期日" in (servers.stack.mailbox.read(mail.id).text or "")
    assert await servers.pool.fetchval("select delivery_id is null from staff_week where staff_id = $1", manager)


async def test_a_server_that_is_away_is_waited_for_and_nobody_reads_a_thing_twice(servers: Servers) -> None:
    document, owner, _ = await bought(servers)
    monday, channel = next_monday(), Away()
    task_id = await owed(servers, account_of(document), owner, "Visit them", monday)
    attending = Attending(servers.pool, BatchNotices(servers.pool, channel).leave)
    assert (await attending.attend_to(monday))["waiting"] >= 2
    channel.back = True
    assert (await attending.attend_to(monday))["waiting"] == 0
    mine = [notice.title for notice in channel.took if notice.to_email == f"{owner}@seller.example"]
    assert len(mine) == len(set(mine)) == 2
    assert await servers.pool.fetchval("select escalated_at from staff_task where task_id = $1", task_id) is None
    assert (await attending.attend_to(monday))["sent"] == 0


async def test_a_customer_in_a_time_of_their_own_is_left_to_their_rehearsal(servers: Servers) -> None:
    account, task = await helped(servers)
    attending = build_attending(servers.pool, servers.settings)
    await attending.attend_to(present())
    assert await told(servers, f"{account}/%{task['task_id']}%") == []


@pytest.mark.engine
async def test_the_batch_is_done_by_a_worker(servers: Servers) -> None:
    _, owner, _ = await bought(servers)
    report: BatchReport = await servers.temporal.execute_workflow(
        BatchRun.run, Batch.ATTEND, id=f"attend-{owner}", task_queue=servers.settings.task_queue
    )
    assert set(report.counts) == {"reminded", "escalated", "weeks", "sent", "refused", "waiting"}


@pytest.mark.parametrize("put_off", [False, True])
async def test_what_a_play_asked_for_goes_further_once(servers: Servers, put_off: bool) -> None:
    """As the playbook says, unless a person has given it another day."""
    document = order()
    account, attending = account_of(document), build_attending(servers.pool, servers.settings)
    await servers.client.place_order(document)
    task = {"title": "Call them", "due_in": 2, "escalation": {"after": 3, "to": "owner"}}
    await follow(servers, account, play("call", "order_activated", 5, task=task))
    await servers.client.fast_forward(account, timedelta(days=10))
    asked = await task_of(servers, account, f"play:call/{document['order_id']}")
    if put_off:
        until = (await servers.client.now(account)).astimezone(TOKYO).date() + timedelta(days=10)
        request = {"task_id": asked["task_id"], "until": str(until), "by": "S-2"}
        answer = await servers.client.ask(account, "snooze_staff_task", request)
        asked = {**asked, "due_at": datetime.fromisoformat(answer["snoozed_until"])}
    day = asked["due_at"].astimezone(TOKYO).date()
    for days in range(15):
        await attending.attend_to(local_instant(day + timedelta(days=days), "Asia/Tokyo"), account)
    await servers.client.fast_forward(account, timedelta(days=30))
    await settled(servers.pool, account)
    rows = await servers.pool.fetch(
        "select staff_id, body->>'title' as title from outbox where account_id = $1 and channel = 'deliver_notice'"
        " and body->>'title' like '%: Call them' order by created_at, delivery_id",
        account,
    )
    further = "Still to be done" if put_off else "Still to do"
    assert [(row["staff_id"], row["title"]) for row in rows] == [
        ("S-2", "To do: Call them"),
        ("S-2", "Due now: Call them"),
        ("S-1", f"{further}: Call them"),
    ]
