"""Servers and workers that are killed without warning and started again on the same ports and files."""

from __future__ import annotations

import asyncio
import contextlib
import os
import shutil
import signal
import sys
import time
from collections import Counter
from collections.abc import Mapping, Sequence
from pathlib import Path
from types import TracebackType
from typing import Self

import psutil

from tests.e2e.refusing import refused
from tests.ports import own_ports
from workers.embedded.errors import EmbeddedError
from workers.embedded.mailbox_server import EmbeddedMailbox
from workers.embedded.placement import location
from workers.embedded.postgres import EmbeddedPostgres
from workers.embedded.process import complete
from workers.embedded.temporal_server import EmbeddedTemporal
from workers.migrating import migrate
from workflows.visibility import SEARCH_ATTRIBUTES

PROJECT = Path(__file__).resolve().parents[2]
PERENNIAL = (sys.executable, "-c", "from workers.cli import main; main()")
"""The command line, whether or not its script is installed."""

_BACK_SECONDS = 60.0


def command_environment(**more: str) -> dict[str, str]:
    """The environment of a process that runs our code from any folder, with no server named but those in `more`."""
    kept = {name: value for name, value in os.environ.items() if not name.startswith(("TEMPORAL_", "PERENNIAL_"))}
    return {**kept, "PYTHONPATH": str(PROJECT), **more}


async def _end(pid: int) -> None:
    """Ends a child of ours as a power failure would, and waits until it is gone."""
    os.kill(pid, signal.SIGKILL)
    while psutil.pid_exists(pid):  # noqa: ASYNC110 - whoever waits for the child has started it
        await asyncio.sleep(0.01)


class WorkerProcess:
    """One `perennial worker` in a process of its own, or another program of ours: `command`, which says `ready` once it is."""

    def __init__(
        self,
        folder: Path,
        name: str,
        environment: Mapping[str, str],
        *,
        command: Sequence[str] = (*PERENNIAL, "worker"),
        ready: str = "Working on task queue",
        listens: bool = False,
    ) -> None:
        self.name = name
        self._command = command
        self._ready = ready.encode()
        self._listens = listens
        self._log = folder / f"{name}.log"
        self._folder = folder
        self._environment = dict(environment)
        self._process: asyncio.subprocess.Process | None = None
        self._began = 0
        self._turn = asyncio.Lock()
        self.in_hand = False
        """true while whoever killed it starts it again"""

    async def start(self) -> None:
        """Starts it, unless it runs; it takes tasks a moment later. Whoever is cancelled meanwhile still has it, to end it."""
        await complete(self._start(by_itself=False))

    async def start_again(self) -> None:
        """Starts it if it has ended and nobody has it in hand, as a supervisor would."""
        await complete(self._start(by_itself=True))

    async def _start(self, *, by_itself: bool) -> None:
        async with self._turn:  # a process that was begun beside another one would be nobody's to end
            if (by_itself and self.in_hand) or (self._process is not None and not self.gone):
                return
            await self._begin()

    async def _begin(self) -> None:
        self._began = self._log.stat().st_size if self._log.exists() else 0
        with self._log.open("ab") as log:
            self._process = await asyncio.create_subprocess_exec(
                *self._command,
                cwd=self._folder,
                env=command_environment(**self._environment),
                stdin=asyncio.subprocess.PIPE if self._listens else asyncio.subprocess.DEVNULL,
                stdout=log,
                stderr=log,
            )

    @property
    def gone(self) -> bool:
        """True once it has ended."""
        return self._process is not None and self._process.returncode is not None

    @property
    def worked(self) -> bool:
        """True if it came up since its last start: while a server is away it cannot, says so and ends."""
        with self._log.open("rb") as log:
            log.seek(self._began)
            return self._ready in log.read()

    def tell(self, line: str) -> None:
        """Writes a line on its standard input."""
        assert self._process is not None
        assert self._process.stdin is not None
        self._process.stdin.write(f"{line}\n".encode())

    async def up(self, seconds: float = _BACK_SECONDS) -> None:
        """Waits until it has come up."""
        deadline = time.monotonic() + seconds
        while not self.worked:
            if time.monotonic() > deadline:
                raise TimeoutError(f"{self.name} has not come up within {seconds:.0f} seconds")
            await asyncio.sleep(0.05)

    async def kill(self) -> None:
        """Ends it as a power failure would."""
        async with self._turn:
            if self._process is not None:
                with contextlib.suppress(ProcessLookupError):
                    self._process.kill()
                await self._process.wait()


