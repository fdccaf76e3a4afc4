"""People apart from orders: introduced by them, never changed; and what requests change about a customer stays changed."""

from __future__ import annotations

import copy
from datetime import time, timedelta
from typing import Any
from zoneinfo import ZoneInfo

import pytest

from domain.kernel.refusals import Refusal
from tests.agendas import apart
from tests.builders import goods_order, order
from tests.cases import case_client
from tests.conftest import Servers
from tests.e2e.lives import account_of, onboard, rows_at_rest, rows_of, settled


async def begun(servers: Servers, **account: Any) -> tuple[dict[str, Any], str]:
    """A new customer with people of their own."""
    document = order()
    name = account_of(document)
    for role, person in (("owner", "O"), ("success_manager", "M")):
        document["account"][role] = {
            "staff_id": f"{person}-{name}",
            "name": f"First {person}",
            "email": f"{person.lower()}-{name.lower()}@seller.example",
        }
    document["contacts"][0]["email"] = f"aoi-{name.lower()}@customer.example"
    document["account"].update(account)
    await servers.client.place_order(document)
    await servers.client.fast_forward(name, timedelta(minutes=1))
    await settled(servers.pool, name)
    return document, name


async def again(servers: Servers, document: dict[str, Any], **account: Any) -> dict[str, Any]:
    """Another order of the same customer, which says something else of the account."""
    later = goods_order(copy.deepcopy(document), await servers.client.now(account_of(document)))
    later["account"] = {**copy.deepcopy(later["account"]), **account}
    return later


async def person(servers: Servers, staff_id: str) -> tuple[str, str]:
    row = await servers.pool.fetchrow("select name, email from staff where staff_id = $1", staff_id)
    assert row is not None
    return row["name"], row["email"]


@pytest.mark.engine
async def test_an_order_introduces_people_and_changes_none(servers: Servers) -> None:
    document, account = await begun(servers)
    owner = document["account"]["owner"]
    later = await again(
        servers,
        document,
        owner={**owner, "name": "Somebody Else", "email": "else@elsewhere.example"},
        success_manager={"staff_id": f"N-{account}", "name": "New One", "email": "new@seller.example"},
    )
    answer = await servers.client.place_order(later)
    assert await person(servers, owner["staff_id"]) == (owner["name"], owner["email"])
    assert await person(servers, f"N-{account}") == ("New One", "new@seller.example")
    assert len(answer.left) == 1
    assert answer.left[0].startswith(f"account.owner: {owner['staff_id']} is known with another name")
    assert await servers.client.place_order(later) == answer
    same = await again(servers, document, owner={**owner, "email": owner["email"].upper()})
    assert (await servers.client.place_order(same)).left == []
    team = {"team": f"T-{account}", "name": "Service", "lead": {**owner, "name": "Another"}}
    await case_client(servers).put_team(team)
    assert await person(servers, owner["staff_id"]) == (owner["name"], owner["email"])


async def test_an_address_in_capitals_is_the_same_address(servers: Servers) -> None:
    document, account = await begun(servers)
    contact = document["contacts"][0]
    await servers.client.ask(account, "note_mail", {"event": "unsubscribed", "contact_id": "P-1"})
    bounced = {"event": "bounced", "contact_id": "P-1", "email": contact["email"].upper(), "reason": "550"}
    assert (await servers.client.ask(account, "note_mail", bounced))["flagged"]
    later = await again(servers, document)
    upper = {**contact, "email": contact["email"].upper()}
    later["contacts"] = [upper, {**upper, "contact_id": "P-2", "email": contact["email"].title()}]
    await servers.client.place_order(later)
    rows = await servers.pool.fetch(
        "select contact_id, unsubscribed_at, rejected_at from contact where account_id = $1 order by 1", account
    )
    assert [row["contact_id"] for row in rows] == ["P-1", "P-2"]
    assert all(row["unsubscribed_at"] for row in rows), "the wish belongs to the address"
    assert rows[0]["rejected_at"] is not None
    await servers.client.ask(
        account, "change_contacts", {"remove": ["P-1", "P-2"], "add": [{**contact, "contact_id": "P-3"}]}
    )
    wish = await servers.pool.fetchval("select unsubscribed_at from contact where account_id = $1", account)
    assert wish is not None


