"""The command line as people run it: a process of its own, against the database that its environment names."""

from __future__ import annotations

import asyncio
import multiprocessing
import os
import sys
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from multiprocessing.context import ForkServerContext
from pathlib import Path
from tempfile import TemporaryDirectory

from activities.kernel.clock import present
from gateway.here import running_file
from tests.conftest import Servers
from tests.moving import is_moved
from tests.workers.cli import child

PROGRAM = Path(sys.executable).with_name("perennial")


@dataclass(frozen=True)
class Ended:
    """How a command ended, and what it printed."""

    code: int
    out: str
    err: str


def beside(servers: Servers, folder: Path) -> None:
    """Makes `folder` the one in which the stack runs."""
    place = running_file(folder / ".perennial")
    place.parent.mkdir()
    place.write_text(servers.stack.running.model_dump_json())


async def perennial(
    *arguments: str,
    dsn: str,
    folder: Path,
    width: int = 100,
    given: bytes = b"",
    environment: Mapping[str, str] | None = None,
) -> Ended:
    """`perennial` with `arguments`, in `folder`, on the database `dsn`, printing `width` columns; `given` is its input."""
    ours = ("TEMPORAL_", "PERENNIAL_")
    kept = {n: value for n, value in os.environ.items() if not n.startswith(ours)}
    moved = (
        {"PERENNIAL_NOW": present().isoformat()} if is_moved() else {}
    )  # it goes on from here, not from the beginning
    whole = kept | moved | {"PERENNIAL_DATABASE_URL": dsn, "COLUMNS": str(width), **(environment or {})}
    return await forked(arguments, folder, whole, given)


async def forked(
    arguments: tuple[str, ...], folder: Path, environment: dict[str, str], given: bytes = b"", seconds: float = 240
) -> Ended:
    """`perennial` with `arguments` and exactly this environment. Raises TimeoutError if it is not done in time."""
    with TemporaryDirectory() as streams:
        (Path(streams) / "in").write_bytes(given)
        process = _processes().Process(target=child.run, args=(arguments, folder, environment, Path(streams)))
        process.start()
        await asyncio.to_thread(process.join, seconds)
        code = process.exitcode
        if code is None:
            process.kill()
            raise TimeoutError(f"perennial {' '.join(arguments)} is not done after {seconds:.0f} s")
        process.close()
        return Ended(code, (Path(streams) / "out").read_text(), (Path(streams) / "err").read_text())


@cache
def _processes() -> ForkServerContext:
    """Where processes come from: a server that has imported the command line once, and forks."""
    context = multiprocessing.get_context("forkserver")
    context.set_forkserver_preload([child.__name__])
    return context
