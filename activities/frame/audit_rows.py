"""What was asked through the gateway and by whom, and the answers that a repeated call gets again."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from activities.kernel.inserts import Insert
from activities.kernel.pool import Connection
from activities.kernel.queries import Query, Value


@dataclass(frozen=True)
class Entry:
    """One act: who (`staff:s-1`, `key:erp`), by which door, what, and of whom (`account/C-17`, `case/S-3`)."""

    at: datetime
    actor: str
    door: str
    operation: str
    subject: str
    request_id: str
    reason: str = ""


@dataclass(frozen=True)
class KeptAnswer:
    """An answer under the Idempotency-Key of a call."""

    status: int
    body: str


@dataclass(frozen=True)
class Claim:
    """Whose an Idempotency-Key is: `digest` is that of the call that came first under it, `answer` what that call was answered."""

    digest: bytes
    answer: KeptAnswer | None


_ENTRY = Value[int](
    "insert into audit_entry (at, actor, door, operation, subject, request_id, reason)"
    " values ($1, $2, $3, $4, $5, $6, $7) returning audit_id"
)
_KEPT = Insert("kept_answer", "actor key digest status body kept_at", "on conflict (actor, key) do nothing")


async def note(connection: Connection, entry: Entry) -> int:
    """Writes down that something is about to be asked; the number of the entry."""
    return await _ENTRY(
        connection,
        entry.at,
        entry.actor,
        entry.door,
        entry.operation,
        entry.subject,
        entry.request_id,
        entry.reason,
    )


async def settle(connection: Connection, audit_id: int, outcome: str, at: datetime) -> None:
    """What came of it: `done`, the name of a refusal, or `open` if nobody answered in time."""
    await connection.execute(
        "update audit_entry set outcome = $2, settled_at = $3 where audit_id = $1", audit_id, outcome, at
    )


entries = Query(
    "select audit_id, at, actor, door, operation, subject, request_id, reason, outcome, settled_at from audit_entry"
    " where ($1::text is null or subject = $1) and ($2::text is null or actor = $2) and ($3::bigint is null or audit_id < $3)"
    " order by audit_id desc limit $4"
)
"""The log, latest first: of a subject, of an actor, before a number; at most so many."""

asked_under = Query(
    "select at, operation, outcome from audit_entry where subject = $1 and request_id = $2 order by audit_id desc limit 1"
)
"""The latest entry of a request by its subject and its id."""

taken_under = Value[bool](
    "select exists (select from audit_entry where actor = $1 and request_id = $2 and $2 <> '' and coalesce(outcome, 'done') = 'done')"
)
"""Whether somebody's request under an id was done, or is about to be."""

done_under = Query("select key, as_of, outcome from effect where under = $1 limit 1")
"""What is on record under a request's id, of whatever kind it was."""


# Whoever comes second waits for whoever came first to have written it, and reads whose it is.
_CLAIM = Query(
    "with claim as ("
    " insert into claimed_key (actor, key, digest, claimed_at) values ($1, $2, $3, $4)"
    " on conflict (actor, key) do update set actor = excluded.actor returning digest)"
    " select coalesce(k.digest, c.digest) as digest, k.status, k.body"
    " from claim c left join kept_answer k on k.actor = $1 and k.key = $2"
)


async def claim(connection: Connection, actor: str, key: str, digest: bytes, at: datetime) -> Claim:
    """Claims a key of this actor's for a call, unless it is another one's already."""
    row = (await _CLAIM(connection, actor, key, digest, at))[0]
    return Claim(row["digest"], None if row["status"] is None else KeptAnswer(row["status"], row["body"]))


async def keep(connection: Connection, actor: str, key: str, digest: bytes, answer: KeptAnswer, at: datetime) -> None:
    """Keeps an answer; of two at once the first stays."""
    await _KEPT.add(connection, [(actor, key, digest, answer.status, answer.body, at)])
