"""Customers in the console: found, filtered, and one of them whole, as each role sees it."""

from __future__ import annotations

from typing import Any

from domain.frame.access import AccessRole
from tests.builders import order
from tests.conftest import Servers
from tests.gateway.console.browser import Browser, browsing, with_role

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
