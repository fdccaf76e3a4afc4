"""Migrations beside what holds tables for long: they wait their turn and let others through."""

from __future__ import annotations

import asyncio
from datetime import timedelta
from pathlib import Path

import asyncpg
import pytest

from activities.frame.schema_rows import MIGRATIONS
from tests.conftest import Servers
from tests.own_database import own_database
from workers import migrating
from workers.migrating import MigrationError, migrate

pytestmark = pytest.mark.engine


@pytest.fixture(autouse=True)
def impatient(servers: Servers, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setattr(migrating, "_LOCK", timedelta(seconds=0.3))
    monkeypatch.setattr(migrating, "_PAUSE", timedelta(seconds=0.3))
    for path in MIGRATIONS.glob("*.sql"):
        (tmp_path / path.name).symlink_to(path)
    column = "-- migrate:up\nalter table mail_pace add column note text;\n-- migrate:down\n"
    (tmp_path / "29991231000001_column.sql").write_text(column)
    index = "create index concurrently made_later on mail_pace (note);"
    (tmp_path / "29991231000002_index.sql").write_text(f"-- migrate:up transaction:false\n{index}\n-- migrate:down\n")
    monkeypatch.setattr(migrating, "MIGRATIONS", tmp_path)


async def test_others_read_a_table_while_a_migration_waits_for_whoever_holds_it(servers: Servers) -> None:
    async with own_database(servers.stack, "migrated_beside") as own:
        dump = await asyncpg.connect(own.dsn)
        async with dump.transaction(isolation="repeatable_read"):
            await dump.fetch("select * from mail_pace")
            migration = asyncio.ensure_future(migrate(own.dsn))
            for _ in range(4):
                await asyncio.sleep(0.5)
                await asyncio.wait_for(own.pool.fetch("select free_at from mail_pace"), 2)
            assert not migration.done()
        async with asyncio.timeout(20):
            await migration
        await dump.close()
        assert await _valid(own.pool, "made_later"), "also where an attempt at the index was given up before"
        assert await _valid(own.pool, "outbox_settled")


async def test_an_index_that_was_given_up_is_made_again(servers: Servers) -> None:
    async with own_database(servers.stack, "migrated_again") as own:
        await own.pool.execute("alter table mail_pace add column note text")
        await own.pool.execute("insert into schema_migrations values ('29991231000001')")
        other = await asyncpg.connect(own.dsn)
        async with other.transaction(isolation="repeatable_read"):
            await other.fetch("select * from mail_pace")
            with pytest.raises(MigrationError, match="a transaction holds what has to change"):
                await migrate(own.dsn, within=timedelta(0))
        await other.close()
        await migrate(own.dsn, within=timedelta(seconds=20))
        assert await _valid(own.pool, "made_later")


async def _valid(pool: asyncpg.Pool, index: str) -> bool:
    found = await pool.fetchval("select indisvalid from pg_index where indexrelid = $1::text::regclass", index)
    return bool(found)
