"""Who is signed in to the console: kept by the digest of a random id, so that whoever reads the table comes in nowhere."""

from __future__ import annotations

import hashlib
import hmac
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from activities.kernel.inserts import Insert, or_update
from activities.kernel.pool import Connection

IDLE = timedelta(hours=1)
"""Nothing was asked for so long: whoever sits there now may be somebody else."""
LONGEST = timedelta(hours=12)
"""After it everybody signs in anew. Both as NIST SP 800-63B has them for its second level."""
FORMS_KNOWN_FOR = timedelta(hours=36)
"""Whose a form was is known for as long after its session began: all of that, and a day."""
_NOTED_EVERY = timedelta(minutes=1)
_SESSION = Insert("console_session", "digest staff_id begun_at used_at roles id_token")

_FORM = Insert("console_form", "digest staff_id begun_at", or_update("digest", "staff_id begun_at"))


@dataclass(frozen=True)
class Session:
    """Whose it is. roles: those of the groups that their identity provider told at sign-in; null where groups give no roles."""

    staff_id: str
    roles: tuple[str, ...] | None = None


def _digest(secret: str) -> bytes:
    # 256 random bits need no salt and no slow hash: there is nothing to guess.
    return hashlib.sha256(b"session:" + secret.encode()).digest()


def form_token(secret: str) -> str:
    """What the forms of a session carry, and no other site knows."""
    return hmac.new(secret.encode(), b"form", hashlib.sha256).hexdigest()


def _form_digest(token: str) -> bytes:
    return hashlib.sha256(b"form:" + token.encode()).digest()


async def begin_session(
    connection: Connection,
    secret: str,
    staff_id: str,
    as_of: datetime,
    roles: Sequence[str] | None = None,
    id_token: str | None = None,
) -> None:
    """Somebody signs in; what has ended meanwhile, of anybody, is forgotten. id_token: what the provider is shown at the end."""
    await connection.execute(
        "delete from console_session where used_at < $1 or begun_at < $2", as_of - IDLE, as_of - LONGEST
    )
    await connection.execute("delete from console_form where begun_at < $1", as_of - FORMS_KNOWN_FOR)
    await _SESSION.add(connection, [(_digest(secret), staff_id, as_of, as_of, roles, id_token)])
    await _FORM.add(connection, [(_form_digest(form_token(secret)), staff_id, as_of)])


async def whose_form(connection: Connection, token: str, as_of: datetime) -> str | None:
    """In whose session a form was made that carries this token, whether or not that has ended; null if it is none of ours."""
    staff_id: str | None = await connection.fetchval(
        "select staff_id from console_form where digest = $1 and begun_at >= $2",
        _form_digest(token),
        as_of - FORMS_KNOWN_FOR,
    )
    return staff_id


async def session_of(connection: Connection, secret: str, as_of: datetime) -> Session | None:
    """Who is signed in by this secret; null for one that is unknown or has ended. Its use is noted."""
    row = await connection.fetchrow(
        "select staff_id, roles, used_at from console_session where digest = $1 and used_at >= $2 and begun_at >= $3",
        _digest(secret),
        as_of - IDLE,
        as_of - LONGEST,
    )
    if row is None:
        return None
    if row["used_at"] < as_of - _NOTED_EVERY:
        await connection.execute("update console_session set used_at = $2 where digest = $1", _digest(secret), as_of)
    return Session(row["staff_id"], None if row["roles"] is None else tuple(row["roles"]))


async def end_session(connection: Connection, secret: str) -> str | None:
    """Somebody signs out; what the provider is to be shown, if they came from one."""
    shown: str | None = await connection.fetchval(
        "delete from console_session where digest = $1 returning id_token", _digest(secret)
    )
    return shown
