"""Somebody goes from the tables, in one transaction: every personal column, cell by cell, with what went where counted."""

from __future__ import annotations

from collections import Counter
from collections.abc import Collection, Iterator, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from email import message_from_bytes, policy
from enum import StrEnum
from typing import Any

from activities.journey.personal import DERIVED, PERSONAL, PLAIN, Personal
from activities.kernel.pool import Connection, Record
from activities.kernel.queries import Query, Value
from domain.frame.mail_kinds import TEMPLATES
from domain.journey.erasures import ErasedWord, words_of
from domain.journey.traces import ERASED, Traces, is_plain, wordless
from domain.kernel.ids import opaque_id
from domain.mail.signing import Key


@dataclass(frozen=True)
class Whom:
    """Who is erased: a contact of an account, or (null) the customer as a whole."""

    account_id: str
    contact_id: str | None = None

    @property
    def erasure_id(self) -> str:
        """The same however often they are erased."""
        return opaque_id(f"erasure:{self.account_id}:{self.contact_id or ''}")


@dataclass
class Gone:
    """What went: how many cells by table and column, pieces of the search, our mails that stay without their words."""

    cells: Counter[str] = field(default_factory=Counter)
    search_pieces: int = 0
    mails: int = 0


_KINDS = (
    "select column_name, data_type from information_schema.columns where table_schema = 'public' and table_name = $1"
)
_traces_of_person = Query(
    "select name, email, phone, phone_number from contact where account_id = $1 and contact_id = $2"
    " union all select null, email, null, null from gone_contact where account_id = $1 and contact_id = $2"
    " union all select contact->>'name', contact->>'email', contact->>'phone', null from service_case"
    "   where account_id = $1 and contact_id = $2"
    " union all select nullif(sender_name, ''), sender, null, null from inbox_message where account_id = $1 and contact_id = $2"
)
_traces_of_all = Query(
    "select name, email, phone, phone_number from contact where account_id = $1"
    " union all select null, email, null, null from gone_contact where account_id = $1"
    " union all select name, null, null, null from account where account_id = $1"
)
_written = Query(
    "select m.body as said from case_message m join service_case c using (case_id)"
    "   where c.account_id = $1 and m.direction = 'inbound' and (c.contact_id = $2 or lower(m.sender) = any($3))"
    " union all select subject from service_case where account_id = $1 and contact_id = $2"
    " union all select comment from survey where account_id = $1 and lower(sent_to) = any($3)"
    " union all select s.comment from case_survey s join service_case c using (case_id)"
    "   where c.account_id = $1 and (c.contact_id = $2 or lower(s.sent_to) = any($3))"
    " union all select comment from reference_ask where account_id = $1 and contact_id = $2"
    " union all select subject from inbox_message where account_id = $1 and (contact_id = $2 or lower(sender) = any($3))"
)
_mentions = Value[bool](
    "select exists (select from contact where account_id = $1 and contact_id = $2)"
    " or exists (select from gone_contact where account_id = $1 and contact_id = $2)"
    " or exists (select from service_case where account_id = $1 and contact_id = $2)"
)
_pieces = Query("select kind, ref, says, listed_by from customer_text where account_id = $1")
_names_of_things = Query(
    "select code as word from product union select name from product union select staff_id from staff union select segment from playbook"
)


async def is_known(connection: Connection, account_id: str, contact_id: str) -> bool:
    """True for a contact who is, or was, on record."""
    return await _mentions(connection, account_id, contact_id)


async def traces_of(connection: Connection, whom: Whom) -> Traces:
    """What somebody is named by in the tables, and of a person what they wrote."""
    if whom.contact_id is None:
        return _named(await _traces_of_all(connection, whom.account_id))
    found = _named(await _traces_of_person(connection, whom.account_id, whom.contact_id))
    emails = emails_in(found)
    rows = await _written(connection, whom.account_id, whom.contact_id, emails)
    texts = tuple(dict.fromkeys(said for row in rows if row["said"] for said in _own_words(row["said"])))
    return Traces(found.names, found.addresses, texts, (whom.contact_id, whom.account_id))


def _named(rows: Sequence[dict[str, Any]]) -> Traces:
    names = dict.fromkeys(row["name"] for row in rows if row["name"] and row["name"] != ERASED)
    said = [row[name] for row in rows for name in ("email", "phone", "phone_number")]
    return Traces(tuple(names), tuple(dict.fromkeys(one for one in said if one and one != ERASED)))


def emails_in(traces: Traces) -> list[str]:
    """The mail addresses among them, in small letters."""
    return [one.lower() for one in traces.addresses if "@" in one]


