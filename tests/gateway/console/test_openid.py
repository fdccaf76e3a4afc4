"""Signing in by OpenID Connect, at a real provider on loopback: who comes in, and who does not by whatever is forged."""

from __future__ import annotations

from collections.abc import AsyncIterator
from typing import Any

import httpx2
import pytest
from joserfc.jwk import OctKey

from activities.frame import access_rows, audit_rows, session_rows, sign_in_rows
from activities.frame.access_rows import StaffAccess
from activities.kernel.clock import present
from domain.frame.access import AccessRole
from gateway.console.provider import Provider
from tests.conftest import Servers
from tests.gateway.console.browser import Browser, as_person, at_door, person
from tests.gateway.console.identity_provider import SECRET, Cheat, IdentityProvider, new_key, providing


@pytest.fixture
async def idp() -> AsyncIterator[IdentityProvider]:
    async with providing() as provider:
        yield provider


def new(servers: Servers, idp: IdentityProvider, **more: Any) -> Browser:
    """A browser in front of a console that knows the provider by itself."""
    return at_door(servers, Provider(idp.registration(**more)))


async def of_staff(servers: Servers, *roles: AccessRole, **claims: Any) -> tuple[str, dict[str, Any]]:
    """One of our people with what the provider says of them."""
    staff_id = await person(servers, *roles)
    return staff_id, {
        "sub": f"sub-{staff_id}",
        "email": f"{staff_id}@Seller.Example",
        "email_verified": True,
        **claims,
    }


async def leave(browser: Browser, back: str = "/customers") -> str:
    """Where the console sends a browser that is to sign in."""
    page = await browser.open(back)
    link = next(link for link in page.links if link.startswith("/sign-in/to-provider"))
    return str((await browser.http.get(link)).headers["location"])


async def at_provider(leads_to: str) -> str:
    """Somebody signs in there: the address by which the provider sends them back, as far as the console sees it."""
    async with httpx2.AsyncClient() as http:
        answer = await http.get(leads_to)
    address = httpx2.URL(answer.headers["location"])
    return str(address.raw_path, "ascii")


async def sign_in(browser: Browser, back: str = "/customers") -> None:
    """All the way, by whoever sits at the provider."""
    await browser.open(await at_provider(await leave(browser, back)))


def is_in(browser: Browser) -> bool:
    return any(name.endswith("perennial-session") for name in browser.http.cookies)


@pytest.mark.parametrize("alg", ["RS256", "ES256"])
async def test_who_the_provider_proves_comes_to_the_page_that_they_came_for(
    servers: Servers, idp: IdentityProvider, alg: str
) -> None:
    staff_id, idp.who = await of_staff(servers, AccessRole.SALES)
    idp.rotate(alg)
    browser = new(servers, idp)
    await sign_in(browser, "/customers?q=x%20y")
    assert str(browser.answer.url) == "http://localhost/customers?q=x%20y"
    assert f"Pat {staff_id}" in browser.page.text
    page = await browser.send("/sign-out")
    form = next(form for form in page.forms if form.action == f"{idp.issuer}/logout")
    assert form.fields["post_logout_redirect_uri"] == "http://localhost/sign-in"
    assert form.fields["id_token_hint"].count(".") == 2
    assert f"form-action 'self' {idp.issuer};" in browser.answer.headers["content-security-policy"]
    async with servers.pool.acquire() as connection:
        log = await audit_rows.entries(connection, f"staff/{staff_id}", None, None, 9)
    assert [(row["actor"], row["operation"], row["outcome"], row["reason"]) for row in log] == [
        (f"staff:{staff_id}", "sign_out", "done", ""),
        (f"staff:{staff_id}", "sign_in", "done", "by the provider"),
    ]
    await browser.open("/")
    assert browser.answer.url.path == "/sign-in"
    assert "form-action 'self';" in browser.answer.headers["content-security-policy"]


def claiming(**claims: Any) -> Cheat:
    """A token with other claims; null leaves one out."""

    def cheat(of: dict[str, Any]) -> None:
        of.update(claims)
        for name in [name for name, value in claims.items() if value is None]:
            del of[name]

    return cheat


FORGED: dict[str, Cheat] = {
    "for another client": claiming(aud="another"),
    "for several, and not ours": claiming(aud=["another", "third"]),
    "for ours and another, asked by that one": claiming(aud=["perennial", "another"], azp="another"),
    "of another issuer": claiming(iss="https://evil.example"),
    "expired": claiming(exp=int(present().timestamp()) - 120),
    "without an end": claiming(exp=None),
    "without a nonce": claiming(nonce=None),
    "with the nonce of another sign-in": claiming(nonce="0" * 64),
    "of nobody": claiming(sub=None),
    "for another access token": claiming(at_hash="AAAAAAAAAAAAAAAAAAAAAA"),
}


