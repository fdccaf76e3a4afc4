"""What is forgotten after a time, because nothing asks for it any more: everything else that is on record stays."""

from __future__ import annotations

from datetime import datetime, timedelta

from activities.kernel.pool import Connection

AT_ONCE = 5_000
"""So many rows go in one transaction, so that nobody waits for it."""

# Other systems were told, or said no for good; what an event tells of is in the facts and in the journal.
_EVENTS = """
with gone as (
       delete from outbox where delivery_id in (
         select delivery_id from outbox where channel = 'deliver_webhook' and status <> 'waiting' and settled_at < $1 limit $2)
       returning 1)
select count(*) from gone
"""
# Decisions look at 56 days; the latest day of each product stays, as what is known of it.
_USAGE = """
with gone as (
       delete from usage_day where ctid = any(array(
         select u.ctid from usage_day u where u.day < ($1::timestamptz at time zone 'utc')::date and exists (
           select from usage_day l where l.account_id = u.account_id and l.product_code = u.product_code and l.day > u.day) limit $2))
       returning 1)
select count(*) from gone
"""


async def forget(
    connection: Connection, now: datetime, *, events: timedelta, usage: timedelta, at_once: int = AT_ONCE
) -> dict[str, int]:
    """Deletes events that left before so long, and days of usage older than that; how many of each."""
    gone = {}
    for what, statement, kept in (("events", _EVENTS, events), ("days of usage", _USAGE, usage)):
        gone[what] = 0
        while found := await connection.fetchval(statement, now - kept, at_once):
            gone[what] += found
    return gone
