"""A customer's life as it was: what each activity wrote, statement by statement, and what was done from outside. The floors and the
peers do the same for other customers: the same rows, mails and steps, with their own way of coming to them."""

from __future__ import annotations

import hashlib
import json
import pickle
import re
from collections.abc import AsyncIterator, Iterator, Mapping, Sequence
from contextlib import asynccontextmanager
from contextvars import ContextVar
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from itertools import groupby, takewhile
from pathlib import Path
from typing import Any

import asyncpg
from temporalio import activity
from temporalio.client import Client
from temporalio.worker import ActivityInboundInterceptor, ExecuteActivityInput, Interceptor

from activities.kernel import pool as pools
from activities.kernel.pool import Connection, Pool
from domain.frame.flight import TOGETHER, Channel
from tests.bench.history import histories_of

_MARK: ContextVar[str] = ContextVar("mark", default="client")
_TABLE = """
create table bench_log (id bigserial primary key, mark text, transaction bigint, at timestamptz, tab text, op text, new jsonb, old jsonb);
create function bench_note() returns trigger language plpgsql as $$
begin
  if pg_trigger_depth() = 1 then
    insert into bench_log (mark, transaction, at, tab, op, new, old)
    values (current_setting('bench.mark', true), txid_current(), clock_timestamp(), tg_table_name, tg_op, to_jsonb(new), to_jsonb(old));
  end if;
  return null;
end $$;
"""
_STATEMENTS = "select id, mark, transaction, tab, op, new::text, old::text from bench_log where new is distinct from old order by id"
_COLUMNS = """
select c.relname as tab, a.attname as name, format_type(a.atttypid, a.atttypmod) as type,
       coalesce(a.attnum = any(i.indkey), false) as key, a.attidentity <> '' or a.attgenerated <> '' as made
from pg_attribute a join pg_class c on c.oid = a.attrelid left join pg_index i on i.indrelid = c.oid and i.indisprimary
where c.relnamespace = 'public'::regnamespace and c.relkind = 'r' and a.attnum > 0 and not a.attisdropped
order by c.relname, a.attnum
"""

_UNIQUE = """
select c.relname as tab, a.attname as name
from pg_index i join pg_class c on c.oid = i.indrelid join pg_attribute a on a.attrelid = c.oid and a.attnum = i.indkey[0]
where i.indisunique and i.indnkeyatts = 1 and c.relnamespace = 'public'::regnamespace order by tab, name
"""
_ID = re.compile("[0-9a-f]{12,64}")


@dataclass(frozen=True)
class Statement:
    """One that writes, with its values."""

    text: str
    values: tuple[Any, ...]


@dataclass(frozen=True)
class Act:
    """What one activity did: its transactions, each with its statements; and the messages that left in it."""

    number: int
    name: str
    came_by: str
    """update, timer, signal: what led to it; or delivery"""
    at: datetime
    transactions: tuple[tuple[Statement, ...], ...] = ()
    left: tuple[str, ...] = ()
    """keys of the messages"""


@dataclass(frozen=True)
class Turn:
    """What was done from outside: the clock was moved, something was asked, use was written, or a part of the life begins."""

    what: str
    at: datetime
    name: str = ""


@dataclass(frozen=True)
class After:
    """What follows on an act."""

    leaving: list[int]
    """acts in which messages leave"""
    due: int | None
    """the act that is due next"""
    seconds: float | None
    """when that is, counted from when the life began"""
    at_once: bool = False
    """that nothing is asked or told before it"""


DELIVERING = {TOGETHER, *(channel.value for channel in Channel)}


@dataclass(frozen=True)
class Recorded:
    """A life: what was done from outside, and what came of it."""

    account: str
    turns: tuple[Turn, ...]
    acts: tuple[Act, ...]
    uses: tuple[tuple[Statement, ...], ...] = ()
    """what was written each time that use was reported"""
    ids: tuple[str, ...] = ()
    """of its own, by which nobody else may be known"""

    @property
    def began(self) -> datetime:
        """When its first turn was."""
        return self.turns[0].at

    def after(self, number: int) -> After:
        """What follows on an act: messages that leave, and the next instant at which something is due."""
        leaving = list(takewhile(lambda act: act.came_by == "delivery", self.acts[number + 1 :]))
        due = next((act for act in self.acts[number + 1 :] if act.came_by == "timer"), None)
        seconds = (due.at - self.began).total_seconds() if due else None
        then = self.acts[number + 1 + len(leaving) :][:1]
        at_once = bool(then) and then[0] is due
        return After([act.number for act in leaving], due.number if due else None, seconds, at_once)

    def of(self, account: str) -> Recorded:
        """The same life of another customer."""
        names = Names({self.account: account, **{id: _another(id, account) for id in self.ids}})
        acts = (
            replace(act, transactions=tuple(map(names.within, act.transactions)), left=names.of(act.left))
            for act in self.acts
        )
        return Recorded(account, self.turns, tuple(acts), tuple(map(names.within, self.uses)))

    @property
    def rows(self) -> int:
        """How many statements write in it."""
        return sum(len(statements) for act in self.acts for statements in act.transactions)


