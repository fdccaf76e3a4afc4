"""What a customer hears of their orders: each is confirmed and followed up, several speak with one voice, and all of it is so."""

from __future__ import annotations

from collections import Counter
from datetime import date, datetime, timedelta
from typing import Any
from zoneinfo import ZoneInfo

import pytest

from activities.kernel.clock import present
from tests.agendas import apart
from tests.builders import goods_order, order
from tests.conftest import Servers
from tests.e2e.lives import account_of, settled
from tests.living_in_memory import InMemory

TOKYO = ZoneInfo("Asia/Tokyo")


async def said(servers: Servers, account: str) -> list[dict[str, Any]]:
    """The mails to the customer in order: template, context, local day, documents and whom they went to."""
    await settled(servers.pool, account)
    rows = await servers.pool.fetch(
        "select body, contact_id, created_at, message_id from outbox where account_id = $1 and channel = 'deliver_mail'"
        " and status = 'sent' order by created_at, delivery_id",
        account,
    )
    return [
        {
            **row["body"]["context"],
            "template": row["body"]["template"],
            "day": row["created_at"].astimezone(TOKYO).date(),
            "files": [one["id"] for one in row["body"]["documents"]],
            "to": row["contact_id"],
            "message_id": row["message_id"],
        }
        for row in rows
    ]


async def finish(servers: Servers, account: str) -> None:
    """All tasks of all open onboardings are done."""
    rows = await servers.pool.fetch(
        "select stage, name from onboarding_task where account_id = $1 and status = 'open' and owner <> 'system'"
        " order by due_at, stage",
        account,
    )
    for row in rows:
        asked = {"task": row["name"], "order_id": row["stage"].partition(":")[2], "by": "S-2"}
        await servers.client.ask(account, "complete_task", asked)


def another(first: dict[str, Any], activated_at: datetime, product: str = "CARE") -> dict[str, Any]:
    """One more order of the same customer, with a contract."""
    document = order(account_id=account_of(first), activated_at=activated_at.isoformat())
    contract = document["contracts"][0]
    contract["lines"] = [{"line_id": "1", "product": product, "quantity": 5, "unit_price": "700"}]
    contract["term"] = {"start": activated_at.astimezone(TOKYO).date().isoformat(), "months": 12}
    return {**document, "contacts": first["contacts"], "account": first["account"], "lines": []}


@pytest.mark.engine
@pytest.mark.parametrize("later", [5, 0, -5])
async def test_two_orders_of_one_day_speak_once(servers: Servers, later: int) -> None:
    first = order()
    ids = [f"SO-{number}-{first['order_id']}" for number in (9, 10)]  # the second comes first as text
    first["order_id"] = ids[0]
    second = another(first, datetime.fromisoformat(first["activated_at"]) + timedelta(seconds=later))
    second["order_id"] = ids[1]
    account = account_of(first)
    await servers.client.place_order(first)
    await servers.client.place_order(second)
    await servers.client.fast_forward(account, timedelta(days=50))
    assert await apart(servers, account) == []
    attention = [
        row["title"]
        for row in await servers.pool.fetch(
            "select title from staff_task where account_id = $1 and closed_at is null", account
        )
    ]
    assert len(attention) == len(set(attention))
    await finish(servers, account)
    await servers.client.fast_forward(account, timedelta(days=3))
    mails = await said(servers, account)
    welcomes = [one for one in mails if one["template"] == "welcome"]
    assert [(one["standing"], one["products"]) for one in welcomes] == [
        ("new", ["Workspace", "Care", "Terminal"]),
        ("known", ["Care"]),
    ]
    assert welcomes[0]["tasks"]
    assert welcomes[1]["tasks"] == []
    times = Counter((one["template"], one["day"]) for one in mails if one["template"] not in ("welcome", "documents"))
    assert {key: n for key, n in times.items() if n > 1} == {}
    assert [one["template"] for one in mails].count("go_live") == 1
    notices = await servers.pool.fetch(
        "select body->>'title' as title, created_at from outbox where account_id = $1 and channel = 'deliver_notice'",
        account,
    )
    told = Counter((row["title"], row["created_at"].astimezone(TOKYO).date()) for row in notices)
    assert {key: n for key, n in told.items() if n > 1} == {}
    assert await apart(servers, account) == []


