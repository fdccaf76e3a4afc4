"""The pages of mails' links in Chromium: nobody is kept out at a desk or on a phone, and every act works in both languages, with scripts
and without."""

from __future__ import annotations

from collections.abc import AsyncIterator
from datetime import timedelta

import httpx2
import pytest
from playwright.async_api import Browser, Page, expect

from domain.mail.signing import AddressPurpose
from gateway.customer.drawing import words_of
from tests.gateway.console import chromium as at
from tests.gateway.customer.test_mails_and_holdings import link
from tests.gateway.customer.test_worded import asking
from tests.gateway.mail.post import Post, contact_of
from tests.gateway.mail.test_answer_links import surveyed
from tests.workflows.service_side import FIRST_ASKED

pytestmark = at.needed


@pytest.fixture(scope="module")
async def browser() -> AsyncIterator[Browser]:
    async with at.chromium() as running:
        yield running


async def linked(post: Post, language: str) -> tuple[dict[str, str], str, str]:
    """The paths of links in two customers' mails, by what they lead to; the account that begins, and the one that renews."""
    servers = post.servers
    document = await post.customer()
    account, email = document["account"]["account_id"], contact_of(document)
    start = document["contracts"][0]["term"]["start"]
    line = {"kind": "quantity", "line_id": "1", "asset_id": f"{document['order_id']}.1", "delta": 5, "effective": start}
    await servers.client.ask(account, "request_quote", {"quote_id": f"Q-{account}", "lines": [line], "by": "S-1"})
    await servers.client.fast_forward(account, timedelta(days=10))
    invite, welcome = await post.answered(email, "onboarding_invite"), await post.answered(email, "welcome")
    quote = await post.answered(email, "quote_presented")
    renewing, survey = await surveyed(post)
    await servers.client.fast_forward(renewing, timedelta(days=325) - FIRST_ASKED)
    renewal = await post.answered(survey["body"]["to_email"], "renewal_notice")
    outreach = await asking(post, welcome, "outreach", language)
    spoken = "update outbox set body = body || jsonb_build_object('language', $2::text) where account_id = any($1)"
    await servers.pool.execute(spoken, [account, renewing], language)
    paths = {
        "steps": await link(post, invite, AddressPurpose.STEPS),
        "mails": await link(post, invite, AddressPurpose.MAILS),
        "owned": await link(post, renewal, AddressPurpose.OWNED),
        "quote": await link(post, quote, AddressPurpose.ANSWER),
        "outreach": outreach,
        "survey": await link(post, survey, AddressPurpose.ANSWER),
        "renewal": await link(post, renewal, AddressPurpose.ANSWER),
        "unsubscribe": (await link(post, invite, AddressPurpose.STOP)).replace("stop", "unsubscribe"),
    }
    return paths, account, renewing


async def _keeps_nobody_out(browser: Browser, host: str, language: str, paths: dict[str, str]) -> None:
    opened = [*paths.values(), f"{paths['renewal']}/revise", f"{paths['renewal']}/decline", f"{paths['quote']}/revise"]
    opened += ["/answer/nothing", "/owned/nothing"]
    found: dict[str, object] = {}
    async with at.sitting_at(browser, host, language) as page:
        for path in opened:
            await page.goto(path)
            if faults := await at.faults(page):
                found[path] = faults
    async with at.sitting_at(browser, host, language, size=at.PHONE, theme="dark") as page:
        for path in opened:
            await page.goto(path)
            width = await page.evaluate("document.documentElement.scrollWidth")
            if width > at.PHONE[0]:
                found[f"{path} is wide"] = width
            if faults := await at.faults(page):
                found[f"{path} dark"] = faults
    assert not found


async def _renews_with_fewer_seats(page: Page, path: str) -> None:
    """One click in the mail, one field, two buttons."""
    await page.goto(f"{path}/revise")
    await page.locator("input[name^='units:']").first.fill("30")
    await page.locator("form", has=page.locator("[value='revise']")).get_by_role("button").click()
    await expect(page.locator("table").first).to_contain_text("30")
    await page.locator("form", has=page.locator("[value='accept']")).get_by_role("button").click()
    await expect(page.get_by_role("status")).to_be_visible()
    await expect(page.locator("form")).to_have_count(0)


@pytest.mark.parametrize(("language", "scripts"), [("en", False), ("ja", True)])
async def test_whoever_follows_a_link_sees_and_acts(
    post: Post, web: httpx2.AsyncClient, browser: Browser, language: str, *, scripts: bool
) -> None:
    host, words = str(web.base_url).rstrip("/"), words_of(language)
    paths, account, renewing = await linked(post, language)
    await _keeps_nobody_out(browser, host, language, paths)
    assert not await post.servers.pool.fetchval("select count(*) from inbox_message where account_id = $1", account)
    async with at.sitting_at(browser, host, language, scripts=scripts, size=at.PHONE) as page:
        await page.goto(f"{paths['survey']}/9")
        await page.get_by_role("button", name=words["send"]).click()
        await expect(page.locator("main")).to_contain_text(words["done"].format(answer="9"))
        await page.goto(paths["owned"])
        shown = await page.request.get(f"{host}/owned/{await page.locator('main a').first.get_attribute('href')}")
        assert shown.headers["content-type"] == "application/pdf"
        await _renews_with_fewer_seats(page, paths["renewal"])
        await page.goto(f"{paths['quote']}/revise")
        await page.locator("input[name='months']").fill("24")
        await page.locator("form", has=page.locator("[value='revise']")).get_by_role("button").click()
        await expect(page.get_by_role("status")).to_contain_text(words["wish_kept"])
        await page.goto(paths["steps"])
        await page.locator("summary").first.click()
        await page.locator("input[value='help']").first.check()
        await page.locator("details").first.get_by_role("button", name=words["send"]).click()
        await expect(page.get_by_role("status")).to_contain_text(words["step_kept"])
        await page.goto(paths["outreach"])
        await page.locator("input[value='no_help']").check()
        await page.get_by_role("button", name=words["send"]).click()
        await expect(page.get_by_role("status")).to_contain_text(words["said_kept"])
        await page.goto(paths["mails"])
        await page.locator("input[value='offers']").uncheck()
        await page.get_by_role("button", name=words["mails_keep"]).click()
        await expect(page.get_by_role("status")).to_contain_text(words["mails_kept"])
        await expect(page.locator("input[value='offers']")).not_to_be_checked()
    pool = post.servers.pool
    scores = "select array_agg(score) from survey where account_id = $1 and kind = 'nps' and score is not null"
    assert await pool.fetchval(scores, renewing) == [9]
    assert (
        await pool.fetchval(
            "select count(*) from contract_term join contract using (contract_id) where account_id = $1", renewing
        )
        == 2
    )
    assert await pool.fetchval("select count(*) from service_case where account_id = $1", account) == 3
