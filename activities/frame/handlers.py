"""How what a decision writes gets into the tables: each area lists a handler for each kind of its writes."""

from __future__ import annotations

import re
from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from operator import attrgetter
from typing import Any, TypeVar

from activities.kernel.pool import Connection
from domain.frame.customer import Customer
from domain.kernel.base import Write


@dataclass(frozen=True)
class Place:
    """Where and when is written: the transaction, the account, the instant."""

    connection: Connection
    account_id: str
    as_of: datetime


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
        if rows := [[value(place, write) for value in self._values] for write in writes]:
            await place.connection.executemany(self.text, rows)


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
    names = ", ".join(f'"{column}"' for column, _ in pairs)
    values = ", ".join(value for _, value in pairs)
    return Sql(f"insert into {table} ({names}) values ({values}) {otherwise}".rstrip(), **more)


def updated(table: str, columns: str, key: str, where: str = "", **more: Callable[[Any, Any], Any]) -> Sql:
    """The statement that changes `columns` of the rows of a `key`, both as `inserted` has them, `where` besides this is so."""
    changes = ", ".join(f"{column} = {value}" for column, value in _pairs(columns))
    found = " and ".join([*(f"{column} = {value}" for column, value in _pairs(key)), *([where] if where else [])])
    return Sql(f"update {table} set {changes} where {found}", **more)