@pytest.mark.parametrize("cheat", FORGED.values(), ids=FORGED.keys())
async def test_a_token_that_is_not_meant_for_this_sign_in_lets_nobody_in(
    servers: Servers, idp: IdentityProvider, cheat: Cheat
) -> None:
    _, idp.who = await of_staff(servers, AccessRole.ADMIN)
    idp.cheat = cheat
    browser = new(servers, idp)
    await sign_in(browser)
    assert browser.answer.status_code == 403
    assert "could not be trusted" in browser.page.text
    assert not is_in(browser)


async def test_a_token_that_no_key_of_the_provider_signed_lets_nobody_in(
    servers: Servers, idp: IdentityProvider
) -> None:
    _, idp.who = await of_staff(servers, AccessRole.ADMIN)
    browser = new(servers, idp)
    for signs, alg in ((new_key("RS256"), ""), (OctKey.import_key(SECRET * 2), "HS256"), (None, "none")):
        idp.signs, idp.alg = signs, alg
        await sign_in(browser)
        assert (browser.answer.status_code, is_in(browser)) == (403, False), alg
    idp.signs, idp.alg = None, ""
    await sign_in(browser)
    assert is_in(browser)


async def test_keys_that_the_provider_changes_are_fetched_once_and_the_old_ones_count_no_more(
    servers: Servers, idp: IdentityProvider
) -> None:
    _, idp.who = await of_staff(servers, AccessRole.SALES)
    provider = Provider(idp.registration())

    async def comes_in() -> bool:
        browser = at_door(servers, provider)
        await sign_in(browser)
        return is_in(browser)

    assert [await comes_in(), await comes_in(), idp.keys_asked] == [True, True, 1]
    stolen = idp.keys[0]
    idp.rotate("ES256")
    assert [await comes_in(), await comes_in(), idp.keys_asked] == [True, True, 2]
    idp.signs, idp.alg = stolen, "RS256"
    assert not await comes_in()


async def test_an_answer_counts_once_soon_and_for_the_browser_that_asked(
    servers: Servers, idp: IdentityProvider
) -> None:
    _, idp.who = await of_staff(servers, AccessRole.SALES)
    browser, other = new(servers, idp), new(servers, idp)
    back = await at_provider(await leave(browser))
    await other.open("/sign-in")
    await other.open(back)
    assert (other.answer.status_code, is_in(other)) == (403, False), (
        "whoever is sent another's answer is not let in as them"
    )
    kept = dict(browser.http.cookies)
    await browser.open(back)
    assert is_in(browser)
    browser.http.cookies.clear()
    browser.http.cookies.update(kept)
    await browser.open(back)
    assert browser.answer.status_code == 403
    assert "used before" in browser.page.text
    late = await at_provider(await leave(browser))
    await servers.pool.execute(
        "update console_sign_in set begun_at = begun_at - $1::interval", sign_in_rows.OPEN_FOR * 1.1
    )
    await browser.open(late)
    assert (browser.answer.status_code, is_in(browser)) == (403, False)
    mixed = (await at_provider(await leave(browser))).replace("iss=http", "iss=https")
    await browser.open(mixed)
    assert (browser.answer.status_code, is_in(browser)) == (403, False), "another issuer says that it answers"
    denied = await leave(browser)
    await browser.open(f"/sign-in/back?error=access_denied&state={httpx2.URL(denied).params['state']}")
    assert "broken off" in browser.page.text


async def test_who_is_not_let_in_is_told_why_in_plain_words(servers: Servers, idp: IdentityProvider) -> None:
    sales, claims = await of_staff(servers, AccessRole.SALES)
    gone, _ = await of_staff(servers, AccessRole.SALES)
    nothing, _ = await of_staff(servers)
    twin, _ = await of_staff(servers, AccessRole.SALES)
    bound, _ = await of_staff(servers, AccessRole.SALES)
    await servers.pool.execute("update staff set left_at = now() where staff_id = $1", gone)
    await servers.pool.execute("update staff set email = $2 where staff_id = $1", twin, f"{bound}@seller.example")
    browser = new(servers, idp)
    for said, changed in (
        ("is not verified", {"email_verified": False}),
        ("is not verified", {"email_verified": "false"}),
        ("is not on record", {"email": "stranger@else.example"}),
        ("has left", {"email": f"{gone}@seller.example"}),
        ("has no role", {"email": f"{nothing}@seller.example"}),
        ("of several people", {"email": f"{bound}@seller.example"}),
        ("Somebody without a name is not", {"email": ""}),
    ):
        idp.who = {**claims, **changed}
        await sign_in(browser)
        assert (browser.answer.status_code, is_in(browser)) == (403, False), said
        assert said in browser.page.text
    browser.http.headers["accept-language"] = "ja"
    await sign_in(browser)
    assert "登録されていません" in browser.page.text
    browser.http.headers["accept-language"] = "en"
    grant = StaffAccess(sales, ("finance",), (), False, f"{idp.issuer} their-subject", present(), "t")
    async with servers.pool.acquire() as connection:
        await access_rows.grant(connection, grant)
    idp.who = claims
    await sign_in(browser)
    assert "with another account" in browser.page.text
    idp.who = {"sub": "their-subject"}
    await sign_in(browser)
    assert f"Pat {sales}" in browser.page.text, "an admin said who they are, whatever address they have"


