"""The statement that puts rows into a table, made from its columns, once for each table."""

from __future__ import annotations

from collections.abc import Iterable
from functools import cached_property
from typing import Any

from activities.kernel.pool import Connection


def or_update(key: str, columns: str) -> str:
    """What is there already under `key` gets these columns anew."""
    return f"on conflict ({', '.join(key.split())}) do update set {', '.join(f'{c} = excluded.{c}' for c in columns.split())}"


class Insert:
    """`columns` are names apart by spaces; `otherwise` is what is done about rows that are there already."""

    def __init__(self, table: str, columns: str, otherwise: str = "") -> None:
        self.table = table
        self.columns = tuple(columns.split())
        self._otherwise = otherwise

    @cached_property
    def statement(self) -> str:
        """With a parameter for each column, in their order."""
        names = ", ".join(f'"{name}"' for name in self.columns)
        marks = ", ".join(f"${number}" for number in range(1, len(self.columns) + 1))
        return f"insert into {self.table} ({names}) values ({marks}) {self._otherwise}".rstrip()

    def row(self, of: object = None, **given: Any) -> tuple[Any, ...]:
        """A row by the columns: what is `given` by name, else the attribute of that name."""
        return tuple(given[name] if name in given else getattr(of, name) for name in self.columns)

    async def add(self, connection: Connection, rows: Iterable[tuple[Any, ...]]) -> None:
        """Writes rows, in one round trip."""
        await connection.executemany(self.statement, rows)

    async def copy(self, connection: Connection, rows: Iterable[tuple[Any, ...]]) -> None:
        """Writes rows, many of them at once; none of them is there already."""
        await connection.copy_records_to_table(self.table, records=list(rows), columns=self.columns)
