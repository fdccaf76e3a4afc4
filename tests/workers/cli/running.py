"""The command line as people run it: a process of its own, against the database that its environment names."""

from __future__ import annotations

import asyncio
import os
import sys
from dataclasses import dataclass
from pathlib import Path

PROGRAM = Path(sys.executable).with_name("perennial")


@dataclass(frozen=True)
class Ended:
    """How a command ended, and what it printed."""

    code: int
    out: str
    err: str


async def perennial(
    *arguments: str, dsn: str, folder: Path, width: int = 100, given: bytes = b"", **environment: str
) -> Ended:
    """`perennial` with `arguments`, in `folder`, on the database `dsn`, printing `width` columns; `given` is its input."""
    ours = ("TEMPORAL_", "PERENNIAL_")
    kept = {n: value for n, value in os.environ.items() if not n.startswith(ours) or n == "PERENNIAL_NOW"}
    process = await asyncio.create_subprocess_exec(
        str(PROGRAM),
        *arguments,
        cwd=folder,
        env=kept | {"PERENNIAL_DATABASE_URL": dsn, "COLUMNS": str(width)} | environment,
        stdin=asyncio.subprocess.PIPE,
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.PIPE,
    )
    out, err = await asyncio.wait_for(process.communicate(given), 60)
    return Ended(process.returncode or 0, out.decode(), err.decode())
