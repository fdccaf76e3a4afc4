"""Two accounts become one, or a part of one leaves with its people: nothing is lost, nothing happens twice, and everybody sees it."""

from __future__ import annotations

import asyncio
from datetime import timedelta
from typing import Any

import pytest

from activities.kernel.clock import present
from domain.kernel.refusals import Refusal
from tests.agendas import apart
from tests.asset_life import Life, refused
from tests.builders import goods_order, order
from tests.cases import case, case_client, staffed
from tests.conftest import Servers
from tests.e2e.lives import account_of, at_rest, place, report_usage, rows_of, settled, until
from tests.workflows.contracts.test_transfers import has_ended, record_of, units
from workers.wiring import build_worker


async def emails(servers: Servers, account: str) -> list[str]:
    rows = await servers.pool.fetch("select email from contact where account_id = $1 order by position", account)
    return [row["email"] for row in rows]


async def is_closed(servers: Servers, account: str) -> None:
    async def closed() -> bool:
        return bool(
            await servers.pool.fetchval("select closed_at is not null from account where account_id = $1", account)
        )

    await until(closed, f"{account} is closed")


async def owed(servers: Servers, *accounts: str) -> Any:
    """What was invoiced less what was credited, before tax."""
    return await servers.pool.fetchval(
        "select (select coalesce(sum(l.amount), 0) from invoice i join invoice_line l using (invoice_id) where i.account_id = any($1))"
        " - (select coalesce(sum(l.amount), 0) from credit_memo m join credit_memo_line l using (credit_memo_id)"
        " where m.account_id = any($1))",
        list(accounts),
    )


async def test_a_customer_becomes_part_of_another_with_all_that_they_have(servers: Servers) -> None:
    team = await staffed(servers, "AG-M1")
    joins, group = await Life.begin(servers, auto_renew=True), await Life.begin(servers)
    await report_usage(servers.client, joins.account, 30)
    await report_usage(servers.client, group.account, 20)
    cases = case_client(servers)
    opened = await cases.open_case(case(joins.document, team=team, contact_id="P-1"))
    before, both = units(await record_of(servers, joins.seats)), await owed(servers, joins.account, group.account)
    answer = await joins.ask("merge_account", into=group.account, reason="bought by them", by="S-1")
    assert await has_ended(servers, answer["transfer_id"]) == "received"
    await is_closed(servers, joins.account)
    moved = next(one["to_asset_id"] for one in answer["assets"] if one["asset_id"] == joins.seats)
    after = await record_of(servers, moved)
    assert after.asset.account_id == group.account
    assert (after.end, after.periods[-1].quantity, after.periods[-1].mrr) == before[-1]
    assert await owed(servers, joins.account, group.account) == both, "what one is credited the other is charged"
    their = joins.document["contacts"][0]["email"]
    assert await emails(servers, group.account) == [group.document["contacts"][0]["email"], their]
    assert await emails(servers, joins.account) == []
    row = await servers.pool.fetchrow(
        "select account_id, contact_id from service_case where case_id = $1", opened.case_id
    )
    assert row is not None
    assert row["account_id"] == group.account
    assert row["contact_id"] == await servers.pool.fetchval(
        "select contact_id from contact where account_id = $1 and email = $2", group.account, their
    )
    used = (
        "select active_users from usage_day where account_id = $1 and product_code = 'SEATS' order by day desc limit 1"
    )
    assert await servers.pool.fetchval(used, group.account) == 50
    await cases.ask(opened.case_id, "respond", {"body": "Hello.", "by": "AG-M1"})
    await cases.ask(opened.case_id, "resolve", {"code": "fixed", "text": "Done.", "by": "AG-M1"})
    with pytest.raises(Refusal) as told:
        await servers.client.place_order(goods_order(joins.document, await servers.client.now(group.account)))
    assert told.value.type == "AccountMerged"
    assert group.account in str(told.value)
    with pytest.raises(Refusal, match="report its use with that one's"):
        await report_usage(servers.client, joins.account, 31, days=1)
    seen = await servers.pool.fetch(
        "select account_id from timeline_item where kind = 'case' and link = $1", f"case/{opened.case_id}"
    )
    assert {row["account_id"] for row in seen} == {group.account}
    await joins.check()
    await group.check()
    await group.reach(group.day(12) + timedelta(days=5))
    assert (await record_of(servers, moved)).periods[-1].quantity == 40, "it renews by itself there"
    assert [
        row["status"]
        for row in await servers.pool.fetch("select status from contract where account_id = $1", joins.account)
    ] == ["ended"]


