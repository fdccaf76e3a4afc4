"""Servers for a copy of a customer: on loopback, in a folder of their own, gone afterwards, however this process ends."""

from __future__ import annotations

import contextlib
import os
import shutil
import subprocess
import sys
import tempfile
from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import asynccontextmanager, contextmanager
from pathlib import Path

import psutil

from workers.embedded.errors import EmbeddedError
from workers.embedded.leftovers import remove_stack
from workers.embedded.stack import EmbeddedStack
from workers.foresight import guard
from workflows.visibility import SEARCH_ATTRIBUTES

PREFIX = "perennial-foresight-"
"""How the folders begin that copies live in, within the system's folder for what is temporary; the owner's process id follows."""


@asynccontextmanager
async def own_servers(report: Callable[[str], None]) -> AsyncIterator[EmbeddedStack]:
    """PostgreSQL, Temporal and a mailbox that nobody else knows of, ended and removed with the block.

    When this process is killed, its guard removes them; what even the guard could not, the next call does.
    """
    await sweep()
    folder = Path(tempfile.mkdtemp(prefix=f"{PREFIX}{os.getpid()}-"))
    with _guarded(folder):
        try:
            async with EmbeddedStack(folder, SEARCH_ATTRIBUTES, keep=False, on_progress=report) as stack:
                yield stack
        finally:
            shutil.rmtree(folder, ignore_errors=True)


async def sweep() -> None:
    """Removes what is left of copies whose owner is gone."""
    for folder in _left():
        with contextlib.suppress(EmbeddedError, OSError):  # its guard may be at it
            await remove_stack(folder)


def _left() -> list[Path]:
    folders = Path(tempfile.gettempdir()).glob(f"{PREFIX}*")
    return [folder for folder in folders if _is_ours(folder) and not _is_owned(folder)]


def _is_ours(folder: Path) -> bool:
    with contextlib.suppress(FileNotFoundError):
        return folder.is_dir() and not folder.is_symlink() and folder.stat().st_uid == os.geteuid()
    return False


def _is_owned(folder: Path) -> bool:
    """True while the process lives that made the folder; a later one with its number did not."""
    number = folder.name.removeprefix(PREFIX).partition("-")[0]
    with contextlib.suppress(psutil.Error, FileNotFoundError, ValueError):
        return psutil.Process(int(number)).create_time() <= folder.stat().st_mtime + 1
    return False


@contextmanager
def _guarded(folder: Path) -> Iterator[None]:
    """A process beside this one removes the folder once the pipe between them closes, which a kill does too."""
    process = subprocess.Popen(
        [sys.executable, "-m", guard.__name__, str(folder)],
        stdin=subprocess.PIPE,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
        start_new_session=True,  # Ctrl-C is for this process alone
    )
    try:
        yield
    finally:
        process.communicate()
