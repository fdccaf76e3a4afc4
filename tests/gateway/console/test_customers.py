"""Customers in the console: found, filtered, and one of them whole, as each role sees it."""

from __future__ import annotations

from datetime import datetime
from typing import Any

import pytest

from activities.kernel.clock import present
from domain.frame.access import AccessRole
from gateway.console.journey_filters import FILTERS
from gateway.saved_views import AHEAD
from tests.builders import order
from tests.conftest import Servers
from tests.e2e.lives import until
from tests.gateway.console.browser import Browser, browsing, person, signed_in, with_role

HOSTILE = """<script>alert(1)</script>"'&{{ 7 * 70001 }}"""


async def _placed(servers: Servers, **account: Any) -> dict[str, Any]:
    document = order()
    document["account"] |= account
    await servers.client.place_order(document)
    return document


def _harmless(browser: Browser) -> None:
    assert browser.answer.status_code == 200
    assert browser.answer.text.count("<script") == 1  # ours, a file of its own
    assert not [name for _, attributes in browser.page.tags for name in attributes if name.startswith("on")]


async def test_a_customer_is_found_by_two_letters_and_opened(servers: Servers) -> None:
    document = await _placed(servers, name="青空ベーカリー")
    account = document["account"]["account_id"]
    browser = await with_role(servers, AccessRole.SALES)
    await browser.open("/")
    page = await browser.send("/customers", q="ﾍﾞｰ")
    assert "青空ベーカリー" in page.text
    whole = await browser.open(f"/customers/{account}")
    for said in ("青空ベーカリー", document["contacts"][0]["name"], document["account"]["owner"]["name"], "ARR", "MRR"):
        assert said in whole.text
    assert "<svg" in browser.answer.text


async def test_filters_are_links_and_forms_and_pages_go_on(servers: Servers) -> None:
    for _ in range(3):
        await _placed(servers, name="Pagewise Works")
    browser = await with_role(servers, AccessRole.SUCCESS)
    page = await browser.open("/customers?q=pagewise&band=critical")
    assert "No customer is found" in page.text
    assert "Pagewise Works" not in (await browser.open("/customers?mine=1")).text
    assert (await browser.open("/customers?after=nonsense")).text.count("cannot go on from there") == 1
    assert browser.answer.status_code == 422


async def test_who_sees_no_prices_is_shown_none(servers: Servers) -> None:
    document = await _placed(servers)
    account = document["account"]["account_id"]
    seller = await with_role(servers, AccessRole.SALES)
    await seller.open(f"/customers/{account}")
    agent = await with_role(servers, AccessRole.SERVICE)
    page = await agent.open(f"/customers/{account}")
    currency = {"EUR": "€", "JPY": "¥"}[document["currency"]]
    assert currency in seller.answer.text
    assert currency not in agent.answer.text
    assert document["currency"] not in page.text
    assert "Health" in page.text
    clerk = await with_role(servers, AccessRole.FINANCE)
    assert "Health" not in (await clerk.open(f"/customers/{account}")).text
    assert "Health" not in (await clerk.open("/customers?band=critical")).text


async def test_who_looks_after_some_sees_those_alone(servers: Servers) -> None:
    account = (await _placed(servers, name="Elsewhere Ltd"))["account"]["account_id"]
    browser = await with_role(servers, AccessRole.SALES, own_only=True)
    assert "Elsewhere Ltd" not in (await browser.open("/customers?q=elsewhere")).text
    refused = await browser.open(f"/customers/{account}")
    assert browser.answer.status_code == 403
    assert "is not among the customers" in refused.text
    assert "Elsewhere Ltd" not in refused.text