async def test_what_was_declined_does_not_renew_by_itself_elsewhere(servers: Servers) -> None:
    joins, group = await Life.begin(servers, auto_renew=True), await Life.begin(servers)
    await joins.reach(joins.day(12) - timedelta(days=50))
    await joins.ask("answer_renewal", contract_id=joins.contract, decision="decline", reason="the price", by="customer")
    answer = await joins.ask("merge_account", into=group.account, by="S-1")
    assert await has_ended(servers, answer["transfer_id"]) == "received"
    renews = "select auto_renew from contract where account_id = $1 and contract_id <> $2"
    assert await servers.pool.fetchval(renews, group.account, group.contract) is False


async def test_who_is_known_by_their_address_stays_one_person(servers: Servers) -> None:
    joins, group = await Life.begin(servers), await Life.begin(servers)
    same = {
        "contact_id": "P-7",
        "name": "Aoi",
        "email": joins.document["contacts"][0]["email"].upper(),
        "role": "billing",
    }
    await group.ask("change_contacts", add=[same], by="S-1")
    answer = await joins.ask("merge_account", into=group.account, by="S-1")
    assert await has_ended(servers, answer["transfer_id"]) == "received"
    assert len(await emails(servers, group.account)) == 2


async def test_what_somebody_said_of_optional_mails_goes_along_and_the_later_word_counts(servers: Servers) -> None:
    joins, group = await Life.begin(servers), await Life.begin(servers)
    email = str(joins.document["contacts"][0]["email"])
    known = {"contact_id": "P-7", "name": "Aoi", "email": "known@capricorn.example", "role": "billing"}
    for life in (group, joins):
        await life.ask("change_contacts", add=[known], by="S-1")
        await life.ask("choose_mails", contact_id="P-7", declined=["offers"], by="S-1")
    await joins.ask("choose_mails", contact_id="P-1", declined=["surveys"], every_days=30, by="S-1")
    await joins.ask("choose_mails", contact_id="P-7", declined=["help"], by="S-1")
    answer = await joins.ask("merge_account", into=group.account, by="S-1")
    assert await has_ended(servers, answer["transfer_id"]) == "received"
    rows = await servers.pool.fetch(
        "select email, declined, every_days from mail_wish where account_id = $1 order by email", group.account
    )
    assert {row["email"]: (row["declined"], row["every_days"]) for row in rows} == {
        email: (["surveys"], 30),
        known["email"]: (["help"], None),
    }


async def test_who_wanted_no_optional_mails_gets_none_after_a_merge(servers: Servers) -> None:
    joins, group = await Life.begin(servers), await Life.begin(servers)
    email = joins.document["contacts"][0]["email"]
    same = {"contact_id": "P-7", "name": "Aoi", "email": email, "role": "billing"}
    await group.ask("change_contacts", add=[same], by="S-1")
    await joins.ask("note_mail", event="unsubscribed", contact_id="P-1", by="customer")
    answer = await joins.ask("merge_account", into=group.account, by="S-1")
    assert await has_ended(servers, answer["transfer_id"]) == "received"
    stopped = "select unsubscribed_at is not null from contact where account_id = $1 and email = $2"
    assert await servers.pool.fetchval(stopped, group.account, email)


