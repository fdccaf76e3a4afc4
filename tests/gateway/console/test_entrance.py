"""Signing in and out: who comes in and for how long, and what a form has to carry."""

from __future__ import annotations

import re
import secrets
from datetime import timedelta

from activities.frame import session_rows
from activities.kernel.clock import present
from domain.frame.access import AccessRole
from tests.conftest import Servers
from tests.gateway.console.browser import browsing, person, signed_in, with_role


async def test_somebody_signs_in_on_loopback_sees_the_page_that_they_came_for_and_signs_out(servers: Servers) -> None:
    staff_id = await person(servers, AccessRole.SALES)
    browser = browsing(servers)
    page = await browser.open("/customers?x=1")
    assert (browser.answer.url.path, browser.answer.url.params["back"]) == ("/sign-in", "/customers?x=1")
    assert staff_id in [value for form in page.forms for _, value in form.buttons]
    entered = await browser.send("/sign-in", staff_id)
    assert (browser.answer.status_code, str(browser.answer.url)) == (200, "http://localhost/customers?x=1")
    assert f"Pat {staff_id}" in entered.text
    cookie = browser.answer.history[-1].headers["set-cookie"]
    assert re.search(r"perennial-session=\S{43};.*HttpOnly.*SameSite=lax", cookie)
    assert "Secure" not in cookie
    kept = dict(browser.http.cookies)
    await browser.send("/sign-out")
    assert browser.answer.url.path == "/sign-in"
    browser.http.cookies.update(kept)
    await browser.open("/")
    assert browser.answer.url.path == "/sign-in", "the session is over, also for who kept its cookie"


async def test_a_ticket_signs_in_once_and_on_loopback_alone(servers: Servers) -> None:
    staff_id = await person(servers, AccessRole.SALES)
    ticket = secrets.token_urlsafe(32)
    async with servers.pool.acquire() as connection:
        await session_rows.begin_session(connection, ticket, staff_id, present())
    way_in = f"/sign-in/ticket/{ticket}?back=/customers"
    for options in ({"local": False}, {"host": "https://console.example"}):
        outside = browsing(servers, **options)
        await outside.open(way_in)
        assert outside.answer.status_code == 404
    browser = browsing(servers)
    page = await browser.open(way_in)
    assert (browser.answer.url.path, f"Pat {staff_id}" in page.text) == ("/customers", True)
    assert ticket not in "".join(browser.http.cookies.values()), "what stood in an address is no session any more"
    another = browsing(servers)
    for spent in (way_in, "/sign-in/ticket/nonsense"):
        page = await another.open(spent)
        assert staff_id in [value for form in page.forms for _, value in form.buttons], "they choose who they are"
        await another.open("/customers")
        assert another.answer.url.path == "/sign-in"
    await browser.open(way_in)
    assert (browser.answer.url.path, browser.answer.status_code) == ("/customers", 200), "whoever is in goes on"


async def test_a_session_ends_when_nobody_uses_it_after_a_day_and_with_whoever_leaves(servers: Servers) -> None:
    staff_id = await person(servers, AccessRole.SERVICE)
    began = present()
    async with servers.pool.acquire() as connection:
        for secret in ("a" * 43, "b" * 43):
            await session_rows.begin_session(connection, secret, staff_id, began)
        ends = []
        at = began
        while at < began + timedelta(hours=14):
            at += timedelta(minutes=50)
            ends.append(await session_rows.session_of(connection, "a" * 43, at) is not None)
        idle = await session_rows.session_of(connection, "b" * 43, began + timedelta(minutes=61))
    assert idle is None
    assert ends == [True] * 14 + [False] * 3, "used all the time, twelve hours it lasts"
    browser = await signed_in(servers, staff_id)
    await browser.open("/")
    assert browser.answer.url.path == "/"
    await servers.pool.execute("update staff set left_at = now() where staff_id = $1", staff_id)
    await browser.open("/")
    assert browser.answer.url.path == "/sign-in"


async def test_nobody_chooses_who_they_are_where_the_stack_is_not_on_loopback(servers: Servers) -> None:
    staff_id = await person(servers, AccessRole.ADMIN)
    for options in ({"local": False}, {"host": "https://console.example"}):
        browser = browsing(servers, **options)
        page = await browser.open("/sign-in")
        assert [form.action for form in page.forms] == ["/language"]
        token = page.forms[0].fields["token"]
        refused = await browser.http.post("/sign-in", data={"token": token, "staff_id": staff_id, "back": "/"})
        assert refused.status_code == 404
        assert "session" not in str(refused.headers.get_list("set-cookie"))


