"""The whole embedded stack: together, alone on its folder, and gone without a trace."""

import asyncio
import json
import os
import pwd
import signal
import sys
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import asyncpg
import pytest
from temporalio.client import Client

from tests.workers.embedded.conftest import AS_ROOT, PROJECT, all_gone, children, family, installation, modes, running
from workers.embedded import AlreadyRunningError, EmbeddedError, EmbeddedStack

CHILD = """
import asyncio, asyncpg, json, os, sys
from pathlib import Path
from workers.embedded import EmbeddedStack

async def main():
    async with EmbeddedStack(Path(sys.argv[1]), {"AccountId": "Keyword"}) as stack:
        connection = await asyncpg.connect(stack.postgres_dsn)
        await connection.execute("CREATE TABLE IF NOT EXISTS visits (n int); INSERT INTO visits VALUES (1)")
        visits = await connection.fetchval("SELECT count(*) FROM visits")
        await connection.close()
        ports = [stack.postgres_port, stack.temporal.port, stack.temporal.ui_port, stack.temporal.metrics_port,
                 stack.smtp_port, int(stack.mailbox_url.rsplit(":", 1)[1])]
        servers = [stack.postgres.pid, stack.temporal.pid]
        print(json.dumps({"uid": os.getuid(), "visits": visits, "home": str(stack.postgres.home),
                          "servers": servers, "ports": ports}), flush=True)
        await asyncio.to_thread(sys.stdin.readline)

asyncio.run(main())
"""


@asynccontextmanager
async def child(data_dir: Path, python: Path | None = None, **how: Any) -> AsyncIterator[tuple[Any, dict[str, Any]]]:
    """A stack in a process of its own, until a line on its standard input; with what it says of itself."""
    process = await asyncio.create_subprocess_exec(
        *(str(python or sys.executable), "-c", CHILD, str(data_dir)),
        stdin=asyncio.subprocess.PIPE,
        stdout=asyncio.subprocess.PIPE,
        **{"cwd": PROJECT, **how},
    )
    assert process.stdout is not None
    try:
        line = await process.stdout.readline()
        assert line, f"the child ended with {await process.wait()}"
        yield process, json.loads(line)
    finally:
        if process.returncode is None:
            assert process.stdin is not None
            process.stdin.write(b"\n")
            await process.wait()


def session_of(pid: int) -> int | None:
    """The session of a process; null if it has ended meanwhile, as the database's own do for each connection."""
    try:
        return os.getsid(pid)
    except ProcessLookupError:
        return None


async def test_the_stack_comes_up_stays_alone_and_leaves_nothing_behind(data_dir: Path) -> None:
    said: list[str] = []
    others = children()
    async with EmbeddedStack(data_dir, {"AccountId": "Keyword"}, on_progress=said.append) as stack:
        assert len(said) == 4
        for address in (stack.temporal_address, stack.ui_url, stack.mailbox_url, str(stack.postgres_port)):
            assert any(address in line for line in said)
        client = await Client.connect(stack.temporal_address)
        assert (await client.count_workflows("AccountId = 'C-1'")).count == 0
        connection = await asyncpg.connect(stack.postgres_dsn)
        await connection.execute("CREATE TABLE kept ()")
        await connection.close()
        stack.mailbox.store("a@x.example", ["b@x.example"], b"Subject: kept\r\n\r\n")
        pids = [member for pid in children() - others for member in family(pid)]
        assert {stack.postgres.pid, stack.temporal.pid} <= set(pids)
        # Ctrl-C in our terminal reaches us alone, so that the servers end after those who use them.
        assert os.getsid(0) not in {session for pid in pids if (session := session_of(pid)) is not None}
        ports = [stack.postgres_port, stack.temporal.port, stack.temporal.ui_port, stack.temporal.metrics_port]
        ports += [stack.smtp_port, int(stack.mailbox_url.rsplit(":", 1)[1])]
        with pytest.raises(AlreadyRunningError, match=f"process {os.getpid()}"):
            await EmbeddedStack(data_dir).__aenter__()
    await all_gone(pids, ports)
    async with EmbeddedStack(data_dir, keep=False) as stack:
        connection = await asyncpg.connect(stack.postgres_dsn)
        assert await connection.fetchval("SELECT to_regclass('kept')::text") == "kept"
        await connection.close()
        assert [mail.subject for mail in stack.mailbox.list()] == ["kept"]
        home = stack.postgres.home
    assert not home.exists()
    assert not data_dir.exists()


