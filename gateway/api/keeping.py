"""Idempotency-Key: it belongs to the first call under it, from before anything is done on; what was done is answered again.

As in the draft "The Idempotency-Key HTTP Header Field" of the IETF.
"""

from __future__ import annotations

import hashlib
import json
import re
from dataclasses import dataclass
from http import HTTPStatus

from fastapi import Request
from fastapi.responses import Response

from activities.frame import audit_rows
from activities.frame.audit_rows import KeptAnswer
from activities.kernel.clock import present
from activities.kernel.pool import Pool
from domain.frame.access import Principal
from gateway.api.problems import MEDIA_TYPE, CallError

HEADER = "Idempotency-Key"
REPLAYED = "Idempotent-Replayed"
_FORM = re.compile(r"[\x21-\x7e]{1,200}")


@dataclass(frozen=True)
class Repetition:
    """A call under a key: whose, which, and the fingerprint of what was asked."""

    actor: str
    key: str
    digest: bytes

    @property
    def request_id(self) -> str:
        """The id under which it is done once, even if the answer was lost before it could be kept."""
        return f"ik-{hashlib.sha256(f'{self.actor}/{self.key}'.encode()).hexdigest()[:32]}"


def repetition_of(request: Request, who: Principal, content: bytes) -> Repetition | None:
    """What a call says of its repetition; null if nothing. Raises CallError (400) for a key that cannot be kept."""
    key = request.headers.get(HEADER)
    if key is None:
        return None
    if not _FORM.fullmatch(key):
        raise CallError(HTTPStatus.BAD_REQUEST, "InvalidCall", f"{HEADER} must be 1 to 200 letters, digits or signs")
    asked = f"{request.method} {request.url.path}?{request.url.query}\0".encode() + content
    return Repetition(who.name, key, hashlib.sha256(asked).digest())


async def claim(pool: Pool, again: Repetition) -> Response | None:
    """Claims the key for this call: the answer that it was given before, null if none was. The same call always goes on, however the
    one before ended. Raises CallError (409) if the key is another call's."""
    async with pool.acquire() as connection:
        found = await audit_rows.claim(connection, again.actor, again.key, again.digest, present())
    if found.digest != again.digest:
        said = f"this {HEADER} was used for another call; give this one a key of its own"
        raise CallError(HTTPStatus.CONFLICT, "IdempotencyConflict", said)
    if found.answer is None:
        return None
    kind = "application/json" if found.answer.status < HTTPStatus.BAD_REQUEST else MEDIA_TYPE
    return Response(found.answer.body, found.answer.status, {REPLAYED: "true"}, media_type=kind)


async def keep(pool: Pool, again: Repetition, status: int, body: object) -> None:
    """Keeps the answer of what was done."""
    answer = KeptAnswer(status, json.dumps(body, ensure_ascii=False, separators=(",", ":")))
    async with pool.acquire() as connection:
        await audit_rows.keep(connection, again.actor, again.key, again.digest, answer, present())
