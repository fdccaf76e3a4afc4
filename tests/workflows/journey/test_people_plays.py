"""People change, ours or theirs: who is new is introduced once and takes over, nobody is left without a sponsor unseen."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest

from tests.agendas import apart
from tests.builders import order
from tests.cases import case, case_client
from tests.conftest import Servers
from tests.e2e.lives import account_of, onboard, settled
from tests.reader.living import kept
from tests.reader.reading import read_one
from tests.workflows.journey.test_people import again, begun
from tests.workflows.success.test_health import looked_at
from tests.workflows.success.test_health import names as rules
from tests.workflows.success.test_plays import follow, steps_of

WEEK = timedelta(days=8)


async def colleague(servers: Servers, account: str, name: str) -> str:
    """One more of our people."""
    staff_id = f"{name}-{account}"
    await servers.pool.execute(
        "insert into staff values ($1, $2, $3)", staff_id, f"{name} Next", f"{staff_id.lower()}@seller.example"
    )
    return staff_id


async def change(servers: Servers, account: str, **what: str) -> None:
    await servers.client.ask(account, "change_account", {**what, "by": "S-1"})


async def told(servers: Servers, account: str, template: str) -> list[dict[str, Any]]:
    """The mails of a template, whatever became of them, oldest first."""
    rows = await servers.pool.fetch(
        "select status, contact_id, body from outbox where account_id = $1 and channel = 'deliver_mail'"
        " and body->>'template' = $2 order by created_at, delivery_id",
        *(account, template),
    )
    return [dict(row) for row in rows]


async def tasks(servers: Servers, account: str) -> dict[str, tuple[str, bool]]:
    """What plays for when people change have asked for: whose it is, and whether it is open, by the play."""
    rows = await servers.pool.fetch(
        "select key, staff_id, closed_at from staff_task where account_id = $1 and starts_with(key, 'play:')", account
    )
    return {row["key"].partition("/")[0]: (row["staff_id"], row["closed_at"] is None) for row in rows}


async def live(servers: Servers, account: str, time: timedelta = WEEK) -> None:
    await servers.client.fast_forward(account, time)
    await settled(servers.pool, account)


async def untruths(servers: Servers, account: str, document: dict[str, Any], template: str) -> list[str]:
    """What a reader who knows the tables finds wrong in the mails of a template."""
    lived = await kept(servers.pool, servers.stack.mailbox, account, account, [document])
    letters = [letter for letter in lived.letters if letter.template == template]
    assert letters
    return [str(finding) for letter in letters for finding in read_one(lived.facts, letter)]


async def contact(account: str, contact_id: str, role: str) -> dict[str, str]:
    email = f"{contact_id.lower()}-{account.lower()}@customer.example"
    return {"contact_id": contact_id, "name": "Mia Roth", "email": email, "role": role, "language": "en"}


async def test_who_is_new_is_introduced_and_takes_over(servers: Servers) -> None:
    document, account = await begun(servers)
    eva = await colleague(servers, account, "Eva")
    opened = case(document)
    await case_client(servers).open_case(opened)
    await change(servers, account, success_manager=eva)
    assert {key.partition("/")[0] for key in await steps_of(servers, account)} == {
        "play:introduction",
        "play:hand_over",
    }
    assert not await apart(servers, account)
    await live(servers, account)
    (mail,) = await told(servers, account, "introduction")
    assert mail["contact_id"] == "P-1"
    said = mail["body"]["context"]
    assert said["success_manager"] == {"name": "Eva Next", "email": f"{eva.lower()}@seller.example"}
    assert (said["owner"], said["cases"]) == (None, [opened["case_id"]])
    assert said["term_ends"]["contract_id"] == document["contracts"][0]["contract_id"]
    assert await untruths(servers, account, document, "introduction") == []
    assert await tasks(servers, account) == {"play:hand_over": (eva, True)}
    (notice,) = await servers.pool.fetch(
        "select body from outbox where account_id = $1 and channel = 'deliver_notice' and stage = 'play:hand_over'",
        account,
    )
    assert any(opened["case_id"] in line for line in notice["body"]["lines"])
    assert "No sponsor is known." in notice["body"]["lines"]
    assert not await apart(servers, account)
    await live(servers, account, timedelta(days=30))
    assert len(await told(servers, account, "introduction")) == 1


async def test_whom_they_know_by_their_contracts_is_introduced_as_that(servers: Servers) -> None:
    document, account = await begun(servers)
    eva = await colleague(servers, account, "Eva")
    await change(servers, account, owner=eva)
    await live(servers, account)
    await change(servers, account, success_manager=eva)
    await live(servers, account)
    stranger, known = [mail["body"]["context"]["known"] for mail in await told(servers, account, "introduction")]
    assert (stranger, known) == (False, True)
    assert await untruths(servers, account, document, "introduction") == []


async def test_what_is_taken_back_has_never_been(servers: Servers) -> None:
    document, account = await begun(servers)
    eva = await colleague(servers, account, "Eva")
    await change(servers, account, success_manager=eva)
    await change(servers, account, success_manager=document["account"]["success_manager"]["staff_id"])
    assert await steps_of(servers, account) == {}
    assert not await apart(servers, account)
    await live(servers, account)
    assert not await told(servers, account, "introduction")
    assert await tasks(servers, account) == {}


@pytest.mark.parametrize("one", [True, False])
async def test_owner_and_success_manager_together_are_one_introduction(servers: Servers, one: bool) -> None:
    document, account = await begun(servers)
    if one:
        english = {"change": [{"contact_id": "P-1", "language": "en"}], "by": "S-1"}
        await servers.client.ask(account, "change_contacts", english)
    eva, bob = await colleague(servers, account, "Eva"), await colleague(servers, account, "Bob")
    await change(servers, account, success_manager=eva, owner=eva if one else bob)
    assert not await apart(servers, account)
    await live(servers, account)
    (mail,) = await told(servers, account, "introduction")
    said = mail["body"]["context"]
    assert (said["success_manager"]["name"], said["owner"]["name"]) == ("Eva Next", "Eva Next" if one else "Bob Next")
    assert said["both"] is one
    assert await untruths(servers, account, document, "introduction") == []
    taken = {"play:hand_over": (eva, True)}
    assert await tasks(servers, account) == (taken if one else taken | {"play:owner_hand_over": (bob, True)})
    assert not await apart(servers, account)


async def test_an_introduction_waits_for_a_block_to_end(servers: Servers) -> None:
    _, account = await begun(servers)
    eva, bob = await colleague(servers, account, "Eva"), await colleague(servers, account, "Bob")
    hold = {"level": "block", "reason": "they are in a dispute", "by": "S-1"}
    placed = await servers.client.ask(account, "place_hold", hold)
    await change(servers, account, owner=eva)
    await live(servers, account)
    await change(servers, account, success_manager=bob)
    await live(servers, account, timedelta(days=20))
    assert [mail["status"] for mail in await told(servers, account, "introduction")] == ["held", "held"]
    assert await tasks(servers, account) == {
        "play:owner_hand_over": (eva, True),
        "play:hand_over": (bob, True),
    }, "our own people know at once"
    await servers.client.ask(account, "lift_hold", {"hold_id": placed["hold_id"], "by": "S-1"})
    await live(servers, account)
    assert {mail["status"] for mail in await told(servers, account, "introduction")} == {"sent"}


async def test_an_administrator_who_is_added_is_welcomed_once(servers: Servers) -> None:
    document, account = await begun(servers)
    await onboard(servers.client, account)
    await live(servers, account)
    add = [await contact(account, "P-7", "admin"), await contact(account, "P-8", "billing")]
    await servers.client.ask(account, "change_contacts", {"add": add, "by": "S-1"})
    assert not await apart(servers, account)
    await live(servers, account, timedelta(days=20))
    (mail,) = await told(servers, account, "contact_welcome")
    assert (mail["contact_id"], mail["status"]) == ("P-7", "sent")
    assert mail["body"]["unsubscribe"], "it is an optional mail"
    assert await untruths(servers, account, document, "contact_welcome") == []
    assert len(servers.mails_to(add[0]["email"])) == 1
    left = [line["title"] for line in await servers.journal(account) if "play:contact_welcome/P-8" in line["key"]]
    assert len(left) == 1
    assert "contact_role billing" in left[0]
    assert not await apart(servers, account)


@pytest.mark.parametrize("how", ["removed", "bounced", "another role"])
async def test_a_sponsor_who_is_gone_is_looked_for_until_there_is_one(servers: Servers, how: str) -> None:
    _, account = await begun(servers)
    sponsor = await contact(account, "P-5", "sponsor")
    await servers.client.ask(account, "change_contacts", {"add": [sponsor], "by": "S-1"})
    await live(servers, account)
    assert "sponsor_left" not in rules(await looked_at(servers, account))
    if how == "bounced":
        bounced = {"event": "bounced", "contact_id": "P-5", "email": sponsor["email"], "reason": "550"}
        assert (await servers.client.ask(account, "note_mail", bounced))["flagged"]
    elif how == "removed":
        await servers.client.ask(account, "change_contacts", {"remove": ["P-5"], "by": "S-1"})
    else:
        role = {"contact_id": "P-5", "role": "billing"}
        await servers.client.ask(account, "change_contacts", {"change": [role], "by": "S-1"})
    assert not await apart(servers, account)
    assert "sponsor_left" in rules(await looked_at(servers, account)), "and health falls"
    until_now = len(servers.mails_to(sponsor["email"]))
    await live(servers, account)
    manager = f"M-{account}"
    assert (await tasks(servers, account))["play:find_sponsor"] == (manager, True)
    if how != "another role":
        assert len(servers.mails_to(sponsor["email"])) == until_now, "nobody writes to who is gone"
    named = await contact(account, "P-6", "sponsor")
    await servers.client.ask(account, "change_contacts", {"add": [named], "by": "S-1"})
    assert (await tasks(servers, account))["play:find_sponsor"] == (manager, False)
    assert not await apart(servers, account)
    await live(servers, account)
    assert "sponsor_left" not in rules(await looked_at(servers, account))
    assert not await apart(servers, account)


async def test_a_sponsor_who_is_followed_at_once_is_not_looked_for(servers: Servers) -> None:
    _, account = await begun(servers)
    sponsor, next_one = await contact(account, "P-5", "sponsor"), await contact(account, "P-6", "sponsor")
    await servers.client.ask(account, "change_contacts", {"add": [sponsor], "by": "S-1"})
    await live(servers, account)
    await servers.client.ask(account, "change_contacts", {"add": [next_one], "remove": ["P-5"], "by": "S-1"})
    await live(servers, account)
    assert await tasks(servers, account) == {}


async def test_an_order_that_changes_people_does_the_same(servers: Servers) -> None:
    document, account = await begun(servers)
    await servers.client.fast_forward(account, timedelta(days=3))
    new = {"staff_id": f"N-{account}", "name": "New One", "email": f"new-{account.lower()}@seller.example"}
    later = await again(servers, document, success_manager=new)
    later["contacts"] = [*document["contacts"], await contact(account, "P-9", "admin")]
    assert (await servers.client.place_order(later)).left == []
    assert not await apart(servers, account)
    await live(servers, account)
    (mail,) = await told(servers, account, "introduction")
    assert (mail["contact_id"], mail["body"]["context"]["success_manager"]["name"]) == ("P-1", "New One")
    (welcome,) = await told(servers, account, "contact_welcome")
    assert (welcome["contact_id"], welcome["body"]["context"]["success_manager"]["name"]) == ("P-9", "New One")
    assert await tasks(servers, account) == {"play:hand_over": (f"N-{account}", True)}


async def test_who_is_new_hears_once_who_looks_after_them(servers: Servers) -> None:
    """In their welcome; who was there before is told who is new, and so is whoever the playbook welcomes with nothing."""
    _, account = await begun(servers)
    before = await contact(account, "P-5", "sponsor")
    await servers.client.ask(account, "change_contacts", {"add": [before], "by": "S-1"})
    await live(servers, account)
    await servers.client.ask(account, "change_contacts", {"add": [await contact(account, "P-7", "admin")], "by": "S-1"})
    await change(servers, account, success_manager=await colleague(servers, account, "Eva"))
    await live(servers, account)
    assert {mail["contact_id"] for mail in await told(servers, account, "introduction")} == {"P-1", "P-5"}
    assert [mail["contact_id"] for mail in await told(servers, account, "contact_welcome")] == ["P-5", "P-7"]
    await change(servers, account, success_manager=await colleague(servers, account, "Bob"))
    await live(servers, account)
    later = (await told(servers, account, "introduction"))[2:]
    assert {mail["contact_id"] for mail in later} == {"P-1", "P-5", "P-7"}


async def test_a_company_has_its_own_plays_or_none(servers: Servers) -> None:
    document = order()
    account = account_of(document)
    await servers.client.place_order(document)
    await follow(servers, account, people=[])
    await change(servers, account, success_manager=await colleague(servers, account, "Eva"))
    assert await steps_of(servers, account) == {}
    await live(servers, account)
    assert not await told(servers, account, "introduction")
    assert await tasks(servers, account) == {}


async def test_another_segment_moves_what_is_planned(servers: Servers) -> None:
    document, account = await begun(servers)
    contract = document["contracts"][0]["contract_id"]
    await onboard(servers.client, account)
    await live(servers, account, timedelta(days=45))

    async def notices() -> list[str]:
        found = await servers.client.agenda_of(account)
        assert found is not None
        return [step.name for step in found.steps if step.kind == "renewal_notice" and contract in step.stage]

    assert await notices() == ["notice-90"]
    await change(servers, account, segment="enterprise")
    assert await notices() == ["notice-180"]
    assert not await apart(servers, account)
    await live(servers, account)
    assert await tasks(servers, account) == {"play:new_segment": (f"M-{account}", True)}
    assert not await apart(servers, account)
