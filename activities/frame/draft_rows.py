"""What somebody had typed when their session ended: kept for them and their browser alone, until they have signed in again."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from activities.kernel.inserts import Insert
from activities.kernel.pool import Connection

KEPT_FOR = timedelta(hours=1)
"""So long somebody may take to sign in again."""
_DRAFT = Insert("console_draft", "digest staff_id path fields kept_at")


@dataclass(frozen=True)
class Draft:
    """A form that was sent too late: where to, and all that was filled in."""

    path: str
    fields: Mapping[str, Any]


def _digest(secret: str) -> bytes:
    return hashlib.sha256(b"draft:" + secret.encode()).digest()


async def keep(connection: Connection, secret: str, staff_id: str, draft: Draft, as_of: datetime) -> None:
    """Keeps a form; those that nobody came back for are forgotten."""
    await connection.execute("delete from console_draft where kept_at < $1", as_of - KEPT_FOR)
    await _DRAFT.add(connection, [(_digest(secret), staff_id, draft.path, dict(draft.fields), as_of)])


async def kept(connection: Connection, secret: str, staff_id: str, as_of: datetime) -> Draft | None:
    """The form that a browser has kept for somebody; null if there is none, or it is somebody else's."""
    row = await connection.fetchrow(
        "select path, fields from console_draft where digest = $1 and staff_id = $2 and kept_at >= $3",
        _digest(secret),
        staff_id,
        as_of - KEPT_FOR,
    )
    return None if row is None else Draft(row["path"], row["fields"])


async def forget(connection: Connection, secret: str, staff_id: str) -> None:
    """What was kept for somebody was sent, and is done."""
    await connection.execute("delete from console_draft where digest = $1 and staff_id = $2", _digest(secret), staff_id)
