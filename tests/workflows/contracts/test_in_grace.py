"""When a term is over: what is kept running is named, nobody is called gone, and who keeps another contract is told no farewell."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest

from activities.kernel.clock import present
from domain.kernel.calendar import local_day
from tests.agendas import apart
from tests.asset_life import Life
from tests.builders import order
from tests.conftest import Servers
from tests.e2e.lives import account_of, settled, until


def from_today(**account: Any) -> dict[str, Any]:
    """An order of nothing but a contract that begins today and does not renew by itself."""
    document = order(lines=[])
    document["account"] |= account
    document["contracts"][0]["term"]["start"] = local_day(present(), "Asia/Tokyo").isoformat()
    return document


async def said(servers: Servers, account: str, template: str) -> list[dict[str, Any]]:
    """What the mails of that template said that have left, in order, each with the instant."""
    rows = await servers.pool.fetch(
        "select body->'context' as said, settled_at from outbox"
        " where account_id = $1 and body->>'template' = $2 and status = 'sent' order by settled_at",
        account,
        template,
    )
    return [{**row["said"], "left_at": row["settled_at"]} for row in rows]


@pytest.mark.engine
async def test_what_is_kept_running_is_named_and_nobody_is_called_gone(servers: Servers) -> None:
    document = from_today(segment="enterprise")
    account, contract_id = account_of(document), document["contracts"][0]["contract_id"]
    await servers.client.place_order(document)
    ends_at = await servers.pool.fetchval("select ends_at from contract_term where contract_id = $1", contract_id)
    await servers.client.fast_forward_to(account, ends_at + timedelta(days=33))
    await settled(servers.pool, account)
    titles = [row["title"] for row in await servers.journal(account)]
    assert "Anniversary 1 left out: what they have is kept running, and waits for their answer" in titles
    grace = (await said(servers, account, "renewal_grace"))[0]
    asked = [one for one in await said(servers, account, "check_in") if one["left_at"] > ends_at]
    inside = [one for one in asked if local_day(one["left_at"], "Asia/Tokyo").isoformat() <= grace["grace_until"]]
    assert inside
    assert all("Workspace" in one["products"] for one in inside)
    call = await servers.pool.fetchval(
        "select body->>'due' from outbox where account_id = $1 and body->>'title' like '%ended without an answer%'",
        account,
    )
    assert call[:10] <= grace["grace_until"]


async def test_who_keeps_another_contract_is_told_no_farewell(servers: Servers) -> None:
    document = from_today()
    account, first = account_of(document), document["contracts"][0]
    first["term"]["months"] = 2
    lines = [{**line, "line_id": f"9{line['line_id']}"} for line in first["lines"]]
    second = {**first, "contract_id": f"{first['contract_id']}-B", "lines": lines, "auto_renew": False}
    second["term"] = {**first["term"], "months": 3}
    document["contracts"].append(second)
    await servers.client.place_order(document)
    await servers.client.fast_forward(account, timedelta(days=45))
    decline = {"contract_id": first["contract_id"], "decision": "decline", "reason": "price", "by": "S-1"}
    await servers.client.ask(account, "answer_renewal", decline)
    await servers.client.fast_forward(account, timedelta(days=40))
    decline["contract_id"] = second["contract_id"]
    await servers.client.ask(account, "answer_renewal", decline)
    await servers.client.fast_forward(account, timedelta(days=40))
    await settled(servers.pool, account)
    assert await apart(servers, account) == []
    for template in ("renewal_declined", "contract_ended"):
        assert [(one["contract_id"], one["stays"]) for one in await said(servers, account, template)] == [
            (first["contract_id"], True),
            (second["contract_id"], False),
        ]


async def test_what_was_renewed_by_itself_goes_on_after_its_contract_and_is_told_so(servers: Servers) -> None:
    for decline in (False, True):
        document = from_today()
        account, contract = account_of(document), document["contracts"][0]
        contract["term"]["months"] = 2
        await servers.client.place_order(document)
        seats = f"{document['order_id']}.1"
        longer = {"assets": [{"asset_id": seats}], "months": 4, "by": "S-1"}
        await servers.client.ask(account, "renew_assets", longer)
        if decline:
            answer = {"contract_id": contract["contract_id"], "decision": "decline", "reason": "price", "by": "S-1"}
            await servers.client.ask(account, "answer_renewal", answer)
        await servers.client.fast_forward(account, timedelta(days=120))
        await settled(servers.pool, account)
        told = await said(servers, account, "renewal_declined") + await said(servers, account, "contract_ended")
        assert [one["stays"] for one in told] == ([True, True] if decline else [True])


async def test_who_hands_everything_over_is_not_told_that_something_goes_on(servers: Servers) -> None:
    giver, taker = from_today(), from_today()
    account, first = account_of(giver), giver["contracts"][0]
    second = {**first, "contract_id": f"{first['contract_id']}-B", "lines": [{**first["lines"][0], "line_id": "9"}]}
    second["term"] = {"start": (local_day(present(), "Asia/Tokyo") + timedelta(days=40)).isoformat(), "months": 12}
    giver["contracts"].append(second)
    for document in (giver, taker):
        await servers.client.place_order(document)
    everything = [{"asset_id": f"{giver['order_id']}.{line}"} for line in (1, 2, 9)]
    request = {"to_account": account_of(taker), "assets": everything, "by": "S-1"}
    await servers.client.ask(account, "transfer_assets", request)

    async def is_told() -> bool:
        return bool(await said(servers, account, "contract_ended"))

    await until(is_told, "the end of the first contract is told")
    assert [one["stays"] for one in await said(servers, account, "contract_ended")] == [False]


async def test_what_was_renewed_alone_keeps_its_contract_and_is_talked_about(servers: Servers) -> None:
    document = from_today()
    account, contract_id = account_of(document), document["contracts"][0]["contract_id"]
    care = f"{document['order_id']}.2"
    await servers.client.place_order(document)
    ends_at = await servers.pool.fetchval("select ends_at from contract_term where contract_id = $1", contract_id)
    alone = {"assets": [{"asset_id": care}], "months": 12, "by": "S-1"}
    await servers.client.ask(account, "renew_assets", alone)
    await servers.client.fast_forward_to(account, ends_at + timedelta(days=33))
    await settled(servers.pool, account)
    (told,) = await said(servers, account, "contract_ended")
    assert [one["product"] for one in told["goes_on"]] == ["Care"]
    assert await apart(servers, account) == []
    row = await servers.pool.fetchrow(
        "select c.status, t.number, t.ends_at from contract c join contract_term t using (contract_id)"
        " where c.contract_id = $1 order by t.number desc limit 1",
        contract_id,
    )
    assert row is not None
    assert (row["status"], row["number"]) == ("active", 2)
    await servers.client.fast_forward_to(account, row["ends_at"] + timedelta(days=33))
    await settled(servers.pool, account)
    assert len(await said(servers, account, "renewal_grace")) == 2
    assert len(await said(servers, account, "contract_ended")) == 2
    charged = await servers.pool.fetchval("select sum(amount) from invoice_line where asset_id = $1", care)
    assert int(charged) == 2 * 60000
    assert await apart(servers, account) == []


@pytest.mark.parametrize("then", ["cancelled", "shorter", "taken back"])
async def test_what_changes_before_a_renewal_after_a_gap_begins_is_on_the_agenda(servers: Servers, then: str) -> None:
    """The term before is over, so the open stage is that of the next one, though it has not begun."""
    life = await Life.begin(servers, auto_renew=False)
    await life.reach(life.day(12) + timedelta(days=3))
    gap = (life.day(12) + timedelta(days=14)).isoformat()
    await life.ask("renew_assets", contract_id=life.contract, start=gap, months=6, request_id="r-1")
    assert await apart(servers, life.account) == []
    await life.reach(life.day(12) + timedelta(days=6))
    match then:
        case "cancelled":
            answer = await life.ask("cancel_assets", contract_id=life.contract, effective="period_end")
            assert answer["contracts"][0]["status"] == "declined"
        case "shorter":
            await life.ask("cancel_assets", contract_id=life.contract, effective=life.month(15))
        case _:
            await life.ask("rollback", asset_id=life.seats)
    assert await apart(servers, life.account) == []
    await life.reach(life.day(20))
    assert await apart(servers, life.account) == []
