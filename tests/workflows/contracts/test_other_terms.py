"""A customer wants the next term otherwise, or sales gives another price: a new version of the quote, which a yes renews by."""

from __future__ import annotations

from datetime import timedelta
from decimal import Decimal
from typing import Any

import pytest

from domain.kernel.refusals import Refusal
from tests.agendas import apart
from tests.conftest import Servers
from tests.e2e.lives import account_of, settled
from tests.workflows.contracts.test_in_grace import from_today, said


async def before_the_end(servers: Servers, days: int = 50, **contract: Any) -> tuple[str, str]:
    """A customer so many days before their contract ends, and the contract."""
    document = from_today()
    document["contracts"][0] |= contract
    account, contract_id = account_of(document), document["contracts"][0]["contract_id"]
    await servers.client.place_order(document)
    ends_at = await servers.pool.fetchval("select ends_at from contract_term where contract_id = $1", contract_id)
    await servers.client.fast_forward_to(account, ends_at - timedelta(days=days))
    return account, contract_id


async def seats_of(servers: Servers, contract_id: str) -> str:
    """The asset with the seats of a contract."""
    found: str = await servers.pool.fetchval(
        "select asset_id from asset where contract_id = $1 and product_code = 'SEATS'", contract_id
    )
    return found


async def test_fewer_seats_for_two_years_become_a_version_that_a_yes_renews_by(servers: Servers) -> None:
    account, contract_id = await before_the_end(servers)
    seats = await seats_of(servers, contract_id)
    wish = {"contract_id": contract_id, "assets": [{"asset_id": seats, "quantity": 25}], "months": 24, "by": "customer"}
    answer = await servers.client.ask(account, "revise_renewal", wish)
    assert (answer["version"], answer["state"]) == (2, "offered")
    assert Decimal(answer["total"]) == 24 * 25 * 1200 + 2 * 60000
    await settled(servers.pool, account)
    quote = (await said(servers, account, "renewal_notice"))[-1]["quote"]
    assert (quote["version"], quote["total"]["amount"]) == (2, answer["total"])
    yes = {"contract_id": contract_id, "decision": "accept", "by": "customer"}
    with pytest.raises(Refusal, match="version 2 is offered by now"):
        await servers.client.ask(account, "answer_renewal", {**yes, "version": 1})
    await servers.client.ask(account, "answer_renewal", {**yes, "version": 2})
    term = await servers.pool.fetchrow("select * from contract_term where contract_id = $1 and number = 2", contract_id)
    assert term is not None
    assert str(term["until"] - timedelta(days=1)) == answer["until"]
    await servers.client.fast_forward_to(account, term["starts_at"] + timedelta(days=2))
    await settled(servers.pool, account)
    held = "select quantity from asset_state_period where asset_id = $1 and starts_at = $2"
    assert await servers.pool.fetchval(held, seats, term["starts_at"]) == 25
    invoiced = "select sum(net) from invoice where account_id = $1 and issued_at >= $2"
    assert await servers.pool.fetchval(invoiced, account, term["starts_at"]) == 12 * 25 * 1200 + 60000
    assert await apart(servers, account) == []


async def test_more_seats_cost_what_the_newest_do(servers: Servers) -> None:
    account, contract_id = await before_the_end(servers, uplift_percent="10")
    wish = {"contract_id": contract_id, "assets": [{"asset_id": await seats_of(servers, contract_id), "quantity": 60}]}
    answer = await servers.client.ask(account, "revise_renewal", wish)
    assert Decimal(answer["total"]) == 12 * 60 * 1320 + 66000
    await servers.client.ask(account, "answer_renewal", {"contract_id": contract_id, "decision": "accept"})
    total = "select total from renewal_quote where contract_id = $1 and term = 2"
    assert str(await servers.pool.fetchval(total, contract_id)) == answer["total"]


@pytest.mark.parametrize(
    ("wish", "says"),
    [
        ({"seats": 20}, "renews 2 assets; say by `assets`"),
        ({"assets": [{"asset_id": "X-1", "quantity": 3}]}, "is not renewed with contract"),
        ({"months": 7}, "7 months are not offered; choose 12 or 24 or 36"),
        ({"uplift_percent": "4", "role": "sales"}, "raises its prices by 0 percent at most"),
        ({"discount_percent": "5"}, "needs the role of whoever gives it"),
        ({}, "say what is to be otherwise"),
    ],
)
async def test_what_cannot_be_is_refused_with_what_can(servers: Servers, wish: dict[str, Any], says: str) -> None:
    account, contract_id = await before_the_end(servers)
    with pytest.raises(Refusal) as refused:
        await servers.client.ask(account, "revise_renewal", {"contract_id": contract_id, **wish})
    assert says in str([refused.value, *refused.value.problems])
    count = "select count(*) from renewal_version where contract_id = $1"
    assert await servers.pool.fetchval(count, contract_id) == 0


async def test_no_units_are_no_renewal(servers: Servers) -> None:
    account, contract_id = await before_the_end(servers)
    ids = await servers.pool.fetch("select asset_id from asset where contract_id = $1", contract_id)
    wish: dict[str, Any] = {"contract_id": contract_id}
    wish["assets"] = [{"asset_id": row["asset_id"], "quantity": 0} for row in ids]
    with pytest.raises(Refusal) as refused:
        await servers.client.ask(account, "revise_renewal", wish)
    assert "decline it with its reason" in str(refused.value.problems)
    wish["assets"] = [one for one in wish["assets"] if one["asset_id"] != await seats_of(servers, contract_id)]
    answer = await servers.client.ask(account, "revise_renewal", wish)
    assert Decimal(answer["total"]) == 12 * 40 * 1200
    await servers.client.ask(account, "answer_renewal", {"contract_id": contract_id, "decision": "accept"})
    assert await apart(servers, account) == []


