"""The schema, brought up to date by dbmate from the plain SQL in activities/migrations."""

from __future__ import annotations

import asyncio
import shutil
import sys
from pathlib import Path
from urllib.parse import urlsplit

from activities.frame.schema_rows import MIGRATIONS
from domain.kernel.refusals import MendableError


class MigrationError(MendableError, RuntimeError):
    """The schema could not be brought up to date; the message is what dbmate said."""


async def migrate(dsn: str) -> None:
    """Applies the migrations that `dsn` has not seen yet. Raises MigrationError."""
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
    if process.returncode != 0:
        raise MigrationError(output.decode(errors="replace").strip())


def _for_dbmate(dsn: str) -> str:
    """dbmate insists on TLS unless told otherwise; a server on this machine needs none."""
    host = urlsplit(dsn).hostname
    if "sslmode=" in dsn or host not in (None, "localhost", "127.0.0.1", "::1"):
        return dsn
    return f"{dsn}{'&' if '?' in dsn else '?'}sslmode=disable"
