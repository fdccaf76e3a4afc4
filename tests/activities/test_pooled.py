"""The database behind a pooler that gives another session to each transaction: nothing of ours outlives one."""

from __future__ import annotations

import asyncio
import shutil
import socket
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from urllib.parse import urlsplit

import asyncpg
import pytest
from pydantic import SecretStr, ValidationError

from activities.kernel.news import CHANNEL, tell
from activities.kernel.pool import Pool, open_pool
from gateway.client import PerennialClient
from gateway.console.news import News
from gateway.here import is_pooled
from tests.builders import order
from tests.conftest import Servers
from tests.living_in_memory import InMemory
from tests.own_database import OwnDatabase, own_database
from workers.settings import Settings

PGBOUNCER = shutil.which("pgbouncer")

# What a session has for longer than a transaction. Types and encodings that the driver asks for are those of every session of it.
LEFT = """
select 'statement ' || name from pg_prepared_statements
union all select 'setting ' || name from pg_settings where source = 'session' and setting is distinct from reset_val
union all select 'channel ' || pg_listening_channels()
union all select 'lock' from pg_locks where locktype = 'advisory' and pid = pg_backend_pid()
union all select 'table ' || relname from pg_class where relpersistence = 't' and relnamespace = pg_my_temp_schema()
"""


async def lived(servers: Servers, own: OwnDatabase, pool: Pool) -> str:
    """An order, changes by requests, and usage, over the pool."""
    server = InMemory()
    settings = servers.settings.model_copy(update={"database_url": SecretStr(own.dsn)})
    client = PerennialClient(server.open(pool, settings), pool)
    with server.is_the_present():
        document = order()
        account = str(document["account"]["account_id"])
        await client.place_order(document)
        change = {"language": "en", "reason": "so", "by": "s-1", "request_id": "r-1"}
        await client.ask(account, "change_account", change)
        await server.forget_all()
    return account


async def test_nothing_outlives_its_transaction(on_engine: Servers) -> None:
    async with own_database(on_engine.stack, "pooled") as own:
        pool = await open_pool(own.dsn, pooled=True)
        try:
            account = await lived(on_engine, own, pool)
            async with pool.acquire() as connection, connection.transaction():
                await tell(connection, ["account/a"])
            assert await pool.fetchval("select count(*) from journal where account_id = $1", account) > 3
            held = [await pool.acquire() for _ in range(pool.get_size())]
            left = [[row[0] for row in await one.fetch(LEFT)] for one in held]
            await asyncio.gather(*(pool.release(one) for one in held))
            assert left == [[] for _ in held]
        finally:
            await pool.close()


async def test_pages_hear_of_news_by_a_line_past_the_pooler(on_engine: Servers) -> None:
    async with own_database(on_engine.stack, "past_the_pooler") as own:
        news = News(own.pool, own.dsn)
        told = news._stream(None)
        assert (await anext(told)).startswith("retry")
        channels = (
            "select count(*) from pg_stat_activity where datname = 'past_the_pooler' and query in ($1, 'select 1')"
        )
        assert await own.pool.fetchval(channels, f'LISTEN "{CHANNEL}"') == 1
        assert own.pool.get_idle_size() == own.pool.get_size(), "no connection of the pool listens"
        await tell_of(own.pool)
        assert await asyncio.wait_for(anext(told), 20) == "data: news\n\n"
        news.end()
        assert [said async for said in told] == []


async def tell_of(pool: Pool) -> None:
    async with pool.acquire() as connection:
        await tell(connection, ["account/a"])


def test_a_pooler_is_named_with_the_way_past_it() -> None:
    with pytest.raises(ValidationError, match="PERENNIAL_DATABASE_DIRECT_URL with PERENNIAL_DATABASE_POOLED"):
        Settings.model_validate({"database_pooled": True})
    given = {
        "database_url": "postgresql://pooler/p",
        "database_pooled": True,
        "database_direct_url": "postgresql://db/p",
    }
    assert Settings.model_validate(given).direct_url == "postgresql://db/p"
    assert Settings.model_validate({"database_url": "postgresql://db/p"}).direct_url == "postgresql://db/p"
    assert is_pooled({"PERENNIAL_DATABASE_POOLED": "true"})
    assert not is_pooled({})


@asynccontextmanager
async def bouncer(dsn: str, folder: Path) -> AsyncIterator[str]:
    """A pgbouncer with two sessions of the database for whoever comes."""
    at = urlsplit(dsn)
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    folder.chmod(0o755)
    (folder / "users.txt").write_text(f'"{at.username}" "{at.password or ""}"\n')
    (folder / "bouncer.ini").write_text(
        f"[databases]\n{at.path[1:]} = host={at.hostname} port={at.port} dbname={at.path[1:]}\n"
        f"[pgbouncer]\nlisten_addr = 127.0.0.1\nlisten_port = {port}\nunix_socket_dir =\nauth_type = plain\n"
        f"auth_file = {folder}/users.txt\npool_mode = transaction\ndefault_pool_size = 2\nignore_startup_parameters = extra_float_digits\n"
    )
    process = await asyncio.create_subprocess_exec(
        str(PGBOUNCER), "-q", "-u", "nobody", str(folder / "bouncer.ini"), stderr=asyncio.subprocess.DEVNULL
    )
    try:
        yield at._replace(netloc=f"{at.username}:{at.password or ''}@127.0.0.1:{port}").geturl()
    finally:
        process.terminate()
        await process.wait()


@pytest.mark.skipif(PGBOUNCER is None, reason="pgbouncer is not installed")
async def test_customers_live_behind_a_pooler(on_engine: Servers, tmp_path: Path) -> None:
    async with own_database(on_engine.stack, "bounced") as own, bouncer(own.dsn, tmp_path) as pooled:
        pool = await open_pool(pooled, pooled=True)
        try:
            for _ in range(50):
                try:
                    await pool.fetchval("select 1")
                    break
                except (OSError, asyncpg.PostgresError):
                    await asyncio.sleep(0.1)
            await asyncio.gather(*(pool.fetchval("select $1::int + pg_backend_pid()", n) for n in range(300)))
            accounts = await asyncio.gather(*(lived(on_engine, own, pool) for _ in range(4)))
            assert await own.pool.fetchval("select count(*) from account where account_id = any($1)", accounts) == 4
        finally:
            await pool.close()
