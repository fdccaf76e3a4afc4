"""Mail that came in: kept as received, claimed by one process at a time, settled once; and what the facts know around it."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from activities.kernel.pool import Connection
from activities.kernel.queries import Query, Value
from activities.mail.agents_mail import audience_of, noticed_case
from activities.mail.reader_rows import WHOM
from domain.mail.answering import SentMail
from domain.mail.marks import Marks
from domain.mail.reading import InboundMail
from domain.mail.routing import Found, FoundCase, InboxStatus, KnownSender, case_of

Row = dict[str, Any]

WAITING = (InboxStatus.UNKNOWN.value, InboxStatus.FAILED.value)
"""What a person has to look at."""

_SHOWN = (
    "inbox_id, received_at, status, reason, sender, sender_name, subject, attachments, account_id, contact_id, case_id,"
    " settled_at, settled_by, machine, done, octet_length(raw) as size"
)


@dataclass(frozen=True)
class StoredMail:
    """A mail as it was received."""

    inbox_id: str
    raw: bytes
    recipients: Sequence[str]
    return_path: str | None
    received_at: datetime
    status: InboxStatus
    attempts: int


async def keep_mail(
    connection: Connection,
    inbox_id: str,
    raw: bytes,
    recipients: Sequence[str],
    return_path: str | None,
    received_at: datetime,
) -> bool:
    """Keeps a mail. False if it was kept before."""
    done = await connection.execute(
        "insert into inbox_message (inbox_id, raw, recipients, return_path, received_at, try_at)"
        " values ($1, $2, $3, $4, $5, $5) on conflict do nothing",
        inbox_id,
        raw,
        list(recipients),
        return_path,
        received_at,
    )
    return done == "INSERT 0 1"


async def claim_mail(connection: Connection, as_of: datetime) -> StoredMail | None:
    """The oldest mail that nobody has looked at, held for the rest of the transaction; others skip it."""
    row = await connection.fetchrow(
        "select * from inbox_message where status = 'new' and try_at <= $1"
        " order by try_at, inbox_id limit 1 for update skip locked",
        as_of,
    )
    return _stored(row) if row else None


async def hold_mail(connection: Connection, inbox_id: str) -> StoredMail | None:
    """A mail by its id, held for the rest of the transaction."""
    row = await connection.fetchrow("select * from inbox_message where inbox_id = $1 for update", inbox_id)
    return _stored(row) if row else None


def _stored(row: Any) -> StoredMail:
    return StoredMail(
        inbox_id=row["inbox_id"],
        raw=row["raw"],
        recipients=row["recipients"],
        return_path=row["return_path"],
        received_at=row["received_at"],
        status=InboxStatus(row["status"]),
        attempts=row["attempts"],
    )


async def settle_mail(
    connection: Connection,
    inbox_id: str,
    mail: InboundMail,
    status: InboxStatus,
    as_of: datetime,
    *,
    reason: str = "",
    account_id: str | None = None,
    contact_id: str | None = None,
    case_id: str | None = None,
    by: str = "system",
    machine: str | None = None,
    done: str = "",
) -> None:
    """What became of a mail; of a machine's, which kind it is and what was done."""
    await connection.execute(
        "update inbox_message set status = $2, settled_at = $3, reason = $4, account_id = $5, contact_id = $6, case_id = $7,"
        " settled_by = $8, message_id = $9, sender = $10, sender_name = $11, subject = $12, attachments = $13,"
        " machine = $14, done = $15"
        " where inbox_id = $1",
        inbox_id,
        status.value,
        as_of,
        reason,
        account_id,
        contact_id,
        case_id,
        by,
        mail.message_id,
        mail.sender,
        mail.sender_name,
        mail.subject,
        [attachment.model_dump(mode="json") for attachment in mail.attachments],
        machine,
        done,
    )


