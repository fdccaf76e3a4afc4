"""What makes an effect happen once: its business key, the journal's lines, and the messages that leave after the commit."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from activities.frame.telling import telling
from activities.kernel.pool import Connection
from domain.frame.flight import Channel
from domain.frame.state import Outcome
from domain.journey.telling import line_told, message_told
from domain.kernel.base import Carried
from domain.kernel.fingerprints import Asked


@dataclass(frozen=True)
class Effect:
    """An effect on record: the run that asked for it, and what came of it."""

    run: str
    outcome: Outcome

    def answer(self, run: str) -> Outcome:
        """All that came of it for a retry of the run that it was done for; the answer alone for whoever asks again."""
        return self.outcome if self.run == run else self.outcome.again()


def effect_key(account_id: str, what: str) -> str:
    """The business key of something done for a customer: `journey:C-17/renewal:K-3:2/notice-60`."""
    return f"journey:{account_id}/{what}"


async def find_effect(connection: Connection, key: str, asked: Asked | None = None) -> Effect | None:
    """The effect that was recorded under `key`, if it was. Raises `Refusal` (RequestConflict) if something else was asked."""
    found = await find_record(connection, key, asked)
    return Effect(found[0], Outcome.model_validate(found[1])) if found else None


async def find_effect_holding(
    connection: Connection, key: str, accounts: Iterable[str], asked: Asked | None = None
) -> Effect | None:
    """As `find_effect`, holding the accounts' rows until the transaction ends: whatever is read after it cannot change.

    Rows are taken in the order of their ids, whoever asks, so that two who need the same two never wait for each other. The
    effect is looked for once they are held: whoever waited for its first doing finds it.
    """
    row = await connection.fetchrow(
        "select * from effect_holding($1, $2, $3)", key, sorted(set(accounts)), _under(key, asked)
    )
    if row is None:
        return None
    _check(row, key, asked)
    return Effect(row["run"], Outcome.model_validate(row["outcome"]))


def _under(key: str, asked: Asked | None) -> str | None:
    """What every request with this id has in common, of whatever kind it is: the journey or case, and the id."""
    if asked is None or not key.endswith(f":{asked.request_id}"):
        return None
    return f"{key.removesuffix(f':{asked.request_id}').rpartition('/')[0]}/{asked.request_id}"


def _check(row: Any, key: str, asked: Asked | None) -> None:
    """Refuses what is another request than the one on record under its id."""
    if asked is not None:
        kind = row["key"].rpartition("/")[2].partition(":")[0] if row["key"] != key else None
        asked.check(row["asked"], kind=kind)


async def find_record(connection: Connection, key: str, asked: Asked | None = None) -> tuple[str, Any] | None:
    """The run and the outcome, as they were written, of the effect under `key`; refuses as `find_effect` does."""
    row = await connection.fetchrow(
        "select key, run, outcome, asked from effect where key = $1 or under = $2 order by key = $1 desc limit 1",
        key,
        _under(key, asked),
    )
    if row is None:
        return None
    _check(row, key, asked)
    return row["run"], row["outcome"]


async def record_effect(
    connection: Connection,
    key: str,
    account_id: str,
    run: str,
    as_of: datetime,
    outcome: Carried,
    asked: Asked | None = None,
) -> None:
    """The effect under its key, with the fingerprint of what was asked. A second one under the same key is refused by the table."""
    await connection.execute(
        "insert into effect (key, account_id, run, as_of, outcome, asked, under) values ($1, $2, $3, $4, $5, $6, $7)",
        key,
        account_id,
        run,
        as_of,
        outcome.model_dump(mode="json", exclude_unset=True),
        asked.digest if asked else None,
        _under(key, asked),
    )


@dataclass(frozen=True)
class JournalRow:
    """A line of the journal."""

    key: str
    at: datetime
    stage: str
    kind: str
    title: str
    detail: dict[str, Any]


async def write_journal(connection: Connection, account_id: str, rows: list[JournalRow]) -> None:
    """Lines of a customer's history; a key stands once."""
    await connection.executemany(
        _LINE,
        [
            (
                *(account_id, r.key, r.at, r.stage, r.kind, r.title, r.detail),
                list(line_told(account_id, r.key, r.at, r.kind, r.title, r.detail)),
            )
            for r in rows
        ],
    )


_LINE = telling(
    "insert into journal (account_id, key, at, stage, kind, title, detail) values ($1, $2, $3, $4, $5, $6, $7)"
    " on conflict (key) do nothing",
    8,
)


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
    status: str
    created_at: datetime
    sent_before: datetime | None = None
    """when it was sent, by what the engine remembers and the database has lost"""
    role: str | None = None
    """of the contact it goes to"""


async def put_outbox(connection: Connection, account_id: str | None, as_of: datetime, rows: list[OutboxRow]) -> None:
    """Messages that leave once this transaction is committed."""
    if rows:
        await connection.executemany(
            "insert into outbox (delivery_id, account_id, channel, stage, contact_id, staff_id, body, created_at, purpose,"
            " product_code, leaves_at, status, reason) values ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13)",
            [
                (
                    r.delivery_id,
                    account_id,
                    r.channel.value,
                    r.stage,
                    r.contact_id,
                    r.staff_id,
                    r.body,
                    as_of,
                    r.purpose,
                    r.product,
                    r.leaves_at,
                    "held" if r.leaves_at else "waiting",
                    "it waits for the morning" if r.leaves_at else None,
                )
                for r in rows
            ],
        )


