"""Statements that only read, each with a name and called like a function."""

from __future__ import annotations

from typing import Any

from activities.kernel.pool import Connection

Row = dict[str, Any]


class Query:
    """A statement. Called with a connection and its parameters, it gives its rows."""

    def __init__(self, text: str) -> None:
        self.text = text

    async def __call__(self, connection: Connection, *about: Any) -> list[Row]:
        """Each row by the names of its columns."""
        return [dict(row) for row in await connection.fetch(self.text, *about)]


class Column(Query):
    """A statement of which each row has one value."""

    async def __call__(self, connection: Connection, *about: Any) -> list[Any]:
        """The values."""
        return [row[0] for row in await connection.fetch(self.text, *about)]
