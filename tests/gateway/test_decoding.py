"""The codec server: what the Temporal UI and the command line ask for, and who gets nothing."""

from __future__ import annotations

import base64
import json
from typing import Any

import httpx2
import pytest
from google.protobuf.json_format import MessageToDict
from temporalio.api.common.v1 import Payload, Payloads

from domain.frame.access import AccessRole
from gateway.api.app import create_app
from gateway.console.visit import Place
from gateway.decoding import MOST_READ, codec_routes, origins_of
from gateway.doors import Doors
from gateway.payloads.packing import Packing, packed
from gateway.payloads.sealing import Keys, Sealing
from tests.conftest import Servers
from tests.gateway.api.callers import token_of
from tests.gateway.console.browser import as_person, browsing, person

UI = "https://temporal.seller.example"
STEP = (
    b'{"account_id":"A-1","delivery_id":"adoption/check-in-2028-01-05#0","as_of":"2028-01-05T00:00:00Z","late":false}'
)
SENT = Payload(metadata={"encoding": b"json/plain"}, data=STEP)


def _asking(
    servers: Servers,
    *,
    host: str = "https://perennial.seller.example",
    local: bool = False,
    caller: str = "127.0.0.1",
) -> httpx2.AsyncClient:
    doors = Doors(servers.temporal, servers.pool, servers.settings.task_queue)
    app = create_app(doors, *codec_routes(Place(doors, local, UI), Packing()))
    transport = httpx2.ASGITransport(app=app, raise_app_exceptions=False, client=(caller, 4711))
    return httpx2.AsyncClient(transport=transport, base_url=host)


def _body(*payloads: Payload) -> dict[str, Any]:
    return MessageToDict(Payloads(payloads=payloads))


def _read(answer: httpx2.Response) -> list[Any]:
    assert answer.status_code == 200, answer.text
    return [json.loads(base64.b64decode(one["data"])) for one in answer.json()["payloads"]]


async def _by_key(servers: Servers, *roles: AccessRole, **more: Any) -> dict[str, str]:
    return {"Authorization": f"Bearer {await token_of(servers, *roles, **more)}"}


async def test_an_operators_key_reads_what_is_packed_and_what_never_was(servers: Servers) -> None:
    async with _asking(servers) as http:
        key = await _by_key(servers, AccessRole.OPERATOR)
        sent = _body(packed(SENT), SENT, Payload(metadata={"encoding": b"binary/null"}))
        answer = await http.post("/codec/decode?preserveStorageRefs=true", json=sent, headers=key)
        first, second, third = answer.json()["payloads"]
        assert first == second == MessageToDict(SENT)
        assert third == MessageToDict(Payload(metadata={"encoding": b"binary/null"}))
        made = await http.post("/codec/encode", json=_body(SENT), headers=key)
        assert made.json() == _body(packed(SENT))


async def test_one_that_cannot_be_read_says_why_and_hides_no_other(servers: Servers) -> None:
    later = Payload(metadata={"encoding": b"prn99"}, data=b"x")
    async with _asking(servers) as http:
        key = await _by_key(servers, AccessRole.ADMIN)
        first, second = _read(await http.post("/codec/decode", json=_body(later, packed(SENT)), headers=key))
    assert "by a later release" in first
    assert second == json.loads(STEP)


@pytest.mark.parametrize("role", sorted(set(AccessRole) - {AccessRole.OPERATOR, AccessRole.ADMIN}))
async def test_who_may_not_see_all_of_a_customer_reads_nothing(servers: Servers, role: AccessRole) -> None:
    async with _asking(servers) as http:
        key = await _by_key(servers, role)
        answer = await http.post("/codec/decode", json=_body(packed(SENT)), headers=key)
    assert answer.status_code == 403
    assert answer.json()["code"] == "NotAllowed"
    assert "payloads" not in answer.json()


async def test_a_key_reads_as_far_as_its_scopes_reach(servers: Servers) -> None:
    async with _asking(servers) as http:
        for scopes, status in ((("orders:write", "journeys:read"), 403), (("journeys:read", "cases:read"), 200)):
            key = await _by_key(servers, AccessRole.OPERATOR, scopes=scopes)
            answer = await http.post("/codec/decode", json=_body(packed(SENT)), headers=key)
            assert answer.status_code == status, answer.text


@pytest.mark.parametrize(
    ("roles", "own_only", "status"),
    [
        ([AccessRole.OPERATOR], False, 200),
        ([AccessRole.SALES, AccessRole.OPERATOR], True, 403),
        ([AccessRole.SALES], False, 403),
    ],
)
async def test_a_browser_reads_by_the_consoles_session_if_its_person_sees_every_customer(
    servers: Servers, roles: list[AccessRole], own_only: bool, status: int
) -> None:
    staff_id = await person(servers, *roles, own_only=own_only)
    session = await _session(servers, staff_id)
    async with _asking(servers) as http:
        headers = {"Origin": UI, "X-Namespace": "default", "Cookie": f"__Host-perennial-session={session}"}
        answer = await http.post("/codec/decode", json=_body(packed(SENT)), headers=headers)
    assert answer.status_code == status, answer.text
    # Also what is refused is told to the page, which shows it.
    assert answer.headers["access-control-allow-origin"] == UI
    assert answer.headers["access-control-allow-credentials"] == "true"


