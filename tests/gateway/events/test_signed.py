"""Who may send events: each scheme, with two secrets while one takes the other's place; nothing that was forged, changed or kept for long."""

from __future__ import annotations

import json
from datetime import timedelta
from typing import Any

import pytest

from activities.frame import event_rows
from activities.kernel.clock import present
from tests.conftest import Servers
from tests.gateway.events.sources import shop

SECRETS = {
    "shopify": "shpss_1",
    "stripe": "whsec_1",
    "hubspot": "client-secret",
    "bearer": "token-of-a-flow",
    "standard": "whsec_MDEyMzQ1Njc4OTAxMjM0NTY3ODkwMTIzNDU2Nzg5MDE=",
}
OTHER = "whsec_YWJjZGVmZ2hpamtsbW5vcHFyc3R1dnd4eXowMTIzNDU="
EVENT: dict[str, Any] = {"id": "e-1", "kind": "nothing", "text": "日本"}


def _mapping(scheme: str) -> str:
    return f"title: Test\nsignature: {scheme}\nrules:\n  - {{name: never, when: '`false`', do: record_usage, request: {{}}}}\n"


@pytest.mark.parametrize("scheme", SECRETS)
async def test_only_what_its_source_has_signed_just_now_is_taken(servers: Servers, scheme: str) -> None:
    async with shop(servers, _mapping(scheme), SECRETS[scheme], scheme) as sends:
        taken = await sends.send(EVENT)
        again = await sends.send(EVENT)
        forged = await sends.send(EVENT, secret=OTHER)
        unsigned = await sends.http.post(f"/events/{sends.name}", json=EVENT)
        nobody = await sends.http.post("/events/nobody", json=EVENT)
        assert (taken.status_code, again.json()) == (202, taken.json())
        assert [one.status_code for one in (forged, unsigned, nobody)] == [401, 401, 401]
        if scheme not in ("shopify", "bearer"):
            assert (await sends.send({**EVENT, "id": "e-2"}, ago=299)).status_code == 202
            assert (await sends.send({**EVENT, "id": "e-3"}, ago=302)).status_code == 401
        if scheme != "bearer":
            signed = json.dumps(EVENT).encode()
            request = sends.http.build_request("POST", f"/events/{sends.name}", content=signed)
            request.headers.update(taken.request.headers)
            changed = signed.replace(b"nothing", b"nothinG")
            headers = {**taken.request.headers, "content-length": str(len(changed))}
            assert (await sends.http.post(f"/events/{sends.name}", content=changed, headers=headers)).status_code == 401
        async with servers.pool.acquire() as connection:
            await event_rows.add_secret(
                connection, sends.name, OTHER, present(), "test", present() + timedelta(hours=1)
            )
        both = [
            (await sends.send({**EVENT, "id": f"r-{n}"}, secret=one)).status_code
            for n, one in enumerate((OTHER, SECRETS[scheme]))
        ]
        async with servers.pool.acquire() as connection:
            await event_rows.add_secret(connection, sends.name, OTHER, present(), "test", present())
        old = await sends.send({**EVENT, "id": "r-9"}, secret=SECRETS[scheme])
    assert (both, old.status_code) == ([202, 202], 401)
    kept = await servers.pool.fetch(
        "select body, headers::text as headers from inbound_event where source = $1", sends.name
    )
    assert EVENT in [json.loads(one["body"]) for one in kept]
    assert not any(secret in one["headers"] for one in kept for secret in (SECRETS[scheme], OTHER))


async def test_a_source_that_was_stopped_is_not_heard(servers: Servers) -> None:
    async with shop(servers, _mapping("bearer"), "t", "bearer") as sends:
        async with servers.pool.acquire() as connection:
            assert await event_rows.stop_source(connection, sends.name, present()) == sends.name
        assert (await sends.send(EVENT)).status_code == 401


async def test_what_is_no_json_is_kept_for_a_person_and_what_no_rule_is_for_is_ignored(servers: Servers) -> None:
    async with shop(servers, _mapping("bearer"), "t", "bearer") as sends:
        broken = await sends.tell(b'{"a": 1')
        nothing = await sends.tell(EVENT)
        await sends.desk.replay([broken["event_id"]], json.dumps(EVENT).encode())
        await sends.desk.settle_new()
        mended = await sends.became(broken["event_id"])
        too_large = await sends.send(b'"' + b"x" * 2**20 + b'"')
    assert (broken["status"], nothing["status"], mended["status"]) == ("failed", "ignored", "ignored")
    assert "cannot be read" in broken["reason"]
    first = await servers.pool.fetchval("select body from inbound_event where event_id = $1", broken["event_id"])
    assert (mended["mended"], first) == (True, b'{"a": 1')
    assert too_large.status_code == 413
