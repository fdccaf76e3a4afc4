"""When what lies outside fails: the customer's year goes on in time, and every message arrives once in the end."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import AsyncIterator
from datetime import date, datetime, timedelta
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

import pytest

from domain.kernel.calendar import is_business_day
from domain.kernel.refusals import Refusal
from tests.activities.channels.fake_provisioning import Behaviour
from tests.builders import order
from tests.conftest import Servers
from tests.e2e.lives import (
    account_of,
    attention_of,
    check_messages,
    onboard,
    run_id,
    settled,
    steps_of,
    until,
)
from tests.e2e.outages import Outside, outside


@pytest.fixture
async def world(servers: Servers, tmp_path: Path) -> AsyncIterator[Outside]:
    """A worker with a mail server and a provisioning service of its own."""
    async with outside(servers, tmp_path) as here:
        yield here


async def live(world: Outside, account: str, days: int, contract: str) -> None:
    """A year with what people do in it: onboarding by day 41, the renewal accepted on day 330."""
    await world.client.fast_forward_to(account, _began[account] + timedelta(days=41))
    await onboard(world.client, account)
    await world.client.fast_forward_to(account, _began[account] + timedelta(days=330))
    await world.client.ask(account, "answer_renewal", {"contract_id": contract, "decision": "accept"})
    await world.client.fast_forward_to(account, _began[account] + timedelta(days=days))


_began: dict[str, datetime] = {}


async def timed(servers: Servers, account: str) -> dict[str, date]:
    """The customer's local day of everything that was done, by key without the ids of account, order and contract."""
    rows = await servers.pool.fetch(
        "select key, at from journal where account_id = $1 and kind not in ('dropped', 'service_held', 'released', 'rewritten')",
        account,
    )
    zone = ZoneInfo("Asia/Tokyo")
    return {_plain(row["key"].replace(account, "")): row["at"].astimezone(zone).date() for row in rows}


def _plain(key: str) -> str:
    parts = key.split("/")[1:]
    return "/".join(re.sub(r"-K-[0-9-]+$", "", part.split(":")[0]) for part in parts)


def _business_days(one: date, other: date) -> int:
    """How many days on which mails leave are between two days: around New Year there are few."""
    first, last = sorted((one, other))
    return sum(is_business_day(first + timedelta(days=n), "JP") for n in range(1, (last - first).days + 1))


async def begin(world: Outside, **changes: Any) -> tuple[dict[str, Any], str]:
    document = order(**changes)
    account = account_of(document)
    await world.client.place_order(document)
    _began[account] = await world.client.now(account)
    return document, account


@pytest.mark.slow("outage")
async def test_a_dead_mail_server_and_a_dead_provisioning_service_hold_up_nothing(world: Outside) -> None:
    servers = world.servers
    undisturbed, calm = await begin(world)
    await live(world, calm, 400, undisturbed["contracts"][0]["contract_id"])
    await settled(servers.pool, calm)

    # Both are dead from the order on, for thirty days in which onboarding runs and a task is late.
    await world.mail_goes_down()
    world.provisioning.stop()
    document, account = await begin(world)
    await world.client.fast_forward(account, timedelta(days=30))
    assert "provision" in {row["channel"] for row in await waiting(servers, account)}
    assert len(await waiting(servers, account)) >= 6
    assert world.provisioning.requests[f"journey:{account}/onboarding:{document['order_id']}/provisioning#0"] == 0
    arrived = [mail for mail in world.mailbox.list() if mail.to == document["contacts"][0]["email"]]
    assert arrived == []
    await world.mail_comes_up()
    world.provisioning.start()
    # The longest pause between two attempts is six hours.
    await world.client.fast_forward(account, timedelta(hours=7))
    await settled(servers.pool, account)
    assert (
        await servers.pool.fetchval(
            "select status from onboarding_task where account_id = $1 and name = 'provisioning'", account
        )
        == "done"
    )
    await live(world, account, 400, document["contracts"][0]["contract_id"])
    await settled(servers.pool, account)

    found, expected = await timed(servers, account), await timed(servers, calm)

    def waited(key: str) -> bool:
        return "provision" in key or key.startswith(("onboarding/welcome#", "onboarding/welcome-"))

    # What waited leaves at the promised hours: the looks at it are beside what was foretold.
    found = {key: day for key, day in found.items() if not key.startswith(("service/review-held-", "service/lift-"))}

    def moved_on(key: str) -> bool:
        return "/moved-" in key or key.startswith(("onboarding/first_value-", "onboarding/go_live-"))

    # What comes after provisioning is due later than foretold, which is said on the day it was done; until then nobody is asked for it.
    moved = {key for key in found if moved_on(key) and key not in expected}
    at_once = {f"onboarding/provisioned/moved-{task}.1" for task in ("first_value", "go_live")}
    assert moved == {*at_once, "complete_task/moved-go_live.2"}
    assert {found[key] for key in at_once} == {found["onboarding/provisioned"]}
    found = {key: day for key, day in found.items() if not moved_on(key)}

    late = {key for key in found if waited(key)}
    # Optional mails keep their distance from what was sent before, which is other days here.
    on_time = {key: day for key, day in found.items() if key not in late and "reschedule_pace" not in key}
    foretold = {
        key: day
        for key, day in expected.items()
        if not waited(key) and not moved_on(key) and "reschedule_pace" not in key
    }
    assert set(on_time) == set(foretold)
    assert max(_business_days(day, foretold[key]) for key, day in on_time.items()) <= 4
    escalated = {"onboarding/provisioning-escalate", "onboarding/welcome-escalate"}
    assert late == {key for key in expected if waited(key)} | escalated
    assert found["onboarding/welcome#0/settled"] > expected["onboarding/welcome#0/settled"] + timedelta(days=29)
    times = await check_messages(servers.pool, account, world.mailbox)
    assert set(times.values()) == {1}, "a message arrived twice"
    # What is more: notices to the owner of what is late, and the new dates. What is less: what nobody has any use for after so long
    # did not leave; of what came after provisioning nobody was reminded; and what keeps its distance, and is about a day of the first
    # weeks, may have been left out.
    messages = Counter(_plain(key.replace(account, "")) for key in times)
    usual = Counter(_plain(key.replace(calm, "")) for key in await check_messages(servers.pool, calm, world.mailbox))
    assert set(messages - usual) == {"onboarding/provisioned#1", *(f"{key}#0" for key in escalated)}
    gone = "select delivery_id from outbox where account_id = $1 and status = 'withdrawn' and settled_at > created_at + interval '1 day'"
    dropped = {_plain(row["delivery_id"].replace(account, "")) for row in await servers.pool.fetch(gone, account)}
    assert dropped
    less = usual - messages
    assert dropped <= set(less)
    assert all(moved_on(key) or key.startswith("onboarding/touch-") for key in set(less) - dropped), less
    assert world.provisioning.effects[f"journey:{account}/onboarding:{document['order_id']}/provisioning#0"] == 1
    assert "stuck" not in await attention_of(servers.temporal, account)


