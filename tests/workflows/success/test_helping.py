"""Help with what is used too little: every product, one conversation, step by step until it recovers or a person takes over."""

from __future__ import annotations

import re
from datetime import date, timedelta
from typing import Any

from domain.success.usage import UsageRow
from tests.agendas import apart
from tests.builders import order
from tests.conftest import Servers
from tests.e2e.lives import account_of, settled
from tests.workflows.success.test_unhappy import notices


async def two_products(servers: Servers) -> tuple[str, dict[str, Any]]:
    """A live customer with 40 seats of one product and 20 of another one."""
    document = order()
    document["products"].append({"code": "BOARDS", "name": "Boards", "kind": "subscription"})
    document["contracts"][0]["lines"].append({"line_id": "4", "product": "BOARDS", "quantity": 20, "unit_price": "900"})
    account = account_of(document)
    await servers.client.place_order(document)
    await servers.client.fast_forward(account, timedelta(days=40))
    for task in ("kickoff", "training", "first_value", "go_live"):
        await servers.client.ask(account, "complete_task", {"task": task, "evidence": "it works"})
    return account, document


async def use(servers: Servers, account: str, **users: int) -> None:
    today = (await servers.client.now(account)).date()
    await servers.client.record_usage(
        [
            UsageRow(account_id=account, product=product, day=today - timedelta(days=n), active_users=count)
            for product, count in users.items()
            for n in range(28)
        ]
    )
    await servers.client.fast_forward(account, timedelta(days=1))
    await settled(servers.pool, account)


async def help_tasks(servers: Servers, account: str) -> dict[str, str]:
    """The open tasks of help by their keys, with whose they are."""
    rows = await servers.pool.fetch(
        "select key, staff_id from staff_task where account_id = $1 and key like 'adoption/help%' and closed_at is null",
        account,
    )
    return {row["key"]: row["staff_id"] for row in rows}


async def test_help_goes_on_in_steps_until_a_person_has_it_and_ends_when_use_recovers(servers: Servers) -> None:
    account, _ = await two_products(servers)
    await use(servers, account, SEATS=8, BOARDS=6)
    await servers.client.fast_forward(account, timedelta(days=8))  # past a weekend and a holiday
    rows = await servers.pool.fetch(
        "select body from outbox where account_id = $1 and body->>'template' = 'outreach'", account
    )
    (mail,) = rows
    said = mail["body"]["context"]
    assert (said["product"], said["active_users"]) == ("Workspace", 8)
    assert [(one["product"], one["active_users"]) for one in said["others"]] == [("Boards", 6)], "one mail for both"
    assert await help_tasks(servers, account) == {"adoption/help": "S-2"}
    assert await apart(servers, account) == []
    seen = []
    for _ in range(5):
        await use(servers, account, SEATS=8, BOARDS=6)
        await servers.client.fast_forward(account, timedelta(days=15))
        seen.append(sorted(await help_tasks(servers, account)))
        assert await apart(servers, account) == []
    ladder = ["adoption/help", "adoption/help/call", "adoption/help/plan", "adoption/help/training"]
    assert seen[-1] == ladder, "and the last one stays"
    assert ["adoption/help", "adoption/help/call"] in seen
    assert (await help_tasks(servers, account))["adoption/help/plan"] == "S-1"
    told = [
        (title, lines) for _, title, _, lines in await notices(servers, account) if "Workspace is still low" in title
    ]
    assert sum(title.startswith("Train them: ") for title, _ in told) == 1
    assert any(re.search(r"The first call of Sam Success was due on \S+ and is not done\.", lines) for _, lines in told)
    assert any("Boards: 6 of 20 seats in use on average." in lines for _, lines in told)
    (planned,) = [at for _, title, at, _ in await notices(servers, account) if title.startswith("Agree a plan")]
    same = [title for to, title, at, _ in await notices(servers, account) if (to, at) == ("S-1", planned)]
    assert len(same) == 1, "whoever has the next step hears of it once"
    await use(servers, account, SEATS=8, BOARDS=18)
    assert await help_tasks(servers, account), "one of them is still low"
    await use(servers, account, SEATS=30, BOARDS=18)
    await servers.client.fast_forward(account, timedelta(days=5))
    assert await help_tasks(servers, account) == {}
    said = await servers.pool.fetchval(
        "select body->'context' from outbox where account_id = $1 and body->>'template' = 'recovered'", account
    )
    assert (said["product"], [one["product"] for one in said["others"]]) == ("Workspace", ["Boards"])
    assert await apart(servers, account) == []


async def mails_of(servers: Servers, account: str, template: str) -> list[dict[str, Any]]:
    """What the mails of a template were filled with, in order."""
    rows = await servers.pool.fetch(
        "select body->'context' as said from outbox where account_id = $1 and body->>'template' = $2"
        " order by created_at, delivery_id",
        account,
        template,
    )
    return [row["said"] for row in rows]


async def used_since(servers: Servers, account: str, first: date, users: int) -> None:
    """Use of the first product on each day from `first` to today, and what comes of it by tomorrow."""
    today = (await servers.client.now(account)).date()
    days = [first + timedelta(days=n) for n in range((today - first).days + 1)]
    rows = [UsageRow(account_id=account, product="SEATS", day=day, active_users=users) for day in days]
    await servers.client.record_usage(rows)
    await servers.client.fast_forward(account, timedelta(days=1))
    await settled(servers.pool, account)


async def test_nobody_is_offered_help_before_they_are_live(servers: Servers) -> None:
    document = order()
    account = account_of(document)
    await servers.client.place_order(document)
    began = (await servers.client.now(account)).date()
    await servers.client.fast_forward(account, timedelta(days=45))
    await used_since(servers, account, began, users=8)
    assert await mails_of(servers, account, "outreach") == []
    assert await help_tasks(servers, account) == {}
    for task in ("kickoff", "training", "first_value", "go_live"):
        await servers.client.ask(account, "complete_task", {"task": task, "evidence": "it works"})
    await servers.client.fast_forward(account, timedelta(days=28))
    await used_since(servers, account, began, users=8)
    await servers.client.fast_forward(account, timedelta(days=8))
    (offered,) = await mails_of(servers, account, "outreach")
    assert (offered["active_users"], offered["counted_since"]) == (8, None)
    assert await apart(servers, account) == []


async def test_use_of_a_few_days_is_told_since_when_and_calls_for_no_help(servers: Servers) -> None:
    document = order()
    account = account_of(document)
    await servers.client.place_order(document)
    await servers.client.fast_forward(account, timedelta(days=10))
    for task in ("kickoff", "training", "first_value", "go_live"):
        await servers.client.ask(account, "complete_task", {"task": task, "evidence": "it works"})
    await servers.client.fast_forward(account, timedelta(days=18))
    first = (await servers.client.now(account)).date() - timedelta(days=5)
    await used_since(servers, account, first, users=8)
    await servers.client.fast_forward(account, timedelta(days=16))  # past a holiday
    (told,) = await mails_of(servers, account, "check_in")
    assert (told["active_users"], told["counted_since"]) == (8, first.isoformat())
    assert await mails_of(servers, account, "outreach") == []
    await servers.client.fast_forward(account, timedelta(days=24))
    await used_since(servers, account, first, users=8)
    await servers.client.fast_forward(account, timedelta(days=14))
    (offered,) = await mails_of(servers, account, "outreach")
    assert offered["counted_since"] is None
    assert await apart(servers, account) == []
