"""Both databases into a folder and back: whole, into what is empty alone, and a stack that goes on where it was."""

from __future__ import annotations

import os
import sqlite3
from contextlib import closing
from functools import partial
from pathlib import Path
from typing import Any

import asyncpg
import pytest

from activities.kernel.pool import open_pool
from gateway.cases import CaseClient
from gateway.client import PerennialClient
from gateway.connection import connect_to_own
from gateway.reconciling import Reconciler
from tests.builders import order
from tests.conftest import Servers
from tests.e2e.lives import until
from tests.own_database import own_database
from workers.backups import (
    BackupError,
    _copy_engine,
    _environment,
    _without_password,
    back_up,
    restore_engine,
    restore_facts,
    whole,
)
from workers.cli.backups import restore
from workers.embedded.stack import EmbeddedStack, engine_file
from workers.migrating import migrate
from workers.redoing import Redo
from workers.settings import Settings
from workers.wiring import build_activities, build_worker
from workflows.visibility import SEARCH_ATTRIBUTES

pytestmark = pytest.mark.engine

TABLES = "select relname from pg_class where relnamespace = 'public'::regnamespace and relkind = 'r' order by relname"


async def rows_of(dsn: str) -> dict[str, int]:
    """How many rows each table has."""
    connection = await asyncpg.connect(dsn)
    try:
        names = [row[0] for row in await connection.fetch(TABLES)]
        return {name: await connection.fetchval(f'select count(*) from "{name}"') for name in names}
    finally:
        await connection.close()


async def test_facts_come_back_into_an_empty_database_alone(servers: Servers, tmp_path: Path) -> None:
    await servers.client.place_order(order())
    folder = tmp_path / "backup"
    async with own_database(servers.stack, "backed_up") as own:
        folder.mkdir(mode=0o755)
        old = os.umask(0o022)
        try:
            manifest = await back_up(folder, own.dsn, engine_file(servers.stack.data_dir))
        finally:
            os.umask(old)
        assert await whole(folder) == manifest
        assert manifest.sha256.keys() == {"temporal.db", "facts.dump"}
        assert [one.name for one in (folder, *folder.iterdir()) if one.stat().st_mode & 0o077] == []
        with pytest.raises(BackupError, match="is not empty; name a new folder"):
            await back_up(folder, own.dsn, None)
        with pytest.raises(BackupError, match="database 'backed_up' is not empty; make a new one"):
            await restore_facts(folder, own.dsn)
        before = await rows_of(own.dsn)
    server = servers.stack.postgres_dsn.rpartition("/")[0]
    await servers.pool.execute('create database "brought_back"')
    try:
        await restore_facts(folder, f"{server}/brought_back")
        assert await rows_of(f"{server}/brought_back") == before
    finally:
        await servers.pool.execute('drop database "brought_back" with (force)')
    with closing(sqlite3.connect(folder / "temporal.db")) as engine:
        assert engine.execute("pragma integrity_check").fetchone() == ("ok",)
        assert engine.execute("select count(*) from executions").fetchone()[0] > 0
    (folder / "facts.dump").write_bytes(b"something else")
    with pytest.raises(BackupError, match="is not what was backed up"):
        await whole(folder)
    with pytest.raises(BackupError, match="holds no whole backup"):
        await whole(tmp_path)


@pytest.mark.parametrize(
    ("dsn", "seen"),
    [
        ("postgresql://u:p%40w@h:1/d?sslmode=disable", "postgresql://u@h:1/d?sslmode=disable"),
        ("postgresql://u@h:1/d?password=p%40w&sslmode=disable", "postgresql://u@h:1/d?sslmode=disable"),
        ("postgresql://u@h:1/d?password=p%40w", "postgresql://u@h:1/d"),
    ],
)
def test_a_password_is_told_where_nobody_sees_it(dsn: str, seen: str) -> None:
    assert _without_password(dsn) == seen
    assert _environment(dsn)["PGPASSWORD"] == "p@w"


