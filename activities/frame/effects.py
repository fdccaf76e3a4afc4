"""What makes an effect happen once: its business key; and the lines of the journal."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from temporalio import activity

from activities.frame.telling import AS_TOLD, COLUMNS, INTO
from activities.kernel.gathering import Gathered
from activities.kernel.inserts import Insert
from activities.kernel.pool import Connection, Record
from activities.kernel.queries import Value
from domain.frame.keys import EffectKey, Word
from domain.frame.state import Outcome
from domain.journey.telling import line_told
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

    def answer_to_request(self, run: str) -> Outcome:
        """As `answer`; a run that has forgotten it hears so: much may have come of it since."""
        return self.outcome.again().having(forgotten=True) if is_forgotten(self.run, run) else self.answer(run)


def is_forgotten(done_by: str, run: str) -> bool:
    """True if a run asks for what was done for it before, and not because it did not hear the answer: it came back from a copy of before."""
    return bool(run) and done_by == run and activity.info().attempt == 1


latest_effect = Value[datetime | None]("select max(as_of) from effect where account_id = $1")
"""The customer's own time of what was done last for an account; null if nothing was."""


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


async def find_effect_and_read(
    connection: Connection, key: str, accounts: Iterable[str], asked: Asked | None, reads: str, *about: Any
) -> tuple[Effect | None, Record | None]:
    """As `find_effect_holding`, with what `reads` comes to, all by one statement; `about`: the parameters of `reads`, of which there
    are three at least: account, instant and day.

    A statement sees what was so before it waited for a lock. So nothing of it counts, and null is returned in place of a row, if
    anything at all was committed between its beginning and the moment at which it held the accounts.
    """
    first, more = about[:3], about[3:]
    text = HOLDING.format(reads=reads)
    row = await connection.fetchrow(text, *first, sorted(set(accounts)), key, _under(key, asked), *more)
    if row is None or not row["unmoved"]:
        return await find_effect_holding(connection, key, accounts, asked), None
    if row["key"] is None:
        return None, row
    _check(row, key, asked)
    return Effect(row["run"], Outcome.model_validate(row["outcome"])), row


HOLDING = """
with held as materialized (select hold_accounts($4) as snapshot)
select held.snapshot = pg_current_snapshot()::text as unmoved, e.key, e.run, e.outcome, e.asked, {reads}
from held left join lateral (
  select key, run, outcome, asked from effect where key = $5 or under = $6 order by key = $5 desc, key limit 1) e on true
"""


def _under(key: str, asked: Asked | None) -> str | None:
    """What every request with this id has in common, of whatever kind it is: the journey or case, and the id."""
    if asked is None or not key.endswith(f":{asked.request_id}"):
        return None
    return str(EffectKey(EffectKey.parse(key).whose, asked.request_id))


def _check(row: Any, key: str, asked: Asked | None) -> None:
    """Refuses what is another request than the one on record under its id."""
    if asked is not None:
        kind = Word.parse(EffectKey.parse(row["key"]).what).word if row["key"] != key else None
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


async def gather_effect(
    gathered: Gathered,
    key: str,
    account_id: str,
    run: str,
    as_of: datetime,
    outcome: Carried,
    asked: Asked | None = None,
) -> None:
    """An effect that is written with all else that waits."""
    said = outcome.model_dump(mode="json", exclude_unset=True)
    await gathered.add(
        _EFFECT, [(key, account_id, run, as_of, said, asked.digest if asked else None, _under(key, asked))]
    )


async def record_effect(
    gathered: Gathered,
    key: str,
    account_id: str,
    run: str,
    as_of: datetime,
    outcome: Carried,
    asked: Asked | None = None,
    people_since: datetime | None = None,
) -> bool:
    """The effect under its key, with the fingerprint of what was asked, and all that waits to be written with it. A second one under
    the same key is refused by the table.

    True if people of the account have changed after `people_since`, up to this transaction.
    """
    if gathered.holds("people_change"):
        await gathered.write()
    await gather_effect(gathered, key, account_id, run, as_of, outcome, asked)
    changed: bool = await gathered.write(PEOPLE_CHANGED, account_id, people_since)
    return changed


