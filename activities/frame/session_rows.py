"""Who is signed in to the console: kept by the digest of a random id, so that whoever reads the table comes in nowhere."""

from __future__ import annotations

import hashlib
from datetime import datetime, timedelta

from activities.kernel.inserts import Insert
from activities.kernel.pool import Connection

IDLE = timedelta(hours=1)
"""Nothing was asked for so long: whoever sits there now may be somebody else."""
LONGEST = timedelta(hours=12)
"""After it everybody signs in anew. Both as NIST SP 800-63B has them for its second level."""
_NOTED_EVERY = timedelta(minutes=1)
_SESSION = Insert("console_session", "digest staff_id begun_at used_at")


def _digest(secret: str) -> bytes:
    # 256 random bits need no salt and no slow hash: there is nothing to guess.
    return hashlib.sha256(b"session:" + secret.encode()).digest()


async def begin_session(connection: Connection, secret: str, staff_id: str, as_of: datetime) -> None:
    """Somebody signs in; what has ended meanwhile, of anybody, is forgotten."""
    await connection.execute(
        "delete from console_session where used_at < $1 or begun_at < $2", as_of - IDLE, as_of - LONGEST
    )
    await _SESSION.add(connection, [(_digest(secret), staff_id, as_of, as_of)])


async def session_of(connection: Connection, secret: str, as_of: datetime) -> str | None:
    """Who is signed in by this secret; null for one that is unknown or has ended. Its use is noted."""
    row = await connection.fetchrow(
        "select staff_id, used_at from console_session where digest = $1 and used_at >= $2 and begun_at >= $3",
        _digest(secret),
        as_of - IDLE,
        as_of - LONGEST,
    )
    if row is None:
        return None
    if row["used_at"] < as_of - _NOTED_EVERY:
        await connection.execute("update console_session set used_at = $2 where digest = $1", _digest(secret), as_of)
    return str(row["staff_id"])


async def end_session(connection: Connection, secret: str) -> None:
    """Somebody signs out."""
    await connection.execute("delete from console_session where digest = $1", _digest(secret))
