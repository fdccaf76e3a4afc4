"""Plays of a playbook, lived: what they do on their day, what they leave out and why, and that no agenda is apart."""

from __future__ import annotations

from datetime import date, datetime, timedelta
from typing import Any
from zoneinfo import ZoneInfo

from domain.frame.playbook import Playbook
from domain.kernel.calendar import is_business_day
from tests.agendas import apart
from tests.builders import order
from tests.cases import case, case_client
from tests.conftest import Servers
from tests.e2e.lives import account_of, onboard, settled

TOKYO = ZoneInfo("Asia/Tokyo")
NOTE = {
    "template": "play_note",
    "words": {"en": {"subject": "A tip", "text": "One thing to try.\n\nIt takes a minute."}},
}


def play(name: str, anchor: str, days: int, **more: Any) -> dict[str, Any]:
    """A play that sends a note, unless `more` says otherwise."""
    what = {} if "task" in more else {"mail": NOTE}
    return {"name": name, "title": name.replace("_", " ").capitalize(), "anchor": anchor, "days": days, **what, **more}


async def follow(servers: Servers, account: str, *plays: dict[str, Any], **more: Any) -> None:
    """The customer's own playbook in a version that has these plays as well, and whatever `more` says."""
    now = await servers.pool.fetchrow(
        "select p.segment, p.version, p.body from account a join playbook p on p.segment = a.segment"
        " and p.version = a.playbook_version where account_id = $1",
        account,
    )
    assert now is not None
    version = await servers.pool.fetchval("select max(version) + 1 from playbook where segment = $1", now["segment"])
    body = Playbook.model_validate(now["body"] | {"version": version, "plays": plays, **more}).model_dump(mode="json")
    await servers.pool.execute(
        "insert into playbook (segment, version, body) values ($1, $2, $3)", now["segment"], version, body
    )
    answer = await servers.client.ask(account, "change_account", {"playbook_version": version, "by": "S-1"})
    assert answer["changed"] == ["playbook"]


async def steps_of(servers: Servers, account: str) -> dict[str, date]:
    agenda = await servers.client.agenda_of(account)
    assert agenda is not None
    return {step.key: step.on for step in agenda.steps if step.kind.startswith("play")}


async def test_plays_are_planned_done_and_asked_of_people(servers: Servers) -> None:
    document = order()
    account = account_of(document)
    contract = document["contracts"][0]["contract_id"]
    await servers.client.place_order(document)
    await follow(
        servers,
        account,
        play("tip", "order_activated", 10, repeat={"every": 20, "times": 2}),
        play(
            "review",
            "go_live",
            5,
            when="!blocked",
            task={"title": "Review it", "due_in": 2, "escalation": {"after": 3}},
        ),
        play("rich", "go_live", 6, when="arr > 99999999.0"),
        play("unknown", "go_live", 7, when="nps >= 9"),
        play("end", "contract_end", -45, task={"title": "Talk"}),
        play("deadline", "deadline_to_decline", -10, task={"title": "Talk"}),
    )
    before = await steps_of(servers, account)
    assert {key.partition("/")[0] for key in before} == {"play:tip", "play:end"}
    assert not await apart(servers, account)
    await servers.client.fast_forward(account, timedelta(days=45))
    await onboard(servers.client, account)
    after = await steps_of(servers, account)
    assert {key.partition("/")[0] for key in after} == {"play:review", "play:rich", "play:unknown", "play:end"}
    await servers.client.fast_forward(account, timedelta(days=9))
    await settled(servers.pool, account)
    journal = {
        line["key"].partition("/")[2]: line for line in await servers.journal(account) if "/play:" in line["key"]
    }
    tips = [key for key, line in journal.items() if key.startswith("play:tip/") and line["kind"] == "play"]
    assert len(tips) == 2
    titles = {key.partition("/")[0]: line["title"] for key, line in journal.items()}
    assert titles["play:review"] == "Review: asked of the success manager"
    assert titles["play:rich"].startswith("Rich left out: its condition does not hold: arr > 99999999.0 (arr 636000.0)")
    assert titles["play:unknown"] == "Unknown left out: nobody knows nps of them"
    task = await servers.pool.fetchrow(
        "select * from staff_task where account_id = $1 and starts_with(key, 'play:')", account
    )
    assert task is not None
    assert task["title"] == "Review it"
    assert task["staff_id"] == "S-2"
    assert any(key.endswith("-escalate") for key in await steps_of(servers, account))
    mails = await servers.pool.fetch(
        "select settled_at from outbox where account_id = $1 and body->>'template' = 'play_note' and status = 'sent'",
        account,
    )
    assert len(mails) == 2
    for row in mails:
        at: datetime = row["settled_at"].astimezone(TOKYO)
        assert at.hour == 9
        assert is_business_day(at.date(), "JP")
    assert contract in next(key for key in after if key.startswith("play:end/"))