async def test_a_discount_above_the_limit_waits_for_whoever_may_give_it(servers: Servers) -> None:
    account, contract_id = await before_the_end(servers)
    offer = {
        "contract_id": contract_id,
        "discount_percent": "20",
        "role": "sales",
        "by": "s-1",
        "reason": "two late cases",
    }
    answer = await servers.client.ask(account, "revise_renewal", offer)
    assert (answer["state"], answer["role"]) == ("waiting", "manager")
    open_tasks = (
        "select count(*) from staff_task where account_id = $1 and key like 'renewal/approval%' and closed_at is null"
    )
    assert await servers.pool.fetchval(open_tasks, account) == 1
    await settled(servers.pool, account)
    assert {one["quote"]["version"] for one in await said(servers, account, "renewal_notice") if one["quote"]} == {1}
    approve = {"contract_id": contract_id, "role": "manager", "by": "s-9"}
    for request, says in (
        ({**approve, "role": "sales"}, "sales may not decide it"),
        ({**approve, "by": "s-1"}, "somebody else has to decide"),
        ({**approve, "version": 7}, "version 2 does"),
    ):
        with pytest.raises(Refusal, match=says):
            await servers.client.ask(account, "approve_renewal", request)
    # What the customer wants meanwhile waits with it.
    wish = {"contract_id": contract_id, "months": 24, "by": "customer"}
    assert (await servers.client.ask(account, "revise_renewal", wish))["state"] == "waiting"
    answer = await servers.client.ask(account, "approve_renewal", approve)
    assert (answer["version"], answer["state"]) == (3, "offered")
    assert Decimal(answer["total"]) == 24 * 40 * 960 + 2 * 48000
    assert await servers.pool.fetchval(open_tasks, account) == 0
    await servers.client.ask(account, "answer_renewal", {"contract_id": contract_id, "decision": "accept"})
    assert await apart(servers, account) == []


async def test_a_rejected_price_leaves_all_as_it_was(servers: Servers) -> None:
    account, contract_id = await before_the_end(servers)
    offer = {"contract_id": contract_id, "discount_percent": "30", "role": "sales", "by": "s-1"}
    assert (await servers.client.ask(account, "revise_renewal", offer))["role"] == "director"
    no = {"contract_id": contract_id, "decision": "reject", "role": "director", "by": "s-9", "reason": "too much"}
    assert (await servers.client.ask(account, "approve_renewal", no))["state"] == "rejected"
    with pytest.raises(Refusal, match="none does"):
        await servers.client.ask(account, "approve_renewal", {**no, "request_id": "r-2"})
    await servers.client.ask(account, "answer_renewal", {"contract_id": contract_id, "decision": "accept"})
    total = "select total from renewal_quote where contract_id = $1 and term = 2"
    assert await servers.pool.fetchval(total, contract_id) == 12 * 40 * 1200 + 60000


async def test_what_renews_by_itself_renews_as_it_is_unless_they_say_yes(servers: Servers) -> None:
    account, contract_id = await before_the_end(servers, 50, auto_renew=True, notice_days=30)
    seats = await seats_of(servers, contract_id)
    wish = {"contract_id": contract_id, "assets": [{"asset_id": seats, "quantity": 10}], "by": "customer"}
    await servers.client.ask(account, "revise_renewal", wish)
    await settled(servers.pool, account)
    notice = (await said(servers, account, "renewal_notice"))[-1]
    assert notice["unchanged"]["units"] == 41
    assert Decimal(notice["unchanged"]["total"]["amount"]) == 12 * 40 * 1200 + 60000
    ends_at = await servers.pool.fetchval("select ends_at from contract_term where contract_id = $1", contract_id)
    await servers.client.fast_forward_to(account, ends_at - timedelta(days=20))
    fewer = {**wish, "assets": [{"asset_id": seats, "quantity": 5}]}
    with pytest.raises(Refusal, match="fewer units could be asked for until"):
        await servers.client.ask(account, "revise_renewal", fewer)
    await servers.client.fast_forward_to(account, ends_at + timedelta(days=1))
    held = "select quantity from asset_state_period where asset_id = $1 and starts_at = $2"
    assert await servers.pool.fetchval(held, seats, ends_at) == 40
    assert await apart(servers, account) == []


async def test_in_grace_other_terms_can_still_be_asked_for(servers: Servers) -> None:
    account, contract_id = await before_the_end(servers, -3)
    wish = {"contract_id": contract_id, "months": 24, "by": "customer"}
    answer = await servers.client.ask(account, "revise_renewal", wish)
    await settled(servers.pool, account)
    assert (await said(servers, account, "renewal_grace"))[-1]["quote"]["version"] == 2
    await servers.client.ask(
        account, "answer_renewal", {"contract_id": contract_id, "decision": "accept", "version": 2}
    )
    until = "select until from contract_term where contract_id = $1 and number = 2"
    assert str(await servers.pool.fetchval(until, contract_id) - timedelta(days=1)) == answer["until"]
    assert await apart(servers, account) == []
