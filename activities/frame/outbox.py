"""The outbox: what leaves the company once the transaction that decided it is committed, and where each message stands."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from activities.frame.handlers import Place, inserted
from activities.frame.telling import telling
from activities.kernel import traces
from activities.kernel.pool import Connection
from activities.kernel.queries import Value
from domain.frame.flight import Channel, DeliveryStatus
from domain.journey.telling import message_told


@dataclass(frozen=True)
class OutboxRow:
    """Something that leaves the company. `body` is the message with raw values; `contact_id` or `staff_id` says to whom.

    `purpose`, and the `product` that it is about, are set for what a hold may keep back.
    """

    delivery_id: str
    channel: Channel
    stage: str
    body: dict[str, Any]
    contact_id: str | None = None
    staff_id: str | None = None
    purpose: str | None = None
    product: str | None = None
    leaves_at: datetime | None = None
    """when it leaves, if that is not at once"""


@dataclass(frozen=True, kw_only=True)
class Waiting(OutboxRow):
    """A row of the outbox with its account (empty while nobody knows whose it is), when it was written, and where it stands."""

    account_id: str
    status: DeliveryStatus
    created_at: datetime
    sent_before: datetime | None = None
    """when it was sent, by what the engine remembers and the database has lost"""
    role: str | None = None
    """of the contact it goes to"""
    trace: str | None = None
    """by which trace it was decided"""
    left_with: str | None = None
    """the message in which it may have left, or has"""
    leads: bool = False
    """whether others may have left in it, or have"""
    begun_at: datetime | None = None
    """when the latest try began of which nobody has heard that nothing was taken"""


put = inserted(
    "outbox",
    "delivery_id account_id=whose channel stage contact_id staff_id body created_at=as_of purpose product_code=product leaves_at status"
    " reason trace",
    trace=lambda *_: traces.here(),
    whose=lambda place, _: place.account_id or None,
    status=lambda _, row: DeliveryStatus.HELD if row.leaves_at else DeliveryStatus.WAITING,
    reason=lambda _, row: "it waits for the morning" if row.leaves_at else None,
)
"""Puts messages where they leave from, together with whatever waits there to be written."""


async def put_outbox(connection: Connection, account_id: str | None, as_of: datetime, rows: list[OutboxRow]) -> None:
    """Messages that leave once this transaction is committed."""
    await put(Place(connection, account_id or "", as_of), rows)


async def find_outbox(connection: Connection, delivery_id: str) -> Waiting | None:
    """A message by its id."""
    return next(iter(await find_messages(connection, [delivery_id])), None)


async def find_messages(connection: Connection, delivery_ids: Sequence[str]) -> list[Waiting]:
    """The messages of these ids."""
    rows = await connection.fetch(
        "select o.delivery_id, o.channel, o.stage, o.body, o.contact_id, o.staff_id, o.purpose, o.product_code as product,"
        " coalesce(o.account_id, '') as account_id, o.status, o.created_at, o.trace, b.sent_at as sent_before, c.role,"
        " o.left_with, o.begun_at, exists (select from outbox w where w.left_with = o.delivery_id) as leads"
        " from outbox o left join sent_before b using (delivery_id)"
        " left join contact c on c.account_id = o.account_id and c.contact_id = o.contact_id where delivery_id = any($1)",
        list(delivery_ids),
    )
    return [
        Waiting(**{**row, "channel": Channel(row["channel"]), "status": DeliveryStatus(row["status"])}) for row in rows
    ]


async def why_not_sent(connection: Connection, delivery_id: str) -> str:
    """Why a message was held back, dropped or refused."""
    why: str | None = await connection.fetchval("select reason from outbox where delivery_id = $1", delivery_id)
    return why or "no reason was noted"


async def note_sent_before(connection: Connection, account_id: str, sent: Mapping[str, datetime]) -> None:
    """Messages of which the histories say that they were sent, by their ids, so that they are not sent again."""
    await connection.execute(
        "insert into sent_before (delivery_id, account_id, sent_at)"
        " select s.id, $1, s.at from unnest($2::text[], $3::timestamptz[]) s (id, at)"
        " where not exists (select 1 from outbox o where o.delivery_id = s.id and o.status <> 'waiting')"
        " on conflict do nothing",
        account_id,
        list(sent),
        list(sent.values()),
    )


async def forget_sent_before(connection: Connection, account_id: str, delivery_ids: Sequence[str]) -> None:
    """Of messages that wait it is not known any more that they were sent, until it is noted again."""
    await connection.execute(
        "delete from sent_before s where s.account_id = $1 and s.delivery_id = any($2)"
        " and not exists (select 1 from outbox o where o.delivery_id = s.delivery_id and o.status <> 'waiting')",
        account_id,
        list(delivery_ids),
    )


async def still_waiting(connection: Connection, delivery_ids: Sequence[str]) -> set[str]:
    """Those of these messages that wait to leave."""
    rows = await connection.fetch(
        "select delivery_id from outbox where status = 'waiting' and delivery_id = any($1) order by delivery_id",
        list(delivery_ids),
    )
    return {row["delivery_id"] for row in rows}


async def settled_before(connection: Connection, row: Waiting) -> bool:
    """True for a message that waits although the histories say that it was sent: it is booked as sent now."""
    if row.status != DeliveryStatus.WAITING or row.sent_before is None:
        return False
    reason = "sent before, by the engine's histories"
    await settle_outbox(connection, row.delivery_id, DeliveryStatus.SENT, row.sent_before, reason=reason, row=row)
    return True


async def waiting_of_case(connection: Connection, case_id: str) -> dict[str, Channel]:
    """What a case wrote and what has not left yet, by the messages' ids."""
    rows = await connection.fetch(
        "select delivery_id, channel from outbox where stage = $1 and status = 'waiting' and starts_with(delivery_id, $2)"
        " order by created_at, delivery_id",
        f"service:{case_id}",
        "case:",
    )
    return {row["delivery_id"]: Channel(row["channel"]) for row in rows}


