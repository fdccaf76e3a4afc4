"""A database with a life in it from before the newest migrations is brought up to date, and the life goes on in it."""

from __future__ import annotations

import dataclasses
import shutil
from datetime import UTC, datetime, timedelta
from pathlib import Path
from types import SimpleNamespace
from typing import cast

import pytest
from pydantic import SecretStr

from activities.frame.schema_rows import MIGRATIONS
from activities.kernel.pool import open_pool
from domain.frame.mail_names import MAILS
from gateway.client import PerennialClient
from tests.conftest import Servers
from tests.e2e.outages import Outside
from tests.living_in_memory import InMemory
from tests.replay.record import first_half_year
from workers.migrating import migrate

NEWEST = ("20261128000081_", "20261128000082_")
BEGINS = datetime(2027, 3, 1, 9, tzinfo=UTC)


@pytest.mark.engine  # for a server of its own; the life is lived in memory
async def test_a_life_from_before_goes_on(on_engine: Servers, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    before = tmp_path / "migrations"
    shutil.copytree(MIGRATIONS, before)
    left_out = [path for path in before.iterdir() if path.name.startswith(NEWEST)]
    assert len(left_out) == len(NEWEST)
    for path in left_out:
        path.unlink()
    dsn = on_engine.stack.postgres_dsn.rpartition("/")[0] + "/carried_over"
    await on_engine.pool.execute('create database "carried_over"')
    with monkeypatch.context() as patched:
        patched.setattr("workers.migrating.MIGRATIONS", before)
        await migrate(dsn)
    pool, memory = await open_pool(dsn), InMemory()
    try:
        settings = on_engine.settings.model_copy(update={"database_url": SecretStr(dsn)})
        temporal = memory.open(pool, settings)
        client = PerennialClient(temporal, pool)
        servers = dataclasses.replace(on_engine, temporal=temporal, pool=pool, settings=settings, client=client)
        with memory.it_is(BEGINS):
            account = await first_half_year(cast(Outside, SimpleNamespace(servers=servers, client=client)))
            told = await pool.fetch("select * from timeline_item order by key")
            await pool.expire_connections()
            await migrate(dsn)
            assert await pool.fetch("select * from timeline_item order by key") == told
            assert not await pool.fetch("select tgname from pg_trigger where tgname like '%timeline%'")
            await client.fast_forward(account, timedelta(days=90))  # a check-in is written once a quarter
        later = await pool.fetch("select title from timeline_item where key <> all($1)", [row["key"] for row in told])
        assert {f"Sent: {MAILS['renewal_notice']}", f"Sent: {MAILS['check_in']}"} & {row["title"] for row in later}
        await memory.forget_all()
    finally:
        await pool.close()
        await on_engine.pool.execute('drop database "carried_over" with (force)')