async def test_cookies_leave_by_https_alone_away_from_loopback(servers: Servers) -> None:
    browser = browsing(servers, "https://console.example")
    await browser.open("/sign-in")
    cookie = browser.answer.headers["set-cookie"]
    assert cookie.startswith("__Host-perennial-entry=")
    assert {"Secure", "HttpOnly", "SameSite=lax"} <= {part.strip() for part in cookie.split(";")}


async def test_a_form_of_somebody_else_is_not_taken(servers: Servers) -> None:
    staff_id, browser = await person(servers, AccessRole.SALES), browsing(servers)
    await browser.open("/sign-in")
    form = browser.page.forms[-1]
    other = browsing(servers)
    await other.open("/sign-in")
    foreign = other.page.forms[-1].fields["token"]
    answers = [
        await browser.http.post("/sign-in", data={**form.fields, "staff_id": staff_id, "token": token})
        for token in ("", "0" * 64, foreign)
    ]
    answers.append(
        await browser.http.post(
            "/sign-in", data={**form.fields, "staff_id": staff_id}, headers={"Sec-Fetch-Site": "cross-site"}
        )
    )
    assert [answer.status_code for answer in answers] == [403] * 4
    assert (await browser.http.post("/sign-in", json={"staff_id": staff_id})).status_code == 415
    large = await browser.http.post("/sign-in", data={**form.fields, "staff_id": "x" * 2_000_000})
    assert large.status_code == 413
    taken = await browser.http.post("/sign-in", data={**form.fields, "staff_id": staff_id})
    assert taken.status_code == 303
    before = form.fields["token"]
    await browser.open("/")
    token = next(form.fields["token"] for form in browser.page.forms if form.method == "post")
    assert token != before, "who signed in has another token than before"


async def test_who_has_left_or_has_no_role_is_not_let_in(servers: Servers) -> None:
    gone, nobody = await person(servers, AccessRole.SALES), await person(servers)
    await servers.pool.execute("update staff set left_at = now() where staff_id = $1", gone)
    for staff_id in (gone, nobody, "no-such", ""):
        browser = browsing(servers)
        await browser.open("/sign-in")
        fields = browser.page.forms[-1].fields
        refused = await browser.http.post("/sign-in", data={**fields, "staff_id": staff_id})
        assert refused.status_code == 403


async def test_every_answer_says_that_it_is_framed_nowhere_and_asks_no_other_host(servers: Servers) -> None:
    browser = await with_role(servers, AccessRole.SALES)
    for path in ("/", "/sign-in", "/console.css", "/no-such-page", "/v2"):
        await browser.open(path)
        policy = browser.answer.headers["content-security-policy"]
        assert "frame-ancestors 'none'" in policy
        assert "default-src 'none'" in policy
        assert "unsafe" not in policy
        assert browser.answer.headers["referrer-policy"] == "no-referrer"
        assert "://" not in re.sub(r"http://localhost\S*", "", browser.answer.text)
    assert (await browser.http.get("/v1/no-such")).headers["content-type"] == "application/problem+json"


async def test_the_way_back_never_leads_elsewhere(servers: Servers) -> None:
    for back in ("//evil.example/", "https://evil.example/", "/\\evil.example", "javascript:alert(1)", "/a\r\nX: y"):
        browser = browsing(servers)
        await browser.http.get("/sign-in", params={"back": back})
        page = await browser.open("/sign-in")
        fields = {**page.forms[0].fields, "back": back, "language": "ja"}
        answer = await browser.http.post("/language", data=fields)
        assert answer.headers["location"] == "/"


async def test_the_reader_chooses_the_language(servers: Servers) -> None:
    staff_id = await person(servers, AccessRole.SALES, language="ja")
    browser = await signed_in(servers, staff_id)
    assert "今日" in (await browser.open("/")).text
    english = await browser.send("/language", "en")
    assert "Today, Pat" in english.text
    assert browser.answer.url.path == "/"
    stranger = browsing(servers, headers={"Accept-Language": "fr, ja;q=0.8, en;q=0.5"})
    assert "サインイン" in (await stranger.open("/sign-in")).text