async def test_another_claim_says_who_somebody_is_where_that_is_set(servers: Servers, idp: IdentityProvider) -> None:
    staff_id, _ = await of_staff(servers, AccessRole.SALES)
    idp.who = {"sub": "x", "upn": staff_id, "email": "else@else.example"}
    browser = new(servers, idp, claim="upn")
    await sign_in(browser)
    assert f"Pat {staff_id}" in browser.page.text


async def test_groups_give_the_roles_of_a_session_where_they_are_mapped(
    servers: Servers, idp: IdentityProvider
) -> None:
    staff_id, claims = await of_staff(servers, AccessRole.ADMIN)
    groups: dict[str, Any] = {"roles_claim": "realm.roles", "roles": {"care": ("service",), "books": ("finance",)}}
    idp.who = {**claims, "realm": {"roles": ["care", "else"]}}
    browser = new(servers, idp, **groups)
    await sign_in(browser)
    assert "Service" in next(str(has["title"]) for tag, has in browser.page.tags if tag == "span" and has.get("title"))
    async with servers.pool.acquire() as connection:
        session = await session_rows.session_of(connection, browser.http.cookies["perennial-session"], present())
    assert session == session_rows.Session(staff_id, ("service",)), "what was granted here counts no more"
    stranger = new(servers, idp, **groups)
    for found in ({"roles": ["else"]}, {"roles": "admin"}, "admin", None):
        idp.who = {**claims, "realm": found}
        await sign_in(stranger)
        assert (stranger.answer.status_code, is_in(stranger)) == (403, False), found
        assert "has no role" in stranger.page.text


async def test_a_provider_that_is_away_is_told_of_and_whoever_is_in_works_on(
    servers: Servers, idp: IdentityProvider
) -> None:
    _, idp.who = await of_staff(servers, AccessRole.SALES)
    idp.down = True
    browser = new(servers, idp)
    await sign_in(browser)
    assert browser.answer.status_code == 503
    assert "does not answer" in browser.page.text
    idp.down = False
    await sign_in(browser)
    assert is_in(browser)
    nobody = IdentityProvider(issuer="http://127.0.0.1:9")
    lost = new(servers, nobody)
    page = await lost.open("/sign-in")
    await lost.open(next(link for link in page.links if "to-provider" in link))
    assert (lost.answer.status_code, "does not answer" in lost.page.text) == (503, True)
    inside = await as_person(servers, new(servers, nobody), await person(servers, AccessRole.SALES))
    await inside.open("/customers")
    assert inside.answer.url.path == "/customers"
    await inside.send("/sign-out")
    assert inside.answer.url.path == "/sign-in"


async def test_a_provider_that_is_another_one_than_was_set_is_not_gone_to(
    servers: Servers, idp: IdentityProvider
) -> None:
    for published in (
        {"issuer": "https://evil.example"},
        {"token_endpoint": "http://evil.example/token"},
        {"jwks_uri": 1},
    ):
        idp.published = published
        browser = new(servers, idp)
        page = await browser.open("/sign-in")
        await browser.open(next(link for link in page.links if "to-provider" in link))
        assert browser.answer.status_code == 503


async def test_signing_in_never_leads_elsewhere(servers: Servers, idp: IdentityProvider) -> None:
    _, idp.who = await of_staff(servers, AccessRole.SALES)
    for back in ("//evil.example/", "https://evil.example/", "/\\evil.example", "/a\r\nX: y"):
        browser = new(servers, idp)
        leaving = await browser.http.get("/sign-in/to-provider", params={"back": back})
        arrived = await browser.http.get(await at_provider(leaving.headers["location"]))
        assert (arrived.status_code, arrived.headers["location"]) == (303, "/")
    browser = at_door(servers, Provider(idp.registration()), "https://console.example")
    leaving = await browser.http.get("/sign-in/to-provider")
    assert httpx2.URL(leaving.headers["location"]).params["redirect_uri"] == "https://console.example/sign-in/back"
