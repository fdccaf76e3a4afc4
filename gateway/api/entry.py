"""Who calls: a service by its key, as a bearer token; and what their key's scopes reach."""

from __future__ import annotations

import re
import secrets
from collections.abc import Awaitable, Callable
from http import HTTPStatus

from fastapi import Request

from activities.frame import access_rows
from activities.kernel.clock import present
from activities.kernel.pool import Pool
from domain.frame.access import Principal
from gateway.api.problems import CallError

_TOKEN = re.compile(r"prn_([a-z0-9]{12})_([A-Za-z0-9_-]{43})")
_SECRET_BYTES = 32
NOT_SIGNED_IN = "send a key that is valid as `Authorization: Bearer prn_…`; `perennial access add-key` makes one"


def new_token() -> tuple[str, str, str]:
    """A key's id, its secret, and both as the token that a service sends. Secrets are kept nowhere: shown once, or lost."""
    key_id, secret = secrets.token_hex(6), secrets.token_urlsafe(_SECRET_BYTES)
    return key_id, secret, f"prn_{key_id}_{secret}"


async def principal_of(pool: Pool, token: str) -> Principal | None:
    """Who comes with a token; null for one that lets nobody in."""
    found = _TOKEN.fullmatch(token)
    if found is None:
        return None
    async with pool.acquire() as connection:
        return await access_rows.principal_of_key(connection, found[1], found[2], present())


Entry = Callable[[Request], Awaitable[Principal]]


def entry_to(pool: Pool, resource: str, act: str) -> Entry:
    """The dependency of a path: who calls, if their scopes reach the `act` on the `resource`. Raises CallError, 401 or 403."""

    async def enter(request: Request) -> Principal:
        scheme, _, token = request.headers.get("authorization", "").partition(" ")
        who = await principal_of(pool, token.strip()) if scheme.lower() == "bearer" else None
        if who is None:
            raise CallError(
                HTTPStatus.UNAUTHORIZED,
                "NotSignedIn",
                NOT_SIGNED_IN,
                WWW_Authenticate='Bearer realm="perennial"',
            )
        if not who.is_within(resource, act):
            said = f"the key {who.by!r} reaches {', '.join(who.scopes)}; this call needs {resource}:{act}"
            raise CallError(HTTPStatus.FORBIDDEN, "OutOfScope", said)
        return who

    return enter
