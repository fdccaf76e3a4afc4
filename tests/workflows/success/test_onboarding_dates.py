"""Dates of onboarding that move with what came late, reminders after them, waiting and whose it is, and what was not done after all."""

from __future__ import annotations

from datetime import date, timedelta
from typing import Any

import pytest

from domain.kernel.refusals import Refusal
from tests.agendas import apart
from tests.builders import order
from tests.conftest import Servers
from tests.e2e.lives import account_of, settled
from tests.workflows.success.test_unhappy import notices


class Start:
    """A customer of the standard playbook at their start."""

    def __init__(self, servers: Servers, document: dict[str, Any]) -> None:
        self.servers, self.account, self.order_id = servers, account_of(document), document["order_id"]
        self.address = document["contacts"][0]["email"]

    @classmethod
    async def begin(cls, servers: Servers, **changes: Any) -> Start:
        document = order(**changes)
        await servers.client.place_order(document)
        return cls(servers, document)

    async def days(self, number: int) -> None:
        await self.servers.client.fast_forward(self.account, timedelta(days=number))
        await settled(self.servers.pool, self.account)

    async def until(self, day: date) -> None:
        await self.days((day - (await self.servers.client.now(self.account)).date()).days)

    async def ask(self, update: str, **request: Any) -> dict[str, Any]:
        found = await self.servers.client.ask(self.account, update, {"by": "S-2", **request})
        await settled(self.servers.pool, self.account)
        return found

    async def task(self, name: str) -> Any:
        return await self.servers.pool.fetchrow(
            "select * from onboarding_task where account_id = $1 and name = $2", self.account, name
        )

    async def events(self, name: str) -> list[str]:
        rows = await self.servers.pool.fetch(
            "select kind from onboarding_event where account_id = $1 and name = $2 order by event_id",
            self.account,
            name,
        )
        return [row["kind"] for row in rows]

    async def steps(self, name: str) -> list[str]:
        """What was done of a task, by the names of its steps, with what came of each."""
        rows = await self.servers.journal(self.account)
        return [
            row["key"].rpartition("/")[2]
            for row in rows
            if f"/{name}-" in row["key"] and row["kind"] != "onboarding_moved"
        ]

    async def texts(self, template: str) -> list[str]:
        rows = await self.servers.pool.fetch(
            "select message_id, body from outbox where account_id = $1 and body->>'template' = $2 order by created_at",
            self.account,
            template,
        )
        return [str(row["body"]["context"]) for row in rows]

    async def staff_tasks(self) -> dict[str, Any]:
        rows = await self.servers.pool.fetch(
            "select * from staff_task where account_id = $1 and closed_at is null", self.account
        )
        return {row["key"]: row for row in rows}

    async def agrees(self) -> None:
        assert await apart(self.servers, self.account) == []


async def test_what_comes_after_a_late_task_moves_and_whoever_has_to_do_with_it_hears_once(servers: Servers) -> None:
    start = await Start.begin(servers)
    before = {name: (await start.task(name))["due_on"] for name in ("kickoff", "training", "first_value", "go_live")}
    await start.days(17)
    assert await start.steps("training") == ["training-invite"], "what came due of it was held"
    assert not await start.texts("onboarding_invite") or "Training" not in (await start.texts("onboarding_invite"))[-1]
    assert f"onboarding:{start.order_id}/kickoff" in await start.staff_tasks(), (
        "no kickoff in seven days: somebody's task"
    )
    await start.agrees()
    await start.ask("complete_task", task="kickoff")
    done = (await servers.client.now(start.account)).date()
    after = {name: (await start.task(name))["due_on"] for name in before}
    assert timedelta(0) <= after["training"] - (done + timedelta(days=14)) <= timedelta(days=5)
    assert after["go_live"] > before["go_live"], "and what comes after that"
    assert after["first_value"] == before["first_value"], "which does not come after it"
    (moved,) = await start.texts("onboarding_moved")
    assert after["go_live"].isoformat() in moved
    assert before["go_live"].isoformat() in moved
    told = [lines for _, title, _, lines in await notices(servers, start.account) if title.startswith("Moved: ")]
    assert len(told) == 1
    assert f"Training is due on {after['training']} instead of {before['training']}." in told[0]
    assert "The reason: Kickoff meeting was done" in told[0]
    await start.agrees()
    await start.until(after["training"] - timedelta(days=1))
    assert await start.steps("training") == ["training-invite", "training-invite.1", "training-remind.1"]
    await start.agrees()


async def test_a_task_is_reminded_of_after_its_date_so_often_and_then_a_person_takes_over(servers: Servers) -> None:
    start = await Start.begin(servers)
    due = (await start.task("first_value"))["due_on"]
    await start.until(due + timedelta(days=14))
    steps = await start.steps("first_value")
    assert steps == ["first_value-remind", "first_value-again.0.2", "first_value-escalate"]
    reminders = await start.texts("onboarding_reminder")
    assert sum("asks_outcome': True" in one for one in reminders) == 2
    task = (await start.staff_tasks())[f"onboarding:{start.order_id}/first_value"]
    assert task["staff_id"] == "S-1"
    assert task["due_at"] > task["opened_at"]
    await start.agrees()