async def test_who_became_part_of_another_goes_their_own_way_again(servers: Servers) -> None:
    joins, group = await Life.begin(servers), await Life.begin(servers)
    answer = await joins.ask("merge_account", into=group.account, by="S-1")
    assert await has_ended(servers, answer["transfer_id"]) == "received"
    await is_closed(servers, joins.account)
    await refused(
        group, "unmerge_account", {"account": "acme-east", "by": "S-1"}, "NotAllowed", "no part of this customer"
    )
    await group.ask("unmerge_account", account=joins.account, by="S-1")
    moved = next(one["to_asset_id"] for one in answer["assets"] if one["asset_id"] == joins.seats)
    back = goods_order(joins.document, await servers.client.now(group.account))
    await servers.client.place_order(back)
    went = [
        row["contact_id"]
        for row in await servers.pool.fetch(
            "select contact_id from contact where account_id = $1 and email = $2",
            *(group.account, joins.document["contacts"][0]["email"]),
        )
    ]
    answer = await group.ask("transfer_assets", to_account=joins.account, assets=[{"asset_id": moved}], contacts=went)
    assert await has_ended(servers, answer["transfer_id"]) == "received"
    home = answer["assets"][0]["to_asset_id"]
    assert (await record_of(servers, home)).asset.account_id == joins.account
    assert await emails(servers, joins.account) == [joins.document["contacts"][0]["email"]]
    assert joins.document["contacts"][0]["email"] not in await emails(servers, group.account)
    await joins.check()
    await group.check()


@pytest.mark.engine
async def test_a_merge_that_is_refused_leaves_everything_as_it_was(servers: Servers) -> None:
    """The other journey ended between the two halves, without a word."""
    joins = await Life.begin(servers)
    opened = await case_client(servers).open_case(case(joins.document, team=await staffed(servers)))
    queue = f"merge-{joins.account}"
    document = order()
    group = account_of(document)
    async with build_worker(servers.temporal, servers.pool, servers.settings.model_copy(update={"task_queue": queue})):
        await place(servers.temporal, document, task_queue=queue)
    rows = await rows_of(servers.pool, group)
    answer = await joins.ask("merge_account", into=group, by="S-1")
    late = {"to_account": joins.account, "assets": [{"asset_id": joins.seats}]}
    await refused(joins, "transfer_assets", late, "NotAllowed", "already")
    await servers.pool.execute("update account set closed_at = now() where account_id = $1", group)
    await servers.temporal.get_workflow_handle(f"journey-{group}").terminate()
    assert await has_ended(servers, answer["transfer_id"]) == "refused"
    assert (await record_of(servers, joins.seats)).periods[-1].quantity == 40
    assert await emails(servers, joins.account) == [joins.document["contacts"][0]["email"]]
    assert (
        await servers.pool.fetchval("select account_id from service_case where case_id = $1", opened.case_id)
        == joins.account
    )
    assert await rows_of(servers.pool, group) == rows
    assert await servers.pool.fetchval("select merged_into from account where account_id = $1", joins.account) is None
    assert await servers.client.is_running(joins.account)
    await joins.check()


async def test_two_that_become_part_of_each_other_at_once_are_no_circle(servers: Servers) -> None:
    one, other = await Life.begin(servers), await Life.begin(servers)
    asked = [
        one.ask("merge_account", into=other.account, by="S-1"),
        other.ask("merge_account", into=one.account, by="S-1"),
    ]
    answers = await asyncio.gather(*asked, return_exceptions=True)
    for answer in answers:
        if isinstance(answer, dict):
            await has_ended(servers, answer["transfer_id"])
    merged = "select count(*) from account where account_id = any($1) and merged_into is not null"
    assert await servers.pool.fetchval(merged, [one.account, other.account]) <= 1
    owned = await servers.pool.fetchval(
        "select sum(p.quantity) from asset a join asset_state_period p using (asset_id) where a.account_id = any($1)"
        " and a.product_code = 'SEATS' and p.starts_at <= $2 and (p.ends_at is null or p.ends_at > $2)",
        *([one.account, other.account], await servers.client.now(one.account) + timedelta(days=2)),
    )
    assert owned == 80


async def test_what_cannot_be_merged_is_known_at_once(servers: Servers) -> None:
    joins, group = await Life.begin(servers), await Life.begin(servers)
    await refused(joins, "merge_account", {"into": joins.account, "by": "S-1"}, "NotAllowed", "part of itself")
    await refused(joins, "merge_account", {"into": "nobody", "by": "S-1"}, "UnknownAccount", "first order")
    answer = await joins.ask("merge_account", into=group.account, by="S-1")
    assert await has_ended(servers, answer["transfer_id"]) == "received"
    await is_closed(servers, joins.account)
    await refused(group, "merge_account", {"into": joins.account, "by": "S-1"}, "JourneyClosed", "is closed")


