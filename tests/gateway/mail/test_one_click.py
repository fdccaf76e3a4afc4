"""One click: a POST to the address in a mail's header opts out, once; whoever only looks changes nothing."""

from __future__ import annotations

import asyncio
import http.client
import re
from collections.abc import AsyncIterator
from typing import Any

import pytest

from domain.mail.marks import Domains
from domain.mail.signing import AddressPurpose, token_of
from gateway.customer.pages import customer_app
from gateway.reception import Reception
from gateway.serving import served
from tests.conftest import Servers
from tests.gateway.mail.post import DOMAIN, OWN, Post, contact_of
from tests.gateway.mail.test_signed import STRANGER, flagged, header_of

FORM = "application/x-www-form-urlencoded"
SAYS_SO = b"List-Unsubscribe=One-Click"


@pytest.fixture
async def door(servers: Servers) -> AsyncIterator[int]:
    reception = Reception(servers.pool, own_address=OWN, domains=Domains(DOMAIN))
    async with served(customer_app(reception), "127.0.0.1", 0) as port:
        yield port


async def asked(
    door: int, method: str, path: str, body: bytes | None = SAYS_SO, **headers: str
) -> tuple[int, str, Any]:
    """Status, page and headers of an answer."""

    def ask() -> tuple[int, str, Any]:
        connection = http.client.HTTPConnection("127.0.0.1", door, timeout=20)
        named = {"Content-Type": FORM} | {name.replace("_", "-"): value for name, value in headers.items()}
        connection.request(method, path, body, named)
        answer = connection.getresponse()
        found = answer.status, answer.read().decode(), answer.headers
        connection.close()
        return found

    return await asyncio.to_thread(ask)


async def welcomed(post: Post) -> tuple[dict[str, Any], str]:
    """A customer, and the token by which their contact stops mails, as it stands in the welcome."""
    account = await post.customer()
    welcome = await post.answered(contact_of(account), "welcome")
    found = re.search(r"stop\+([a-z2-7]{48})@", header_of(post, welcome, "List-Unsubscribe"))
    assert found is not None
    return account, found[1]


async def confirmations(post: Post, document: dict[str, Any]) -> int:
    count: int = await post.servers.pool.fetchval(
        "select count(*) from outbox where account_id = $1 and body->>'template' = 'opted_out'",
        document["account"]["account_id"],
    )
    return count


@pytest.mark.engine
async def test_one_click_unsubscribes_once_however_often_it_comes(post: Post, door: int) -> None:
    account, token = await welcomed(post)
    status, page, headers = await asked(door, "GET", f"/unsubscribe/{token}", None)
    assert (status, '<form method="post">' in page) == (200, True)
    assert headers["Cache-Control"] == "no-store"
    head = await asked(door, "HEAD", f"/unsubscribe/{token}", None)
    assert (head[0], head[1]) == (200, "")
    assert await post.inbox.settle_new() == 0
    assert (await flagged(post, account))["unsubscribed_at"] is None
    for path in (f"/unsubscribe/{token}", f"/unsubscribe/{token.upper()}", f"/mail/unsubscribe/{token}?x=1"):
        status, page, headers = await asked(door, "POST", path)
        assert (status, headers["Location"]) == (200, None)
        assert "no more optional mails" in page
        await post.inbox.settle_new()
    since = (await flagged(post, account))["unsubscribed_at"]
    assert since is not None
    assert await confirmations(post, account) == 1
    row = await post.servers.pool.fetchrow(
        "select status, account_id, contact_id, reason from inbox_message where subject = $1", f"unsubscribe {token}"
    )
    assert row is not None
    assert tuple(row) == ("matched", account["account"]["account_id"], "P-1", "no more optional mails")


async def test_the_form_comes_in_either_encoding(post: Post, door: int) -> None:
    account, token = await welcomed(post)
    body = b'--b\r\nContent-Disposition: form-data; name="List-Unsubscribe"\r\n\r\nOne-Click\r\n--b--\r\n'
    status, *_ = await asked(
        door, "POST", f"/unsubscribe/{token}", body, Content_Type='multipart/form-data; boundary="b"'
    )
    await post.inbox.settle_new()
    assert (status, (await flagged(post, account))["unsubscribed_at"] is not None) == (200, True)


async def test_what_is_not_that_form_changes_nothing(post: Post, door: int) -> None:
    account, token = await welcomed(post)
    path = f"/unsubscribe/{token}"
    for body, headers, expected in (
        (b"", {}, 400),
        (b"List-Unsubscribe=Yes", {}, 400),
        (b"\xff\xfe", {}, 400),
        (b"\xff" * 100, {"Content_Type": "multipart/form-data"}, 400),
        (SAYS_SO, {"Content_Length": "70000"}, 413),
    ):
        status, *_ = await asked(door, "POST", path, body, **headers)
        assert status == expected
    assert (await asked(door, "DELETE", path))[0] == 405
    for wrong in ("/", "/unsubscribe", "/unsubscribe/", f"/{token}", f"{path}/more", f"/subscribe/{token}"):
        for method in ("GET", "POST"):
            assert (await asked(door, method, wrong))[0] == 404
    assert await post.inbox.settle_new() == 0
    assert (await flagged(post, account))["unsubscribed_at"] is None


async def test_a_token_that_somebody_made_up_opts_nobody_out(post: Post, door: int) -> None:
    account, token = await welcomed(post)
    welcome = await post.answered(contact_of(account), "welcome")
    reply = re.search(r"\+([a-z2-7]{48})@", header_of(post, welcome, "Reply-To"))
    assert reply is not None
    other = "a" if token[-1] != "a" else "b"
    for made_up in (
        token[:-1] + other,
        token_of(welcome["delivery_id"], AddressPurpose.STOP, STRANGER),
        reply[1],  # for answers
        f"{account['account']['account_id']}%2FP-1",
        "%ff%00",
    ):
        for method in ("GET", "POST"):
            assert (await asked(door, method, f"/unsubscribe/{made_up}"))[0] == 404
    assert await post.inbox.settle_new() == 0
    assert (await flagged(post, account))["unsubscribed_at"] is None


async def test_while_the_database_is_away_it_says_so(door: int, monkeypatch: pytest.MonkeyPatch) -> None:
    async def away(*_: object) -> bool:
        raise OSError("the database is away")

    monkeypatch.setattr("gateway.reception.Reception.stop", away)
    assert (await asked(door, "POST", f"/unsubscribe/{'a' * 48}"))[0] == 503
