"""Keys of services: made, replaced by the next one, revoked; by any door, each with its line in the audit log."""

from __future__ import annotations

from contextlib import AbstractAsyncContextManager
from dataclasses import replace
from datetime import timedelta
from typing import Annotated, Any

from pydantic import AwareDatetime, Field, StringConstraints

from activities.frame import access_rows
from activities.frame.access_rows import ApiKey
from activities.kernel.clock import present
from activities.kernel.pool import Connection, Pool
from domain.frame.access import ANYTHING, AccessRole, Principal, WriteAct, read_scopes, require_act
from domain.kernel.base import Received
from domain.kernel.refusals import INVALID_REQUEST, Problem, Refusal
from domain.kernel.requests import read_document
from gateway.acting import Subject, written
from gateway.api.resources import RESOURCES
from gateway.tokens import Token

KEY_CONFLICT = "KeyConflict"
UNKNOWN_KEY = "UnknownKey"
OVERLAP = timedelta(days=1)
"""For so long the key before lets somebody in still, unless somebody says otherwise."""
_WORD = Annotated[str, StringConstraints(pattern=r"^[A-Za-z0-9_.-]{1,40}$")]


class NewKey(Received):
    """A key of a service. Its scopes narrow what its roles may: orders:write, cases:*, *:read; all of it if none is given."""

    name: _WORD
    roles: Annotated[tuple[AccessRole, ...], Field(min_length=1)]
    scopes: tuple[Annotated[str, StringConstraints(max_length=80)], ...] = ()
    titles: tuple[_WORD, ...] = ()
    expires_at: AwareDatetime | None = None


class Keyring:
    """The keys, as one door sees to them. Whatever is refused changes nothing."""

    def __init__(self, pool: Pool, door: str) -> None:
        self._pool = pool
        self._door = door

    async def add(
        self, who: Principal, document: dict[str, Any], request_id: str, reason: str = "", token: Token | None = None
    ) -> Token:
        """A key for a service that has none; what it sends. `token`: the one to be kept, which asked for again is the same one.

        Raises:
            Refusal: KeyConflict, InvalidScope, InvalidRequest, NotAllowed.
        """
        require_act(who, WriteAct.ADD_KEY)
        new = read_document(NewKey, document, INVALID_REQUEST, "the key cannot be made")
        scopes = read_scopes(new.scopes or ANYTHING, RESOURCES)
        at = present()
        if new.expires_at is not None and new.expires_at <= at:
            problem = Problem(field="expires_at", problem="is over; leave it out, or give a later time")
            raise Refusal(INVALID_REQUEST, "the key cannot be made", [problem])
        token = token or Token.new()
        roles = tuple(sorted({role.value for role in new.roles}))
        key = ApiKey("", new.name, roles, new.titles, scopes, at, who.by, new.expires_at)
        async with self._written(who, WriteAct.ADD_KEY, new.name, request_id, reason) as connection:
            live = await access_rows.live_key(connection, new.name, at)
            if live is not None and live.key_id != token.key_id:
                said = f"{new.name!r} has a key; rotate it (`perennial access rotate-key {new.name}`)"
                raise Refusal(KEY_CONFLICT, said)
            if live is None:
                await _keep(connection, key, token)
        return token

    async def rotate(
        self,
        who: Principal,
        name: str,
        request_id: str,
        reason: str = "",
        *,
        overlap: timedelta = OVERLAP,
        token: Token | None = None,
    ) -> Token:
        """The next key of a service, which may do what the one before may; that one goes on for a while. Else as `add`."""
        require_act(who, WriteAct.ROTATE_KEY)
        at = present()
        token = token or Token.new()
        async with self._written(who, WriteAct.ROTATE_KEY, name, request_id, reason) as connection:
            before = await access_rows.live_key(connection, name, at)
            if before is None:
                said = f"no key of {name!r} is valid; make one (`perennial access add-key {name}`)"
                raise Refusal(UNKNOWN_KEY, said)
            if before.key_id != token.key_id:
                await _keep(connection, replace(before, made_at=at, made_by=who.by, expires_at=None), token)
                await access_rows.expire_key(connection, before.key_id, at + overlap)
        return token

    async def revoke(self, who: Principal, name: str, request_id: str, reason: str = "") -> int:
        """No key of this name lets anybody in any more; how many did."""
        require_act(who, WriteAct.REVOKE_KEY)
        async with self._written(who, WriteAct.REVOKE_KEY, name, request_id, reason) as connection:
            ended = await access_rows.revoke_keys(connection, name, present())
            if not ended:
                raise Refusal(UNKNOWN_KEY, f"no key is called {name!r}; `perennial access keys` shows them")
        return ended

    def _written(
        self, who: Principal, act: WriteAct, name: str, request_id: str, reason: str
    ) -> AbstractAsyncContextManager[Connection]:
        return written(self._pool, self._door, who, Subject("key", name[:80]), act, request_id, reason)


async def _keep(connection: Connection, key: ApiKey, token: Token) -> None:
    await access_rows.add_key(connection, replace(key, key_id=token.key_id), token.secret)