async def test_of_several_orders_each_line_says_whose_it_is(servers: Servers) -> None:
    first = order()
    others = [another(first, present().replace(microsecond=0) + timedelta(seconds=n)) for n in (5, 10, 15)]
    account, ids = account_of(first), [one["order_id"] for one in (first, *others)]
    for document in (first, *others):
        await servers.client.place_order(document)
    await servers.client.fast_forward(account, timedelta(days=14))
    await settled(servers.pool, account)
    briefing = await servers.client.briefing(account)
    attention, latest = part_of(briefing, "Needs attention"), part_of(briefing, "Latest")
    late = [line for line in attention if "Kickoff meeting" in line]
    assert [sum(id in line for line in late) for id in ids] == [1, 1, 1, 1]
    assert len(latest) == len(set(latest)) == 5
    lines = [row["title"] for row in await servers.journal(account) if row["kind"].startswith("onboarding")]
    tasks = [line for line in lines if "Kickoff meeting" in line or "Welcome" in line or "Provisioning" in line]
    assert len(tasks) == len(set(tasks)) > 8
    # Of the only one nothing more is said.
    alone = order()
    await servers.client.place_order(alone)
    await servers.client.fast_forward(account_of(alone), timedelta(hours=1))
    await settled(servers.pool, account_of(alone))
    assert "Welcome done" in [row["title"] for row in await servers.journal(account_of(alone))]


def part_of(briefing: str, title: str) -> list[str]:
    """The lines of a list of the briefing."""
    _, _, after = briefing.partition(f"{title}**\n")
    return [line for line in after.strip().split("\n\n")[0].splitlines() if line.startswith("- ")]


async def test_a_customer_who_comes_back_is_no_new_one(servers: Servers) -> None:
    first = order()
    first["contracts"][0]["term"]["months"] = 1
    first["lines"] = []
    account = account_of(first)
    await servers.client.place_order(first)
    await servers.client.fast_forward(account, timedelta(days=160))
    now = await servers.client.now(account)
    again = another(first, now.replace(microsecond=0), "SEATS")
    await servers.client.place_order(again)
    await servers.client.fast_forward(account, timedelta(days=40))
    await finish(servers, account)
    await servers.client.fast_forward(account, timedelta(days=1))
    mails = [one for one in await said(servers, account) if one["day"] >= now.astimezone(TOKYO).date()]
    (welcome,) = [one for one in mails if one["template"] == "welcome"]
    assert (welcome["standing"], welcome["order_id"]) == ("back", again["order_id"])
    assert welcome["products"] == ["Workspace"]
    assert not [one for one in mails if one["template"].startswith("touch")]
    (live,) = [one for one in mails if one["template"] == "go_live"]
    assert live["days_to_value"] <= 41
    assert live["products"] == ["Workspace"]
    assert await apart(servers, account) == []
    await servers.client.fast_forward(account, timedelta(days=180))
    assert not [one for one in await said(servers, account) if one["template"] == "touch_anniversary"]
    assert await apart(servers, account) == []


async def test_an_invoice_says_what_it_is_for_and_a_first_result_is_no_appointment(servers: Servers) -> None:
    document = order()
    document["account"]["segment"] = "tech_touch"
    account, contract = account_of(document), document["contracts"][0]
    await servers.client.place_order(document)
    await servers.client.fast_forward(account, timedelta(days=12))
    mails = await said(servers, account)
    bills = [bill for one in mails if one["template"] == "documents" for bill in one["documents"]]
    starts = contract["term"]["start"]
    [termed] = [bill for bill in bills if bill["contracts"] == [contract["contract_id"]]]
    assert termed["period"]["start"] == starts < termed["period"]["end"]
    (invited,) = [one for one in mails if one["template"] == "onboarding_invite"]
    assert invited["asks_outcome"] is True


