"""Acts that are looked at first: what is shown is what the act then comes to, nothing is written before, and what was seen is asked."""

from __future__ import annotations

import asyncio
from dataclasses import dataclass
from datetime import timedelta
from typing import Any

import pytest

from activities.kernel.clock import present
from domain.frame.access import AccessRole
from tests.builders import order
from tests.conftest import Servers
from tests.gateway.console.browser import Browser, with_role

WRITTEN = (
    "select (select count(*) from asset_action), (select count(*) from journal), (select count(*) from outbox),"
    " (select count(*) from invoice), (select count(*) from credit_memo), (select count(*) from quote), (select count(*) from effect)"
)
QUANTITY = "select quantity from asset_state_period where asset_id = $1 order by starts_at desc limit 1"


@dataclass(frozen=True)
class Owned:
    """A customer whose year has begun, with what they own."""

    account: str
    seats: str
    contract: str
    care: str


async def owned(servers: Servers) -> Owned:
    document = order()
    account = str(document["account"]["account_id"])
    document["contracts"][0]["term"]["start"] = (present() - timedelta(days=75)).date().isoformat()
    await servers.client.place_order(document)
    at = document["order_id"]
    return Owned(account, f"{at}.1", document["contracts"][0]["contract_id"], f"{at}.2")


async def called(servers: Servers, product: str) -> str:
    """What the catalogue calls a product now; whoever else orders it may call it otherwise."""
    return str(await servers.pool.fetchval("select name from product where code = $1", product))


async def looked(servers: Servers, browser: Browser, path: str, **typed: str) -> Any:
    """The page with the preview, before which and after which the same is on record."""
    await browser.open(path)
    before = await servers.pool.fetchrow(WRITTEN)
    page = await browser.send(path, "preview", **typed)
    assert browser.answer.status_code == 200, page.text
    assert await servers.pool.fetchrow(WRITTEN) == before
    return page


async def confirmed(browser: Browser, path: str, **typed: str) -> Any:
    page = await browser.send(path, "ask", **typed)
    assert browser.answer.url.path == path.partition("/acts/")[0], page.text
    assert "done." in page.text
    return page


async def test_more_units_are_shown_with_their_sum_and_the_invoice_and_then_asked(servers: Servers) -> None:
    own = await owned(servers)
    browser = await with_role(servers, AccessRole.SALES)
    path = f"/customers/{own.account}/acts/amend_assets"
    typed = {"assets[1].asset_id": own.seats, "assets[1].add": "25", "reason": "a second shop"}
    page = await looked(servers, browser, path, **typed)
    for said in (
        await called(servers, "SEATS"),
        "more units",
        "40 → 65",
        "¥48,000 → ¥78,000",
        "25 × ¥1,200 a month ×",
        "Invoice",
        "Net",
        "Mail to",
    ):
        assert said in page.text, said
    form = next(one for one in page.forms if one.action == path)
    assert (form.fields["assets[0].asset_id"], form.fields["assets[0].add"]) == (own.seats, "25"), "rows close up"
    assert form.fields["reason"] == "a second shop"
    charged = "select total from invoice where account_id = $1 order by number desc limit 1"
    await confirmed(browser, path)
    assert await servers.pool.fetchval(QUANTITY, own.seats) == 65
    total = await servers.pool.fetchval(charged, own.account)
    assert f"¥{total:,.0f}" in page.text, "what was seen is what is invoiced"


async def test_a_preview_that_is_confirmed_twice_is_one_change(servers: Servers) -> None:
    own = await owned(servers)
    browser = await with_role(servers, AccessRole.SALES)
    path = f"/customers/{own.account}/acts/amend_assets"
    page = await looked(servers, browser, path, **{"assets[0].asset_id": own.seats, "assets[0].add": "2"})
    fields = next(one for one in page.forms if one.action == path).fields | {"do": "ask"}
    answers = await asyncio.gather(*(browser.http.post(path, data=fields) for _ in range(2)))
    answers.append(await browser.http.post(path, data=fields))
    assert [answer.status_code for answer in answers] == [303, 303, 303]
    assert await servers.pool.fetchval(QUANTITY, own.seats) == 42


async def test_what_comes_to_something_else_by_now_is_shown_again_and_not_done(servers: Servers) -> None:
    own = await owned(servers)
    browser = await with_role(servers, AccessRole.SALES)
    path = f"/customers/{own.account}/acts/amend_assets"
    await looked(servers, browser, path, **{"assets[0].asset_id": own.seats, "assets[0].add": "2"})
    page = await browser.send(path, "ask", **{"assets[0].add": "20"})
    assert "It comes to something else" in page.text
    assert "40 → 60" in page.text
    assert await servers.pool.fetchval(QUANTITY, own.seats) == 40
    await servers.client.ask(
        own.account, "amend_assets", {"assets": [{"asset_id": own.seats, "remove": 10}], "by": "s-1"}
    )
    page = await browser.send(path, "ask")
    assert "30 → 50" in page.text
    await confirmed(browser, path)
    assert await servers.pool.fetchval(QUANTITY, own.seats) == 50


async def test_what_would_be_refused_is_told_at_its_field_before_anything_is_asked(servers: Servers) -> None:
    own = await owned(servers)
    browser = await with_role(servers, AccessRole.SUCCESS)
    path = f"/customers/{own.account}/acts/amend_assets"
    await browser.open(path)
    page = await browser.send(path, "preview", **{"assets[2].asset_id": own.seats, "assets[2].add": "many"})
    assert browser.answer.status_code == 422
    wrong = [has["name"] for _, has in page.tags if "aria-invalid" in has]
    assert wrong == ["assets[0].add"]
    page = await browser.send(path, "preview", **{"assets[0].add": "", "assets[0].remove": "400"})
    assert browser.answer.status_code in (409, 422)
    assert next(one for one in page.forms if one.action == path).fields["assets[0].remove"] == "400"


