"""Whoever answers for several contracts in one sitting hears of all of them in one mail; nobody's answer waits for another."""

from __future__ import annotations

import asyncio
from datetime import timedelta
from typing import Any

import pytest

from tests.agendas import apart
from tests.builders import order
from tests.conftest import Servers
from tests.e2e.lives import account_of, settled


async def two_quoted(servers: Servers) -> tuple[str, list[str], str]:
    """A customer who has the quotes for the next terms of two contracts, these, and the address of whoever answers."""
    document = order()
    first = document["contracts"][0]
    second = {**first, "contract_id": f"{first['contract_id']}-B", "lines": [{**first["lines"][0], "line_id": "9"}]}
    document["contracts"].append(second)
    await servers.client.place_order(document)
    account = account_of(document)
    ends = await servers.pool.fetchval(
        "select min(ends_at) from contract_term t join contract using (contract_id) where account_id = $1", account
    )
    await servers.client.fast_forward_to(account, ends - timedelta(days=50))
    await settled(servers.pool, account)
    return account, [first["contract_id"], second["contract_id"]], document["contacts"][0]["email"]


async def accept(servers: Servers, account: str, contract: str) -> Any:
    request = {"contract_id": contract, "decision": "accept", "by": "customer"}
    return await servers.client.ask(account, "answer_renewal", request)


async def confirmed(servers: Servers, account: str) -> list[Any]:
    await settled(servers.pool, account)
    return list(
        await servers.pool.fetch(
            "select delivery_id, left_with, settled_at - created_at as took from outbox"
            " where account_id = $1 and status = 'sent' and body->>'template' = 'renewal_confirmed' order by left_with nulls first",
            account,
        )
    )


@pytest.mark.engine
async def test_both_answers_of_one_sitting_are_confirmed_in_one_mail(servers: Servers) -> None:
    account, contracts, reader = await two_quoted(servers)
    answers = await asyncio.gather(*(accept(servers, account, contract) for contract in contracts))
    assert [one["status"] for one in answers] == ["renewed", "renewed"]
    lead, other = await confirmed(servers, account)
    assert other["left_with"] == lead["delivery_id"]
    message = servers.mails_to(reader)[-1]
    text = servers.stack.mailbox.read(message.id).text or ""
    assert all(contract in text for contract in contracts)
    assert await apart(servers, account) == []


async def test_an_answer_alone_is_confirmed_at_once(servers: Servers) -> None:
    account, contracts, _ = await two_quoted(servers)
    for contract in contracts:
        await accept(servers, account, contract)
        await settled(servers.pool, account)
    mails = await confirmed(servers, account)
    assert [one["left_with"] for one in mails] == [None, None]
    assert all(one["took"] < timedelta(minutes=1) for one in mails)
