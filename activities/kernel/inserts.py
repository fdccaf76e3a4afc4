"""The statement that puts rows into a table, made from its columns, once for each table."""

from __future__ import annotations

from collections.abc import Iterable
from functools import cached_property
from operator import attrgetter
from typing import Any

from activities.kernel.pool import Connection


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
        self._sources = [(column, attrgetter(attribute or column)) for column, _, attribute in named]
        self._otherwise = otherwise

    @cached_property
    def statement(self) -> str:
        """With a parameter for each column, in their order."""
        names = ", ".join(f'"{name}"' for name in self.columns)
        marks = ", ".join(f"${number}" for number in range(1, len(self.columns) + 1))
        return f"insert into {self.table} ({names}) values ({marks}) {self._otherwise}".rstrip()

    def row(self, of: object = None, **given: Any) -> tuple[Any, ...]:
        """A row by the columns: what is `given` by name, else the attribute of `of`."""
        return tuple(given[column] if column in given else source(of) for column, source in self._sources)

    async def put(self, connection: Connection, things: Iterable[object], **given: Any) -> None:
        """Writes a row for each thing, in one round trip."""
        await self.add(connection, [self.row(thing, **given) for thing in things])

    async def add(self, connection: Connection, rows: Iterable[tuple[Any, ...]]) -> None:
        """Writes rows, in one round trip."""
        await connection.executemany(self.statement, rows)

    async def copy(self, connection: Connection, rows: Iterable[tuple[Any, ...]]) -> None:
        """Writes rows, many of them at once; none of them is there already."""
        await connection.copy_records_to_table(self.table, records=list(rows), columns=self.columns)
