"""One fact that cannot be read never stops a customer: what needs it waits and is named, everything else goes on."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest

from activities.journey.readable import unreadable_facts
from activities.kernel.clock import present
from domain.kernel.refusals import Refusal
from tests.agendas import apart
from tests.asset_life import Life, refused
from tests.cases import case, case_client, staffed
from tests.conftest import Servers
from tests.e2e.lives import attention_of, until
from tests.workflows.journey.test_not_begun import Ahead

pytestmark = pytest.mark.damaged


async def two_contracts(servers: Servers) -> Ahead:
    """A contract that runs, and another one that does too."""
    life = await Ahead.begin(servers, auto_renew=True)
    await life.reach(life.today_is + timedelta(days=12))
    return life


async def named_by_doctor(servers: Servers, account: str) -> list[str]:
    async with servers.pool.acquire() as connection:
        found = [item async for item in unreadable_facts(connection, present())]
    return [fact.name for whose, fact in found if whose == f"account {account}"]


async def named_in_briefing(servers: Servers, account: str, name: str) -> None:
    async def is_named() -> bool:
        shown = await attention_of(servers.temporal, account)
        return "unreadable" in shown and name in await servers.client.briefing(account)

    await until(is_named, f"{name} is named")


async def nothing_waits(servers: Servers, account: str) -> None:
    """What was set aside is done once the fact is mended and the journey resumed."""

    async def is_free() -> bool:
        return not {"parked", "unreadable"} & set(await attention_of(servers.temporal, account))

    await until(is_free, "what waited is done")
    assert await apart(servers, account) == []


async def first_contract_goes_on(life: Ahead) -> None:
    """It changes, is renewed and billed, in spite of what is broken elsewhere."""
    await life.ask("amend_assets", assets=[{"asset_id": life.seats, "add": 1}])
    await life.reach(life.day(12) + timedelta(days=20))
    terms = await life.servers.pool.fetchval("select count(*) from contract_term where contract_id = $1", life.contract)
    assert terms == 2
    assert await life.servers.pool.fetchval(
        "select count(*) from invoice_line l where asset_id = $1 and due >= $2", life.seats, life.day(12)
    )


@pytest.mark.engine
async def test_an_asset_in_a_time_zone_that_there_is_not(servers: Servers) -> None:
    life = await two_contracts(servers)
    await servers.pool.execute("update asset set time_zone = 'Nowhere/Land' where asset_id = $1", life.ahead)
    name = f"asset {life.ahead}"
    assert await named_by_doctor(servers, life.account) == [name]
    await refused(life, "amend_assets", {"assets": [{"asset_id": life.ahead, "add": 1}]}, "Unreadable", name)
    await first_contract_goes_on(life)
    await named_in_briefing(servers, life.account, name)
    await servers.pool.execute("update asset set time_zone = 'Asia/Tokyo' where asset_id = $1", life.ahead)
    await life.ask("resume")
    await nothing_waits(servers, life.account)


async def test_a_row_of_the_ledger_that_no_release_knows(servers: Servers) -> None:
    life = await two_contracts(servers)
    await servers.pool.execute("update asset_action set attributes = '[{\"odd\": 1}]' where asset_id = $1", life.ahead)
    name = f"asset {life.ahead}"
    assert await named_by_doctor(servers, life.account) == [name]
    for update, request in (
        ("amend_assets", {"assets": [{"asset_id": life.ahead, "add": 1}]}),
        ("cancel_assets", {"contract_id": life.contract_ahead}),
        ("renew_assets", {"contract_id": life.contract_ahead}),
    ):
        await refused(life, update, request, "Unreadable", name)
    await first_contract_goes_on(life)
    await named_in_briefing(servers, life.account, name)
    await servers.pool.execute("update asset_action set attributes = '[]' where asset_id = $1", life.ahead)
    assert await named_by_doctor(servers, life.account) == []
    await life.ask("resume")
    await nothing_waits(servers, life.account)
    await life.ask("amend_assets", assets=[{"asset_id": life.ahead, "add": 1}])


async def test_a_ledger_that_does_not_add_up(servers: Servers) -> None:
    life = await two_contracts(servers)
    await servers.pool.execute("update asset_action_source set quantity = -4 where asset_id = $1", life.ahead)
    await refused(
        life, "amend_assets", {"assets": [{"asset_id": life.ahead, "add": 1}]}, "Unreadable", "does not add up"
    )
    await first_contract_goes_on(life)


async def test_a_contract_without_a_term(servers: Servers) -> None:
    life = await two_contracts(servers)
    await servers.pool.execute("delete from contract_term where contract_id = $1", life.contract_ahead)
    name = f"contract {life.contract_ahead}"
    assert await named_by_doctor(servers, life.account) == [name]
    await refused(life, "renew_assets", {"contract_id": life.contract_ahead}, "Unreadable", name)
    request = {"contract_id": life.contract_ahead, "decision": "accept"}
    with pytest.raises(Refusal, match=r"cannot be answered|no open renewal|not|cannot be read"):
        await life.ask("answer_renewal", **request)
    await first_contract_goes_on(life)
    await named_in_briefing(servers, life.account, name)


async def test_a_contact_whose_zone_is_none(servers: Servers) -> None:
    life = await two_contracts(servers)
    await servers.pool.execute(
        "update contact set time_zone = 'Mars/Olympus', language = 'x-klingon-' where account_id = $1", life.account
    )
    assert await named_by_doctor(servers, life.account) == ["contact P-1"]
    await first_contract_goes_on(life)
    await named_in_briefing(servers, life.account, "contact P-1")
    assert len(await life.mails()) > 3


async def test_a_playbook_of_another_release(servers: Servers) -> None:
    life = await two_contracts(servers)
    await servers.pool.execute(
        "insert into playbook (segment, version, body) select segment, 901, '{\"chapters\": []}' from playbook"
        " where segment = 'standard' limit 1 on conflict do nothing"
    )
    await servers.pool.execute("update account set playbook_version = 901 where account_id = $1", life.account)
    assert await named_by_doctor(servers, life.account) == ["playbook standard 901"]
    assert (await servers.client.reconcile(life.account))["account_id"] == life.account
    answer = await life.ask("pause", reason="quiet", until=(present() + timedelta(days=500)).isoformat())
    assert answer
    await life.ask("resume")
    await life.reach(life.today_is + timedelta(days=40))
    await named_in_briefing(servers, life.account, "playbook standard 901")
    version = await servers.pool.fetchval("select min(version) from playbook where segment = 'standard'")
    await servers.pool.execute("update account set playbook_version = $2 where account_id = $1", life.account, version)
    await life.ask("resume")
    await nothing_waits(servers, life.account)
    await first_contract_goes_on(life)


async def test_an_account_whose_own_zone_is_none_waits_and_others_do_not(servers: Servers) -> None:
    life, other = await Life.begin(servers), await Life.begin(servers)
    await servers.pool.execute("update account set time_zone = 'Nowhere/City' where account_id = $1", life.account)
    request = {"assets": [{"asset_id": life.seats, "add": 1}]}
    await refused(life, "amend_assets", request, "Unreadable", "Nowhere/City")
    await other.ask("amend_assets", assets=[{"asset_id": other.seats, "add": 1}])
    await life.reach(life.day(3))
    assert "unreadable" in await attention_of(servers.temporal, life.account)
    await servers.pool.execute("update account set time_zone = 'Asia/Tokyo' where account_id = $1", life.account)
    await life.ask("resume")
    await life.ask("amend_assets", **request)
    await life.reach(life.day(4))
    assert "unreadable" not in await attention_of(servers.temporal, life.account)


async def test_what_is_odd_about_an_offer_a_survey_or_a_score(servers: Servers) -> None:
    life = await two_contracts(servers)
    await servers.pool.execute(
        "update onboarding_task set title = '7' where account_id = $1 and name = 'go_live'", life.account
    )
    assert "task go_live" in await named_by_doctor(servers, life.account)
    await first_contract_goes_on(life)


async def test_what_looks_at_an_event_of_a_case_that_cannot_be_read_waits_and_the_journey_does_not(
    servers: Servers,
) -> None:
    life = await two_contracts(servers)
    cases = case_client(servers)
    agent = f"AG-{life.account}"
    document: dict[str, Any] = case(life.document, owner=agent, team=await staffed(servers, agent))
    case_id = document["case_id"]
    await cases.open_case(document)
    await servers.pool.execute("update case_event set detail = '[]' where case_id = $1", case_id)
    with pytest.raises(Refusal, match=f"event of case {case_id} cannot be read"):
        await cases.ask(case_id, "respond", {"body": "We look into it.", "by": agent})
    await first_contract_goes_on(life)
    pairs = (await servers.temporal.get_workflow_handle(f"case-{case_id}").describe()).typed_search_attributes
    reasons = {pair.key.name: pair.value for pair in pairs}.get("AttentionReasons")
    assert isinstance(reasons, list)
    assert {"parked", "unreadable"} <= set(reasons)
    await servers.pool.execute("update case_event set detail = '{}' where case_id = $1", case_id)
    await cases.ask(case_id, "retry", {"by": agent})
    answer = await cases.ask(case_id, "respond", {"body": "We look into it.", "by": agent})
    assert answer["case_id"] == case_id


async def test_what_was_swapped_before_it_began_is_not_provided(servers: Servers) -> None:
    """Only what is held or will be is asked of the provisioning service."""
    life = await Ahead.begin(servers, auto_renew=True)
    line = {"asset_id": life.ahead, "to_product": "PRO", "unit_price": "2000"}
    pro = {"code": "PRO", "name": "Workspace Pro", "kind": "subscription"}
    answer = await life.ask("swap_assets", assets=[line], products=[pro])
    await life.reach(life.today_is + timedelta(days=20))
    asked = await servers.pool.fetchval(
        "select body from outbox where account_id = $1 and channel = 'provision' and body->>'order_id' = $2",
        life.account,
        life.later["order_id"],
    )
    new = next(one["asset_id"] for one in answer["assets"] if one["change"] == "swapped_in")
    assert [(item["line_id"], item["quantity"]) for item in asked["items"]] == [(new, 3)]
    assert not await servers.pool.fetchval(
        "select count(*) from outbox where account_id = $1 and status = 'waiting'", life.account
    )
