"""Where the keys of customers lie: a file, or a database apart from that of the facts, whose backups bring no key back.

A key is random, made when its journey or case is first told something, and sealed with the key for payloads. What was thrown away is gone.
"""

from __future__ import annotations

import asyncio
import sqlite3
import time
from abc import ABC, abstractmethod
from collections.abc import Awaitable, Callable, Sequence
from contextlib import closing
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Protocol

import asyncpg

from domain.kernel.refusals import MendableError

KEPT = 300.0
"""Seconds for which a process remembers a key: so long after it was thrown away it may still be read here."""
SEALS = 5.0
"""Seconds for which a process seals with a key without asking whether it is still kept: nothing new is lost with one that was thrown away."""
MOST_KEPT = 20_000
_TABLE = "create table if not exists data_key (key_id text primary key, whose text not null unique, wrapped {bytes} not null, by text not null)"


class KeyStoreError(MendableError):
    """A store that is not where it is said to be; the message says what to do."""


@dataclass(frozen=True)
class KeptKey:
    """A key as the store has it: its id, sealed, and the id of the key that sealed it."""

    key_id: str
    wrapped: bytes
    by: str


class KeyStore(Protocol):
    """What keeps keys, by the workflows whose they are."""

    async def find(self, key_id: str) -> KeptKey | None:
        """A key by its id."""

    async def of(self, whose: str, made: Callable[[], KeptKey]) -> KeptKey:
        """The key of a workflow, the one that is `made` if it has none."""

    async def throw_away(self, whose: Sequence[str]) -> int:
        """No key of these workflows is kept any more; how many were."""

    async def sealed_before(self, by: str) -> list[KeptKey]:
        """The keys that another one than this has sealed."""

    async def seal_again(self, key: KeptKey) -> None:
        """A key, sealed with another one."""


class _Rows(ABC):
    """A store of rows in some database, which reads statements with `$1`, `$2` and so on."""

    @abstractmethod
    async def _run(self, statement: str, *about: Any, begins: bool = False) -> list[Any]:
        """The rows of a statement. begins: of one that may be the first that is asked of the store."""

    async def find(self, key_id: str) -> KeptKey | None:
        return _first(await self._run("select key_id, wrapped, by from data_key where key_id = $1", key_id))

    async def of(self, whose: str, made: Callable[[], KeptKey]) -> KeptKey:
        find = "select key_id, wrapped, by from data_key where whose = $1"
        if (found := _first(await self._run(find, whose, begins=True))) is None:
            new = made()
            insert = "insert into data_key (key_id, whose, wrapped, by) values ($1, $2, $3, $4) on conflict do nothing"
            await self._run(insert, new.key_id, whose, new.wrapped, new.by, begins=True)
            found = _first(await self._run(find, whose))
        if found is None:
            raise LookupError("the key store keeps no key")
        return found

    async def throw_away(self, whose: Sequence[str]) -> int:
        gone = [await self._run("delete from data_key where whose = $1 returning 1", one) for one in whose]
        return sum(map(len, gone))

    async def sealed_before(self, by: str) -> list[KeptKey]:
        rows = await self._run("select key_id, wrapped, by from data_key where by <> $1 order by key_id", by)
        return [KeptKey(*row) for row in rows]

    async def seal_again(self, key: KeptKey) -> None:
        await self._run("update data_key set wrapped = $1, by = $2 where key_id = $3", key.wrapped, key.by, key.key_id)


class FileStore(_Rows):
    """A file of SQLite's, for processes of one machine; what is deleted there is overwritten.

    It is made with its first key alone: in a file that came from nowhere every key would look as if it had been thrown away.
    """

    def __init__(self, path: Path) -> None:
        self._path = path

    async def throw_away(self, whose: Sequence[str]) -> int:
        self._check()  # also where nobody's keys are to go
        return await super().throw_away(whose)

    async def _run(self, statement: str, *about: Any, begins: bool = False) -> list[Any]:
        if not begins:
            self._check()
        return await asyncio.to_thread(self._run_here, statement.replace("$", "?"), about)

    def _check(self) -> None:
        if not self._path.exists():
            raise KeyStoreError(
                f"the key store {self._path} is not there: PERENNIAL_KEY_STORE names the one that every process here uses;"
                " if it is lost for good, or no key was ever made, make an empty file of that name"
            )

    def _run_here(self, statement: str, about: Sequence[Any]) -> list[Any]:
        with closing(sqlite3.connect(self._path, timeout=10)) as connection, connection:
            connection.execute("pragma secure_delete = on")
            connection.execute(_TABLE.format(bytes="blob"))
            return connection.execute(statement, about).fetchall()


class DatabaseStore(_Rows):
    """A table in a PostgreSQL database of its own."""

    def __init__(self, dsn: str) -> None:
        self._dsn = dsn

    async def _run(self, statement: str, *about: Any, begins: bool = False) -> list[Any]:
        connection = await asyncpg.connect(self._dsn, timeout=10)
        try:
            try:
                return list(await connection.fetch(statement, *about))
            except asyncpg.UndefinedTableError:
                await connection.execute(_TABLE.format(bytes="bytea"))
                return list(await connection.fetch(statement, *about))
        finally:
            await connection.close()


def _first(rows: Sequence[Any]) -> KeptKey | None:
    return KeptKey(*rows[0]) if rows else None


def store_at(place: str) -> KeyStore:
    """The store at a database's address, or in a file."""
    return DatabaseStore(place) if place.startswith(("postgresql://", "postgres://")) else FileStore(Path(place))


class Remembered:
    """Values that are looked up once in a while: again after so many seconds."""

    def __init__(self, seconds: float = KEPT) -> None:
        self._seconds = seconds
        self._kept: dict[str, tuple[float, Any]] = {}

    async def get(self, name: str, look: Callable[[], Awaitable[Any]]) -> Any:
        """What was found under a name, looked up again after a while."""
        at, found = self._kept.get(name, (0.0, None))
        if found is None or time.monotonic() - at > self._seconds:
            found = await look()
            if len(self._kept) >= MOST_KEPT:
                self._kept.clear()
            self._kept[name] = time.monotonic(), found
        return found

    def forget(self) -> None:
        """Nothing is remembered."""
        self._kept.clear()
