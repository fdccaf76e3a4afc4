"""In which role a request counts, by the id of the update that brought it: see `domain/frame/vouching.py`."""

from __future__ import annotations

from typing import Any
from uuid import uuid4

from activities.kernel.clock import present
from activities.kernel.pool import Pool
from activities.mail import keys
from activities.mail.signing import Signing
from domain.frame import vouching
from domain.frame.request_kinds import RequestKind


class Vouching:
    """What a door signs, and what an activity makes of it, with the keys of the database."""

    def __init__(self, pool: Pool, signing: Signing | None = None) -> None:
        self._pool = pool
        self._signing = signing or Signing(pool)

    async def update_id(self, workflow_id: str, kind: RequestKind[Any], request: dict[str, Any]) -> str:
        """A new id for an update: signed, if more may come of the request in a higher role."""
        made = str(uuid4())
        if not kind.is_in_a_role:
            return made
        async with self._pool.acquire() as connection:
            key = await self._signing.current(connection)
        return vouching.signed_id(made, workflow_id, kind.update, request, key.number, key.secret)

    async def counted(
        self, kind: RequestKind[Any], workflow_id: str, request: dict[str, Any], update_id: str
    ) -> dict[str, Any]:
        """The request in the role in which it counts."""
        if not (kind.is_in_a_role and update_id) or await self._passed(kind, workflow_id, request, update_id):
            return request
        return vouching.as_service(kind, request)

    async def _passed(self, kind: RequestKind[Any], workflow_id: str, request: dict[str, Any], update_id: str) -> bool:
        number = vouching.key_number(update_id)
        key = None if number is None else await self._signing.key(number)
        if key is None or not vouching.is_signed(update_id, workflow_id, kind.update, request, key.secret):
            return False
        async with self._pool.acquire() as connection:
            return await keys.vouches(connection, key.number, present())