class Busy(sqlite3.Connection):
    """A file into which a server writes whenever a part of it has been copied."""

    def backup(self, target: sqlite3.Connection, **options: Any) -> None:
        (file,) = (row[2] for row in self.execute("pragma database_list"))
        with closing(sqlite3.connect(file)) as server:
            parts = 0

            def write(*_: int) -> None:
                nonlocal parts
                parts += 1
                assert parts < 50, "it does not come to its end"
                server.execute("insert into history values (zeroblob(300))")
                server.commit()

            super().backup(target, **options, progress=write)


def test_the_engines_copy_ends_while_the_engine_writes(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    engine, copy = tmp_path / "engine.db", tmp_path / "copy.db"
    with closing(sqlite3.connect(engine)) as live:
        live.execute("pragma page_size = 512")  # so that it is of many pages
        live.execute("pragma journal_mode = wal")
        live.execute("create table history (event blob)")
        live.executemany("insert into history values (?)", ((b"x" * 300,) for _ in range(10_000)))
        live.commit()
    monkeypatch.setattr("workers.backups.sqlite3.connect", partial(sqlite3.connect, factory=Busy))
    _copy_engine(engine, copy)
    with closing(sqlite3.connect(copy)) as copied:
        assert copied.execute("select count(*) from history").fetchone() == (10_000,)


async def test_a_stack_goes_on_where_its_backup_was(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.delenv("PERENNIAL_DATABASE_URL", raising=False)
    document = order()
    account = str(document["account"]["account_id"])
    async with EmbeddedStack(tmp_path / "before", SEARCH_ATTRIBUTES) as stack, Living(stack) as there:
        await there.client.place_order(document)
        await back_up(tmp_path / "backup", stack.postgres_dsn, engine_file(stack.data_dir))
        # What comes after it is lost with the machine.
        await there.client.ask(
            account, "change_account", {"language": "en", "reason": "so", "by": "s-1", "request_id": "r"}
        )
    restore_it = restore.__wrapped__  # type: ignore[attr-defined]
    await restore_it(tmp_path / "backup", data=tmp_path / "after")
    assert "`perennial erase again`" in " ".join(capfd.readouterr().err.split()), "nobody comes back unnoticed"
    with pytest.raises(BackupError, match="is there already"):
        restore_engine(tmp_path / "backup", engine_file(tmp_path / "after"))
    async with EmbeddedStack(tmp_path / "after", SEARCH_ATTRIBUTES) as stack, Living(stack) as there:

        async def agrees() -> bool:
            return await there.differences() == []

        # The engine's copy is the older one: what was done in between it does again first, which the facts know by its key.
        await until(agrees, "the restored engine has caught up with the facts", 60)
        assert await there.pool.fetchval("select count(*) from effect where key like '%change_account%'") == 0
        await there.client.ask(
            account, "change_account", {"language": "en", "reason": "so", "by": "s-1", "request_id": "r"}
        )
        assert await there.differences() == []


class Living:
    """A worker and its clients on a stack of its own."""

    def __init__(self, stack: EmbeddedStack) -> None:
        self._stack = stack

    async def __aenter__(self) -> Living:
        stack = self._stack
        await migrate(stack.postgres_dsn)
        self.pool = await open_pool(stack.postgres_dsn)
        self._temporal = await connect_to_own(stack.temporal_address)
        self._settings = Settings.of_stack(
            database_url=stack.postgres_dsn, smtp_host=stack.smtp_host, smtp_port=stack.smtp_port
        )
        self.client = PerennialClient(self._temporal, self.pool)
        self._worker = build_worker(self._temporal, self.pool, self._settings)
        await self._worker.__aenter__()
        return self

    async def __aexit__(self, *_: object) -> None:
        await self._worker.__aexit__(None, None, None)
        await self.pool.close()

    async def differences(self) -> list[object]:
        """What runs and what follows from the facts, compared."""
        redo = Redo(build_activities(self.pool, self._settings, self._temporal))
        reconciler = Reconciler(self.client, CaseClient(self._temporal, self.pool), self.pool, redo)
        return [found async for page in reconciler.pages(mend=False) for one in page for found in one.found]