async def test_who_sees_their_team_sees_what_those_above_and_beside_them_have_in_common(servers: Servers) -> None:
    chief, lead, me, peer, under = [await person(servers, AccessRole.SALES) for _ in range(5)]
    for staff_id, manager in ((lead, chief), (me, lead), (peer, lead), (under, me)):
        await servers.pool.execute("update staff set manager_id = $2 where staff_id = $1", staff_id, manager)
    for staff_id in (me, chief):
        await servers.pool.execute("update staff_access set own_only = true, team = true where staff_id = $1", staff_id)
    accounts = {}
    for owner in (chief, lead, me, peer, under):
        account = (await _placed(servers, name=f"Teamwork of {owner}"))["account"]["account_id"]
        await servers.pool.execute(
            "update account set owner_id = $2, success_manager_id = $2 where account_id = $1", account, owner
        )
        accounts[owner] = account
    seen = {}
    for who in (me, chief):
        browser = await signed_in(servers, who)
        text = (await browser.open("/customers?q=teamwork")).text
        seen[who] = {owner for owner in accounts if f"Teamwork of {owner}" in text}
        for owner, account in accounts.items():
            await browser.open(f"/customers/{account}")
            assert (browser.answer.status_code == 200) == (owner in seen[who]), (who, owner)
    assert seen == {me: {me, peer, under}, chief: {chief, lead, me, peer, under}}
    browser = await signed_in(servers, me)
    text = (await browser.open("/customers?q=teamwork&mine=1")).text
    assert [owner for owner in accounts if f"Teamwork of {owner}" in text] == [me]


async def test_what_is_alike_is_one_row_of_the_picture_with_all_its_units(servers: Servers) -> None:
    line = {"product": "TERMINAL", "quantity": 2, "unit_price": "80000"}
    document = order(lines=[{"line_id": f"t{n}", **line} for n in range(4)])
    await servers.client.place_order(document)
    browser = await with_role(servers, AccessRole.SALES)
    page = await browser.open(f"/customers/{document['account']['account_id']}")
    drawn = browser.answer.text.partition("<svg")[2].partition("</svg>")[0]
    assert drawn.count(">Terminal</text>") == 1
    assert "Terminal · 8" in drawn
    assert "4 × 2" in page.text, "what they own is listed alike as one"


async def test_what_others_wrote_is_shown_as_it_is_and_does_nothing(servers: Servers) -> None:
    document = await _placed(servers, name=HOSTILE)
    account = document["account"]["account_id"]
    await servers.pool.execute("update contact set name = $2, phone = $2 where account_id = $1", account, HOSTILE)
    await servers.pool.execute(
        "update product set name = $1 where code = any($2)", HOSTILE, [p["code"] for p in document["products"]]
    )
    await servers.pool.execute("update journal set title = $2 where account_id = $1", account, HOSTILE)
    await servers.pool.execute("update timeline_item set title = $2 where account_id = $1", account, HOSTILE)
    browser = await with_role(servers, AccessRole.ADMIN)
    for path in (f"/customers/{account}", f"/customers?q={account}", "/customers?q=%3Cscript%3E%22%27"):
        await browser.open(path)
        _harmless(browser)
        assert "{{ 7 * 70001 }}" in browser.page.text or "q=%3C" in path
        assert "490007" not in browser.page.text or "q=%3C" in path
    for path in ("/customers/%3Cscript%3E", "/customers/no-such", "/customers/a%00b"):
        await browser.open(path)
        assert browser.answer.status_code == 404
        assert browser.answer.text.count("<script") == 1  # ours, a file of its own


async def test_a_customer_in_japanese_and_the_way_to_the_engine(servers: Servers) -> None:
    account = (await _placed(servers))["account"]["account_id"]
    browser = await with_role(servers, AccessRole.SALES, language="ja")
    page = await browser.open(f"/customers/{account}")
    assert "お取引期間" in page.text
    assert not [link for link in page.links if "/workflows/" in link], "no Temporal UI is known"
    linked = browsing(servers, ui="http://127.0.0.1:8233")
    linked.http.cookies.update(browser.http.cookies)
    page = await linked.open(f"/customers/{account}")
    namespace = servers.temporal.namespace
    assert f"http://127.0.0.1:8233/namespaces/{namespace}/workflows/journey-{account}" in page.links


@pytest.mark.engine
async def test_filters_of_the_temporal_ui_find_the_same_journeys(servers: Servers) -> None:
    document = await _placed(servers, name="Renewing Soon KG")
    account = document["account"]["account_id"]
    renews = await _renewal_of(servers, account)
    browser = await with_role(servers, AccessRole.SALES)
    page = await browser.open("/customers?journey=renewals&q=renewing+soon")
    assert ("Renewing Soon KG" in page.text) is (renews <= present() + AHEAD)
    far = await browser.open("/customers?journey=attention&q=renewing+soon")
    assert "Renewing Soon KG" not in far.text
    await servers.temporal.get_workflow_handle(f"journey-{account}").terminate()
    ui = await signed_in(servers, await person(servers, AccessRole.SALES), ui="http://ui.example")
    for name in FILTERS:
        page = await ui.open(f"/customers?journey={name}&q=renewing+soon")
        assert ui.answer.status_code == 200, name
        assert "Renewing Soon KG" not in page.text, name
        assert any(link.startswith("http://ui.example/namespaces/") and "Running" in link for link in page.links)


