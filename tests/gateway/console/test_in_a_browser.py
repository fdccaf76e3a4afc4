"""The console in Chromium: the scenes of a day in both languages, with scripts and without, and no page that keeps anybody out."""

from __future__ import annotations

from collections.abc import AsyncIterator
from dataclasses import dataclass

import pytest
from playwright.async_api import Browser, Page, expect

from activities.frame import tool_act_rows
from activities.frame.tool_act_rows import ToolAct
from activities.kernel.clock import present
from domain.frame.access import AccessRole
from gateway.api.app import create_app
from gateway.cases import CaseClient
from gateway.console.app import console
from gateway.console.language import Words
from gateway.console.visit import Place
from gateway.doors import Doors
from gateway.proposals import WAITS_FOR
from gateway.serving import served
from tests.builders import order
from tests.conftest import Servers
from tests.gateway.console import chromium as at
from tests.gateway.console.browser import person

pytestmark = at.needed


@dataclass(frozen=True)
class Desk:
    """Whoever sits there, and the customer that they look after."""

    host: str
    name: str
    account: str
    order_id: str
    asset: str
    case_id: str
    act_id: str


@pytest.fixture(scope="module")
async def browser() -> AsyncIterator[Browser]:
    async with at.chromium() as running:
        yield running


@pytest.fixture
async def desk(servers: Servers) -> AsyncIterator[Desk]:
    """The console on a port of its own, with a customer, their case, and what an assistant proposed for them."""
    staff_id = await person(servers, AccessRole.ADMIN)
    document = order()
    account, asset = str(document["account"]["account_id"]), f"{document['order_id']}.1"
    await servers.client.place_order(document)
    cases = CaseClient(servers.temporal, servers.pool, task_queue=servers.settings.task_queue)
    case = {"case_id": f"C-{account}", "account_id": account, "subject": "Tills are down", "body": "since nine"}
    await cases.open_case({**case, "impact": "high", "urgency": "high"})
    price = {"product": "TERMINAL", "price": "70000", "currency": "JPY", "valid_from": "2026-01-01", "book": "standard"}
    await servers.client.publish_prices(price, as_of=present())
    act = ToolAct(
        act_id=f"act-{account}",
        actor="key:assistant",
        operation="amend_assets",
        subject_id=account,
        request={"assets": [{"asset_id": asset, "add": 10}]},
        reason="they asked for ten more seats",
        at=present(),
        expires_at=present() + WAITS_FOR,
    )
    async with servers.pool.acquire() as connection:
        await tool_act_rows.add(connection, act)
    place = Place(Doors(servers.temporal, servers.pool, servers.settings.task_queue), local=True)
    async with served(create_app(place.doors, console(place)), "127.0.0.1", 0) as port:
        host = f"http://127.0.0.1:{port}"
        yield Desk(host, f"Pat {staff_id}", account, document["order_id"], asset, case["case_id"], act.act_id)


async def _finds_the_customer(page: Page, desk: Desk, t: Words) -> None:
    await page.get_by_role("searchbox").fill(desk.account)
    await page.get_by_role("button", name=t("base.find"), exact=True).click()
    await page.locator(f"a[href='/customers/{desk.account}']").first.click()
    await expect(page.locator("h1")).to_contain_text("Tanuki Tea")
    await expect(page.locator("main p.problem")).to_contain_text(t("hold.block"))  # while their case burns