async def test_a_browser_asks_for_leave_and_gets_it_for_the_temporal_ui_alone(servers: Servers) -> None:
    asked = {"Access-Control-Request-Method": "POST", "Access-Control-Request-Headers": "content-type,x-namespace"}
    async with _asking(servers) as http:
        given = await http.options("/codec/decode", headers={"Origin": UI, **asked})
        refused = await http.options("/codec/decode", headers={"Origin": "https://evil.example", **asked})
    assert given.status_code == 204
    assert given.headers["access-control-allow-origin"] == UI
    assert {"x-namespace", "content-type", "authorization"} <= set(
        given.headers["access-control-allow-headers"].split(", ")
    )
    assert refused.status_code == 403
    assert "access-control-allow-origin" not in refused.headers


async def test_another_sites_page_reads_nothing_whoever_sits_there(servers: Servers) -> None:
    session = await _session(servers, await person(servers, AccessRole.ADMIN))
    async with _asking(servers) as http:
        headers = {"Origin": "https://evil.example", "Cookie": f"__Host-perennial-session={session}"}
        answer = await http.post("/codec/decode", json=_body(packed(SENT)), headers=headers)
    assert answer.status_code == 403
    assert answer.json()["code"] == "UnknownOrigin"


async def test_nobody_reads_without_signing_in_but_on_loopback(servers: Servers) -> None:
    for local, host, status in (
        (False, "https://perennial.seller.example", 401),
        (False, "http://127.0.0.1:8020", 200),
        (True, "http://127.0.0.1:8020", 200),
        (True, "http://perennial.rebound.example", 401),
    ):
        async with _asking(servers, host=host, local=local) as http:
            answer = await http.post("/codec/decode", json=_body(packed(SENT)))
        assert answer.status_code == status, (local, host, answer.text)


async def test_who_says_to_be_on_loopback_and_is_not_signs_in(servers: Servers) -> None:
    async with _asking(servers, host="http://127.0.0.1:8020", caller="203.0.113.7") as http:
        answer = await http.post("/codec/decode", json=_body(packed(SENT)))
    assert answer.status_code == 401


async def test_little_that_unpacks_to_much_is_read_up_to_a_limit(servers: Servers) -> None:
    large = packed(Payload(metadata={"encoding": b"json/plain"}, data=b'"' + b"0" * (12 << 20) + b'"'))
    assert large.ByteSize() < 20_000
    async with _asking(servers, host="http://127.0.0.1:8020") as http:
        answer = await http.post("/codec/decode", json=_body(*[large] * 40, packed(SENT)))
    read = _read(answer)
    assert len(read) == 41
    assert len(answer.content) < 3 * MOST_READ
    assert "more than 32 MiB" in read[-1]


async def test_what_is_sealed_is_read_on_loopback_by_whoever_signs_in_alone(servers: Servers) -> None:
    keys = Keys.read(f"2026a:{base64.b64encode(bytes(32)).decode()}")
    doors = Doors(servers.temporal, servers.pool, servers.settings.task_queue)
    app = create_app(doors, *codec_routes(Place(doors, ui=UI), Sealing(keys)))
    transport = httpx2.ASGITransport(app=app, raise_app_exceptions=False)
    async with httpx2.AsyncClient(transport=transport, base_url="http://127.0.0.1:8020") as http:
        sent = _body(keys.sealed(SENT))
        assert (await http.post("/codec/decode", json=sent)).status_code == 401
        key = await _by_key(servers, AccessRole.OPERATOR)
        assert _read(await http.post("/codec/decode", json=sent, headers=key)) == [json.loads(STEP)]
        made = (await http.post("/codec/encode", json=_body(SENT), headers=key)).json()["payloads"][0]
        assert base64.b64decode(made["metadata"]["encoding"]) == b"prs1"


async def test_what_has_no_payloads_is_refused(servers: Servers) -> None:
    async with _asking(servers) as http:
        key = await _by_key(servers, AccessRole.OPERATOR)
        for body, code in (("no json", "InvalidJson"), ('{"payloads": "x"}', "InvalidPayloads")):
            answer = await http.post("/codec/decode", content=body, headers=key)
            assert (answer.status_code, answer.json()["code"]) == (400, code)


def test_pages_on_loopback_have_two_origins_and_others_one() -> None:
    assert origins_of("http://127.0.0.1:8233") == {"http://127.0.0.1:8233", "http://localhost:8233"}
    assert origins_of("https://temporal.seller.example/ui") == {"https://temporal.seller.example"}
    assert origins_of("") == frozenset()


async def _session(servers: Servers, staff_id: str) -> str:
    """The secret in the cookie of somebody who has signed in."""
    return (await as_person(servers, browsing(servers), staff_id)).http.cookies["perennial-session"]
