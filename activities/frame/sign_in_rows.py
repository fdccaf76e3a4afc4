"""Sign-ins that are under way at the identity provider: each is come back from once, soon, and by the browser that began it."""

from __future__ import annotations

import hashlib
from datetime import datetime, timedelta

from activities.kernel.inserts import Insert
from activities.kernel.pool import Connection

OPEN_FOR = timedelta(minutes=10)
"""So long somebody may take at the provider."""
_SIGN_IN = Insert("console_sign_in", "digest back begun_at")


def _digest(browser: str, state: str) -> bytes:
    return hashlib.sha256(f"sign-in:{browser}:{state}".encode()).digest()


async def begin(connection: Connection, browser: str, state: str, back: str, as_of: datetime) -> None:
    """A browser leaves for the provider; what nobody came back from is forgotten."""
    await connection.execute("delete from console_sign_in where begun_at < $1", as_of - OPEN_FOR)
    await _SIGN_IN.add(connection, [(_digest(browser, state), back, as_of)])


async def come_back(connection: Connection, browser: str, state: str, as_of: datetime) -> str | None:
    """The page that was left from; null if this browser began no such sign-in, took too long, or was here before."""
    row = await connection.fetchrow(
        "delete from console_sign_in where digest = $1 returning back, begun_at", _digest(browser, state)
    )
    return None if row is None or row["begun_at"] < as_of - OPEN_FOR else str(row["back"])