async def test_what_orders_say_of_known_contacts_is_told_or_left(servers: Servers) -> None:
    document, account = await begun(servers)
    await servers.client.fast_forward(account, timedelta(days=3))
    first = document["contacts"][0]
    moved = {**first, "email": f"new-{account.lower()}@customer.example", "role": "sponsor"}
    later = {**await again(servers, document), "contacts": [moved]}
    assert (await servers.client.place_order(later)).left == []
    told = [row["title"] for row in await servers.journal(account) if row["kind"] == "contact_changed"]
    assert told == [f"Order {later['order_id']} changes contact P-1: email, role"]
    assert not any(moved["email"] in row["title"] for row in await servers.journal(account))
    # One of before, with what was known then, comes late: it changes nothing, and says so.
    at = await servers.client.now(account) - timedelta(days=2)
    older = goods_order({**copy.deepcopy(document), "contacts": [first, {**first, "contact_id": "P-7"}]}, at)
    answer = await servers.client.place_order(older)
    assert [said.partition(",")[0] for said in answer.left] == [
        "contacts[0]: P-1 stays",
        "contacts[1]: P-7 is left out",
    ]
    rows = await servers.pool.fetch("select contact_id, email from contact where account_id = $1", account)
    assert [tuple(row) for row in rows] == [("P-1", moved["email"])]


async def test_who_was_taken_off_is_not_brought_back_by_an_order(servers: Servers) -> None:
    document, account = await begun(servers)
    first = document["contacts"][0]
    second = {**first, "contact_id": "P-2", "email": f"two-{account.lower()}@customer.example"}
    await servers.client.ask(account, "change_contacts", {"add": [second], "remove": ["P-1"]})
    answer = await servers.client.place_order(await again(servers, document))
    assert answer.left == ["contacts[0]: P-1 was taken off by a request; ask for change_contacts"]
    held = "select contact_id from contact where account_id = $1 order by 1"
    assert [row["contact_id"] for row in await servers.pool.fetch(held, account)] == ["P-2"]
    # Somebody else under that id is somebody new, and whoever is taken back by request is back.
    other = {**first, "email": f"other-{account.lower()}@customer.example"}
    assert (await servers.client.place_order({**await again(servers, document), "contacts": [other]})).left == []
    assert [row["contact_id"] for row in await servers.pool.fetch(held, account)] == ["P-1", "P-2"]


async def test_a_new_success_manager_introduces_herself_once(servers: Servers) -> None:
    document, account = await begun(servers)
    new = f"X-{account}"
    with pytest.raises(Refusal, match=r"success_manager: .* is none of our people") as refused:
        await servers.client.ask(account, "change_account", {"success_manager": new})
    assert refused.value.type == "UnknownStaff"
    await servers.pool.execute(
        "insert into staff values ($1, 'Eva Next', $2)", new, f"eva-{account.lower()}@seller.example"
    )
    request = {"success_manager": new, "request_id": "r-1", "by": "boss", "reason": "a move"}
    answer = await servers.client.ask(account, "change_account", request)
    assert (answer["success_manager"], answer["changed"]) == (new, ["success_manager"])
    assert await servers.client.ask(account, "change_account", request) == answer
    await servers.client.fast_forward(account, timedelta(days=7))
    await settled(servers.pool, account)
    mails = [mail for mail in servers.mails_to(document["contacts"][0]["email"]) if "担当者変更" in mail.subject]
    assert len(mails) == 1
    told, *_ = [
        mail for mail in servers.mails_to(f"eva-{account.lower()}@seller.example") if "success manager" in mail.subject
    ]
    before = document["account"]["success_manager"]["name"]
    assert f"Until now: {before}." in (servers.stack.mailbox.read(told.id).text or "")
    line = next(row for row in await servers.journal(account) if row["kind"] == "change_account")
    assert line["detail"] == {"by": "boss", "reason": "a move"}
    assert "Eva" not in line["title"]
    later = await servers.client.place_order(await again(servers, document))
    assert [said.split(":")[0] for said in later.left] == ["account.success_manager"]
    held = await servers.pool.fetchval("select success_manager_id from account where account_id = $1", account)
    assert held == new