async def postpone_mail(connection: Connection, inbox_id: str, try_at: datetime, reason: str) -> None:
    """A mail that could not be taken in yet is looked at again later."""
    await connection.execute(
        "update inbox_message set try_at = $2, attempts = attempts + 1, reason = $3 where inbox_id = $1",
        inbox_id,
        try_at,
        reason,
    )


# What the facts know


async def look_around(
    connection: Connection,
    mail: InboundMail,
    *,
    received_at: datetime,
    named: Sequence[str],
    marks: Marks,
    own_address: str,
    takes: Callable[[str], bool],
) -> Found:
    """Everything that says whose a mail is.

    Args:
        named: ids of cases that the mail may be about by its addresses and its subject.
        marks: what of `mail` we have signed.
        takes: whether mail to an address is for us.
    """
    answered = await _addressed(connection, marks.replied, mail.sender) or await _sent(connection, marks.answered)
    chosen = await _addressed(connection, [marks.chosen[0]], "") if marks.chosen else None
    addressed = case_of(answered) if marks.replied else None
    staff = await connection.fetchval(
        "select staff_id from staff where lower(email) = $1 order by staff_id limit 1", mail.sender
    )
    found = Found(
        senders=await _senders(connection, mail.sender),
        neighbours=await _neighbours(connection, mail.sender),
        addressed=await _named(connection, [addressed]) if addressed else None,
        threaded=await _threaded(connection, marks.threads, mail.sender),
        named=await _named(connection, named),
        answered=answered,
        stopped=await _addressed(connection, marks.stopped, mail.sender),
        chosen=chosen,
        choice=marks.chosen[1] if marks.chosen else "",
        returned=await _sent(connection, marks.returned),
        reported=await _reported(connection, mail, received_at),
        forged=marks.forged,
        own=mail.sender == own_address.lower() or await _is_own(connection, mail.message_id),
        staff=staff,
        cases_today=await _cases_today(connection, chosen.email.lower() if chosen else mail.sender, received_at),
    )
    if staff is None:
        return found
    noticed = await noticed_case(connection, marks)
    case = noticed or found.addressed or found.threaded or found.named
    audience = await audience_of(connection, mail, case, takes) if case is not None else None
    return found.having(noticed=noticed, audience=audience)


async def _senders(connection: Connection, sender: str) -> tuple[KnownSender, ...]:
    rows = await connection.fetch(
        "select account_id, contact_id, role from contact where lower(email) = $1 order by account_id, position limit 20",
        sender,
    )
    return tuple(KnownSender.model_validate(dict(row)) for row in rows)


async def _reported(connection: Connection, mail: InboundMail, received_at: datetime) -> tuple[str, ...]:
    """The accounts whose contact a report that names no mail says to have no such address, if they were written to lately."""
    report = mail.bounce
    if report is None or report.message_ids or not report.recipient or not report.is_for_good:
        return ()
    rows = await connection.fetch(
        "select distinct c.account_id from contact c join outbox o using (account_id, contact_id)"
        " where lower(c.email) = $1 and o.channel = 'deliver_mail' and o.status = 'sent'"
        " and o.settled_at > $2::timestamptz - interval '7 days' order by 1 limit 20",
        report.recipient.lower(),
        received_at,
    )
    return tuple(row["account_id"] for row in rows)


async def _neighbours(connection: Connection, sender: str) -> tuple[str, ...]:
    domain = sender.rpartition("@")[2]
    if not domain:
        return ()
    rows = await connection.fetch(
        "select distinct account_id from contact where lower(split_part(email, '@', 2)) = $1 order by 1 limit 20",
        domain,
    )
    return tuple(row["account_id"] for row in rows)