async def amend_effect(connection: Connection, key: str, outcome: Carried) -> None:
    """What came of an effect that was recorded in the same transaction, with what only shows once it is on record."""
    said = outcome.model_dump(mode="json", exclude_unset=True)
    await connection.execute("update effect set outcome = $2 where key = $1", key, said)


_EFFECT = Insert("effect", "key account_id run as_of outcome asked under")
PEOPLE_CHANGED = (
    "select exists (select from people_change p where p.account_id = $1 and p.at > $2::timestamptz) as changed"
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


async def write_journal(connection: Connection, account_id: str, rows: Sequence[JournalRow]) -> None:
    """Lines of a customer's history; a key stands once."""
    gathered = Gathered(connection)
    await gather_journal(gathered, account_id, rows)
    await gathered.write()


async def gather_journal(gathered: Gathered, account_id: str, rows: Sequence[JournalRow]) -> None:
    """As `write_journal`, together with all else that waits."""
    first = {row.key: row for row in reversed(rows)}
    lines = [
        {
            "account_id": account_id,
            **{name: getattr(row, name) for name in _OF_LINE},
            "told": list(line_told(account_id, row.key, row.at, row.kind, row.title, row.detail)),
        }
        for row in rows
        if first[row.key] is row
    ]
    await gathered.say(JOURNAL, lines)


_OF_LINE = ("key", "at", "stage", "kind", "title", "detail")
_LINE = f"account_id, {', '.join(_OF_LINE)}"
JOURNAL = (
    f"line as (insert into journal ({_LINE}) select {_LINE} from jsonb_populate_recordset(null::journal, {{0}})"
    " on conflict (key) do nothing returning key),"
    f" told as ({INTO} select {', '.join(f'l.{name}' for name in COLUMNS.split(', '))} from jsonb_array_elements({{0}}) r(said)"
    " join line on line.key = r.said->>'key'"
    f" cross join jsonb_populate_recordset(null::timeline_item, r.said->'told') l {AS_TOLD})"
)
"""Lines of the journal; those that are new are told on the timeline."""


async def missing_effects(connection: Connection, keys: Sequence[str]) -> list[str]:
    """Those of these keys that no effect is on record under."""
    rows = await connection.fetch(
        "select k.key from unnest($1::text[]) with ordinality k (key, n)"
        " where not exists (select 1 from effect e where e.key = k.key) order by k.n",
        list(keys),
    )
    return [row["key"] for row in rows]


async def flag_contact(
    connection: Connection, account_id: str, contact_id: str, email: str, as_of: datetime, reason: str
) -> bool:
    """A mail server refused this contact's address for good. False if the contact has another address by now."""
    return await connection.fetchval(_FLAG, account_id, contact_id, as_of, reason, email) is not None


# A sponsor whom nothing reaches any more is gone.
_FLAG = """
with known as (
  select role, rejected_at from contact where account_id = $1 and contact_id = $2 and lower(email) = lower($5)),
gone as (
  insert into people_change (account_id, what, about, at)
  select $1, 'sponsor', $2, $3 from known where role = 'sponsor' and rejected_at is null)
update contact set rejected_at = $3, rejected_reason = $4
where account_id = $1 and contact_id = $2 and lower(email) = lower($5) returning contact_id
"""


async def unsubscribe_contact(connection: Connection, account_id: str, contact_id: str, as_of: datetime) -> None:
    """This contact wants no optional mails any more."""
    await connection.execute(
        "update contact set unsubscribed_at = coalesce(unsubscribed_at, $3) where account_id = $1 and contact_id = $2",
        account_id,
        contact_id,
        as_of,
    )