async def test_in_another_zone_nine_o_clock_is_nine_o_clock_there(servers: Servers) -> None:
    document, account = await begun(servers)
    answer = await servers.client.ask(account, "change_account", {"time_zone": "America/New_York", "language": "en"})
    assert answer["changed"] == ["language", "time_zone"]
    asked_at = await servers.client.now(account)
    await servers.client.fast_forward(account, timedelta(days=20))
    steps = [
        row for row in await servers.journal(account) if row["at"] > asked_at and row["kind"] == "onboarding_invite"
    ]
    assert steps
    assert {row["at"].astimezone(ZoneInfo("America/New_York")).hour for row in steps} == {9}
    contact = await servers.pool.fetchrow("select language, time_zone from contact where account_id = $1", account)
    assert contact is not None
    assert (contact["language"], contact["time_zone"]) == ("en", "America/New_York")
    ends = await servers.pool.fetchval(
        "select ends_at from contract_term join contract using (contract_id) where account_id = $1", account
    )
    assert ends.astimezone(ZoneInfo("Asia/Tokyo")).hour == 0, "a term keeps the days that it was sold by"
    later = await servers.client.place_order(await again(servers, document))
    assert [said.split(":")[0] for said in later.left] == ["account.time_zone", "account.language"]


async def test_an_order_from_another_zone_moves_what_is_planned_there(servers: Servers) -> None:
    document, account = await begun(servers)

    async def at_nine(zone: str) -> set[str]:
        agenda = await servers.client.agenda_of(account)
        assert agenda is not None
        return {step.key for step in agenda.steps if step.at.astimezone(ZoneInfo(zone)).time() == time(9)}

    before = await at_nine("Asia/Tokyo")
    assert len(before) > 4
    later = await again(servers, document)
    later["account"]["time_zone"] = "America/New_York"
    await servers.client.place_order(later)
    assert await at_nine("America/New_York") >= before
    assert await apart(servers, account) == []
    await servers.client.fast_forward(account, timedelta(days=20))
    assert await apart(servers, account) == []


async def test_another_segment_waits_for_the_end_of_the_onboarding(servers: Servers) -> None:
    _, account = await begun(servers)
    before = await rows_at_rest(servers.temporal, servers.pool, account)
    for segment, type, says in (
        ("enterprise", "NotAllowed", "kickoff, training"),
        ("golden", "InvalidRequest", "no playbook"),
    ):
        with pytest.raises(Refusal, match=says) as refused:
            await servers.client.ask(account, "change_account", {"segment": segment})
        assert refused.value.type == type
    assert await rows_of(servers.pool, account) == before
    await onboard(servers.client, account)
    await servers.client.fast_forward(account, timedelta(days=45))
    await settled(servers.pool, account)
    answer = await servers.client.ask(account, "change_account", {"segment": "enterprise"})
    assert answer["segment"] == "enterprise"
    assert await servers.pool.fetchval("select segment from account where account_id = $1", account) == "enterprise"
    await servers.client.fast_forward(account, timedelta(days=60))


async def test_contacts_come_change_and_go_together_or_not_at_all(servers: Servers) -> None:
    document, account = await begun(servers)
    email = document["contacts"][0]["email"]
    add = {
        "contact_id": "P-9",
        "name": "Mia Roth",
        "email": f"mia-{account.lower()}@customer.example",
        "role": "billing",
    }
    for request, says in (
        ({}, "give add, change or remove"),
        ({"add": [{**add, "contact_id": "P-1"}]}, r"add\[0\].contact_id: 'P-1' is there already"),
        ({"add": [add], "remove": ["P-0"]}, r"remove\[0\]: there is no contact 'P-0'; there are P-1"),
        ({"remove": ["P-1"]}, "nobody would be left"),
        ({"change": [{"contact_id": "P-1", "email": "nowhere"}]}, "is no mail address"),
        ({"add": [add], "remove": ["P-9"]}, "named twice"),
    ):
        with pytest.raises(Refusal, match=says):
            await servers.client.ask(account, "change_contacts", request)
    assert await servers.pool.fetchval("select count(*) from contact where account_id = $1", account) == 1
    answer = await servers.client.ask(
        account,
        "change_contacts",
        {"add": [add], "change": [{"contact_id": "P-1", "role": "sponsor", "name": "A. Y."}]},
    )
    assert answer["contacts"] == [{"contact_id": "P-1", "role": "sponsor"}, {"contact_id": "P-9", "role": "billing"}]
    later = await servers.client.place_order(await again(servers, document))
    assert later.left == ["contacts[0]: P-1 stays as a request set it; ask for change_contacts"]
    rows = await servers.pool.fetch(
        "select contact_id, name, email from contact where account_id = $1 order by 1", account
    )
    assert [(row["contact_id"], row["name"]) for row in rows] == [("P-1", "A. Y."), ("P-9", "Mia Roth")]
    assert rows[0]["email"] == email