async def test_a_first_day_has_access_and_is_one(in_memory: tuple[Servers, InMemory]) -> None:
    servers, memory = in_memory
    # What is provided on a Friday is used from Monday on, after the quiet days that follow a mail.
    wednesday = datetime(2027, 6, 23, 12, tzinfo=TOKYO)
    with memory.it_is(wednesday):
        account = account_of(document := order())
        document["contracts"][0]["term"]["start"] = wednesday.date().isoformat()
        await servers.client.place_order(document)
        await servers.client.fast_forward(account, timedelta(days=12))
        days = {one["template"]: one["day"] for one in await said(servers, account)}
        assert (days["provisioning_done"], days["touch_day_1"]) == (date(2027, 6, 25), date(2027, 6, 28))
        await memory.forget_all()


async def test_what_begins_later_has_no_first_day_yet(servers: Servers) -> None:
    account = account_of(document := order())
    start = (present().astimezone(TOKYO).date() + timedelta(days=60)).isoformat()
    document["contracts"][0]["term"]["start"] = start
    await servers.client.place_order(document)
    await servers.client.fast_forward(account, timedelta(days=12))
    mails = await said(servers, account)
    days = {one["template"]: one["day"] for one in mails}
    assert "touch_day_1" not in days, "their first day is to come"
    (ready,) = [one for one in mails if one["template"] == "provisioning_done"]
    assert ready["products"] == []
    assert sorted(ready["later"], key=lambda one: str(one["product"])) == [
        {"product": "Care", "from": start},
        {"product": "Workspace", "from": start},
    ]


async def test_only_what_is_sent_is_asked_about(servers: Servers) -> None:
    document = order()
    account = account_of(document)
    await servers.client.place_order(document)
    await servers.client.fast_forward(account, timedelta(days=25))
    (asked,) = [one for one in await said(servers, account) if one["template"] == "delivery_follow_up"]
    assert (asked["order_id"], asked["products"]) == (document["order_id"], ["Terminal"])


@pytest.mark.parametrize("device", [False, True])
async def test_whatever_is_sent_is_confirmed_and_followed_up(servers: Servers, device: bool) -> None:
    first = order(lines=[])
    account = account_of(first)
    await servers.client.place_order(first)
    await servers.client.fast_forward(account, timedelta(days=20))
    now = (await servers.client.now(account)).replace(microsecond=0)
    goods = goods_order(first, now)
    if device:
        goods["lines"] = [{"line_id": "1", "product": "TERMINAL", "quantity": 2, "unit_price": "80000"}]
    await servers.client.place_order(goods)
    assert await apart(servers, account) == []
    await servers.client.fast_forward(account, timedelta(days=20))
    about = [one for one in await said(servers, account) if one.get("order_id") == goods["order_id"]]
    name = "Terminal" if device else "Beans"
    assert [(one["template"], one["products"]) for one in about] == [
        ("order_confirmed", [name]),
        ("delivery_follow_up", [name]),
    ]
    assert about[1]["day"] >= now.astimezone(TOKYO).date() + timedelta(days=14)
    assert await apart(servers, account) == []


async def test_all_that_is_sent_is_asked_about_whatever_was_ordered_since(servers: Servers) -> None:
    first = order(lines=[])
    account = account_of(first)
    await servers.client.place_order(first)
    await servers.client.fast_forward(account, timedelta(days=3))
    now = (await servers.client.now(account)).replace(microsecond=0)
    orders = [goods_order(first, now + timedelta(minutes=n)) for n in range(3)]
    for n, document in enumerate(orders):
        own = [f"{kind} {n}" for kind in ("Tea", "Cups", "Milk", "Straws", "Spoons")]
        document["products"] = [{"code": f"{account}-{name}", "name": name, "kind": "goods"} for name in own]
        document["products"].append({"code": f"{account}-visit-{n}", "name": "A visit", "kind": "service"})
        document["lines"] = [
            {"line_id": str(place), "product": product["code"], "quantity": 2, "unit_price": "900"}
            for place, product in enumerate(document["products"], start=1)
        ]
        await servers.client.place_order(document)
    await servers.client.fast_forward(account, timedelta(days=40))
    asked = {
        one["order_id"]: one["products"]
        for one in await said(servers, account)
        if one["template"] == "delivery_follow_up" and one["order_id"] != first["order_id"]
    }
    assert asked == {
        document["order_id"]: [product["name"] for product in document["products"] if product["kind"] == "goods"]
        for document in orders
    }