async def test_by_hand_and_after_a_pause_plays_are_as_people_left_them(servers: Servers) -> None:
    document = order()
    account, order_id = account_of(document), document["order_id"]
    await servers.client.place_order(document)
    await follow(servers, account, play("tip", "order_activated", 10, repeat={"every": 20, "times": 3}))
    first = f"play:tip/{order_id}"
    await servers.client.ask(account, "skip_step", {"step": first, "reason": "we met", "by": "S-2"})
    assert list(await steps_of(servers, account)) == [f"{first}.2"]
    day = (await steps_of(servers, account))[f"{first}.2"] + timedelta(days=14)
    await servers.client.ask(account, "reschedule_step", {"step": f"{first}.2", "day": day.isoformat(), "by": "S-2"})
    moved = await steps_of(servers, account)
    assert moved[f"{first}.2"] >= day
    await servers.client.ask(account, "pause", {"reason": "a migration", "by": "S-2"})
    await servers.client.fast_forward(account, timedelta(days=60))
    assert await steps_of(servers, account) == moved, "nothing is done while they are paused"
    await servers.client.ask(account, "resume", {"by": "S-2"})
    await servers.client.fast_forward(account, timedelta(days=40))
    await settled(servers.pool, account)
    assert await steps_of(servers, account) == {}
    done = [line for line in await servers.journal(account) if line["kind"] == "play"]
    assert [line["key"].partition("/")[2] for line in done] == [f"{first}.2"]
    [late] = [line for line in await servers.journal(account) if line["key"].endswith(f"{first}.3")]
    assert late["title"].startswith("Tip left out: it was due on"), "nobody reads of it more than a week late"


async def test_who_hears_of_what_nobody_did(servers: Servers) -> None:
    document = order()
    account = account_of(document)
    await servers.client.place_order(document)
    task = {"title": "Call them", "owner": "success_manager", "due_in": 2, "escalation": {"after": 3, "to": "owner"}}
    await follow(
        servers, account, play("call", "order_activated", 5, task=task), play("ask", "order_activated", 6, task=task)
    )
    await servers.client.fast_forward(account, timedelta(days=12))
    key = f"play:ask/{document['order_id']}"
    task_id = await servers.pool.fetchval(
        "select task_id from staff_task where account_id = $1 and key = $2", account, key
    )
    await servers.client.ask(
        account, "finish_staff_task", {"task_id": task_id, "outcome": "they are happy", "by": "S-2"}
    )
    await servers.client.fast_forward(account, timedelta(days=20))
    await settled(servers.pool, account)
    rows = await servers.pool.fetch(
        "select staff_id, body->>'title' as title from outbox where account_id = $1 and channel = 'deliver_notice'"
        " and stage like 'play:%' order by created_at, delivery_id",
        account,
    )
    told = [(row["staff_id"], row["title"]) for row in rows]
    assert told == [("S-2", "To do: Call them"), ("S-2", "To do: Call them"), ("S-1", "Still to do: Call them")]


async def test_what_happens_during_a_pause_is_looked_at_once_it_is_over(servers: Servers) -> None:
    document = order()
    account = account_of(document)
    await servers.client.place_order(document)
    await follow(servers, account, play("opened", "case_opened", 1, task={"title": "Know of it"}))
    await servers.client.ask(account, "pause", {"reason": "quiet", "by": "S-2"})
    document_of_case = case(document)
    case_id = document_of_case["case_id"]
    await case_client(servers).open_case(document_of_case)
    assert await steps_of(servers, account) == {}
    assert not await apart(servers, account)
    await servers.client.ask(account, "resume", {"by": "S-2"})
    assert list(await steps_of(servers, account)) == [f"play:opened/{case_id}"]
