"""Callers of the API for tests: a key of its own for each, and an HTTP client that speaks to the application in this process."""

from __future__ import annotations

from collections.abc import Iterable
from functools import cache
from itertools import count
from typing import Any

import httpx2
from fastapi import FastAPI
from temporalio.client import Client

from activities.frame import access_rows
from activities.frame.access_rows import ApiKey
from activities.kernel.clock import present
from activities.kernel.pool import Pool
from domain.frame.access import ANYTHING, AccessRole
from gateway.api.app import create_app
from gateway.doors import Doors
from gateway.tokens import Token
from tests import examples
from tests.conftest import Servers

_numbers = count(1)


async def token_of(
    servers: Servers, *roles: AccessRole, titles: Iterable[str] = (), scopes: Iterable[str] = ANYTHING, **more: Any
) -> str:
    """A new key's token."""
    token = Token.new()
    given = tuple(role.value for role in roles)
    key = ApiKey(token.key_id, f"k{next(_numbers)}", given, tuple(titles), tuple(scopes), present(), "test", **more)
    async with servers.pool.acquire() as connection:
        await access_rows.add_key(connection, key, token.secret)
    return str(token)


@cache
def _application(temporal: Client, pool: Pool, task_queue: str) -> FastAPI:
    """Made once: that takes longer than most tests."""
    return create_app(Doors(temporal, pool, task_queue))


def calling(servers: Servers, token: str | None, **options: Any) -> httpx2.AsyncClient:
    """A client of the API with this token."""
    at = servers.temporal, servers.pool, servers.settings.task_queue
    app = create_app(Doors(*at, **options)) if options else _application(*at)
    headers = {"Authorization": f"Bearer {token}"} if token else {}
    transport = httpx2.ASGITransport(app=app, raise_app_exceptions=False)
    hooks = {"response": [examples.keep]} if examples.WANTED else {}
    return httpx2.AsyncClient(
        transport=transport, base_url="http://gateway.test/v1", headers=headers, event_hooks=hooks
    )