_ANSWERS = ("re:", "aw:", "fw:", "fwd:", "wg:")


def _own_words(text: str) -> Iterator[str]:
    """What somebody wrote, without what they quote of others."""
    if text == ERASED or text.lower().startswith(_ANSWERS):
        return
    own = "\n".join(line for line in text.splitlines() if not line.lstrip().startswith(">"))
    if own.strip():
        yield own


async def erase_rows(connection: Connection, whom: Whom, traces: Traces, as_of: datetime) -> Gone:
    """Takes somebody out of every personal column. A person is no contact any more, and gets no mail that waits."""
    before = await _pieces(connection, whom.account_id)
    known = await _known_words(connection, whom.account_id)
    emails = emails_in(traces)
    gone = Gone(mails=await _no_more_mails(connection, whom, as_of))
    for one in PERSONAL:
        if one.table not in DERIVED:
            await _Sweep(connection, one, whom, traces, known, emails).erase(gone.cells)
    if whom.contact_id is not None:
        await connection.execute(_REMOVED, whom.account_id, whom.contact_id, as_of)
    after = {tuple(row.values()) for row in await _pieces(connection, whom.account_id)}
    gone.search_pieces = sum(tuple(row.values()) not in after for row in before)
    return gone


_REMOVED = """
with gone as (delete from contact where account_id = $1 and contact_id = $2 returning *)
insert into gone_contact (account_id, contact_id, email, unsubscribed_at, removed_at, removed_by, role)
select account_id, contact_id, email, unsubscribed_at, $3, 'erasure', role from gone
"""
_NOTHING_LEAVES = """
with waiting as (
       update outbox set status = 'withdrawn', settled_at = $3, reason = null
       where account_id = $1 and ($2::text is null or contact_id = $2) and status in ('waiting', 'held') and channel <> 'convey_assets'),
     come as (
       update inbox_message set status = 'discarded', settled_at = $3
       where account_id = $1 and ($2::text is null or contact_id = $2) and status = 'new')
select count(*) from outbox where account_id = $1 and ($2::text is null or contact_id = $2) and channel = 'deliver_mail'
"""


async def _no_more_mails(connection: Connection, whom: Whom, as_of: datetime) -> int:
    count: int = await connection.fetchval(_NOTHING_LEAVES, whom.account_id, whom.contact_id, as_of)
    return count


async def _known_words(connection: Connection, account_id: str) -> frozenset[str]:
    """Words of ours, and ids: what stands in plain columns of the account's rows, and what we call things."""
    found = {member.value for kind in _enums(StrEnum) for member in kind} | set(TEMPLATES)
    found |= {row["word"] for row in await _names_of_things(connection)}
    whose = {one.table: one.whose for one in PERSONAL}
    for table, columns in PLAIN.items():
        names = columns.split()
        if table in whose or "account_id" in names:
            kinds = await _kinds(connection, table)
            texts = [name for name in names if kinds[name] == "text"]
            where = whose.get(table, "account_id = $1")
            rows = await connection.fetch(f"select distinct {_listed(texts)} from {table} where {where}", account_id)
            found |= {value for row in rows for value in row.values() if value}
    return frozenset(found)


def _enums(kind: type[StrEnum]) -> Iterator[type[StrEnum]]:
    for one in kind.__subclasses__():
        yield one
        yield from _enums(one)


async def _kinds(connection: Connection, table: str) -> dict[str, str]:
    return {row["column_name"]: row["data_type"] for row in await connection.fetch(_KINDS, table)}


def _listed(names: Sequence[str]) -> str:
    return ", ".join(f'"{name}"' for name in names)