class Names:
    """Other names for what a life is about."""

    def __init__(self, others: Mapping[str, str]) -> None:
        self._others = others
        self._pattern = re.compile("|".join(map(re.escape, sorted(others, key=len, reverse=True))))

    def of(self, value: Any) -> Any:
        """A value in which they stand."""
        if isinstance(value, str):
            return self._pattern.sub(lambda found: self._others[found[0]], value)
        if isinstance(value, (tuple, list)):
            return type(value)(map(self.of, value))
        if isinstance(value, dict):
            return {self.of(name): self.of(one) for name, one in value.items()}
        return value

    def within(self, statements: Sequence[Statement]) -> tuple[Statement, ...]:
        """Statements with values in which they stand."""
        return tuple(Statement(one.text, self.of(one.values)) for one in statements)


def _another(id: str, account: str) -> str:
    """An id of the same kind."""
    return hashlib.sha256(f"{account}/{id}".encode()).hexdigest()[: len(id)]


class Marking(Interceptor):
    """Has all that an activity writes bear its mark."""

    def intercept_activity(self, next: ActivityInboundInterceptor) -> ActivityInboundInterceptor:
        return _Marked(next)


class _Marked(ActivityInboundInterceptor):
    async def execute_activity(self, input: ExecuteActivityInput) -> Any:
        about = activity.info()
        _MARK.set(f"{about.workflow_run_id}/{about.activity_id}")
        return await super().execute_activity(input)


@asynccontextmanager
async def noting(dsn: str) -> AsyncIterator[Pool]:
    """A pool whose connections bear the mark of whoever has them; every row that is written is noted."""
    connection = await asyncpg.connect(dsn)
    await connection.execute(_TABLE)
    for row in await connection.fetch(
        "select distinct tab from (" + _COLUMNS.strip() + ") c where tab not like 'bench%'"
    ):
        await connection.execute(
            f"create trigger bench_note after insert or update or delete on {row['tab']} for each row execute function bench_note()"
        )
    await connection.close()

    async def marked(given: Connection) -> None:
        await given.execute("select set_config('bench.mark', $1, false)", _MARK.get())

    pool = await asyncpg.create_pool(
        dsn, min_size=0, max_size=10, init=pools._prepare, setup=marked, reset=pools._nothing_to_reset
    )
    try:
        yield pool
    finally:
        await pool.close()


