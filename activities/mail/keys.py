"""The keys by which mails are signed. The newest one signs; every one that is not retired verifies."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Any

from activities.kernel.pool import Connection
from activities.kernel.queries import Query, Value
from domain.mail.signing import Key, Keys

Row = dict[str, Any]


async def load_keys(connection: Connection) -> Keys:
    """The keys that verify, by number."""
    rows = await connection.fetch("select number, secret from signing_key where retired_at is null")
    return {row["number"]: Key(row["number"], row["secret"]) for row in rows}


async def load_signing(connection: Connection) -> tuple[Keys, Key]:
    """All keys that there ever were, and the one that signs."""
    rows = await connection.fetch("select number, secret, retired_at from signing_key order by number")
    keys = {row["number"]: Key(row["number"], row["secret"]) for row in rows}
    return keys, keys[max(row["number"] for row in rows if row["retired_at"] is None)]


GRACE = timedelta(days=1)
"""So long what a key had signed before it was retired may be under way: a request that waits for a worker still counts as it was asked."""

_vouches = Value[bool]("select coalesce(retired_at > $2, true) from signing_key where number = $1")


async def vouches(connection: Connection, number: int, at: datetime) -> bool:
    """True for a key whose word counts on who asks: one that is not retired, or only lately."""
    return bool(await _vouches(connection, number, at - GRACE))


list_keys = Query(
    "select number, made_at, retired_at, number = (select max(number) from signing_key where retired_at is null) as signs"
    " from signing_key order by number desc"
)
"""Every key without its secret, newest first: `number`, `made_at` (null for the first one), `retired_at`, `signs`."""


add_key = Value[int]("insert into signing_key (secret, made_at) values ($1, $2) returning number")
"""A key that signs from now on; its number."""


async def retire_key(connection: Connection, number: int, as_of: datetime, since: datetime) -> bool:
    """What this key has signed counts no more. False unless it verifies, and another one has been signing `since` then."""
    done = await connection.execute(
        "update signing_key set retired_at = $2 where number = $1 and retired_at is null"
        " and exists (select from signing_key n where n.number > $1 and n.retired_at is null and n.made_at <= $3)",
        number,
        as_of,
        since,
    )
    return done == "UPDATE 1"
