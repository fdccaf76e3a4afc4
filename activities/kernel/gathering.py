"""Rows of several tables that go to the server together: one statement, one round trip, whatever tables they are of.

Foreign keys are checked once the whole statement is done, so tables may come in any order. What is only gathered cannot be read yet.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from functools import cache
from typing import Any

from pydantic_core import to_json

from activities.kernel.computing import computed
from activities.kernel.inserts import Insert
from activities.kernel.pool import Connection

_NOTHING_MORE = "select null"


class Gathered:
    """What waits to be written in the transaction of `connection`. Rows of a table stay in the order in which they came."""

    def __init__(self, connection: Connection) -> None:
        self.connection = connection
        self._rows: dict[str, tuple[Insert, list[Sequence[Any]]]] = {}
        self._said: dict[str, Sequence[Mapping[str, Any]]] = {}

    async def add(self, insert: Insert, rows: Iterable[Sequence[Any]]) -> None:
        """Rows that wait. Those that may meet each other on one key are written at once, each after the one before."""
        new = list(rows)
        if not new:
            return
        known, waiting = self._rows.get(insert.table, (insert, []))
        if known is not insert or (insert.updates and len(waiting) + len(new) > 1):
            await self.write()
            waiting = []
        if insert.updates and len(new) > 1:
            await insert.add(self.connection, new)
        else:
            self._rows[insert.table] = (insert, [*waiting, *new])

    async def say(self, part: str, rows: Sequence[Mapping[str, Any]]) -> None:
        """Another part of the statement, `{0}` in which are `rows` as JSON, all that is said of it before it is written."""
        if rows:
            self._said[part] = [*self._said.get(part, ()), *rows]

    def holds(self, table: str) -> bool:
        """True if rows of a table wait."""
        return table in self._rows

    async def write(self, last: str = _NOTHING_MORE, *about: Any) -> Any:
        """Writes all that waits; returns the value of the statement `last`, whose parameters are `about`. It does not see these rows."""
        if last == _NOTHING_MORE and not self._rows and not self._said:
            return None
        rows, self._rows = self._rows, {}
        said, self._said = self._said, {}
        given = [*(of for _, of in rows.values()), *said.values()]
        text = statement([insert for insert, _ in rows.values()], [*said], last, len(about))
        packed = await computed(
            max(map(len, given), default=0), _packed, [insert.columns for insert, _ in rows.values()], given
        )
        return await self.connection.fetchval(text, *about, *packed)


@cache
def _of_rows(insert: Insert) -> str:
    names = ", ".join(f'"{name}"' for name in insert.columns)
    otherwise = f" {insert.on_conflict}" if insert.on_conflict else ""
    return f"insert into {insert.table} ({names}) select {names} from jsonb_populate_recordset(null::{insert.table}, {{0}}){otherwise}"


def statement(inserts: Sequence[Insert], said: Sequence[str], last: str = _NOTHING_MORE, given: int = 0) -> str:
    """The statement by which rows are written: a parameter for each table and part, after the `given` ones of `last`."""
    parts = [*(f"put_{insert.table} as ({_of_rows(insert)})" for insert in inserts), *said]
    if not parts:
        return last
    written = [part.format(f"${n}::text::jsonb") for n, part in enumerate(parts, given + 1)]
    # The server goes through them from the last to the first: so rows that many write are locked in the order in which they came.
    return f"with {', '.join(reversed(written))} {last}"


def _packed(columns: Sequence[Sequence[str]], given: Sequence[Sequence[Any]]) -> list[str]:
    rows = [[dict(zip(names, row, strict=True)) for row in of] for names, of in zip(columns, given, strict=False)]
    return [to_json(of).decode() for of in (*rows, *given[len(rows) :])]