@pytest.mark.parametrize("gone", [False, True])
async def test_an_order_is_confirmed_to_whom_it_names(servers: Servers, gone: bool) -> None:
    """Whoever was written to before may have left, and be the reason for another name."""
    first = order(lines=[])
    account = account_of(first)
    await servers.client.place_order(first)
    await servers.client.fast_forward(account, timedelta(days=20))
    if gone:
        bounced = {
            "event": "bounced",
            "contact_id": "P-1",
            "email": first["contacts"][0]["email"],
            "reason": "no such user",
        }
        await servers.client.ask(account, "note_mail", bounced)
    later = goods_order(first, (await servers.client.now(account)).replace(microsecond=0))
    later["contacts"] = [{"contact_id": "P-9", "name": "Nao", "email": f"nao-{account}@customer.example".lower()}]
    await servers.client.place_order(later)
    told = [one for one in await said(servers, account) if one["template"] in ("order_confirmed", "documents")]
    about = [(one["template"], one["to"], bool(one["files"])) for one in told if one["contact_name"] == "Nao"]
    assert about == [("order_confirmed", "P-9", True)], "the invoice goes along with it"


async def test_invoices_and_credit_notes_go_to_the_billing_contact(servers: Servers) -> None:
    document = order()
    paid_by = f"pay-{document['order_id']}@customer.example"
    document["contacts"].append({"contact_id": "P-2", "name": "Ren", "email": paid_by.lower(), "role": "billing"})
    document["contracts"][0]["first_invoice"] = "order"
    account = account_of(document)
    await servers.client.place_order(document)
    asset = f"{document['order_id']}.1"
    await servers.client.fast_forward(account, timedelta(days=40))
    change = {"assets": [{"asset_id": asset, "remove": 10}], "by": "S-1", "reason": "fewer"}
    await servers.client.ask(account, "amend_assets", change)
    mails = [one for one in await said(servers, account) if one["files"]]
    assert {one["to"] for one in mails} == {"P-2"}
    assert [one["template"] for one in mails] == ["documents", "assets_changed"]
    written = await servers.pool.fetch(
        "select invoice_id as id from invoice where account_id = $1 union all"
        " select credit_memo_id from credit_memo where account_id = $1",
        account,
    )
    assert sorted(id for one in mails for id in one["files"]) == sorted(row["id"] for row in written)
    arrived = {mail.message_id: mail for mail in servers.mails_to(paid_by.lower())}
    assert {one["message_id"] for one in mails} <= set(arrived)


@pytest.mark.parametrize("language", [None, "ja", "fr"])
async def test_our_people_are_told_in_their_language(servers: Servers, language: str | None) -> None:
    document = order()
    owner = {
        "staff_id": f"S-{language}-{document['order_id']}",
        "name": "Mio",
        "email": f"mio-{language}@seller.example",
    }
    document["account"]["owner"] = {**owner, **({"language": language} if language else {})}
    account = account_of(document)
    await servers.client.place_order(document)
    await servers.client.fast_forward(account, timedelta(days=40))
    change = {
        "assets": [{"asset_id": f"{document['order_id']}.1", "remove": 10}],
        "by": "S-1",
        "reason": "fewer people",
    }
    await servers.client.ask(account, "amend_assets", change)
    await settled(servers.pool, account)
    row = await servers.pool.fetchrow(
        "select message_id from outbox where account_id = $1 and staff_id = $2"
        " and channel = 'deliver_notice' order by created_at desc limit 1",
        account,
        owner["staff_id"],
    )
    assert row is not None
    (arrived,) = [mail for mail in servers.mails_to(owner["email"]) if mail.message_id == row["message_id"]]
    text = servers.stack.mailbox.read(arrived.id).text or ""
    if language == "ja":
        assert arrived.language == "ja"
        assert "契約内容の変更" in arrived.subject
        assert "理由：fewer people" in text
    else:
        assert arrived.language == "en"
        assert "Assets changed: Workspace: 40 to 30 units from " in arrived.subject
        assert "Reason: fewer people" in text