async def test_servers_end_with_an_owner_killed_by_kill_9_and_the_next_one_goes_on(data_dir: Path) -> None:
    async with child(data_dir) as (process, first):
        with pytest.raises(AlreadyRunningError) as refusal:
            await EmbeddedStack(data_dir).__aenter__()
        assert refusal.value.pid == process.pid
        servers = [member for server in first["servers"] for member in family(server)]
        process.send_signal(signal.SIGKILL)
        await process.wait()
        # At once, while the servers may still be ending.
        async with child(data_dir) as (process, second):
            assert second["visits"] == 2
            assert not any(running(pid) for pid in servers)
            process.send_signal(signal.SIGKILL)
            await process.wait()
            if sys.platform == "linux":  # elsewhere they wait for the next start
                await all_gone(second["servers"], second["ports"])


async def test_what_was_started_is_ended_when_another_part_fails(data_dir: Path) -> None:
    others = children()
    os.mkdir(data_dir)
    (data_dir / "mailbox").write_text("a file where a folder should be")
    with pytest.raises(FileExistsError):
        await EmbeddedStack(data_dir).__aenter__()
    assert children() == others
    (data_dir / "mailbox").unlink()
    with pytest.raises(EmbeddedError, match="no known type"):
        await EmbeddedStack(data_dir, {"AccountId": "Keywords"}).__aenter__()
    assert children() == others


async def test_a_start_cancelled_again_and_again_ends_cleanly(data_dir: Path) -> None:
    others = children()
    start = asyncio.create_task(EmbeddedStack(data_dir).__aenter__())
    await asyncio.sleep(0.2)
    while not start.done():
        start.cancel()
        await asyncio.sleep(0.05)
    assert start.cancelled()
    assert children() == others


async def test_an_ordinary_user_runs_it_all_in_the_folder_asked_for(open_dir: Path) -> None:
    user = pwd.getpwnam("nobody") if AS_ROOT else pwd.getpwuid(os.getuid())
    python, how = await as_user(user.pw_uid, open_dir)
    home = open_dir / "home"
    home.mkdir(mode=0o700)
    os.chown(home, user.pw_uid, user.pw_gid)
    before = modes(home)
    postgres = home / "state" / "postgres"
    for visit in (1, 2):
        async with child(home / "state", python, **how) as (_, told):
            assert (told["visits"], told["uid"], told["home"]) == (visit, user.pw_uid, str(postgres))
        await all_gone(told["servers"], told["ports"])
    found = modes(home / "state")
    assert {path: mode for path, mode in found.items() if path in before} == before
    if AS_ROOT:
        # Root leaves files alone that it would make unusable for their owner.
        with pytest.raises(EmbeddedError, match=f"made by another user .uid {user.pw_uid}"):
            await EmbeddedStack(home / "state").__aenter__()
    # A folder in which root has been led elsewhere does not begin a second database unseen.
    (postgres / "location.txt").write_text("/var/lib/perennial/postgres/1\n")
    assert "made by root and lies in /var/lib/perennial/postgres/1" in await complaint(home / "state", python, **how)
    if AS_ROOT:
        how = {**how, "user": 4321, "group": 4321}
        (open_dir / "nameless").mkdir()
        os.chown(open_dir / "nameless", 4321, 4321)
        assert "uid 4321 has no entry in /etc/passwd" in await complaint(open_dir / "nameless", python, **how)


async def as_user(uid: int, folder: Path) -> tuple[Path, dict[str, Any]]:
    """An interpreter that this user can run, and how to start it."""
    if not AS_ROOT:
        return Path(sys.executable), {}
    python = await asyncio.to_thread(installation, folder / "python")
    environment = {"PATH": os.defpath, "LD_LIBRARY_PATH": str(folder / "python" / "lib")}
    return python, {"user": uid, "group": uid, "extra_groups": [], "cwd": "/", "env": environment}


async def complaint(data_dir: Path, python: Path, **how: Any) -> str:
    """What a stack that cannot start says."""
    process = await asyncio.create_subprocess_exec(
        *(str(python), "-c", CHILD, str(data_dir)), stderr=asyncio.subprocess.PIPE, **{"cwd": PROJECT, **how}
    )
    said = (await process.communicate())[1].decode()
    assert process.returncode == 1
    return said
