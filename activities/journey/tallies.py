"""Counts over many customers' facts, for reports on a rehearsal."""

from __future__ import annotations

from dataclasses import dataclass

from activities.kernel.pool import Connection
from domain.frame.flight import Channel, DeliveryStatus


@dataclass(frozen=True)
class Tally:
    """What happened to some customers.

    steps: lines of the journal by kind; mails: sent to customers, by language; notices: sent to staff; waiting: messages
    that have not left yet; lapsed: customers whose alarm stands; twice: step keys and Message-IDs that occur more than once.
    """

    steps: dict[str, int]
    mails: dict[str, int]
    notices: int
    waiting: int
    lapsed: int
    twice: list[str]


async def written(connection: Connection) -> tuple[int, int]:
    """How many lines the journal has, and how many messages were sent, over all customers."""
    row = await connection.fetchrow(
        "select (select count(*) from journal) as steps, (select count(*) from outbox where status = 'sent') as sent"
    )
    return (row["steps"], row["sent"]) if row else (0, 0)


async def tally(connection: Connection, account_ids: list[str]) -> Tally:
    """The counts for these accounts."""
    steps = await connection.fetch(
        "select kind, count(*) from journal where account_id = any($1) group by kind order by 2 desc, 1", account_ids
    )
    messages = await connection.fetch(
        "select channel, status, coalesce(body->>'language', '') as language, count(*) from outbox"
        " where account_id = any($1) and left_with is null group by 1, 2, 3 order by 3",  # what left with another is no mail more
        account_ids,
    )
    lapsed = await connection.fetchval(
        "select count(distinct account_id) from staff_task"
        " where account_id = any($1) and key = 'reorder/lapsed' and closed_at is null",
        account_ids,
    )
    # Without their account's prefix, so that the table's own rule against a second one is not what is asked.
    twice = await connection.fetch(
        "select account_id || ' ' || step as what from ("
        "  select account_id, stage || '/' || regexp_replace(regexp_replace(key, '/settled$', '.settled'), '^.*/', '') as step from journal"
        "  where account_id = any($1)) s group by account_id, step having count(*) > 1"
        " union all select message_id from outbox where account_id = any($1) and message_id is not null and left_with is null"
        " group by message_id having count(*) > 1",
        account_ids,
    )
    return Tally(
        steps={row["kind"]: row["count"] for row in steps},
        mails={
            row["language"]: row["count"]
            for row in messages
            if row["channel"] == Channel.MAIL and row["status"] == DeliveryStatus.SENT
        },
        notices=sum(
            row["count"]
            for row in messages
            if row["channel"] == Channel.NOTICE and row["status"] == DeliveryStatus.SENT
        ),
        waiting=sum(row["count"] for row in messages if row["status"] == DeliveryStatus.WAITING),
        lapsed=lapsed,
        twice=[row["what"] for row in twice],
    )
