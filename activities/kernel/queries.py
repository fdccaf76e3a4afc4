"""Statements with a name, called like a function: with a connection and their parameters."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Generic, TypeVar

from pydantic import BaseModel

from activities.kernel.pool import Connection

Row = dict[str, Any]
_Value = TypeVar("_Value")
_Model = TypeVar("_Model", bound=BaseModel)


def by_name(texts: Mapping[str, str]) -> str:
    """What is selected to have the values of several statements at once, each in a column of its name."""
    return ", ".join(f"({text}) as {name}" for name, text in texts.items())


class Statement:
    """What is asked of the tables."""

    def __init__(self, text: str) -> None:
        self.text = text


class Query(Statement):
    """It gives rows, each by the names of its columns."""

    async def __call__(self, connection: Connection, *about: Any) -> list[Row]:
        return [dict(row) for row in await connection.fetch(self.text, *about)]


class Column(Statement, Generic[_Value]):
    """It gives rows of one value."""

    async def __call__(self, connection: Connection, *about: Any) -> list[_Value]:
        return [row[0] for row in await connection.fetch(self.text, *about)]


class Value(Statement, Generic[_Value]):
    """It gives one value."""

    async def __call__(self, connection: Connection, *about: Any) -> _Value:
        found: _Value = await connection.fetchval(self.text, *about)
        return found


class Models(Statement, Generic[_Model]):
    """It gives rows that are read as a model."""

    def __init__(self, model: type[_Model], text: str) -> None:
        super().__init__(text)
        self._model = model

    async def __call__(self, connection: Connection, *about: Any) -> list[_Model]:
        return [self._model.model_validate(dict(row)) for row in await connection.fetch(self.text, *about)]
