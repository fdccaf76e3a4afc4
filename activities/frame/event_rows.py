"""Events of foreign systems: their sources with secrets, kept as received, taken by one process at a time, settled once."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from typing import Any

from activities.kernel.inserts import Insert, or_update
from activities.kernel.pool import Connection
from activities.kernel.queries import Column, Query, Value

Row = dict[str, Any]


class EventStatus(StrEnum):
    """Where an event stands."""

    NEW = "new"
    WAITING = "waiting"
    """for what it names to be on record"""
    DONE = "done"
    IGNORED = "ignored"
    """no rule is for it"""
    FAILED = "failed"
    """it waits for a person"""
    DISCARDED = "discarded"


TO_TRY = (EventStatus.NEW.value, EventStatus.WAITING.value)
"""What is looked at again by itself."""
FOR_PEOPLE = (EventStatus.WAITING.value, EventStatus.FAILED.value)
"""What a person may look at."""


@dataclass(frozen=True)
class EventSource:
    """Who sends events, and what becomes of them. `secrets`: those that are valid."""

    source: str
    mapping: str
    url: str | None
    secrets: tuple[str, ...] = ()


@dataclass(frozen=True)
class InboundEvent:
    """A delivery as it was received; `body` as a person has corrected it, if one has."""

    event_id: str
    source: str
    foreign_id: str
    headers: dict[str, str]
    body: bytes
    received_at: datetime
    status: EventStatus
    attempts: int
    mapping: str


_SOURCE = Insert(
    "event_source", "source mapping url made_at made_by", or_update("source", "mapping url made_at made_by")
)
_SECRET = Insert("event_secret", "source secret made_at made_by")
_LINK = Insert(
    "event_link", "source foreign_id account_id made_at made_by",
    or_update("source foreign_id", "account_id made_at made_by"),
)  # fmt: skip
_EVENT = Insert("inbound_event", "event_id source foreign_id headers body received_at try_at", "on conflict do nothing")
_EFFECT = Insert("inbound_effect", "source item_id rule event_id operation subject done_at", "on conflict do nothing")

# Sources


async def save_source(
    connection: Connection, source: str, mapping: str, url: str | None, at: datetime, by: str
) -> None:
    """A source's mapping, as told last; one that was stopped goes on."""
    await _SOURCE.add(connection, [(source, mapping, url, at, by)])
    await connection.execute("update event_source set stopped_at = null where source = $1", source)


async def add_secret(
    connection: Connection, source: str, secret: str, at: datetime, by: str, overlap: datetime
) -> None:
    """A secret that is valid from now on; those before are so until `overlap`."""
    await connection.execute(
        "update event_secret set expires_at = least(expires_at, $2::timestamptz) where source = $1", source, overlap
    )
    await _SECRET.add(connection, [(source, secret, at, by)])


async def source_of(connection: Connection, source: str, as_of: datetime) -> EventSource | None:
    """A source that is not stopped, with the secrets that are valid at an instant."""
    row = await connection.fetchrow(
        "select s.source, s.mapping, s.url, array(select e.secret from event_secret e where e.source = s.source"
        " and (e.expires_at is null or e.expires_at > $2) order by e.number desc) as secrets"
        " from event_source s where s.source = $1 and s.stopped_at is null",
        source,
        as_of,
    )
    return EventSource(**{**dict(row), "secrets": tuple(row["secrets"])}) if row else None


stop_source = Value[str | None](
    "update event_source set stopped_at = $2 where source = $1 and stopped_at is null returning source"
)
"""Nothing of it is taken any more; what was kept is gone on with. Null if there is none that goes on."""

list_sources = Query("""
select s.source, s.made_at, s.made_by, s.stopped_at, s.url,
  (select count(*)::int from event_secret e where e.source = s.source and (e.expires_at is null or e.expires_at > $1)) as secrets,
  (select max(i.received_at) from inbound_event i where i.source = s.source) as received_at,
  (select count(*)::int from inbound_event i where i.source = s.source and i.status in ('waiting', 'failed')) as for_people
from event_source s order by s.source
""")
"""Every source: when it sent last, and how much of it waits for a person."""


async def link(connection: Connection, source: str, foreign_id: str, account_id: str, at: datetime, by: str) -> None:
    """Whose a foreign id is, from now on."""
    await _LINK.add(connection, [(source, foreign_id, account_id, at, by)])


linked_account = Value[str | None]("select account_id from event_link where source = $1 and foreign_id = $2")
"""Whose a foreign id is; null if nobody has said."""

# What came


async def keep_event(connection: Connection, event: InboundEvent) -> datetime:
    """Keeps a delivery; when it came, also if that was before."""
    row = (event.event_id, event.source, event.foreign_id, event.headers, event.body)
    if await _EVENT.is_new(connection, (*row, event.received_at, event.received_at)):
        return event.received_at
    found: datetime = await connection.fetchval(
        "select received_at from inbound_event where source = $1 and foreign_id = $2", event.source, event.foreign_id
    )
    return found