async def _changes_what_they_own(page: Page, desk: Desk, t: Words, *, scripts: bool) -> None:
    """At first wrongly: what was typed stays, with the reason beside it; then rightly, looked at before it is confirmed."""
    path = f"/customers/{desk.account}/acts/amend_assets"
    await page.locator(f"a[href^='{path}?'][href*='{desk.asset}']").click()
    form = page.locator(f"form[action='{path}']")
    await expect(form.locator("[name='assets[0].asset_id']")).to_have_value(desk.asset)
    await form.locator("[name='assets[0].remove']").fill("4000")
    await form.get_by_role("button", name=t("preview.look")).click()
    await expect(page.get_by_role("alert").first).to_be_visible()
    await expect(form.locator("[name='assets[0].remove']")).to_have_value("4000")
    await form.locator("[name='assets[0].remove']").fill("")
    await form.locator("[name='assets[0].add']").fill("3")
    await form.get_by_role("button", name=t("preview.look")).click()
    await expect(page.locator("section.preview")).to_contain_text("40 → 43")
    assert not (scripts and await at.faults(page)), "axe is a script itself"
    await page.get_by_role("button", name=t("preview.confirm")).click()
    await expect(page.get_by_role("status")).to_be_visible()


async def _answers_the_case(page: Page, desk: Desk, t: Words) -> None:
    await page.get_by_role("link", name=t("nav.cases"), exact=True).click()
    await page.locator(f"a[href='/cases/{desk.case_id}']").first.click()
    form = page.locator(f"form[action='/cases/{desk.case_id}/acts/respond']")
    await form.locator("textarea[name='body']").fill("We are on it. 対応中です。")
    await form.get_by_role("button").last.click()
    await expect(page.get_by_role("status")).to_be_visible()
    await expect(page.locator("article.message.outbound", has_text="対応中です")).to_be_visible()


async def _confirms_the_proposal(page: Page, desk: Desk, t: Words) -> None:
    await page.get_by_role("link", name=t("nav.proposals"), exact=True).click()
    theirs = page.locator(f"[id='{desk.act_id}']")  # those of other tests may wait as well
    await theirs.get_by_role("button", name=t("proposals.confirm"), exact=True).click()
    await expect(page.get_by_role("status")).to_contain_text(t("proposed.done"))


async def _matches_a_price(page: Page, desk: Desk, t: Words) -> None:
    """What they bought costs less since: what is given back is looked at first."""
    path = f"/cases/{desk.case_id}/acts/claim_price_match"
    await page.goto(path)
    form = page.locator(f"form[action='{path}']")
    await form.locator("[name='order_id']").select_option(desk.order_id)
    await form.locator("[name='line_id']").select_option("3")
    await form.get_by_role("button", name=t("preview.look")).click()
    await expect(page.locator("section.preview")).to_contain_text("10,000")
    await page.get_by_role("button", name=t("preview.confirm")).click()
    await expect(page.get_by_role("status")).to_be_visible()


@pytest.mark.parametrize("language", ["en", "ja"])
@pytest.mark.parametrize("scripts", [True, False])
async def test_a_day_at_the_desk(desk: Desk, browser: Browser, servers: Servers, language: str, scripts: bool) -> None:
    t = Words(language)
    async with at.sitting_at(browser, desk.host, language, scripts=scripts) as page:
        await at.signs_in(page, desk.name, language)
        await _finds_the_customer(page, desk, t)
        await _changes_what_they_own(page, desk, t, scripts=scripts)
        await _answers_the_case(page, desk, t)
        await _matches_a_price(page, desk, t)
        await _confirms_the_proposal(page, desk, t)
        await page.get_by_role("link", name=t("nav.portfolio"), exact=True).click()
        await expect(page.locator("svg.chart").first).to_be_visible()
        await page.get_by_role("button", name=t("base.sign_out")).click()
        await page.goto(f"/customers/{desk.account}")
        assert "/sign-in" in page.url
    quantity = "select quantity from asset_state_period where asset_id = $1 order by starts_at desc limit 1"
    assert await servers.pool.fetchval(quantity, desk.asset) == 53
    assert await servers.pool.fetchval("select count(*) from refund_claim where case_id = $1", desk.case_id) == 1


DARK = {"/", "/portfolio", "/deliveries", "/proposals?all=1", "/settings/keys", "/settings/calendars"}
"""What is looked at in the dark too; all others are made of the same parts."""


