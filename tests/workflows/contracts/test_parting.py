"""Customers who do not renew: the reason from the list, one offer that may keep them, and a look whether they come back."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest

from domain.kernel.refusals import Refusal
from tests.agendas import apart
from tests.builders import order
from tests.conftest import Servers
from tests.e2e.lives import settled
from tests.workflows.contracts.test_in_grace import said
from tests.workflows.contracts.test_other_terms import before_the_end

DECLINE = {"decision": "decline", "by": "customer"}


async def churn(servers: Servers, contract_id: str) -> Any:
    return await servers.pool.fetchrow("select * from contract_churn where contract_id = $1", contract_id)


async def open_tasks(servers: Servers, account: str, prefix: str) -> list[Any]:
    return await servers.pool.fetch(
        "select * from staff_task where account_id = $1 and starts_with(key, $2) and closed_at is null", account, prefix
    )


@pytest.mark.parametrize(
    ("given", "reason"),
    [
        ({"reason": "sponsor left"}, "sponsor_left"),
        ({"why": "competitor", "reason": "Kaku Cloud is cheaper"}, "competitor"),
    ],
)
async def test_a_reason_of_the_list_is_on_record_and_nobody_is_asked_for_it(
    servers: Servers, given: dict[str, str], reason: str
) -> None:
    account, contract_id = await before_the_end(servers)
    await servers.client.ask(account, "answer_renewal", {"contract_id": contract_id, **DECLINE, **given})
    assert (await churn(servers, contract_id))["reason"] == reason
    assert await open_tasks(servers, account, "renewal/churn") == []
    await settled(servers.pool, account)
    assert [one["asks_why"] for one in await said(servers, account, "renewal_declined")] == [False]


async def test_any_other_words_are_asked_about_until_somebody_knows(servers: Servers) -> None:
    account, contract_id = await before_the_end(servers)
    decline = {"contract_id": contract_id, **DECLINE, "reason": "we have thought about it for long"}
    note = {"contract_id": contract_id, "reason": "value", "by": "S-1"}
    with pytest.raises(Refusal, match="is active; a reason is of one that was declined"):
        await servers.client.ask(account, "note_churn_reason", note)
    with pytest.raises(Refusal, match="reason"):
        await servers.client.ask(account, "note_churn_reason", {**note, "reason": "weather"})
    await servers.client.ask(account, "answer_renewal", decline)
    assert await churn(servers, contract_id) is None
    [task] = await open_tasks(servers, account, "renewal/churn")
    assert task["due_at"] > task["opened_at"]
    await settled(servers.pool, account)
    assert [one["asks_why"] for one in await said(servers, account, "renewal_declined")] == [True]
    await servers.client.ask(account, "note_churn_reason", note)
    assert (await churn(servers, contract_id))["given_by"] == "S-1"
    assert await open_tasks(servers, account, "renewal/churn") == []


async def test_a_reason_that_one_of_ours_took_down_is_not_asked_for_and_nobody_is_asked_twice(servers: Servers) -> None:
    for by, asked in (("S-1", False), ("customer", True)):
        account, contract_id = await before_the_end(servers)
        decline = {"contract_id": contract_id, "decision": "decline", "by": by, "reason": "they merge"}
        await servers.client.ask(account, "answer_renewal", decline)
        await servers.client.fast_forward(account, timedelta(days=60))
        await settled(servers.pool, account)
        assert [one["asks_why"] for one in await said(servers, account, "renewal_declined")] == [asked]
        assert [one["asks_why"] for one in await said(servers, account, "contract_ended")] == [False]
        assert len(await open_tasks(servers, account, "renewal/churn")) == 1


async def test_who_declines_for_the_price_may_be_kept_by_one_offer_that_somebody_approves(servers: Servers) -> None:
    account, contract_id = await before_the_end(servers)
    decline = {"contract_id": contract_id, **DECLINE, "reason": "price"}
    await servers.client.ask(account, "answer_renewal", decline)
    await settled(servers.pool, account)
    before = len(await said(servers, account, "renewal_notice"))
    [task] = await open_tasks(servers, account, "renewal/approval")
    assert "A save offer: it was declined for price." in task["reason"]
    approve = {"contract_id": contract_id, "role": "manager", "by": "s-9"}
    await servers.client.ask(account, "approve_renewal", approve)
    await settled(servers.pool, account)
    offers = await said(servers, account, "renewal_notice")
    assert len(offers) == before + 1
    assert offers[-1]["quote"]["total"]["amount"] == str(12 * 40 * 1080 + 54000)
    await servers.client.ask(account, "answer_renewal", {"contract_id": contract_id, "decision": "accept"})
    await servers.client.fast_forward(account, timedelta(days=40))
    assert await apart(servers, account) == []


async def test_there_is_one_such_offer_and_none_while_service_owes_something(servers: Servers) -> None:
    account, contract_id = await before_the_end(servers)
    decline = {"contract_id": contract_id, **DECLINE, "reason": "price"}
    held, other = await before_the_end(servers)
    until = await servers.client.now(held) + timedelta(days=20)
    hold = {"level": "block", "reason": "a dispute about the last invoice", "until": until.isoformat(), "by": "S-1"}
    await servers.client.ask(held, "place_hold", hold)
    await servers.client.ask(held, "answer_renewal", {**decline, "contract_id": other})
    assert await open_tasks(servers, held, "renewal/approval") == []
    await servers.client.ask(account, "answer_renewal", decline)
    reject = {"contract_id": contract_id, "decision": "reject", "role": "manager", "by": "s-9", "reason": "let them go"}
    await servers.client.ask(account, "approve_renewal", reject)
    await servers.client.ask(account, "answer_renewal", {"contract_id": contract_id, "decision": "accept"})
    with pytest.raises(Refusal):
        await servers.client.ask(account, "answer_renewal", {**decline, "request_id": "again"})
    count = "select count(*) from renewal_version where contract_id = $1"
    assert await servers.pool.fetchval(count, contract_id) == 1


async def ended(servers: Servers, reason: str = "value") -> tuple[str, str, Any]:
    """A customer whose only contract was declined and has ended."""
    account, contract_id = await before_the_end(servers, 20)
    await servers.client.ask(account, "answer_renewal", {"contract_id": contract_id, **DECLINE, "reason": reason})
    ends_at = await servers.pool.fetchval("select ends_at from contract_term where contract_id = $1", contract_id)
    await servers.client.fast_forward_to(account, ends_at + timedelta(days=1))
    assert await apart(servers, account) == []
    return account, contract_id, ends_at


async def test_after_ninety_days_the_owner_is_to_call_and_they_get_one_word(servers: Servers) -> None:
    account, contract_id, ends_at = await ended(servers)
    await servers.client.fast_forward_to(account, ends_at + timedelta(days=88))
    assert await open_tasks(servers, account, "renewal/win-back") == []
    await servers.client.fast_forward_to(account, ends_at + timedelta(days=97))
    [task] = await open_tasks(servers, account, "renewal/win-back")
    assert (task["staff_id"], f"Contract {contract_id} ended without a renewal (value)" in task["reason"]) == (
        "S-1",
        True,
    )
    await settled(servers.pool, account)
    assert len(await said(servers, account, "win_back")) == 1
    await servers.client.fast_forward_to(account, ends_at + timedelta(days=300))
    await settled(servers.pool, account)
    assert len(await said(servers, account, "win_back")) == 1
    assert await apart(servers, account) == []


async def test_nobody_is_won_back_who_came_back_or_has_closed(servers: Servers) -> None:
    account, _, ends_at = await ended(servers)
    document = order(account, lines=[])
    start = (ends_at + timedelta(days=20)).date()
    document |= {"activated_at": (ends_at + timedelta(days=19)).isoformat(), "order_id": f"{document['order_id']}-b"}
    document["contracts"][0]["term"]["start"] = start.isoformat()
    await servers.client.fast_forward_to(account, ends_at + timedelta(days=19))
    await servers.client.place_order(document)
    await servers.client.fast_forward_to(account, ends_at + timedelta(days=100))
    assert await open_tasks(servers, account, "renewal/win-back") == []
    assert await apart(servers, account) == []
    closed, _, ends_at = await ended(servers, "business_closed")
    await servers.client.fast_forward_to(closed, ends_at + timedelta(days=100))
    assert await open_tasks(servers, closed, "renewal/win-back") == []
    await settled(servers.pool, closed)
    assert await said(servers, closed, "win_back") == []
    assert await apart(servers, closed) == []


async def test_who_wants_no_optional_mails_gets_none_but_the_owner_calls(servers: Servers) -> None:
    account, _, ends_at = await ended(servers)
    await servers.pool.execute("update contact set unsubscribed_at = now() where account_id = $1", account)
    await servers.client.fast_forward_to(account, ends_at + timedelta(days=97))
    assert len(await open_tasks(servers, account, "renewal/win-back")) == 1
    await settled(servers.pool, account)
    assert await said(servers, account, "win_back") == []


async def test_who_never_answered_is_asked_why_and_won_back_as_well(servers: Servers) -> None:
    account, contract_id = await before_the_end(servers, -1)
    await servers.client.fast_forward(account, timedelta(days=25))
    assert len(await open_tasks(servers, account, "renewal/churn")) == 1
    await settled(servers.pool, account)
    assert [one["asks_why"] for one in await said(servers, account, "contract_ended")] == [True]
    assert await apart(servers, account) == []
    await servers.client.ask(account, "note_churn_reason", {"contract_id": contract_id, "reason": "other", "by": "S-1"})
    await servers.client.fast_forward(account, timedelta(days=95))
    assert len(await open_tasks(servers, account, "renewal/win-back")) == 1