async def test_a_renewal_a_cancellation_and_a_swap_say_what_they_come_to(servers: Servers) -> None:
    own = await owned(servers)
    browser = await with_role(servers, AccessRole.SALES)
    base = f"/customers/{own.account}/acts"
    page = await looked(servers, browser, f"{base}/renew_assets", contract_id=own.contract, uplift_percent="10")
    for said in ("renewed", "40 × ¥1,320 a month × 12 months = ¥633,600", "Invoiced on"):
        assert said in page.text, said
    page = await looked(
        servers, browser, f"{base}/cancel_assets", **{"assets[0].asset_id": own.care, "effective": "now"}
    )
    for said in (await called(servers, "CARE"), "cancelled", "1 → 0", "-¥", "Credit note"):
        assert said in page.text, said
    row = "assets[0]."
    swap = {f"{row}asset_id": own.seats, f"{row}to_product": "CARE", f"{row}unit_price": "2000", f"{row}quantity": "10"}
    page = await looked(servers, browser, f"{base}/swap_assets", **swap)
    for said in ("replaced", "40 → 30", "in place of another product", "0 → 10", "¥2,000 a month"):
        assert said in page.text, said
    await confirmed(browser, f"{base}/swap_assets")
    assert await servers.pool.fetchval(QUANTITY, own.seats) == 30


async def test_a_transfer_is_shown_from_both_sides(servers: Servers) -> None:
    own, other = await owned(servers), await owned(servers)
    browser = await with_role(servers, AccessRole.SALES)
    path = f"/customers/{own.account}/acts/transfer_assets"
    typed = {"to_account": other.account, "assets[0].asset_id": own.seats, "assets[0].quantity": "15"}
    page = await looked(servers, browser, path, **typed)
    for said in (own.account, other.account, "handed over", "40 → 25", "received", "0 → 15", "Credit note", "Invoice"):
        assert said in page.text, said
    page = await browser.send(path, "preview", to_account="nobody-there")
    assert browser.answer.status_code == 404
    assert "nobody-there" in page.text


async def test_a_quote_for_more_seats_is_made_in_one_row(servers: Servers) -> None:
    own = await owned(servers)
    browser = await with_role(servers, AccessRole.SALES)
    page = await browser.open(f"/customers/{own.account}")
    path = f"/customers/{own.account}/acts/request_quote"
    link = next(one for one in page.links if one.startswith(f"{path}?") and own.seats in one)
    page = await browser.open(link)
    form = next(one for one in page.forms if one.action == path)
    assert form.fields["lines[0].asset_id"] == own.seats
    assert "SEATS" in form.options["lines[0].product"]
    page = await browser.send(path, "preview", **{"lines[0].quantity": "25", "lines[0].discount": "5"})
    for said in (
        "+25",
        "¥1,200",
        "Discount 1: ¥1,140",
        "25 × ¥1,140 a month ×",
        "Valid until",
        "The quote goes to the customer.",
    ):
        assert said in page.text, said
    assert await servers.pool.fetchval("select count(*) from quote where account_id = $1", own.account) == 0
    await confirmed(browser, path)
    offered = "select amount from quote where account_id = $1 and state = 'presented'"
    amount = await servers.pool.fetchval(offered, own.account)
    assert f"¥{amount:,.0f}" in page.text, "what was seen is what is offered"


async def test_a_quote_says_at_its_own_questions_what_is_wrong(servers: Servers) -> None:
    own = await owned(servers)
    browser = await with_role(servers, AccessRole.SALES)
    path = f"/customers/{own.account}/acts/request_quote"
    await browser.open(path)
    page = await browser.send(path, "preview", **{"lines[1].asset_id": own.seats, "lines[1].quantity": "some"})
    assert [has["name"] for _, has in page.tags if "aria-invalid" in has] == ["lines[0].quantity"]
    await browser.open(path)
    page = await browser.send(path, "preview", **{"lines[0].product": "SEATS"})
    assert [has["name"] for _, has in page.tags if "aria-invalid" in has] == ["lines[0].quantity"]
    page = await browser.send(path, "preview", **{"lines[0].quantity": "5", "lines[0].months": "12"})
    assert "something new" in page.text


async def test_a_preview_is_in_the_readers_language(servers: Servers) -> None:
    own = await owned(servers)
    browser = await with_role(servers, AccessRole.SALES, language="ja")
    path = f"/customers/{own.account}/acts/amend_assets"
    page = await looked(servers, browser, path, **{"assets[0].asset_id": own.seats, "assets[0].add": "25"})
    for said in ("増数", "25 × 月額￥1,200 ×", "請求書", "確定する"):
        assert said in page.text, said


@pytest.mark.parametrize("typed", ["1.5", "-3", "10000000000", "１２", "３ 台", "<b>"])
async def test_whatever_is_typed_ends_in_a_page_and_in_no_mistake(servers: Servers, typed: str) -> None:
    own = await owned(servers)
    browser = await with_role(servers, AccessRole.ADMIN)
    for update, row in (("amend_assets", "assets[0].add"), ("request_quote", "lines[0].quantity")):
        path = f"/customers/{own.account}/acts/{update}"
        await browser.open(path)
        await browser.send(
            path, "preview", **{row.replace("add", "asset_id").replace("quantity", "asset_id"): own.seats, row: typed}
        )
        assert browser.answer.status_code in (200, 409, 422), browser.page.text
        assert "<b>" not in browser.answer.text