def _pages(desk: Desk) -> list[str]:
    return [
        "/",
        "/today/tasks",
        "/customers",
        f"/customers/{desk.account}",
        f"/customers/{desk.account}/acts/amend_assets",
        f"/customers/{desk.account}/acts/request_quote",
        f"/customers/{desk.account}/documents",
        "/cases",
        f"/cases/{desk.case_id}",
        "/proposals?all=1",
        "/portfolio",
        "/portfolio/renewals",
        "/playbooks",
        "/playbooks/standard",
        "/deliveries",
        "/settings",
        "/settings/prices",
        "/settings/calendars",
        "/settings/policies",
        "/settings/templates?mail=renewal_notice",
        "/settings/staff",
        f"/settings/staff/{desk.name.removeprefix('Pat ')}",
        "/settings/keys",
        "/nowhere",
    ]


async def test_no_page_keeps_anybody_out_at_a_desk_or_on_a_phone(desk: Desk, browser: Browser) -> None:
    found: dict[str, object] = {}
    wide: dict[str, int] = {}
    async with at.sitting_at(browser, desk.host, "en") as page:
        await page.goto("/sign-in")
        if faults := await at.faults(page):
            found["/sign-in"] = faults
        await at.signs_in(page, desk.name, "en")
        for path in _pages(desk):
            await page.goto(path)
            if faults := await at.faults(page):
                found[path] = faults
    async with at.sitting_at(browser, desk.host, "ja", size=at.PHONE, theme="dark") as page:
        await page.goto("/")
        if faults := await at.faults(page):
            found["/sign-in dark"] = faults
        await at.signs_in(page, desk.name, "ja")
        for path in _pages(desk):
            await page.goto(path)
            width = await page.evaluate("document.documentElement.scrollWidth")
            if width > at.PHONE[0]:
                wide[path] = width
            if path in DARK | {f"/cases/{desk.case_id}"} and (faults := await at.faults(page)):
                found[f"{path} dark"] = faults
    assert not found
    assert not wide


async def test_a_page_renews_itself_and_never_under_the_hands_of_who_types(
    desk: Desk, browser: Browser, servers: Servers
) -> None:
    async def changed(add: int) -> None:
        wish = {"assets": [{"asset_id": desk.asset, "add": add}], "by": "s-1", "request_id": f"by-others-{add}"}
        await servers.client.ask(desk.account, "amend_assets", wish)

    async with at.sitting_at(browser, desk.host, "en") as page:
        await at.signs_in(page, desk.name, "en")
        async with page.expect_response(lambda answer: "/news" in answer.url):
            await page.goto(f"/customers/{desk.account}")
        owned = page.locator("main details", has=page.locator("table")).filter(has_text="The same as a table")
        await owned.locator("summary").click()
        await changed(5)
        await expect(owned.get_by_role("cell", name="45", exact=True).first).to_be_visible()
        async with page.expect_response(lambda answer: "/news" in answer.url):
            await page.goto(f"/cases/{desk.case_id}")
        typed = page.locator(f"form[action='/cases/{desk.case_id}/acts/respond'] textarea[name='body']")
        await typed.fill("half a sentence")
        cases = CaseClient(servers.temporal, servers.pool, task_queue=servers.settings.task_queue)
        await cases.ask(desk.case_id, "note", {"body": "somebody else was here", "by": "s-2", "request_id": "n-1"})
        await expect(page.locator("#news")).to_be_visible()
        await expect(typed).to_have_value("half a sentence")
        await page.locator("#news a").click()
        await expect(page.locator("main")).to_contain_text("somebody else was here")


async def test_a_page_is_worked_by_keyboard_alone(desk: Desk, browser: Browser) -> None:
    async with at.sitting_at(browser, desk.host, "en") as page:
        await page.goto("/sign-in")
        await page.get_by_role("button", name=desk.name).focus()
        await page.keyboard.press("Enter")
        await expect(page.locator("h1")).to_contain_text(desk.name)
        await page.keyboard.press("Tab")
        assert await page.evaluate("document.activeElement.className") == "skip"
        await page.keyboard.press("Enter")
        assert page.url.endswith("#main")