async def waiting(servers: Servers, account: str) -> list[Any]:
    return await servers.pool.fetch(
        "select * from outbox where account_id = $1 and status = 'waiting' order by created_at", account
    )


async def test_messages_on_their_way_at_a_rollover_arrive_once(world: Outside) -> None:
    servers = world.servers
    await world.mail_goes_down()
    _, account = await begin(world)
    await world.client.fast_forward(account, timedelta(days=3))
    on_the_way = {row["delivery_id"] for row in await waiting(servers, account)}
    assert len(on_the_way) >= 3
    first = await run_id(servers.temporal, account)
    # Operators are busy: the run comes to its limit while nothing can be delivered.
    for lap in range(60):
        await world.client.ask(account, "pause", {"reason": f"lap {lap}"})
        await world.client.ask(account, "resume", {})
        if await run_id(servers.temporal, account) != first:
            break
    assert await run_id(servers.temporal, account) != first
    await world.client.fast_forward(account, timedelta(days=5))
    over = "select delivery_id from outbox where account_id = $1 and reason = 'the day that it is about is over'"
    rows = await servers.pool.fetch(over, account)
    assert on_the_way <= {row["delivery_id"] for row in [*await waiting(servers, account), *rows]}
    await world.mail_comes_up()
    await world.client.fast_forward(account, timedelta(days=5))  # some wait for a morning, and keep their distance
    await settled(servers.pool, account)
    times = await check_messages(servers.pool, account, world.mailbox)
    rows = await servers.pool.fetch(over, account)
    assert on_the_way <= set(times) | {row["delivery_id"] for row in rows}
    assert len(on_the_way & set(times)) >= 3
    assert set(times.values()) == {1}


async def test_a_refused_address_becomes_a_flag_and_a_notice_and_the_journey_goes_on(world: Outside) -> None:
    contacts = [
        {"contact_id": "P-1", "name": "Nobody", "email": "nobody@customer.example"},
        {"contact_id": "P-2", "name": "Bea", "email": "bea@customer.example", "role": "billing"},
    ]
    document, account = await begin(world, contacts=contacts)
    await world.client.fast_forward(account, timedelta(days=3))
    servers = world.servers
    rows = await servers.pool.fetch("select * from contact where account_id = $1 order by contact_id", account)
    assert rows[0]["rejected_at"] is not None
    assert "550" in rows[0]["rejected_reason"]
    assert rows[1]["rejected_at"] is None
    assert "address_rejected" in await attention_of(servers.temporal, account)
    rejected = await servers.pool.fetch(
        "select delivery_id, reason from outbox where account_id = $1 and status = 'rejected'", account
    )
    assert len(rejected) == 1, "one message was refused, the later ones go to somebody who can be reached"
    notices = [row for row in await servers.journal(account) if row["kind"] == "delivery_rejected"]
    assert len(notices) == 1
    told = [
        mail
        for mail in world.mailbox.list()
        if mail.to == document["account"]["owner"]["email"] and "refused for good" in mail.subject
    ]
    assert len(told) == 1
    await world.client.fast_forward(account, timedelta(days=40))
    await settled(servers.pool, account)
    assert f"onboarding:{document['order_id']}/touch-month_1" in await steps_of(servers.pool, account)
    times = await check_messages(servers.pool, account, world.mailbox)
    assert set(times.values()) == {1}
    reached = {mail.to for mail in world.mailbox.list()}
    assert "nobody@customer.example" not in reached
    assert "bea@customer.example" in reached


