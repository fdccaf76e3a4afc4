"""Server processes that never outlive their owner, and how to end them."""

import asyncio
import contextlib
import os
import signal
import sys
import time
from asyncio.subprocess import DEVNULL, PIPE, STDOUT, Process
from collections.abc import Coroutine, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, TypeVar

import psutil

from workers.embedded import launcher
from workers.embedded.errors import EmbeddedError

T = TypeVar("T")

_LAUNCHER = Path(launcher.__file__)
_LOG_LIMIT = 10 * 1024 * 1024  # bytes; at the next start a longer log becomes `.1`

Ladder = Sequence[tuple[signal.Signals, float]]
"""Signals to end a server with, each with the seconds to wait for the exit; the gentlest first."""


@dataclass(frozen=True)
class Account:
    """The user a server runs as when we are root."""

    uid: int
    gid: int


async def complete(work: Coroutine[Any, Any, T]) -> T:
    """Await `work` to its end even when the caller is cancelled meanwhile; the cancellation comes afterwards."""
    task = asyncio.ensure_future(work)
    cancelled: asyncio.CancelledError | None = None
    while not task.done():
        try:
            await asyncio.wait([task])
        except asyncio.CancelledError as error:
            cancelled = error
    if cancelled is not None:
        if not task.cancelled():
            task.exception()  # retrieved, so that it is not reported as lost
        raise cancelled
    return task.result()


class ServerProcess:
    """A server started through the launcher: its own session (Ctrl-C goes to us alone), output to a log file.

    On Linux the kernel sends it the gentlest stop signal when we die, kill -9 included.
    """

    def __init__(
        self,
        name: str,
        command: Sequence[str],
        *,
        log_file: Path,
        env: Mapping[str, str],
        ladder: Ladder,
        account: Account | None = None,
    ) -> None:
        self._name = name
        self._command = command
        self._log_file = log_file
        self._log_start = 0
        self._env = env
        self._ladder = ladder
        self._account = account
        self._process: Process | None = None

    @property
    def pid(self) -> int:
        """Process id of the server itself (the launcher execs, so there is no process in between)."""
        if self._process is None:
            raise EmbeddedError(f"{self._name} is not running")
        return self._process.pid

    @property
    def exited(self) -> bool:
        """Whether it was started and has ended."""
        return self._process is not None and self._process.returncode is not None

    async def start(self) -> None:
        """Spawn the process. Readiness is the caller's to find out."""
        await complete(self._spawn())

    async def _spawn(self) -> None:
        log = _open_log(self._log_file)
        try:
            self._log_start = os.lseek(log, 0, os.SEEK_END)
            self._process = await asyncio.create_subprocess_exec(
                *_launched(self._command, self._ladder[0][0], self._account),
                stdin=DEVNULL,
                stdout=log,
                stderr=STDOUT,
                cwd="/",
                env=dict(self._env),
                start_new_session=True,
            )
        finally:
            os.close(log)

    async def stop(self) -> None:
        """End the process, the gentle way first. Safe to call at any time and more than once."""
        if self._process is not None:
            await complete(self._stop(self._process))

    async def _stop(self, process: Process) -> None:
        for number, patience in self._ladder:
            if process.returncode is not None:
                return
            with contextlib.suppress(ProcessLookupError):
                process.send_signal(number)
            with contextlib.suppress(TimeoutError):
                await asyncio.wait_for(process.wait(), patience)
        if process.returncode is None:
            raise EmbeddedError(f"{self._name} (process {process.pid}) does not end, not even by SIGKILL")

    def said(self, most: int = 4096) -> str:
        """What it wrote to its log since this start, the last so many bytes."""
        with self._log_file.open("rb") as log:
            end = log.seek(0, os.SEEK_END)
            log.seek(max(self._log_start, end - most))
            return log.read().decode(errors="replace").strip()

    def failure(self, reason: str) -> EmbeddedError:
        """An error that tells what happened together with the server's own last words."""
        return EmbeddedError(f"{self._name} {reason}.\n{self.said()}\nWhole log: {self._log_file}")


async def run_tool(command: Sequence[str], *, env: Mapping[str, str], account: Account | None = None) -> str:
    """Run a short program to its end and return its output (both streams).

    Raises:
        EmbeddedError: it ended with another code than 0; the message carries the output.
    """
    process = await asyncio.create_subprocess_exec(
        *_launched(command, signal.SIGTERM, account), stdin=DEVNULL, stdout=PIPE, stderr=STDOUT, cwd="/", env=dict(env)
    )
    try:
        output = (await process.communicate())[0].decode(errors="replace").strip()
    except BaseException:
        with contextlib.suppress(ProcessLookupError):
            process.terminate()
        await complete(process.wait())
        raise
    if process.returncode != 0:
        raise EmbeddedError(f"{Path(command[0]).name} failed with code {process.returncode}:\n{output}")
    return output


async def end_leftover(pid: int, ladder: Ladder) -> None:
    """End a server that is not our child: one that outlived its owner and keeps our files busy."""
    for number, patience in ladder:
        with contextlib.suppress(ProcessLookupError):
            os.kill(pid, number)
        deadline = time.monotonic() + patience
        while time.monotonic() < deadline:
            if not _alive(pid):
                return
            await asyncio.sleep(0.02)
    raise EmbeddedError(f"process {pid}, left from an earlier run, does not end")


def serves(pid: int, program: str, path: Path) -> bool:
    """Whether the process `pid` runs `program` with `path` among its arguments."""
    try:
        process = psutil.Process(pid)
        return program in process.name() and str(path) in process.cmdline()
    except psutil.Error:
        return False


def listens(pid: int, port: int) -> bool:
    """Whether the process `pid`, one of our own user's, takes TCP connections on `port`."""
    try:
        sockets = psutil.Process(pid).net_connections("tcp")
    except psutil.Error:
        return False
    return any(found.status == psutil.CONN_LISTEN and found.laddr.port == port for found in sockets)


def _alive(pid: int) -> bool:
    try:
        return bool(psutil.Process(pid).status() != psutil.STATUS_ZOMBIE)
    except psutil.NoSuchProcess:
        return False


def _launched(command: Sequence[str], death_signal: signal.Signals, account: Account | None) -> list[str]:
    who = f"{account.uid}:{account.gid}" if account else "-"
    return [sys.executable, "-I", "-S", str(_LAUNCHER), str(os.getpid()), str(int(death_signal)), who, *command]


def _open_log(path: Path) -> int:
    with contextlib.suppress(FileNotFoundError):
        if path.stat().st_size > _LOG_LIMIT:
            path.replace(path.with_name(path.name + ".1"))
    return os.open(path, os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o600)