@dataclass
class Recorder:
    """Reads a life from what was noted, once it has been lived."""

    pool: Pool
    temporal: Client
    account: str
    turns: list[Turn] = field(default_factory=list)

    async def recorded(self) -> Recorded:
        """All of it."""
        columns: dict[str, list[Any]] = {}
        for row in await self.pool.fetch(_COLUMNS):
            columns.setdefault(row["tab"], []).append(row)
        noted: dict[str, list[Any]] = {}
        for row in await self.pool.fetch(_STATEMENTS):
            noted.setdefault(row["mark"], []).append(row)
        acts = []
        for number, (mark, name, came_by, at) in enumerate(await self._activities()):
            rows = noted.get(mark, [])
            transactions = [
                tuple([statement async for statement in self._statements(list(of_it), columns)])
                for _, of_it in groupby(rows, key=lambda row: row["transaction"])
            ]
            acts.append(Act(number, name, came_by, at, tuple(transactions), tuple(_left(rows))))
        used = [turn for turn in self.turns if turn.what == "use"]
        said = [list(of_it) for _, of_it in groupby(noted.get("client", []), key=lambda row: row["transaction"])]
        uses = tuple([tuple([one async for one in self._statements(rows, columns)]) for rows in said])
        assert len(uses) == len(used), f"{len(used)} times use was reported, in {len(uses)} transactions"
        unique = {(row["tab"], row["name"]) for row in await self.pool.fetch(_UNIQUE)}
        inserted = (row for rows in noted.values() for row in rows if row["op"] == "INSERT")
        ids = {
            str(value)
            for row in inserted
            for name, value in json.loads(row["new"]).items()
            if (row["tab"], name) in unique
        }
        own = tuple(sorted(id for id in ids if _ID.fullmatch(id)))
        return Recorded(self.account, tuple(self.turns), tuple(acts), uses, own)

    async def _activities(self) -> list[tuple[str, str, str, datetime]]:
        """Mark, name, what led to it and when, of every activity of the journey in order."""
        found, came_by = [], "timer"
        for run in await histories_of(self.temporal, f"journey-{self.account}"):
            run_id = run[0].workflow_execution_started_event_attributes.original_execution_run_id
            for event in run:
                if event.HasField("workflow_execution_update_accepted_event_attributes"):
                    came_by = "update"
                elif event.HasField("workflow_execution_signaled_event_attributes"):
                    came_by = "signal"
                elif event.HasField("activity_task_scheduled_event_attributes"):
                    about = event.activity_task_scheduled_event_attributes
                    name = about.activity_type.name
                    led_to = "delivery" if name in DELIVERING else came_by
                    found.append((f"{run_id}/{about.activity_id}", name, led_to, _at(event)))
                    if name not in DELIVERING:
                        came_by = "timer"
        return found

    async def _statements(self, rows: Sequence[Any], columns: Mapping[str, Sequence[Any]]) -> AsyncIterator[Statement]:
        """Rows that follow each other and are of one kind are one statement, as the product writes them."""
        for (tab, op, changed), of_it in groupby(rows, key=lambda row: (row["tab"], row["op"], _changed(row))):
            one = list(of_it)
            known = [column for column in columns[tab] if not column["made"]]
            typed = await self._typed(tab, [row["new"] or row["old"] for row in one])
            if op == "INSERT":
                yield _insert(tab, known, typed)
            else:
                yield _change(tab, op, [column for column in columns[tab] if column["key"]], known, changed, typed)

    async def _typed(self, tab: str, rows: Sequence[str]) -> list[Any]:
        texts = "select (jsonb_populate_record(null::{0}, r::jsonb)).* from unnest($1::text[]) with ordinality x(r, n) order by n"
        return await self.pool.fetch(texts.format(tab), list(rows))


def _at(event: Any) -> datetime:
    at: datetime = event.event_time.ToDatetime(UTC)
    return at


def _left(rows: Sequence[Any]) -> Iterator[str]:
    """The keys of messages that left, those that left with another one aside."""
    for row in rows:
        if row["tab"] == "outbox" and row["op"] == "UPDATE":
            new = json.loads(row["new"])
            if new["status"] == "sent" and new.get("message_id") and json.loads(row["old"])["status"] != "sent":
                yield new["delivery_id"]


def _changed(row: Any) -> tuple[str, ...]:
    """The columns that an update has changed."""
    if row["op"] != "UPDATE":
        return ()
    new, old = json.loads(row["new"]), json.loads(row["old"])
    return tuple(name for name, value in new.items() if value != old[name])


def _insert(tab: str, columns: Sequence[Any], rows: Sequence[Any]) -> Statement:
    values = tuple(row[column["name"]] for row in rows for column in columns)
    names = ", ".join(f'"{column["name"]}"' for column in columns)
    return Statement(f'insert into "{tab}" ({names}) values {_places([c["type"] for c in columns], len(rows))}', values)


def _change(
    tab: str, op: str, keys: Sequence[Any], columns: Sequence[Any], changed: Sequence[str], rows: Sequence[Any]
) -> Statement:
    new = [column for column in columns if column["name"] in changed]
    values = tuple(row[column["name"]] for row in rows for column in (*keys, *new))
    names = ", ".join([*(f'"{key["name"]}"' for key in keys), *(f'"new_{column["name"]}"' for column in new)])
    given = f"(values {_places([c['type'] for c in (*keys, *new)], len(rows))}) v ({names})"
    same = " and ".join(f't."{key["name"]}" = v."{key["name"]}"' for key in keys)
    if op == "DELETE":
        return Statement(f'delete from "{tab}" t using {given} where {same}', values)
    sets = ", ".join(f'"{column["name"]}" = v."new_{column["name"]}"' for column in new)
    return Statement(f'update "{tab}" t set {sets} from {given} where {same}', values)


def _places(types: Sequence[str], rows: int) -> str:
    places = iter(range(1, len(types) * rows + 1))
    return ", ".join("(" + ", ".join(f"${next(places)}::{kind}" for kind in types) + ")" for _ in range(rows))


def keep(lives: Sequence[Recorded], file: Path) -> None:
    """Lives, for a worker to carry out."""
    file.write_bytes(pickle.dumps({life.account: life for life in lives}))


def kept(file: Path) -> dict[str, Recorded]:
    """Those lives, by account."""
    found: dict[str, Recorded] = pickle.loads(file.read_bytes())
    return found