_CLAIMED = (
    "select i.event_id, i.source, i.foreign_id, i.headers, coalesce(i.mended, i.body) as body, i.received_at, i.status,"
    " i.attempts, s.mapping from inbound_event i join event_source s using (source)"
)


async def claim_event(connection: Connection, as_of: datetime) -> InboundEvent | None:
    """The delivery whose turn it is, held for the rest of the transaction; others skip it."""
    row = await connection.fetchrow(
        f"{_CLAIMED} where i.status in ('new', 'waiting') and i.try_at <= $1"
        " order by i.try_at, i.event_id limit 1 for update of i skip locked",
        as_of,
    )
    return _event(row) if row else None


async def hold_event(connection: Connection, event_id: str) -> InboundEvent | None:
    """A delivery by its id, held for the rest of the transaction."""
    row = await connection.fetchrow(f"{_CLAIMED} where i.event_id = $1 for update of i", event_id)
    return _event(row) if row else None


def _event(row: Any) -> InboundEvent:
    return InboundEvent(**{**dict(row), "status": EventStatus(row["status"])})


_settle = (
    "update inbound_event set status = $2, reason = $3, account_id = coalesce($4, account_id), settled_at = $5, settled_by = $6"
    " where event_id = $1"
)


async def settle_event(
    connection: Connection,
    event_id: str,
    status: EventStatus,
    as_of: datetime,
    *,
    reason: str = "",
    account_id: str | None = None,
    by: str = "system",
) -> None:
    """What became of a delivery."""
    await connection.execute(_settle, event_id, status.value, reason, account_id, as_of, by)


async def postpone_event(
    connection: Connection, event_id: str, status: EventStatus, try_at: datetime, reason: str, account_id: str | None
) -> None:
    """A delivery is looked at again later."""
    await connection.execute(
        "update inbound_event set status = $2, try_at = $3, attempts = attempts + 1, reason = $4,"
        " account_id = coalesce($5, account_id) where event_id = $1",
        event_id,
        status.value,
        try_at,
        reason,
        account_id,
    )


async def try_again(connection: Connection, event_ids: Sequence[str], as_of: datetime, mended: bytes | None) -> None:
    """Deliveries are looked at now as if they were new; with a body that a person has corrected, if one is given."""
    await connection.execute(
        "update inbound_event set status = 'new', try_at = $2, attempts = 0, mended = coalesce($3, mended)"
        " where event_id = any($1)",
        list(event_ids),
        as_of,
        mended,
    )


async def wake(connection: Connection, account_id: str, as_of: datetime) -> None:
    """What waits for an account has its turn now: something of it is on record since."""
    await connection.execute(
        "update inbound_event set try_at = $2 where account_id = $1 and status = 'waiting' and try_at > $2",
        account_id,
        as_of,
    )


was_done = Value[bool]("select exists (select from inbound_effect where source = $1 and item_id = $2 and rule = $3)")
"""True if a rule has done its part for an event, in this delivery or another."""


async def note_effect(
    connection: Connection, event: InboundEvent, item_id: str, rule: str, operation: str, subject: str, at: datetime
) -> None:
    """What a rule has done for an event."""
    await _EFFECT.add(connection, [(event.source, item_id, rule, event.event_id, operation, subject, at)])


# For people

_SHOWN = (
    "event_id, source, foreign_id, received_at, status, attempts, try_at, reason, account_id, settled_at, settled_by,"
    " mended is not null as mended, octet_length(body) as size"
)
list_events = Query(
    f"select {_SHOWN} from inbound_event where status = any($1) and ($2::text is null or source = $2)"
    " order by received_at desc, event_id desc limit $3"
)
"""The latest deliveries of these statuses, of one source or all."""
count_events = Query("select status, count(*)::int as events from inbound_event group by status order by status")
"""How many there are of each status."""
ids_of = Column[str](
    "select event_id from inbound_event where status = any($1) and ($2::text is null or source = $2)"
    " order by received_at, event_id limit $3"
)
"""The ids of deliveries of these statuses, the oldest first."""


async def find_event(connection: Connection, event_id: str) -> Row | None:
    """A delivery with its body and what it did, by its id or the beginning of it; null if there is none, or more than one."""
    rows = await connection.fetch(
        f"select {_SHOWN}, headers, coalesce(mended, body) as body from inbound_event where starts_with(event_id, $1) limit 2",
        event_id,
    )
    if len(rows) != 1:
        return None
    done = await connection.fetch(
        "select rule, operation, subject, done_at from inbound_effect where event_id = $1 order by done_at, item_id, rule",
        rows[0]["event_id"],
    )
    return {**dict(rows[0]), "done": [dict(one) for one in done]}