async def settle_outbox(
    connection: Connection,
    delivery_id: str,
    status: DeliveryStatus,
    as_of: datetime,
    *,
    message_id: str | None = None,
    reason: str | None = None,
    row: Waiting | None = None,
) -> bool:
    """A message was sent or rejected. False if somebody settled it before. `row`: of a mail or notice, which is told of."""
    told = (
        message_told(row.account_id, delivery_id, row.channel, row.stage, row.body, as_of)
        if row is not None and status is DeliveryStatus.SENT
        else ()
    )
    done: int = await connection.fetchval(_SETTLE, delivery_id, status, as_of, message_id, reason, list(told))
    return done == 1


_SETTLE = telling(
    "update outbox set status = $2, settled_at = $3, message_id = $4, reason = $5 where delivery_id = $1 and status = 'waiting'",
    6,
)


async def left_together(connection: Connection, lead: str) -> list[Waiting]:
    """What waits and may have left in one message, which is that of `lead`."""
    rows = await connection.fetch(
        "select delivery_id from outbox where (delivery_id = $1 or left_with = $1) and status = 'waiting' order by delivery_id",
        lead,
    )
    return await find_messages(connection, [row["delivery_id"] for row in rows])


async def note_left_with(connection: Connection, delivery_ids: Sequence[str], lead: str | None) -> None:
    """These messages left in the message of another one, or may have; with null they did not, and leave by themselves."""
    await connection.execute("update outbox set left_with = $2 where delivery_id = any($1)", list(delivery_ids), lead)


async def note_begun(connection: Connection, delivery_ids: Sequence[str], lead: str, at: datetime) -> None:
    """These messages are about to be handed over, in the message of `lead`: from now on they may have arrived."""
    await connection.execute(
        "update outbox set begun_at = $3, left_with = coalesce(nullif($2, delivery_id), left_with)"
        " where delivery_id = any($1)",
        list(delivery_ids),
        lead,
        at,
    )


async def note_begun_before(connection: Connection, begun: Mapping[str, datetime]) -> None:
    """These messages had begun to leave when the database knew of them last, by the histories: what waits of them may have arrived."""
    await connection.execute(
        "update outbox o set begun_at = b.at from unnest($1::text[], $2::timestamptz[]) b (id, at)"
        " where o.delivery_id = b.id and o.status = 'waiting' and o.begun_at is null"
        " and o.channel in ('deliver_mail', 'deliver_notice')",
        list(begun),
        list(begun.values()),
    )


