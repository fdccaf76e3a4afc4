"""Who calls: a service by its key, as a bearer token; and what their key's scopes reach."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from http import HTTPStatus

from fastapi import Request

from activities.frame import access_rows
from activities.kernel.clock import present
from activities.kernel.pool import Pool
from domain.frame.access import Principal
from gateway.api.problems import CallError
from gateway.tokens import Token

NOT_SIGNED_IN = "send a key that is valid as `Authorization: Bearer prn_…`; `perennial access add-key` makes one"


async def principal_of(pool: Pool, token: str) -> Principal | None:
    """Who comes with a token; null for one that lets nobody in."""
    sent = Token.read(token)
    if sent is None:
        return None
    async with pool.acquire() as connection:
        return await access_rows.principal_of_key(connection, sent.key_id, sent.secret, present())


Entry = Callable[[Request], Awaitable[Principal]]


def signed_in(pool: Pool) -> Entry:
    """The dependency of a path: who calls. Raises CallError (401)."""

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
        return who

    return enter


def entry_to(pool: Pool, resource: str, act: str) -> Entry:
    """As `signed_in`, if their scopes reach the `act` on the `resource`. Raises CallError, 401 or 403."""
    who_calls = signed_in(pool)

    async def enter(request: Request) -> Principal:
        who = await who_calls(request)
        if not who.is_within(resource, act):
            said = f"the key {who.by!r} reaches {', '.join(who.scopes)}; this call needs {resource}:{act}"
            raise CallError(HTTPStatus.FORBIDDEN, "OutOfScope", said)
        return who

    return enter