async def test_a_planned_mail_is_read_before_it_leaves_and_nothing_of_it_stays(servers: Servers) -> None:
    document = await _placed(servers)
    account = document["account"]["account_id"]
    browser = await with_role(servers, AccessRole.SALES)
    page = await browser.open(f"/customers/{account}")
    planned = [link for link in page.links if link.startswith(f"/customers/{account}/planned?")]
    assert len(planned) > 5
    before = await _written(servers, account)
    texts = [(await browser.open(link)).text for link in dict.fromkeys(planned)]
    assert browser.answer.status_code == 200
    assert all("A preview by what is on record today." in text for text in texts)
    contact = document["contacts"][0]["name"]
    mails = [text for text in texts if f"Mail to {contact}" in text or contact in text]
    assert len(mails) > 3
    assert await _written(servers, account) == before
    await browser.open(f"/customers/{account}/planned?step=nothing/there")
    assert browser.answer.status_code == 404
    own = await with_role(servers, AccessRole.SALES, own_only=True)
    await own.open(planned[0])
    assert own.answer.status_code == 403


async def test_a_mail_that_left_is_read_as_the_customer_got_it(servers: Servers) -> None:
    document = await _placed(servers)
    account = document["account"]["account_id"]
    await _sent(servers, account)
    browser = await with_role(servers, AccessRole.SALES)
    page = await browser.open(f"/customers/{account}")
    links = [link for link in page.links if link.startswith("/sent?id=")]
    assert links
    page = await browser.open(links[0])
    assert document["contacts"][0]["email"] in page.text
    assert document["contacts"][0]["name"] in page.text
    assert not [link for link in page.links if link.startswith("http")]
    await browser.open("/sent?id=journey:nobody/x")
    assert browser.answer.status_code == 404
    own = await with_role(servers, AccessRole.SALES, own_only=True)
    await own.open(links[0])
    assert own.answer.status_code == 403


async def test_a_mail_with_amounts_is_not_for_who_sees_no_prices(servers: Servers) -> None:
    document = await _placed(servers)
    account = document["account"]["account_id"]
    await _sent(servers, account)
    agent = await with_role(servers, AccessRole.SERVICE)
    sent = await servers.pool.fetchval(
        "select delivery_id from outbox where account_id = $1 and status = 'sent' and channel = 'deliver_mail'"
        " order by delivery_id limit 1",
        account,
    )
    for total, status in (({"amount": "12.50", "currency": "EUR"}, 403), ("nothing", 200)):
        await servers.pool.execute(
            "update outbox set body = body || $2 where account_id = $1 and status = 'sent'",
            account,
            {"documents": [], "context": {"lines": [{"total": total}]}, "template": "welcome"},
        )
        assert (await agent.http.get("/sent", params={"id": sent})).status_code == status


async def _sent(servers: Servers, account: str) -> list[Any]:
    """The mails that have left to an account; waits for the first."""
    query = "select * from outbox where account_id = $1 and channel = 'deliver_mail' and status = 'sent'"

    async def has_left() -> bool:
        return bool(await servers.pool.fetch(query, account))

    await until(has_left, f"a mail to {account} leaves")
    return list(await servers.pool.fetch(query, account))


async def _written(servers: Servers, account: str) -> list[int]:
    return [
        await servers.pool.fetchval(f"select count(*) from {table} where account_id = $1", account)
        for table in ("journal", "effect", "invoice", "staff_task")
    ]


async def _renewal_of(servers: Servers, account: str) -> datetime:
    """When the term of an account ends; waits until its journey shows it."""
    found: datetime = await servers.pool.fetchval(
        "select max(t.ends_at) from contract_term t join contract c using (contract_id) where c.account_id = $1",
        account,
    )
    query = f"WorkflowId = 'journey-{account}' AND RenewalAt IS NOT NULL"

    async def is_shown() -> bool:
        return bool([run async for run in servers.temporal.list_workflows(query)])

    await until(is_shown, f"the journey of {account} shows its renewal")
    return found
