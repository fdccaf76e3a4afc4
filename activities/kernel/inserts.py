"""The statement that puts rows into a table, made from its columns, once for each table; and how rows are made of things."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from functools import cached_property
from operator import attrgetter
from typing import Any, Generic, TypeVar

from activities.kernel.pool import Connection

_Thing = TypeVar("_Thing")


def or_update(key: str, columns: str) -> str:
    """What is there already under `key` gets these columns anew."""
    return f"on conflict ({', '.join(key.split())}) do update set {', '.join(f'{c} = excluded.{c}' for c in columns.split())}"


class Insert:
    """`columns` are names apart by spaces, each with the attribute that it comes from if that is called otherwise
    (`product_code=product`); `otherwise` is what is done about rows that are there already."""

    def __init__(self, table: str, columns: str, otherwise: str = "") -> None:
        named = [name.partition("=") for name in columns.split()]
        self.table = table
        self.columns = tuple(column for column, _, _ in named)
        self.attributes = {column: attribute or column for column, _, attribute in named}
        self.on_conflict = otherwise

    def otherwise(self, otherwise: str) -> Insert:
        """The same columns, with something else done about rows that are there already."""
        return Insert(self.table, " ".join(f"{column}={of}" for column, of in self.attributes.items()), otherwise)

    def of(self, kind: type[_Thing], given: str = "") -> Rows[_Thing]:
        """Rows from things of one kind; the columns in `given` come by name with each, all others are its attributes."""
        return Rows(self, kind, given)

    @property
    def updates(self) -> bool:
        """True if a row that is there already is changed: two rows of one statement may not meet on one then."""
        return "do update" in self.on_conflict

    @cached_property
    def statement(self) -> str:
        """With a parameter for each column, in their order."""
        names = ", ".join(f'"{name}"' for name in self.columns)
        marks = ", ".join(f"${number}" for number in range(1, len(self.columns) + 1))
        return f"insert into {self.table} ({names}) values ({marks}) {self.on_conflict}".rstrip()

    async def add(self, connection: Connection, rows: Iterable[Sequence[Any]]) -> None:
        """Writes rows, in one round trip."""
        await connection.executemany(self.statement, rows)

    async def is_new(self, connection: Connection, row: tuple[Any, ...]) -> bool:
        """Writes a row; false if it was there already."""
        done: str = await connection.execute(self.statement, *row)
        return done.endswith(" 1")

    async def copy(self, connection: Connection, rows: Iterable[tuple[Any, ...]]) -> None:
        """Writes rows, many of them at once; none of them is there already."""
        await connection.copy_records_to_table(self.table, records=list(rows), columns=self.columns)


class Rows(Generic[_Thing]):
    """How things of one `kind` become rows of an `insert`: by the attributes in `fields`, and what is `given` by name."""

    def __init__(self, insert: Insert, kind: type[_Thing], given: str = "") -> None:
        self.insert = insert
        self.kind = kind
        self.given = frozenset(given.split())
        self.fields = [of for column, of in insert.attributes.items() if column not in self.given]
        self._sources = [
            (column, None if column in self.given else attrgetter(of)) for column, of in insert.attributes.items()
        ]

    def row(self, of: _Thing, **given: Any) -> tuple[Any, ...]:
        """A row by the columns. Raises TypeError if something else is given than was said."""
        if given.keys() != self.given:
            raise TypeError(f"{self.insert.table} is given {sorted(given)}, not {sorted(self.given)}")
        return tuple(given[column] if source is None else source(of) for column, source in self._sources)

    async def put(self, connection: Connection, things: Iterable[_Thing], **given: Any) -> None:
        """Writes a row for each thing, in one round trip."""
        await self.insert.add(connection, [self.row(thing, **given) for thing in things])
