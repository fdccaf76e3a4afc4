"""Somebody goes from the tables, in one transaction: every personal column, cell by cell, with what went where counted."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Collection, Iterator, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from email import message_from_bytes, policy
from enum import StrEnum
from typing import Any

from activities.journey.personal import DERIVED, PERSONAL, PLAIN, Personal
from activities.kernel.pool import Connection, Record
from activities.kernel.queries import Column, Query, Value
from domain.frame.mail_kinds import TEMPLATES
from domain.frame.state import ERASED
from domain.journey.erasures import ErasedWord, words_of
from domain.journey.traces import Traces, is_plain, wordless
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
    """What went: how many cells by table and column, pieces of the search, our mails that stay without their words. `doubtful`: what may
    name them still, such as a part of a name that is another word, too, and is left to people, by table and column."""

    cells: Counter[str] = field(default_factory=Counter)
    doubtful: Counter[str] = field(default_factory=Counter)
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
_staying = Query(
    "select name, email, phone, phone_number from contact where account_id = $1 and $2::text is not null and contact_id <> $2"
)
_stock = Column[str](
    "select m.body from case_message m join service_case c using (case_id) where c.account_id <> $1 and m.body <> ''"
    " order by m.at desc, m.case_id, m.number limit 1000"
)
"""What is said to and by others: a turn of phrase that stands there, too, is no quotation."""
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
    named = _named(await _traces_of_person(connection, whom.account_id, whom.contact_id))
    found = named.keeping(await _stays_beside(connection, whom))
    emails = emails_in(found)
    rows = await _written(connection, whom.account_id, whom.contact_id, emails)
    texts = tuple(dict.fromkeys(said for row in rows if row["said"] for said in _own_words(row["said"])))
    stock = await _stock(connection, whom.account_id) if texts else []
    return Traces(found.names, found.addresses, texts, (whom.contact_id, whom.account_id), found.stays, stock)


async def _stays_beside(connection: Connection, whom: Whom) -> tuple[str, ...]:
    rows = await _staying(connection, whom.account_id, whom.contact_id)
    return tuple(dict.fromkeys(value for row in rows for value in row.values() if value and value != ERASED))


def _named(rows: Sequence[dict[str, Any]]) -> Traces:
    names = dict.fromkeys(row["name"] for row in rows if row["name"] and row["name"] != ERASED)
    said = [row[name] for row in rows for name in ("email", "phone", "phone_number")]
    return Traces(tuple(names), tuple(dict.fromkeys(one for one in said if one and one != ERASED)))


def emails_in(traces: Traces) -> list[str]:
    """The mail addresses among them, in small letters; none that somebody has who stays."""
    shared = {one.lower() for one in traces.stays}
    return [one.lower() for one in traces.addresses if "@" in one and one.lower() not in shared]


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
            await _Sweep(connection, one, whom, traces, known, emails).erase(gone)
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
    names_only: bool = False
    """of their documents only names are looked for: what was known of them then may not be any more"""

    async def erase(self, gone: Gone) -> None:
        """Takes them out, and counts the cells."""
        kinds = await _kinds(self.connection, self.about.table)
        for row in await self._rows(" for update"):
            changes = self._changes(row, kinds)
            gone.cells.update(f"{self.about.table}.{name}" for name in changes)
            if not row["is_theirs"]:
                gone.doubtful.update(self._doubts({**row, **changes}))
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
        theirs = f"coalesce({about.theirs or 'false'}, false)"
        if whom.contact_id is None:
            theirs = f"({theirs} or coalesce({about.whose}, false))"
        given = "$2::text is not distinct from $2 and $3::text[] is not null"
        where = f"({about.whose} or {about.unmatched}) and {given}"
        text = f"select ctid, {_listed(about.names)}, {theirs} as is_theirs from {about.table} where {where}{lock}"
        return list(await self.connection.fetch(text, whom.account_id, whom.contact_id, self.emails))

    def _doubts(self, row: dict[str, Any]) -> dict[str, int]:
        texts = {
            name: row[name] if isinstance(row[name], str) else json.dumps(row[name], ensure_ascii=False)
            for name in self.about.names
            if name not in self.about.who.split() and isinstance(row[name], (str, list, dict))
        }
        return {
            f"{self.about.table}.{name}": count for name, text in texts.items() if (count := self.traces.doubts(text))
        }

    def _changes(self, row: Record, kinds: dict[str, str]) -> dict[str, Any]:
        """What of a row has to be otherwise."""
        whole = row["is_theirs"]
        names = [name for name in self.about.names if whole or name not in self.about.who.split()]
        after = {name: self._after(name, kinds[name], row[name], whole=whole) for name in names}
        return {name: value for name, value in after.items() if value != row[name]}

    def _after(self, name: str, kind: str, value: Any, *, whole: bool) -> Any:
        if value is None:
            return None
        match kind:
            case "jsonb":
                gone = whole and not self.names_only
                return wordless(value, self.known) if gone else self.traces.cleared_in(value, self.known, name)
            case "bytea":
                return b"" if whole else self._without_them(value)
            case "ARRAY":
                return [] if whole else [one for one in value if not self.traces.are_in(one)]
            case _ if not whole:
                return value if value in self.known else self.traces.cleared(value)
            case _ if name in self.about.emptied.split():
                return None
            case _:
                stays = not value or (name in self.about.ids.split() and is_plain(value, self.known))
                return value if stays else ERASED

    def _without_them(self, raw: bytes) -> bytes:
        """A document of JSON without what names them; of a mail nothing is left, as its parts cannot be changed."""
        try:
            said = json.loads(raw)
        except ValueError:
            return b"" if raw and self.traces.are_in(text_of(raw)) else raw
        left = self.traces.cleared_in(said, self.known)
        return raw if left == said else json.dumps(left, ensure_ascii=False).encode()


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
    known = await _known_words(connection, whom.account_id)
    traces = traces.keeping(await _stays_beside(connection, whom))
    found: Counter[str] = Counter()
    for one in PERSONAL:
        if one.table not in DERIVED:
            sweep = _Sweep(
                connection, one, whom, traces, known, emails_in(traces), names_only=whom.contact_id is not None
            )
            left = await sweep.left()
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
