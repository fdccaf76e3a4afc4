"""The owner hears that nobody has answered a renewal, and that a contract has ended; their manager, what they may not decide."""

from __future__ import annotations

import os
from datetime import timedelta
from itertools import count
from typing import Any

import pytest

from activities.channels.staff_words import StaffWords, sentences
from activities.playbooks import read_playbooks
from tests.conftest import Servers
from tests.e2e.lives import account_of, settled
from tests.workflows.contracts.test_in_grace import from_today
from tests.workflows.quotes.test_quotes import CRM, asked, begun, sale

_numbers = count(1)
JA = StaffWords(sentences("ja"), read_playbooks().titles()["ja"])


async def told(servers: Servers, account: str, like: str) -> list[tuple[str, str, list[str]]]:
    """The notices about a customer whose title is like that: to whom, title and lines; each can be said in Japanese as well."""
    await settled(servers.pool, account)
    rows = await servers.pool.fetch(
        "select staff_id, body from outbox where account_id = $1 and channel = 'deliver_notice' and body->>'title' like $2"
        " order by created_at, delivery_id",
        *(account, like),
    )
    for row in rows:
        assert JA.notice(row["body"]["title"], row["body"]["lines"], row["body"]["own"]), row["body"]
    return [(row["staff_id"], row["body"]["title"], row["body"]["lines"]) for row in rows]


def owned(document: dict[str, Any]) -> str:
    """An order whose owner nobody else has; the owner's id."""
    owner = f"oh-{os.getpid()}-{next(_numbers)}"
    document["account"]["owner"] = {"staff_id": owner, "name": "Ann Lee", "email": f"{owner}@seller.example"}
    return owner


async def managed(servers: Servers, owner: str) -> str:
    """Puts an owner's manager on record; the manager's id."""
    manager = f"m-{owner}"
    await servers.pool.execute(
        "insert into staff (staff_id, name, email) values ($1, 'Max Boss', $2)", manager, f"{manager}@seller.example"
    )
    await servers.pool.execute("update staff set manager_id = $2 where staff_id = $1", owner, manager)
    return manager


@pytest.mark.parametrize("by_itself", [False, True])
async def test_silence_before_the_end_and_the_end_are_told_once_where_a_yes_is_needed(
    servers: Servers, by_itself: bool
) -> None:
    document = from_today()
    contract = document["contracts"][0]
    contract |= {"auto_renew": by_itself}
    contract["term"]["months"] = 3
    account, owner, contract_id = account_of(document), owned(document), contract["contract_id"]
    await servers.client.place_order(document)
    await servers.client.fast_forward(account, timedelta(days=125))
    silent = await told(servers, account, "%and nobody has answered")
    over = await told(servers, account, f"Contract {contract_id} ended%")
    if by_itself:
        assert (silent, over) == ([], [])
        return
    ((person, title, lines),) = silent
    assert (person, title.split(" ends on ")[0]) == (owner, contract_id)
    assert lines[0].startswith("What they were offered: ")
    assert "kept running for 15 days more" in lines[1]
    assert lines[2].startswith("Please ask them by ")
    ((person, title, lines),) = over
    assert (person, title) == (owner, f"Contract {contract_id} ended: no answer")
    assert lines[1].startswith("Nobody knows the main reason yet: please find it out by ")
    assert lines[2] == "Nothing else that runs for a term is left."
    assert lines[3].startswith("Whether they want to come back is looked at on ")


async def test_a_contract_that_was_declined_ends_with_its_reason_and_what_is_left(servers: Servers) -> None:
    document = from_today()
    contract = document["contracts"][0]
    contract["term"]["months"] = 2
    other = {
        **contract,
        "contract_id": f"{contract['contract_id']}-B",
        "lines": [{**contract["lines"][0], "line_id": "9"}],
    }
    other["term"] = {**contract["term"], "months": 12}
    document["contracts"].append(other)
    account, owner = account_of(document), owned(document)
    await servers.client.place_order(document)
    decline = {"contract_id": contract["contract_id"], "decision": "decline", "why": "competitor", "by": "s-1"}
    await servers.client.ask(account, "answer_renewal", decline)
    await servers.client.fast_forward(account, timedelta(days=70))
    ((person, title, lines),) = await told(servers, account, f"Contract {contract['contract_id']} ended%")
    assert (person, title.split(": ")[1], lines[1]) == (owner, "declined", "Main reason: competitor.")
    assert lines[2].startswith(f"{other['contract_id']} goes on until ")
    assert len(lines) == 3


@pytest.mark.parametrize("on_record", [True, False])
async def test_what_a_manager_decides_goes_to_the_manager(servers: Servers, on_record: bool) -> None:
    document = from_today()
    contract_id = document["contracts"][0]["contract_id"]
    document["contracts"][0]["auto_renew"] = False
    account, owner = account_of(document), owned(document)
    await servers.client.place_order(document)
    asked_of = await managed(servers, owner) if on_record else owner
    await servers.client.fast_forward(account, timedelta(days=320))
    price = {"contract_id": contract_id, "discount_percent": "20", "role": "sales", "by": owner}
    assert (await servers.client.ask(account, "revise_renewal", price))["state"] == "waiting"
    ((person, _, lines),) = await told(servers, account, "%waits for approval%")
    assert person == asked_of
    assert bool([line for line in lines if "manager of Ann Lee" in line]) is not on_record
    task = "select staff_id from staff_task where account_id = $1 and key = $2 and closed_at is null"
    assert await servers.pool.fetchval(task, account, f"renewal/approval/{contract_id}") == asked_of


async def test_a_quote_beyond_its_maker_is_decided_and_reminded_of_by_the_manager(servers: Servers) -> None:
    document, account = await begun(servers)
    owner = owned(document)
    await servers.pool.execute(
        "insert into staff (staff_id, name, email) values ($1, 'Ann Lee', 'ann@x.example')", owner
    )
    await servers.pool.execute("update account set owner_id = $2 where account_id = $1", account, owner)
    manager = await managed(servers, owner)
    await servers.client.ask(account, "request_quote", asked(f"Q-{owner}", sale("1", CRM, 10), off="20"))
    await servers.client.fast_forward(account, timedelta(days=4))
    assert {person for person, _, _ in await told(servers, account, "Quote % waits for approval%")} == {manager}
    assert {person for person, _, _ in await told(servers, account, "Quote % still waits for approval%")} == {manager}
