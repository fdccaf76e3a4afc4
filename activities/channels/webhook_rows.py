"""Events on their way to other systems: where each stands, how it was tried, and whether their endpoint is given up."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Any

from activities.kernel.inserts import Insert
from activities.kernel.pages import Paged
from activities.kernel.pool import Connection
from activities.kernel.queries import Column, Query, Value

Row = dict[str, Any]

GIVEN_UP_AFTER = timedelta(days=5)
"""An endpoint at which nothing arrived for so long is disabled, as Standard Webhooks advises; so is one that says that it is gone."""

_TRY = Insert("webhook_try", "delivery_id at by taken said")


async def note_try(connection: Connection, delivery_id: str, at: datetime, said: str, *, by: str, taken: bool) -> None:
    """An attempt, and what came of it."""
    await _TRY.add(connection, [(delivery_id, at, by, taken, said[:500])])


async def note_failing(connection: Connection, url: str, at: datetime) -> bool:
    """Nothing arrives at an endpoint; true if it is disabled now, since that has been so for too long."""
    return bool(
        await connection.fetchval(
            "insert into webhook_endpoint as e (url, failing_since) values ($1, $2) on conflict (url) do update"
            " set failing_since = coalesce(e.failing_since, excluded.failing_since),"
            "  disabled_at = case when e.failing_since <= $3 then coalesce(e.disabled_at, $2) else e.disabled_at end,"
            "  why = case when e.failing_since <= $3 then 'nothing arrived there for days' else e.why end"
            " returning disabled_at is not null",
            url,
            at,
            at - GIVEN_UP_AFTER,
        )
    )


async def disable(connection: Connection, url: str, at: datetime, why: str) -> None:
    """Nothing is sent to an endpoint any more, until somebody enables it."""
    await connection.execute(
        "insert into webhook_endpoint (url, disabled_at, why) values ($1, $2, $3) on conflict (url) do update"
        " set disabled_at = excluded.disabled_at, why = excluded.why",
        url,
        at,
        why[:500],
    )


async def note_arriving(connection: Connection, url: str) -> None:
    """Something arrived at an endpoint; one that was disabled is enabled by that."""
    await connection.execute(
        "update webhook_endpoint set failing_since = null, disabled_at = null, why = ''"
        " where url = $1 and (failing_since is not null or disabled_at is not null)",
        url,
    )


disabled_since = Value[datetime | None]("select disabled_at from webhook_endpoint where url = $1")
"""Since when nothing is sent to an endpoint; null while it is."""
endpoints = Query("select url, failing_since, disabled_at, why from webhook_endpoint where url = $1")
"""What is known of an endpoint, if anything went wrong there."""

_ID = "'msg_' || encode(delivery_digest(o.delivery_id), 'hex')"
_SHOWN = f"""
select o.delivery_id as id, o.created_at as at, {_ID} as message_id, o.account_id, o.body->>'type' as type, o.status, o.settled_at,
  o.reason, t.tries, t.said as last_error, t.at as tried_at
from outbox o left join lateral (
  select count(*)::int as tries, max(w.at) as at,
    (array_agg(w.said order by w.try_id desc) filter (where not w.taken))[1] as said
  from webhook_try w where w.delivery_id = o.delivery_id) t on true
where o.channel = 'deliver_webhook'"""
deliveries_page = Paged(
    f"{_SHOWN} and ($4::text is null or o.status = $4) and ($5::text is null or o.account_id = $5)"
    " and ($6::text is null or o.body->>'type' = $6)"
)
"""Events that go out or have gone, the latest first: of a status, of an account, of a type."""
find_delivery = Query(f"{_SHOWN} and delivery_digest(o.delivery_id) = decode($1, 'hex')")
"""A delivery by its digest."""
tries_of = Query("select at, by, taken, said from webhook_try where delivery_id = $1 order by try_id")
"""How a delivery was tried, beside the attempt that settled it first."""
body_of = Value[dict[str, Any] | None]("select body from outbox where delivery_id = $1")
rejected = Column[str](
    f"select {_ID} from outbox o where o.channel = 'deliver_webhook' and o.status = 'rejected'"
    " order by o.created_at, o.delivery_id limit $1"
)
"""Events that were given up, the oldest first, by the ids of their messages."""


async def note_taken(connection: Connection, delivery_id: str, message_id: str, at: datetime) -> None:
    """An event arrived, whatever became of it before."""
    await connection.execute(
        "update outbox set status = 'sent', settled_at = $3, message_id = $2, reason = null"
        " where delivery_id = $1 and status <> 'sent'",
        delivery_id,
        message_id,
        at,
    )