@pytest.mark.parametrize(
    "nonsense",
    [Behaviour.NOT_JSON, Behaviour.WRONG_KEY, Behaviour.MISSING_LINE, Behaviour.WRONG_QUANTITY, Behaviour.REFUSES],
)
async def test_nonsense_from_provisioning_waits_for_a_person_with_nothing_half_done(
    world: Outside, nonsense: Behaviour
) -> None:
    servers = world.servers
    world.provisioning.behaviour = nonsense
    document, account = await begin(world)
    stage = f"onboarding:{document['order_id']}"
    key = f"journey:{account}/{stage}/provisioning#0"
    await world.client.fast_forward(account, timedelta(days=5))

    async def parked() -> bool:
        return "stuck" in await attention_of(servers.temporal, account)

    await until(parked, "the journey asks for attention")
    assert world.provisioning.requests[key] == 1, "what makes no sense is not asked again and again"
    assert [row["delivery_id"] for row in await waiting(servers, account)] == [key]
    task = "select status, completed_at from onboarding_task where account_id = $1 and name = 'provisioning'"
    row = await servers.pool.fetchrow(task, account)
    assert row is not None
    assert (row["status"], row["completed_at"]) == ("open", None)
    assert f"{stage}/provisioned" not in await steps_of(servers.pool, account)
    assert "provisioning_done" not in await templates_of(servers, account)
    # The rest goes on meanwhile, and nobody asks the service again.
    await world.client.fast_forward(account, timedelta(days=10))
    assert f"{stage}/training-invite" in await steps_of(servers.pool, account)
    assert world.provisioning.requests[key] == 1

    world.provisioning.behaviour = Behaviour.RIGHT
    await world.client.ask(account, "resume", {})
    await world.client.fast_forward(account, timedelta(hours=1))
    await settled(servers.pool, account)
    row = await servers.pool.fetchrow(task, account)
    assert row is not None
    assert row["status"] == "done"
    assert (await steps_of(servers.pool, account)).count(f"{stage}/provisioned") == 1
    assert (await templates_of(servers, account)).count("provisioning_done") == 1
    assert world.provisioning.requests[key] == 2
    assert "stuck" not in await attention_of(servers.temporal, account)
    assert set((await check_messages(servers.pool, account, world.mailbox)).values()) == {1}
    with pytest.raises(Refusal, match="nothing of it is parked or stuck"):
        await world.client.ask(account, "resume", {})


async def templates_of(servers: Servers, account: str) -> list[str]:
    rows = await servers.pool.fetch(
        "select body->>'template' as template from outbox where account_id = $1 and channel = 'deliver_mail'", account
    )
    return [row["template"] for row in rows]


@pytest.mark.slow("outage")
@pytest.mark.parametrize("trouble", [Behaviour.SLOW, Behaviour.DOWN, Behaviour.HANGS_UP])
async def test_a_slow_or_failing_provisioning_service_is_waited_for(world: Outside, trouble: Behaviour) -> None:
    servers = world.servers
    world.provisioning.behaviour = trouble
    world.provisioning.delay_seconds = 1.0
    document, account = await begin(world)
    key = f"journey:{account}/onboarding:{document['order_id']}/provisioning#0"
    await world.client.fast_forward(account, timedelta(days=4))
    if trouble is not Behaviour.SLOW:
        assert world.provisioning.requests[key] > 2
        assert world.provisioning.effects[key] == 0
        world.provisioning.behaviour = Behaviour.RIGHT
        await world.client.fast_forward(account, timedelta(hours=7))
    await settled(servers.pool, account)
    status = "select status from onboarding_task where account_id = $1 and name = 'provisioning'"
    await world.client.fast_forward(account, timedelta(minutes=1))
    assert await servers.pool.fetchval(status, account) == "done"
    assert world.provisioning.effects[key] == 1
    assert (await templates_of(servers, account)).count("provisioning_done") == 1
    assert await attention_of(servers.temporal, account) == []