@dataclass(frozen=True)
class _Sweep:
    """One entry of the table of personal columns, for somebody."""

    connection: Connection
    about: Personal
    whom: Whom
    traces: Traces
    known: Collection[str]
    emails: list[str]

    async def erase(self, cells: Counter[str]) -> None:
        """Takes them out, and counts the cells."""
        kinds = await _kinds(self.connection, self.about.table)
        for row in await self._rows(" for update"):
            changes = self._changes(row, kinds)
            cells.update(f"{self.about.table}.{name}" for name in changes)
            if self.about.goes and row["is_theirs"]:
                await self.connection.execute(f"delete from {self.about.table} where ctid = $1", row["ctid"])
            elif changes:
                sets = ", ".join(f'"{name}" = ${n}' for n, name in enumerate(changes, 2))
                statement = f"update {self.about.table} set {sets} where ctid = $1"
                await self.connection.execute(statement, row["ctid"], *changes.values())

    async def left(self) -> list[str]:
        """The columns in which something of them still stands."""
        kinds = await _kinds(self.connection, self.about.table)
        return [name for row in await self._rows("") for name in self._changes(row, kinds)]

    async def _rows(self, lock: str) -> list[Record]:
        about, whom = self.about, self.whom
        if whom.contact_id is None:
            theirs, given = "true", list[Any]((whom.account_id,))
        else:
            theirs = f"coalesce({about.theirs or 'false'}, false)"
            theirs += " and $2::text is not null and $3::text[] is not null"
            given = [whom.account_id, whom.contact_id, self.emails]
        text = (
            f"select ctid, {_listed(about.names)}, {theirs} as is_theirs from {about.table} where {about.whose}{lock}"
        )
        return list(await self.connection.fetch(text, *given))

    def _changes(self, row: Record, kinds: dict[str, str]) -> dict[str, Any]:
        """What of a row has to be otherwise."""
        after = {name: self._after(name, kinds[name], row[name], whole=row["is_theirs"]) for name in self.about.names}
        return {name: value for name, value in after.items() if value != row[name]}

    def _after(self, name: str, kind: str, value: Any, *, whole: bool) -> Any:
        if value is None:
            return None
        match kind:
            case "jsonb":
                return wordless(value, self.known) if whole and self.known else self.traces.cleared_in(value)
            case "bytea":
                return b"" if whole or (value and self.traces.are_in(text_of(value))) else value
            case "ARRAY":
                return [] if whole else [one for one in value if not self.traces.are_in(one)]
            case _ if not whole:
                return self.traces.cleared(value)
            case _ if name in self.about.emptied.split():
                return None
            case _:
                stays = not value or (name in self.about.ids.split() and is_plain(value, self.known))
                return value if stays else ERASED


def text_of(raw: bytes) -> str:
    """All that a mail says, or another document as it is."""
    try:
        mail = message_from_bytes(raw, policy=policy.default)
        heads = [str(value) for _, value in mail.items()]
        parts = [str(part.get_content()) for part in mail.walk() if part.get_content_maintype() == "text"]
        return "\n".join([*heads, *parts])
    except (LookupError, ValueError, TypeError, KeyError, AttributeError):  # a mail may be written in any way
        return raw.decode(errors="replace")


async def left_of(connection: Connection, whom: Whom, traces: Traces) -> Counter[str]:
    """The columns in which something of somebody stands (again), with how often."""
    # What was known of a person's customer then may not be any more: of their documents only names are looked for.
    known = frozenset() if whom.contact_id else await _known_words(connection, whom.account_id)
    found: Counter[str] = Counter()
    for one in PERSONAL:
        if one.table not in DERIVED:
            left = await _Sweep(connection, one, whom, traces, known, emails_in(traces)).left()
            found.update(f"{one.table}.{name}" for name in left)
    return found


_RECORD = """
insert into erasure (erasure_id, account_id, contact_id, at, by, words, cells)
values ($1, $2, $3, $4, $5, $6, $7)
on conflict (account_id, contact_id) do update set words = erasure.words || excluded.words,
    cells = (select jsonb_object_agg(c.key, c.sum) from (
        select key, sum(value::int) from (
            select * from jsonb_each_text(erasure.cells) union all select * from jsonb_each_text(excluded.cells)) e
        group by key) c (key, sum)),
    over_at = null, certificate = null
"""


async def record_erasure(
    connection: Connection,
    whom: Whom,
    traces: Traces,
    gone: Gone,
    as_of: datetime,
    by: str,
    key: Key,
    words: Sequence[ErasedWord] = (),
) -> None:
    """What is on record of an erasure from now on: whose, by ids, and what went. Again it counts what came since. words: digests that
    an earlier certificate has."""
    said = [word.model_dump() for word in {word.digest: word for word in (*words, *words_of(traces, key))}.values()]
    cells = {**gone.cells, "search": gone.search_pieces, "mails": gone.mails}
    await connection.execute(_RECORD, whom.erasure_id, whom.account_id, whom.contact_id, as_of, by, said, cells)


find_erasure = Query("select * from erasure where erasure_id = $1")
erasures_not_over = Query("select * from erasure where over_at is null order by at, erasure_id")
list_erasures = Query(
    "select erasure_id, account_id, contact_id, at, by, over_at from erasure order by at desc, erasure_id"
)
erasures_of = Query("select contact_id, at from erasure where account_id = $1 order by at, erasure_id")


def read_words(row: dict[str, Any]) -> list[ErasedWord]:
    """The digests that are on record."""
    return [ErasedWord.model_validate(one) for one in row["words"]]