async def _threaded(connection: Connection, answers: Sequence[str], sender: str) -> FoundCase | None:
    """The case that has the nearest mail. Where several have it, for anybody can give a mail the id of another, the sender's own."""
    if not answers:
        return None
    row = await connection.fetchrow(
        "select c.case_id, c.account_id, c.contact->>'email' as email"
        " from unnest($1::text[]) with ordinality as wanted(id, n)"
        " join case_message m on m.message_id = wanted.id join service_case c using (case_id)"
        " order by wanted.n, (lower(coalesce(c.contact->>'email', '')) = $2 or exists"
        " (select 1 from contact p where p.account_id = c.account_id and lower(p.email) = $2)) desc, m.at, m.case_id limit 1",
        list(answers),
        sender,
    )
    return _case(row)


async def _named(connection: Connection, named: Sequence[str]) -> FoundCase | None:
    if not named:
        return None
    row = await connection.fetchrow(
        "select c.case_id, c.account_id, c.contact->>'email' as email"
        " from unnest($1::text[]) with ordinality as wanted(id, n)"
        " join service_case c on lower(c.case_id) = lower(wanted.id) order by wanted.n, c.case_id limit 1",
        list(named),
    )
    return _case(row)


def _case(row: Any) -> FoundCase | None:
    if row is None:
        return None
    return FoundCase(case_id=row["case_id"], account_id=row["account_id"], email=row["email"] or "")


_SENT = (
    "select o.delivery_id, coalesce(own.merged_into, o.account_id) as account_id,"
    " case when own.merged_into is null then o.contact_id else c.contact_id end as contact_id,"
    " o.body->>'to_email' as email, o.body->>'template' as template,"
    " o.body->>'reply_to' as person, o.body->'context' as context, lower(c.email) = lower(o.body->>'to_email') as current, c.role,"
    " exists (select from outbox w where w.left_with = o.delivery_id and w.body->>'template' in ('renewal_notice', 'renewal_grace'))"
    " as several,"
    " (select w.body->'context' from outbox w where w.left_with = o.delivery_id and w.body->>'template' = 'survey' limit 1) as surveyed"
    f" from outbox o {WHOM} where o.channel = 'deliver_mail' and "
)


async def _sent(connection: Connection, signed: Sequence[tuple[str, str]]) -> SentMail | None:
    """The latest mail of ours that the ids name; one whose sending was not noted yet is found by its own id."""
    if not signed:
        return None
    ids, deliveries = zip(*signed, strict=True)
    row = await connection.fetchrow(
        f"{_SENT} (o.message_id = any($1) or o.delivery_id = any($2)) "
        " order by o.created_at desc, o.delivery_id desc limit 1",
        list(ids),
        list(deliveries),
    )
    return _as_sent(row)


async def _addressed(connection: Connection, digests: Sequence[bytes], sender: str) -> SentMail | None:
    """The mail of ours whose signed address was written to; of several the one that went to the sender, then the latest."""
    if not digests:
        return None
    row = await connection.fetchrow(
        f"{_SENT} delivery_digest(o.delivery_id) = any($1)"
        " order by lower(o.body->>'to_email') = $2 desc, o.created_at desc, o.delivery_id desc limit 1",
        list(digests),
        sender,
    )
    return _as_sent(row)


def _as_sent(row: Any) -> SentMail | None:
    if row is None:
        return None
    return SentMail.model_validate(
        {name: value for name, value in row.items() if value is not None} | {"current": bool(row["current"])}
    )


async def _is_own(connection: Connection, message_id: str | None) -> bool:
    return message_id is not None and bool(
        await connection.fetchval("select true from outbox where message_id = $1 limit 1", message_id)
    )


async def _cases_today(connection: Connection, sender: str, at: datetime) -> int:
    count: int = await connection.fetchval(
        "select count(distinct case_id) from inbox_message where status = 'matched' and sender = $1"
        " and received_at > $2 and received_at <= $3",
        sender,
        at - timedelta(days=1),
        at,
    )
    return count


async def is_staff_address(connection: Connection, addresses: Sequence[str]) -> bool:
    """True if one of the addresses is one of our own people's."""
    found = await connection.fetchval(
        "select true from staff where lower(email) = any($1) limit 1", [address.lower() for address in addresses]
    )
    return bool(found)