async def note_not_taken(connection: Connection, rows: Sequence[Waiting], at: datetime) -> None:
    """What was begun at `at` was certainly not taken. `rows`: as they were before, which may have had to leave together then."""
    await connection.execute(
        "update outbox set begun_at = null, left_with = case when delivery_id = any($3) then null else left_with end"
        " where delivery_id = any($1) and begun_at = $2",
        [row.delivery_id for row in rows],
        at,
        [row.delivery_id for row in rows if row.left_with is None],
    )


async def note_tried(connection: Connection, delivery_id: str, attempts: int) -> None:
    """So often a message was tried in vain by now; who tries it from now on counts from one."""
    await connection.execute("update outbox set tried = $2 where delivery_id = $1", delivery_id, attempts)


latest_notice = Value[dict[str, Any] | None](
    "select body->'context' from outbox where account_id = $1 and channel = 'deliver_mail' and created_at > $3"
    " and body->>'template' = 'renewal_notice' and body->'context'->>'contract_id' = $2"
    " and status in ('waiting', 'held', 'sent') order by created_at desc, delivery_id desc limit 1"
)
"""What the latest renewal notice about a contract says that was decided after `since` and goes out or has gone."""


async def said_later(connection: Connection, row: Waiting) -> bool:
    """True if a later mail of the same template about the same contract waits or has gone."""
    found = await connection.fetchval(
        "select true from outbox where account_id = $1 and created_at > $4 and body->>'template' = $2"
        " and body->'context'->>'contract_id' = $3 and status in ('waiting', 'sent') limit 1",
        row.account_id,
        row.body["template"],
        row.body["context"]["contract_id"],
        row.created_at,
    )
    return found is not None


OPTIONAL_MAILS = """
select coalesce(jsonb_agg(jsonb_build_array(m.address, m.template, m.at) order by m.address, m.template), '[]') from (
  select body->>'to_email' as address, body->>'template' as template, max(greatest(created_at, settled_at)) as at
  from outbox where account_id = $1 and channel = 'deliver_mail' and created_at > $2::timestamptz - interval '100 days'
    and status in ('waiting', 'sent') and greatest(created_at, settled_at) > $2::timestamptz - interval '100 days'
    and body->>'unsubscribe' is not null
  group by 1, 2) m
"""
optional_mails = Value[list[tuple[str, str, str]]](OPTIONAL_MAILS)
"""The optional mails of the account $1 in the time before $2: by address and template, when the latest was sent or set out."""


def last_optional_mail(mails: Iterable[Sequence[str]], email: str, answers: Collection[str]) -> datetime | None:
    """When an address got the latest of these mails, or will get the one that is on its way; `answers` are templates that do not count."""
    at = (
        datetime.fromisoformat(sent)
        for address, template, sent in mails
        if address.lower() == email.lower() and template not in answers
    )
    return max(at, default=None)


async def optional_mail_beside(
    connection: Connection, row: Waiting, now: datetime, today: datetime, answers: Iterable[str]
) -> datetime | None:
    """When the address of a late mail got the latest optional mail beside it, or gets the one that is on its way: one that waited
    for longer leaves first, one of another day (`today` began then) does not leave before this one."""
    at: datetime | None = await connection.fetchval(
        "select max(case status when 'waiting' then $3::timestamptz else settled_at end) from outbox"
        " where account_id = $1 and channel = 'deliver_mail' and delivery_id <> $2"
        " and (status = 'sent' and settled_at > $3::timestamptz - interval '10 days'"
        "  or status = 'waiting' and ((created_at, delivery_id) < ($4::timestamptz, $2) or created_at >= $5))"
        " and body->>'unsubscribe' is not null and body->>'template' <> all($6) and lower(body->>'to_email') = lower($7)",
        row.account_id,
        row.delivery_id,
        now,
        row.created_at,
        today,
        sorted(answers),
        row.body["to_email"],
    )
    return at


async def hold_outbox(connection: Connection, delivery_id: str, reason: str) -> None:
    """A message that waits to leave is held back until the journey lets it go."""
    await connection.execute(
        "update outbox set status = 'held', reason = $2, cleared_at = null where delivery_id = $1 and status = 'waiting'",
        delivery_id,
        reason,
    )


async def rewrite_outbox(connection: Connection, delivery_id: str, changes: Mapping[str, Any]) -> None:
    """A message that waits to leave says something else: these of its fields."""
    await connection.execute(
        "update outbox set body = body || $2 where delivery_id = $1 and status = 'waiting'", delivery_id, dict(changes)
    )