async def test_who_owns_nothing_any_more_becomes_part_of_another_too(servers: Servers) -> None:
    joins, group = await Life.begin(servers), await Life.begin(servers)
    await joins.ask("cancel_assets", contract_id=joins.contract)
    await joins.ask(
        "transfer_assets", to_account=group.account, assets=[{"asset_id": f"{joins.document['order_id']}.3"}]
    )
    await at_rest(servers.temporal, servers.pool, joins.account)
    answer = await joins.ask("merge_account", into=group.account, by="S-1")
    assert answer["assets"] == []
    assert await has_ended(servers, answer["transfer_id"]) == "received"
    await is_closed(servers, joins.account)
    assert joins.document["contacts"][0]["email"] in await emails(servers, group.account)


async def test_a_part_that_leaves_takes_its_people_along(servers: Servers) -> None:
    whole, part = await Life.begin(servers), await Life.begin(servers)
    new = {"contact_id": "P-2", "name": "Mia Roth", "email": f"mia@{whole.account.lower()}.example", "role": "admin"}
    await whole.ask("change_contacts", add=[new], by="S-1")
    asked: dict[str, Any] = {"to_account": part.account, "assets": [{"asset_id": whole.seats, "quantity": 15}]}
    await refused(whole, "transfer_assets", asked | {"contacts": ["P-9"]}, "NotAllowed", "no contact 'P-9'")
    await refused(whole, "transfer_assets", asked | {"contacts": ["P-1", "P-2"]}, "NotAllowed", "nobody would be left")
    answer = await whole.ask("transfer_assets", **asked, contacts=["P-2"])
    assert await has_ended(servers, answer["transfer_id"]) == "received"
    await settled(servers.pool, whole.account)
    assert new["email"] not in await emails(servers, whole.account)
    assert (await emails(servers, part.account))[-1] == new["email"]
    assert await servers.client.is_running(whole.account)


async def test_money_of_orders_from_before_is_given_back_under_the_new_name(servers: Servers) -> None:
    """The case is the other account's by now, and so is the credit note; what went over as an asset is named."""
    team = await staffed(servers, "AG-M2")
    joins, group = await Life.begin(servers), await Life.begin(servers)
    beans = goods_order(joins.document, await servers.client.now(joins.account))
    await servers.client.place_order(beans)
    cases = case_client(servers)
    opened = await cases.open_case(case(joins.document, team=team, contact_id="P-1"))
    answer = await joins.ask("merge_account", into=group.account, by="S-1")
    assert await has_ended(servers, answer["transfer_id"]) == "received"
    await is_closed(servers, joins.account)

    async def goodwill(order_id: str, line_id: str) -> None:
        asked = {"order_id": order_id, "line_id": line_id, "amount": "1100", "reason": "late"}
        director = {"by": team.replace("team", "D", 1), "role": "director"}
        await cases.ask(opened.case_id, "grant_goodwill", asked | director)

    await goodwill(beans["order_id"], "1")
    row = await servers.pool.fetchrow(
        "select m.account_id, m.total, c.account_id as claimed from credit_memo m join refund_claim c using (credit_memo_id)"
        " where c.order_id = $1",
        beans["order_id"],
    )
    assert row is not None
    assert (row["account_id"], row["claimed"], int(row["total"])) == (group.account, group.account, 1100)
    device = f"{joins.document['order_id']}.3"
    moved = next(one["to_asset_id"] for one in answer["assets"] if one["asset_id"] == device)
    with pytest.raises(Refusal, match=f"went over to {group.account} as asset {moved}"):
        await goodwill(joins.document["order_id"], "3")
    with pytest.raises(Refusal, match=f"{group.account} bought no line"):
        await goodwill("SO-of-nobody", "1")


