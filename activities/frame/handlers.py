"""How what a decision writes gets into the tables: each area lists a handler for each kind of its writes."""

from __future__ import annotations

import re
from collections.abc import Awaitable, Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from operator import attrgetter
from typing import Any, TypeVar

from activities.kernel.gathering import Gathered
from activities.kernel.inserts import Insert, Rows
from activities.kernel.pool import Connection
from domain.frame.customer import Customer
from domain.kernel.base import Write

_Thing = TypeVar("_Thing")


@dataclass(frozen=True)
class Place:
    """Where and when is written: the transaction, the account, the instant; and what waits there, if rows wait for each other at all."""

    connection: Connection
    account_id: str
    as_of: datetime
    gathered: Gathered | None = field(default=None, kw_only=True)

    async def add(self, insert: Insert, rows: Iterable[Sequence[Any]]) -> None:
        """Rows of a table: at once, or together with what else waits."""
        await (insert.add(self.connection, rows) if self.gathered is None else self.gathered.add(insert, rows))

    async def put(self, rows: Rows[_Thing], things: Iterable[_Thing], **given: Any) -> None:
        """A row for each thing, as `add` has it."""
        await self.add(rows.insert, [rows.row(thing, **given) for thing in things])

    async def written(self) -> None:
        """From here on all that was added can be read."""
        if self.gathered is not None:
            await self.gathered.write()


@dataclass(frozen=True)
class Writing(Place):
    """Where a decision about a customer is written."""

    customer: Customer

    def staff_id(self, who: str | None) -> str | None:
        """The staff id behind `owner` or `success_manager`; any other is one already."""
        known = {"owner": self.customer.owner, "success_manager": self.customer.success_manager}
        return known[who].staff_id if who in known else who


_Write = TypeVar("_Write", bound=Write)
Handler = Callable[[Writing, list[Any]], Awaitable[None]]
"""Writes some of the same kind, in their order."""
Handlers = Mapping[type[Write], Handler]


def on(kind: type[_Write], handler: Callable[[Writing, list[_Write]], Awaitable[None]]) -> tuple[type[Write], Handler]:
    """An entry of `Handlers`."""
    return kind, handler


_NAME = re.compile(r"(?<!:):([a-z]\w*(?:\.\w+)*)")
OF_PLACE = ("account_id", "as_of")


class Gathers:
    """A handler whose rows may wait for others. What it reads or changes itself, it has written before."""

    def __init__(self, handler: Callable[[Any, list[Any]], Awaitable[None]]) -> None:
        self._handler = handler

    async def __call__(self, place: Writing, writes: list[Any]) -> None:
        await self._handler(place, writes)


class Sql:
    """A handler by one statement, done for each write. `:stage` or `:step.key` in it is a field of the write, `:account_id` and `:as_of`
    are the place's; `more` says the rest by name, from place and write."""

    def __init__(self, statement: str, **more: Callable[[Any, Any], Any]) -> None:
        names = list(dict.fromkeys(_NAME.findall(statement)))
        self.text = _NAME.sub(lambda name: f"${names.index(name[1]) + 1}", statement)
        self.fields = [name for name in names if name not in more and name not in OF_PLACE]
        self._values = [more.get(name) or (_of_place if name in OF_PLACE else _of_write)(name) for name in names]

    async def __call__(self, place: Place, writes: Sequence[Any]) -> None:
        """All writes, in one round trip."""
        if rows := self._rows(place, writes):
            await place.connection.executemany(self.text, rows)

    def _rows(self, place: Place, writes: Sequence[Any]) -> list[list[Any]]:
        return [[value(place, write) for value in self._values] for write in writes]


class Added(Sql):
    """A handler by a row of `insert` for each write: by its columns `:name` as in `Sql`, or a word in quotes."""

    def __init__(self, insert: Insert, columns: Sequence[str], **more: Callable[[Any, Any], Any]) -> None:
        names = ", ".join(f'"{column}"' for column in insert.columns)
        values = f"insert into {insert.table} ({names}) values ({', '.join(columns)})"
        super().__init__(f"{values} {insert.on_conflict}".rstrip(), **more)
        self.insert = insert
        found = list(dict.fromkeys(_NAME.findall(values)))
        self._places = [found.index(one[1:]) if one.startswith(":") else one.strip("'") for one in columns]

    async def __call__(self, place: Place, writes: Sequence[Any]) -> None:
        """All writes, in one round trip, which may be that of other rows as well."""
        rows = self._rows(place, writes)
        await place.add(self.insert, [[row[of] if isinstance(of, int) else of for of in self._places] for row in rows])


def _of_place(name: str) -> Callable[[Any, Any], Any]:
    read = attrgetter(name)
    return lambda place, _: read(place)


def _of_write(name: str) -> Callable[[Any, Any], Any]:
    read = attrgetter(name)
    return lambda _, write: read(write)


def _pairs(columns: str) -> list[tuple[str, str]]:
    named = [(column, of or column) for column, _, of in (one.partition("=") for one in columns.split())]
    return [(column, of if of.startswith("'") else f":{of}") for column, of in named]


def inserted(table: str, columns: str, otherwise: str = "", **more: Callable[[Any, Any], Any]) -> Sql:
    """The statement that puts a row into a table; `columns` as in `status='open' offered_at=at expires_at`: the field of a column's
    name, or another one, or a value. `otherwise`: what is done about a row that is there already."""
    pairs = _pairs(columns)
    return Added(
        Insert(table, " ".join(column for column, _ in pairs), otherwise), [value for _, value in pairs], **more
    )


def updated(table: str, columns: str, key: str, where: str = "", **more: Callable[[Any, Any], Any]) -> Sql:
    """The statement that changes `columns` of the rows of a `key`, both as `inserted` has them, `where` besides this is so."""
    changes = ", ".join(f"{column} = {value}" for column, value in _pairs(columns))
    found = " and ".join([*(f"{column} = {value}" for column, value in _pairs(key)), *([where] if where else [])])
    return Sql(f"update {table} set {changes} where {found}", **more)