async def find_outbox(connection: Connection, delivery_id: str) -> Waiting | None:
    """A message by its id."""
    row = await connection.fetchrow(
        "select o.*, b.sent_at as sent_before, c.role from outbox o left join sent_before b using (delivery_id)"
        " left join contact c on c.account_id = o.account_id and c.contact_id = o.contact_id where delivery_id = $1",
        delivery_id,
    )
    if row is None:
        return None
    return Waiting(
        delivery_id=row["delivery_id"],
        channel=Channel(row["channel"]),
        stage=row["stage"],
        body=row["body"],
        contact_id=row["contact_id"],
        staff_id=row["staff_id"],
        purpose=row["purpose"],
        product=row["product_code"],
        account_id=row["account_id"] or "",
        status=row["status"],
        created_at=row["created_at"],
        sent_before=row["sent_before"],
        role=row["role"],
    )


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


async def settled_before(connection: Connection, row: Waiting) -> bool:
    """True for a message that waits although the histories say that it was sent: it is booked as sent now."""
    if row.status != "waiting" or row.sent_before is None:
        return False
    reason = "sent before, by the engine's histories"
    await settle_outbox(connection, row.delivery_id, "sent", row.sent_before, reason=reason, row=row)
    return True


async def missing_effects(connection: Connection, keys: Sequence[str]) -> list[str]:
    """Those of these keys that no effect is on record under."""
    rows = await connection.fetch(
        "select k.key from unnest($1::text[]) with ordinality k (key, n)"
        " where not exists (select 1 from effect e where e.key = k.key) order by k.n",
        list(keys),
    )
    return [row["key"] for row in rows]


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
    status: str,
    as_of: datetime,
    *,
    message_id: str | None = None,
    reason: str | None = None,
    row: Waiting | None = None,
) -> bool:
    """A message was sent or rejected. False if somebody settled it before. `row`: of a mail or notice, which is told of."""
    told = (
        message_told(row.account_id, delivery_id, row.channel, row.stage, row.body, as_of)
        if row is not None and status == "sent"
        else ()
    )
    done: int = await connection.fetchval(_SETTLE, delivery_id, status, as_of, message_id, reason, list(told))
    return done == 1


_SETTLE = telling(
    "update outbox set status = $2, settled_at = $3, message_id = $4, reason = $5 where delivery_id = $1 and status = 'waiting'",
    6,
)


async def note_tried(connection: Connection, delivery_id: str, attempts: int) -> None:
    """So often a message was tried in vain by now; who tries it from now on counts from one."""
    await connection.execute("update outbox set tried = $2 where delivery_id = $1", delivery_id, attempts)


async def flag_contact(
    connection: Connection, account_id: str, contact_id: str, email: str, as_of: datetime, reason: str
) -> bool:
    """A mail server refused this contact's address for good. False if the contact has another address by now."""
    done = await connection.execute(
        "update contact set rejected_at = $3, rejected_reason = $4"
        " where account_id = $1 and contact_id = $2 and lower(email) = lower($5)",
        account_id,
        contact_id,
        as_of,
        reason,
        email,
    )
    return done == "UPDATE 1"


async def unsubscribe_contact(connection: Connection, account_id: str, contact_id: str, as_of: datetime) -> None:
    """This contact wants no optional mails any more."""
    await connection.execute(
        "update contact set unsubscribed_at = coalesce(unsubscribed_at, $3) where account_id = $1 and contact_id = $2",
        account_id,
        contact_id,
        as_of,
    )


async def latest_notice(
    connection: Connection, account_id: str, contract_id: str, since: datetime
) -> dict[str, Any] | None:
    """What the latest renewal notice about a contract says that was decided after `since` and goes out or has gone."""
    said: dict[str, Any] | None = await connection.fetchval(
        "select body->'context' from outbox where account_id = $1 and channel = 'deliver_mail' and created_at > $3"
        " and body->>'template' = 'renewal_notice' and body->'context'->>'contract_id' = $2"
        " and status in ('waiting', 'held', 'sent') order by created_at desc, delivery_id desc limit 1",
        account_id,
        contract_id,
        since,
    )
    return said


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


async def last_optional_mail(
    connection: Connection, account_id: str, email: str, before: datetime, answers: Iterable[str]
) -> datetime | None:
    """When an address got the latest optional mail, or will get the one that is on its way; `answers` are templates that do not count."""
    at: datetime | None = await connection.fetchval(
        "select max(greatest(created_at, settled_at)) from outbox where account_id = $1 and channel = 'deliver_mail'"
        " and created_at > $3::timestamptz - interval '60 days' and status in ('waiting', 'sent')"
        " and greatest(created_at, settled_at) > $3::timestamptz - interval '10 days'"
        " and body->>'unsubscribe' is not null and body->>'template' <> all($4) and lower(body->>'to_email') = lower($2)",
        account_id,
        email,
        before,
        sorted(answers),
    )
    return at


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