async def test_who_joins_an_account_is_welcomed_there_once(servers: Servers) -> None:
    """As if they had been added; two of the same address are one person, and a sponsor who comes is not looked for."""
    joins, group = await Life.begin(servers), await Life.begin(servers)
    mail = f"mia@{joins.account.lower()}.example"
    people = [
        ("P-2", "admin", mail),
        ("P-3", "admin", mail.upper()),
        ("P-4", "sponsor", f"roy@{joins.account.lower()}.example"),
    ]
    named = [{"contact_id": id, "name": "Mia Roth", "role": role, "email": email} for id, role, email in people]
    await joins.ask("change_contacts", add=named, by="S-1")
    gone = {
        "contact_id": "P-5",
        "name": "Old Sponsor",
        "role": "sponsor",
        "email": f"old@{group.account.lower()}.example",
    }
    await group.ask("change_contacts", add=[gone], by="S-1")
    await group.ask("change_contacts", remove=["P-5"], by="S-1")
    await group.reach(await group.today() + timedelta(days=8))
    searches = (
        "select closed_at is not null from staff_task where account_id = $1 and starts_with(key, 'play:find_sponsor/')"
    )
    assert await servers.pool.fetchval(searches, group.account) is False
    await joins.reach(await group.today())
    before = len(servers.mails_to(mail))
    answer = await joins.ask("merge_account", into=group.account, by="S-1")
    assert await has_ended(servers, answer["transfer_id"]) == "received"
    assert await servers.pool.fetchval(searches, group.account) is True
    assert await apart(servers, group.account) == []
    await group.reach(await group.today() + timedelta(days=20))
    await settled(servers.pool, group.account)
    welcomed = await servers.pool.fetch(
        "select c.role from outbox o join contact c using (account_id, contact_id) where o.account_id = $1"
        " and o.body->>'template' = 'contact_welcome' and o.status = 'sent' order by 1",
        group.account,
    )
    assert [row["role"] for row in welcomed] == ["admin", "sponsor"]
    assert len(servers.mails_to(mail)) == before + 1
    assert await apart(servers, group.account) == []


async def test_a_sponsor_who_leaves_with_a_part_is_looked_for(servers: Servers) -> None:
    whole, part = await Life.begin(servers), await Life.begin(servers)
    new = {"contact_id": "P-2", "name": "Mia Roth", "email": f"mia@{whole.account.lower()}.example", "role": "sponsor"}
    await whole.ask("change_contacts", add=[new], by="S-1")
    assets = [{"asset_id": whole.seats, "quantity": 15}]
    answer = await whole.ask("transfer_assets", to_account=part.account, assets=assets, contacts=["P-2"])
    assert await has_ended(servers, answer["transfer_id"]) == "received"
    await settled(servers.pool, whole.account)
    await whole.reach(await whole.today() + timedelta(days=8))
    searches = "select count(*) from staff_task where account_id = $1 and starts_with(key, 'play:find_sponsor/')"
    assert await servers.pool.fetchval(searches, whole.account) == 1


async def test_what_was_sold_without_an_end_goes_on_without_one_elsewhere(servers: Servers) -> None:
    start = present().date().replace(day=1)
    joins = Life(servers, order())
    joins.document["contracts"][0]["term"] = {"start": start.isoformat(), "evergreen": "monthly"}
    joins.document["contracts"][0]["billing"] = "monthly"
    await servers.client.place_order(joins.document)
    group = await Life.begin(servers)
    await servers.client.fast_forward_to(joins.account, await servers.client.now(group.account))
    answer = await joins.ask("merge_account", into=group.account, by="S-1")
    assert await has_ended(servers, answer["transfer_id"]) == "received"
    row = await servers.pool.fetchrow(
        "select contract_id, evergreen, billing from contract where account_id = $1 and contract_id <> $2",
        *(group.account, group.contract),
    )
    assert row is not None
    assert (row["evergreen"], row["billing"]) == ("monthly", "monthly")
    since = await servers.client.now(group.account)
    await servers.client.fast_forward_to(group.account, since + timedelta(days=100))
    billed = await servers.pool.fetchval(
        "select count(distinct i.invoice_id) from invoice i join invoice_line l using (invoice_id) join asset a using (asset_id)"
        " where a.contract_id = $1 and i.issued_at > $2",
        *(row["contract_id"], since),
    )
    assert billed >= 3
    await group.check()