class Fragile:
    """PostgreSQL, Temporal and workers, each in its own process, and a mailbox in ours. A context manager.

    `kill` ends one of them by SIGKILL and starts it again; `returned_by_itself` counts the workers that ended at work
    without being killed, which none should.
    """

    def __init__(self, folder: Path, workers: int = 2) -> None:
        self.folder = folder
        *self._ports, smtp_port, web_port = own_ports(6)
        self.mail = EmbeddedMailbox(folder / "mailbox", smtp_port, web_port, reject=refused)
        self.postgres = self._new_postgres()
        self.temporal = self._new_temporal()
        self.killed: Counter[str] = Counter()
        self.returned_by_itself = 0
        self._count = workers
        self.workers: list[WorkerProcess] = []
        self._watch: asyncio.Task[None] | None = None

    def _new_postgres(self) -> EmbeddedPostgres:
        return EmbeddedPostgres(self.folder / "postgres", self._ports[0])

    def _new_temporal(self) -> EmbeddedTemporal:
        server, ui, metrics = self._ports[1:]
        return EmbeddedTemporal(
            self.folder / "temporal" / "temporal.db",
            search_attributes=SEARCH_ATTRIBUTES,
            port=server,
            ui_port=ui,
            metrics_port=metrics,
        )

    async def __aenter__(self) -> Self:
        try:
            await asyncio.gather(self.postgres.__aenter__(), self.temporal.__aenter__(), self.mail.__aenter__())
            await migrate(self.postgres.dsn)
            environment = {
                "TEMPORAL_ADDRESS": self.temporal.address,
                "PERENNIAL_DATABASE_URL": self.postgres.dsn,
                "PERENNIAL_SMTP_HOST": self.mail.smtp_host,
                "PERENNIAL_SMTP_PORT": str(self.mail.smtp_port),
            }
            self.workers = [WorkerProcess(self.folder, f"worker-{n}", environment) for n in range(self._count)]
            for worker in self.workers:
                await worker.start()
            self._watch = asyncio.create_task(self._keep_workers())
        except BaseException:
            await self.__aexit__(None, None, None)
            raise
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if self._watch is not None:
            self._watch.cancel()
            with contextlib.suppress(asyncio.CancelledError):
                await self._watch
        for worker in self.workers:
            await worker.kill()
        for part in (self.temporal, self.postgres, self.mail):
            await part.__aexit__(None, None, None)
        home = location(self.folder / "postgres")
        await asyncio.to_thread(shutil.rmtree, home, True)

    async def _keep_workers(self) -> None:
        """Starts workers again that ended by themselves, as a supervisor would."""
        while True:
            for worker in self.workers:
                if worker.gone and not worker.in_hand:
                    self.returned_by_itself += worker.worked
                    await worker.start_again()
            await asyncio.sleep(0.1)

    async def kill(self, target: str, pause: float) -> float:
        """Kills `postgres`, `temporal` or `worker-N`, and starts it again after `pause` seconds. Seconds until it was up."""
        self.killed[target.split("-", maxsplit=1)[0]] += 1
        began = time.monotonic()
        if target == "postgres":
            await _end(self.postgres.pid)
            await self.postgres.__aexit__(None, None, None)
            await asyncio.sleep(pause)
            await self._postgres_returns()
        elif target == "temporal":
            await _end(self.temporal.pid)
            await self.temporal.__aexit__(None, None, None)
            await asyncio.sleep(pause)
            await self._temporal_returns()
        else:
            worker = self.workers[int(target.removeprefix("worker-"))]
            worker.in_hand = True
            await worker.kill()
            await worker.start()
            worker.in_hand = False
        return time.monotonic() - began

    async def _postgres_returns(self) -> None:
        deadline = time.monotonic() + _BACK_SECONDS
        while True:
            self.postgres = self._new_postgres()
            try:
                await self.postgres.__aenter__()
                return
            except EmbeddedError:  # processes of the killed one may still hold the port
                if time.monotonic() > deadline:
                    raise
                await asyncio.sleep(0.1)

    async def _temporal_returns(self) -> None:
        deadline = time.monotonic() + _BACK_SECONDS
        while True:
            self.temporal = self._new_temporal()
            try:
                await self.temporal.__aenter__()
                return
            except EmbeddedError:
                if time.monotonic() > deadline:
                    raise
                await asyncio.sleep(0.1)