# For people


async def list_mails(connection: Connection, statuses: Sequence[str], limit: int) -> list[Row]:
    """The latest mails of these statuses, newest first, without their content."""
    rows = await connection.fetch(
        f"select {_SHOWN} from inbox_message where status = any($1) order by received_at desc, inbox_id desc limit $2",
        list(statuses),
        limit,
    )
    return [dict(row) for row in rows]


async def machines_mails(connection: Connection, since: datetime, until: datetime, page: int, size: int) -> list[Row]:
    """What machines wrote in a span of time, alike mails of one sender together, the latest first; pages count from 1."""
    rows = await connection.fetch(
        "select sender, coalesce(machine, 'machine') as kind, count(*)::int as mails, max(received_at) as latest_at,"
        " (array_agg(subject order by received_at desc, inbox_id desc))[1] as subject, account_id, done,"
        " (array_agg(reason order by received_at desc, inbox_id desc))[1] as reason,"
        " (array_agg(inbox_id order by received_at desc, inbox_id desc))[1] as inbox_id, count(*) over ()::int as groups"
        " from inbox_message where status = 'automatic' and received_at > $1 and received_at <= $2"
        " group by sender, machine, account_id, done order by latest_at desc, sender, machine, account_id, done limit $3 offset $4",
        since,
        until,
        size,
        (page - 1) * size,
    )
    return [dict(row) for row in rows]


async def count_mails(connection: Connection) -> dict[str, int]:
    """How many mails there are of each status."""
    rows = await connection.fetch("select status, count(*)::int as mails from inbox_message group by status")
    return {row["status"]: row["mails"] for row in rows}


async def find_mail(connection: Connection, inbox_id: str) -> Row | None:
    """A mail with its content, by its id or the beginning of it; null if there is none, or more than one."""
    rows = await connection.fetch(
        f"select {_SHOWN}, raw, recipients, return_path from inbox_message where starts_with(inbox_id, $1) limit 2",
        inbox_id,
    )
    return dict(rows[0]) if len(rows) == 1 else None


raw_mail = Value[bytes | None]("select raw from inbox_message where inbox_id = $1")
"""A mail as it was received; null if there is none."""


async def mails_with_files(connection: Connection, case_id: str) -> list[tuple[str, datetime]] | None:
    """Id and instant of the mails of a case with which files came, oldest first; null if there is no such case."""
    if not await connection.fetchval("select true from service_case where case_id = $1", case_id):
        return None
    rows = await connection.fetch(
        "select inbox_id, received_at from inbox_message where case_id = $1 and attachments <> '[]'"
        " order by received_at, inbox_id",
        case_id,
    )
    return [(row["inbox_id"], row["received_at"]) for row in rows]


mails_of_case = Query(
    f"select {_SHOWN} from inbox_message where case_id = $1 and status <> 'matched' order by received_at, inbox_id limit 100"
)
"""The mails that name a case and were not taken into it: automatic ones, and those that wait for a person."""

_PARTS = """
with recursive part as (
  select case_id from service_case where case_id = $1
  union select c.case_id from service_case c join part p on c.merged_into = p.case_id)
"""
files_of_case = Query(f"""{_PARTS}
select i.inbox_id as mail, i.message_id, i.received_at as at, i.sender, f.number::int as number, f.file->>'name' as name,
       f.file->>'media_type' as media_type, (f.file->>'size')::bigint as size
from part join inbox_message i using (case_id) cross join lateral jsonb_array_elements(i.attachments) with ordinality f(file, number)
where i.status = 'matched' order by i.received_at, i.inbox_id, f.number
""")
"""The files that came with the mails of a case, and of those that were merged into it, in their order."""
mail_of_case = Value[bytes | None](f"""{_PARTS}
select i.raw from part join inbox_message i using (case_id) where i.inbox_id = $2 and i.status = 'matched'
""")
"""A mail as it was received, if it belongs to the case; null otherwise."""