async def test_while_a_task_waits_for_the_customer_its_date_stands_still_and_after_a_week_it_is_a_risk(
    servers: Servers,
) -> None:
    start = await Start.begin(servers)
    await start.days(5)
    await start.ask("complete_task", task="kickoff")
    before = (await start.task("training"))["due_on"]
    await start.days(6)
    said = await start.ask("block_task", task="training", waits_for="customer", reason="no list of users yet")
    assert said["date_stands_still"] is True
    with pytest.raises(Refusal, match="waits for the customer already"):
        await start.ask("block_task", task="training", waits_for="us", reason="again")
    await start.agrees()
    await start.days(20)
    assert not [step for step in await start.steps("training") if "remind" in step or "escalate" in step]
    risk = (await start.staff_tasks())[f"onboarding:{start.order_id}/training/blocked"]
    assert risk["reason"] == "no list of users yet"
    assert risk["title"].startswith("Onboarding at risk: Training has waited for the customer since")
    await start.agrees()
    said = await start.ask("unblock_task", task="training", note="it has come")
    assert said["days"] == 20
    due = (await start.task("training"))["due_on"]
    assert timedelta(20) <= due - before <= timedelta(25)
    assert said["due_on"] == due.isoformat()
    assert f"onboarding:{start.order_id}/training/blocked" not in await start.staff_tasks()
    assert "Training" in (await start.texts("onboarding_moved"))[0], "they were invited to it"
    await start.agrees()
    await start.ask("complete_task", task="training")
    assert await start.events("training") == ["blocked", "unblocked", "moved", "done"]
    with pytest.raises(Refusal, match="is not open"):
        await start.ask("unblock_task", task="training")


async def test_our_own_waiting_stops_no_clock(servers: Servers) -> None:
    start = await Start.begin(servers)
    before = (await start.task("kickoff"))["due_on"]
    said = await start.ask("block_task", task="kickoff", waits_for="us", reason="nobody is free")
    assert said["date_stands_still"] is False
    await start.days(12)
    expected = {"kickoff-invite", "kickoff-remind", "kickoff-escalate", "kickoff-blocked.0.1"}
    assert set(await start.steps("kickoff")) == expected
    assert (await start.staff_tasks())[f"onboarding:{start.order_id}/kickoff/blocked"]["staff_id"] == "S-1"
    await start.agrees()
    await start.ask("unblock_task", task="kickoff")
    assert (await start.task("kickoff"))["due_on"] == before
    await start.agrees()


async def test_a_go_live_that_was_none_is_opened_again_with_its_history_and_what_follows_on_it(
    servers: Servers,
) -> None:
    start = await Start.begin(servers)
    await start.days(34)
    for name in ("kickoff", "training", "first_value", "go_live"):
        await start.ask("complete_task", task=name, evidence=f"{name}: 12 orders a day")
    agenda = (await servers.client.agenda_of(start.account)) or pytest.fail("no journey")
    assert [step.name for step in agenda.steps if step.kind == "adoption_survey"]
    await start.days(3)
    await start.ask("reopen_task", task="go_live", reason="half of the tills stand still")
    task = await start.task("go_live")
    assert (task["status"], task["completed_at"], task["evidence"]) == ("open", None, "")
    assert (await start.events("go_live"))[-3:] == ["done", "reopened", "moved"]
    done = await servers.pool.fetchval(
        "select reason from onboarding_event where account_id = $1 and name = 'go_live' and kind = 'done'",
        start.account,
    )
    assert done == "go_live: 12 orders a day"
    agenda = (await servers.client.agenda_of(start.account)) or pytest.fail("no journey")
    assert not [step for step in agenda.steps if step.kind == "adoption_survey"]
    assert agenda.stages[f"onboarding:{start.order_id}"].tasks == ["go_live"]
    await start.agrees()
    await start.ask("reopen_task", task="first_value", reason="a test order", due_on=str(task["due_on"]))
    first_value = await servers.pool.fetchval("select first_value_at from account where account_id = $1", start.account)
    assert first_value is None, "what was the first value was none"
    await start.days(2)
    await start.ask("complete_task", task="first_value", evidence="40 orders a day")
    await start.ask("complete_task", task="go_live")
    agenda = (await servers.client.agenda_of(start.account)) or pytest.fail("no journey")
    assert [step.name for step in agenda.steps if step.kind == "adoption_survey"]
    await start.agrees()
    with pytest.raises(Refusal, match=r"give a day from"):
        await start.ask("reopen_task", task="go_live", reason="again", due_on="2020-01-01")


async def test_first_value_is_what_was_reached_and_somebody_asks_for_it(servers: Servers) -> None:
    start = await Start.begin(servers)
    await start.days(3)
    await start.ask("complete_task", task="first_value")
    key = f"onboarding:{start.order_id}/first_value/outcome"
    assert (await start.staff_tasks())[key]["staff_id"] == "S-2"
    await start.ask("complete_task", task="first_value", evidence="200 orders in a day")
    assert key not in await start.staff_tasks()
    assert (await start.task("first_value"))["evidence"] == "200 orders in a day"
    with pytest.raises(Refusal, match="is not open"):
        await start.ask("complete_task", task="first_value", evidence="201")
