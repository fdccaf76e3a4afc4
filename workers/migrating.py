"""The schema, brought up to date by dbmate from the plain SQL in activities/migrations."""

from __future__ import annotations

import asyncio
import re
import shutil
import sys
from datetime import timedelta
from pathlib import Path
from urllib.parse import urlsplit

import asyncpg

from activities.frame.schema_rows import MIGRATIONS
from domain.kernel.refusals import MendableError

_LOCK = timedelta(seconds=5)
"""So long a migration waits for a table; everybody who comes after it waits behind it."""
_PAUSE = timedelta(seconds=5)


class MigrationError(MendableError, RuntimeError):
    """The schema could not be brought up to date; the message is what dbmate said."""


async def migrate(dsn: str, within: timedelta = timedelta(minutes=10)) -> None:
    """Applies the migrations that `dsn` has not seen yet. Raises MigrationError.

    While something long (a `pg_dump`, a report) holds a table that has to change, it tries again and again `within` this time, and lets others
    at the table in between.
    """
    ends = asyncio.get_running_loop().time() + within.total_seconds()
    while (said := await _apply(dsn)) is not None:
        locked = "lock timeout" in said
        if not await _drop_half_made(dsn) and not locked:
            raise MigrationError(said)
        if asyncio.get_running_loop().time() > ends:
            raise MigrationError(f"{said}; a transaction holds what has to change: see pg_stat_activity, and try again")
        await asyncio.sleep(_PAUSE.total_seconds() if locked else 0)


async def _apply(dsn: str) -> str | None:
    """Runs dbmate once; what it said if it failed."""
    beside = shutil.which("dbmate", path=str(Path(sys.executable).parent)) or shutil.which("dbmate")
    if beside is None:
        raise MigrationError("dbmate is missing; install the project's dependencies again")
    process = await asyncio.create_subprocess_exec(
        beside,
        "--migrations-dir",
        str(MIGRATIONS),
        "--no-dump-schema",
        "--wait",
        "--wait-timeout=30s",
        "up",
        env={"DATABASE_URL": _for_dbmate(dsn), "PATH": ""},
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.STDOUT,
    )
    output, _ = await process.communicate()
    return output.decode(errors="replace").strip() if process.returncode != 0 else None


async def _drop_half_made(dsn: str) -> bool:
    """Indexes of ours that were made concurrently and did not come to their end are in the way of making them again; whether any was."""
    ours = [name for path in MIGRATIONS.glob("*.sql") for name in re.findall(_CONCURRENTLY, path.read_text())]
    try:
        connection = await asyncpg.connect(dsn, timeout=10, server_settings={"lock_timeout": f"{_milliseconds(_LOCK)}"})
    except (OSError, asyncpg.PostgresError):
        return False  # dbmate has said why
    try:
        rows = await connection.fetch(_HALF_MADE, ours)
        for row in rows:
            await connection.execute(row["dropping"])
        return bool(rows)
    except asyncpg.LockNotAvailableError:
        return False  # whoever holds the table goes on; the next time
    finally:
        await connection.close()


_CONCURRENTLY = r"create (?:unique )?index concurrently (\w+)"
_HALF_MADE = """
select format('drop index concurrently %I', c.relname) as dropping from pg_index i join pg_class c on c.oid = i.indexrelid
where not i.indisvalid and c.relnamespace = 'public'::regnamespace and c.relname = any($1) order by c.relname
"""


def _milliseconds(of: timedelta) -> int:
    return int(of.total_seconds() * 1000)


def _for_dbmate(dsn: str) -> str:
    """dbmate insists on TLS unless told otherwise; a server on this machine needs none."""
    host = urlsplit(dsn).hostname
    given = [f"lock_timeout={_milliseconds(_LOCK)}"] if "lock_timeout=" not in dsn else []
    if "sslmode=" not in dsn and host in (None, "localhost", "127.0.0.1", "::1"):
        given.append("sslmode=disable")
    return f"{dsn}{'&' if '?' in dsn else '?'}{'&'.join(given)}" if given else dsn
