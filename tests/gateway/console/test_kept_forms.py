"""Forms that were sent after their session had ended: nothing typed is lost, done twice, or shown to anybody else."""

from __future__ import annotations

from datetime import timedelta

import pytest

from activities.frame import audit_rows
from activities.frame.draft_rows import KEPT_FOR
from activities.frame.session_rows import IDLE
from domain.frame.access import AccessRole
from tests.builders import order
from tests.conftest import Servers
from tests.gateway.console.browser import Browser, as_person, browsing, person, signed_in

TYPED = {"language": "ja", "reason": "Ms Mori asked; call 03-1234-5678"}


@pytest.fixture
async def account(servers: Servers) -> str:
    document = order()
    await servers.client.place_order(document)
    return str(document["account"]["account_id"])


def path_of(account: str) -> str:
    return f"/customers/{account}/acts/change_account"


async def ends(servers: Servers, staff_id: str) -> None:
    """Somebody did nothing for too long."""
    await servers.pool.execute(
        "update console_session set used_at = used_at - $2::interval where staff_id = $1", staff_id, IDLE * 1.1
    )


async def sent_too_late(servers: Servers, account: str) -> tuple[str, Browser, dict[str, str]]:
    """Somebody whose session ended while they typed, at the page that they are led to; and the form as they sent it."""
    staff_id = await person(servers, AccessRole.SALES)
    browser = await signed_in(servers, staff_id)
    await browser.open(path_of(account))
    form = next(form for form in browser.page.forms if form.action == path_of(account))
    await ends(servers, staff_id)
    await browser.send(path_of(account), **TYPED)
    return staff_id, browser, {**form.fields, **TYPED}


def shown(browser: Browser, account: str) -> dict[str, str]:
    return next(form for form in browser.page.forms if form.action == path_of(account)).fields


async def done(servers: Servers, account: str) -> list[str]:
    """What was asked of a customer's journey."""
    async with servers.pool.acquire() as connection:
        return [row["operation"] for row in await audit_rows.entries(connection, f"account/{account}", None, None, 9)]


async def test_whoever_signs_in_again_is_back_at_the_form_as_they_filled_it_in(servers: Servers, account: str) -> None:
    staff_id, browser, sent = await sent_too_late(servers, account)
    assert "What you typed is kept" in browser.page.text
    assert await done(servers, account) == []
    page = await browser.send("/sign-in", staff_id)
    assert browser.answer.url.path == path_of(account)
    assert "Nothing was done yet" in page.text
    again = shown(browser, account)
    assert {name: value for name, value in again.items() if name != "token"} == {
        name: value for name, value in sent.items() if name != "token"
    }
    for answer in (*browser.answer.history, browser.answer):
        assert "Mori" not in str(answer.url)
        assert "1234" not in str(answer.headers)
    fields = {**again, **TYPED}
    answers = [await browser.http.post(path_of(account), data=fields) for _ in range(2)]
    assert [answer.status_code for answer in answers] == [303, 303]
    changes = "select count(*) from effect where key like $1"
    assert await servers.pool.fetchval(changes, f"journey:{account}/%{again['request_id']}%") == 1
    await browser.open(path_of(account))
    assert shown(browser, account)["reason"] == "", "what was sent is kept no longer"


async def test_whoever_signed_in_elsewhere_meanwhile_is_led_to_the_form_at_once(servers: Servers, account: str) -> None:
    staff_id = await person(servers, AccessRole.SALES)
    browser = await signed_in(servers, staff_id)
    await browser.open(path_of(account))
    old = shown(browser, account)
    await browser.send("/sign-out")
    await browser.send("/sign-in", staff_id)
    answer = await browser.http.post(path_of(account), data={**old, **TYPED})
    assert (answer.status_code, answer.headers["location"]) == (303, path_of(account))
    assert await done(servers, account) == []
    await browser.open(path_of(account))
    assert shown(browser, account)["reason"] == TYPED["reason"]


async def test_nobody_else_sees_what_was_typed(servers: Servers, account: str) -> None:
    other = await person(servers, AccessRole.SALES)
    staff_id, browser, sent = await sent_too_late(servers, account)
    await browser.send("/sign-in", other)
    assert browser.answer.url.path == "/"
    await browser.open(path_of(account))
    assert shown(browser, account)["reason"] == ""
    stale = await browser.http.post(path_of(account), data=sent)
    assert stale.status_code == 403, "a form of the one who sat here before"
    await browser.send("/sign-out")
    await browser.send("/sign-in", staff_id)
    assert shown(browser, account)["reason"] == TYPED["reason"]
    elsewhere = await as_person(servers, browsing(servers), staff_id)
    await elsewhere.open(path_of(account))
    assert shown(elsewhere, account)["reason"] == "", "it is kept for the browser that it was typed in"


async def test_only_forms_of_sessions_of_ours_are_kept_and_not_for_long(servers: Servers, account: str) -> None:
    staff_id, browser, sent = await sent_too_late(servers, account)
    await servers.pool.execute("update console_draft set kept_at = kept_at - $1::interval", KEPT_FOR * 1.1)
    await browser.send("/sign-in", staff_id)
    assert browser.answer.url.path == "/"
    before = await servers.pool.fetchval("select count(*) from console_draft")
    stranger = browsing(servers)
    for token, headers in (("0" * 64, {}), ("", {}), (sent["token"], {"Sec-Fetch-Site": "cross-site"})):
        answer = await stranger.http.post(path_of(account), data={**sent, "token": token}, headers=headers)
        assert (answer.status_code, answer.headers["location"]) == (303, "/sign-in")
    await servers.pool.execute("update console_form set begun_at = begun_at - $1::interval", timedelta(days=2))
    assert (await stranger.http.post(path_of(account), data=sent)).headers["location"] == "/sign-in"
    assert await servers.pool.fetchval("select count(*) from console_draft") == before
