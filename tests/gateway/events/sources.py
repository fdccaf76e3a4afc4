"""Foreign systems for tests: each signs as its vendor says, written from the vendor's words and not from the code that verifies."""

from __future__ import annotations

import base64
import hashlib
import hmac
import json
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from datetime import timedelta
from pathlib import Path
from typing import Any
from uuid import uuid4

import httpx2
from standardwebhooks import Webhook

from activities.frame import event_rows
from activities.kernel.clock import present
from gateway.doors import Doors
from gateway.events.desk import EventDesk
from gateway.events.mapping import BUNDLED
from tests.conftest import Servers
from tests.gateway.api.callers import calling

PAYLOADS = Path(__file__).parent / "payloads"
URL = "https://hooks.seller.example/v1/events/"


def payload(name: str) -> Any:
    """A delivery as its vendor documents it."""
    return json.loads((PAYLOADS / f"{name}.json").read_text(encoding="utf-8"))


def shopify(secret: str, body: bytes, **_: Any) -> dict[str, str]:
    digest = hmac.new(secret.encode(), body, hashlib.sha256).digest()
    return {"X-Shopify-Hmac-Sha256": base64.b64encode(digest).decode(), "X-Shopify-Topic": "orders/paid"}


def stripe(secret: str, body: bytes, ago: int = 0, **_: Any) -> dict[str, str]:
    at = int(present().timestamp()) - ago
    signed = hmac.new(secret.encode(), f"{at}.".encode() + body, hashlib.sha256).hexdigest()
    return {"Stripe-Signature": f"t={at},v1={'0' * 64},v1={signed},v0=abc"}


def hubspot(secret: str, body: bytes, ago: int = 0, source: str = "hubspot") -> dict[str, str]:
    at = (int(present().timestamp()) - ago) * 1000
    signed = hmac.new(secret.encode(), f"POST{URL}{source}{body.decode()}{at}".encode(), hashlib.sha256).digest()
    return {
        "X-HubSpot-Signature-v3": base64.b64encode(signed).decode(),
        "X-HubSpot-Request-Timestamp": str(at),
    }


def bearer(secret: str, body: bytes, **_: Any) -> dict[str, str]:
    return {"Authorization": f"Bearer {secret}"}


def standard(secret: str, body: bytes, ago: int = 0, id: str = "msg_1", **_: Any) -> dict[str, str]:
    at = present() - timedelta(seconds=ago)
    signed = Webhook(secret).sign(id, at, body.decode())
    return {"webhook-id": id, "webhook-timestamp": str(int(at.timestamp())), "webhook-signature": signed}


SIGNS: dict[str, Callable[..., dict[str, str]]] = {
    "shopify": shopify,
    "stripe": stripe,
    "hubspot": hubspot,
    "bearer": bearer,
    "standard": standard,
}


@dataclass
class Shop:
    """A source of its own, and whoever attends to what it sends."""

    servers: Servers
    http: httpx2.AsyncClient
    desk: EventDesk
    name: str
    secret: str
    scheme: str
    answers: list[httpx2.Response] = field(default_factory=list)

    async def send(self, event: Any, *, secret: str | None = None, **how: Any) -> httpx2.Response:
        """Sends an event, signed, without attending to it."""
        body = event if isinstance(event, bytes) else json.dumps(event).encode()
        more = {"source": self.name} if self.scheme == "hubspot" else {}
        headers = SIGNS[self.scheme](secret or self.secret, body, **more, **how)
        return await self.http.post(f"/events/{self.name}", content=body, headers=headers)

    async def tell(self, event: Any, **how: Any) -> dict[str, Any]:
        """Sends an event, has it attended to, and says what became of it."""
        answer = await self.send(event, **how)
        assert answer.status_code == 202, answer.text
        await self.desk.settle_new()
        return await self.became(answer.json()["event_id"])

    async def became(self, event_id: str) -> dict[str, Any]:
        async with self.servers.pool.acquire() as connection:
            found = await event_rows.find_event(connection, event_id)
        assert found is not None
        return found

    async def link(self, foreign_id: str, account_id: str) -> None:
        async with self.servers.pool.acquire() as connection:
            await event_rows.link(connection, self.name, foreign_id, account_id, present(), "test")


@asynccontextmanager
async def shop(servers: Servers, mapping: str, secret: str = "s3cret", scheme: str = "") -> AsyncIterator[Shop]:
    """A source with a bundled mapping by its name, or with one of the test's own as YAML."""
    file = BUNDLED / f"{mapping}.yaml"
    text = file.read_text(encoding="utf-8") if "\n" not in mapping else mapping
    scheme = scheme or ("bearer" if mapping == "salesforce" else mapping)
    name = f"src-{uuid4().hex[:10]}"
    at = present()
    async with servers.pool.acquire() as connection:
        await event_rows.save_source(
            connection, name, text, f"{URL}{name}" if scheme == "hubspot" else None, at, "test"
        )
        await event_rows.add_secret(connection, name, secret, at, "test", at)
    desk = EventDesk(Doors(servers.temporal, servers.pool, servers.settings.task_queue))
    async with calling(servers, None) as http:
        yield Shop(servers, http, desk, name, secret, scheme)
