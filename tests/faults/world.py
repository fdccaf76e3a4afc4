"""Everything that a company runs, each part a process of its own, with a proxy between them; all of it can be made to fail."""

from __future__ import annotations

import asyncio
import contextlib
import json
import os
import shutil
import signal
import subprocess
import sys
import time
from collections import Counter
from collections.abc import Awaitable, Callable, Iterator
from pathlib import Path
from types import TracebackType
from typing import Self

import psutil

from tests.e2e.killing import PERENNIAL, WorkerProcess, command_environment
from tests.faults import mail_server, proxy
from tests.ports import own_ports
from workers.embedded.errors import EmbeddedError
from workers.embedded.mailbox import Mailbox
from workers.embedded.placement import location
from workers.embedded.postgres import EmbeddedPostgres
from workers.embedded.temporal_server import EmbeddedTemporal
from workers.migrating import migrate
from workflows.visibility import SEARCH_ATTRIBUTES

ROUTES = ("postgres", "temporal", "smtp", "inbox", "gateway")
WORKERS = ("worker-0", "worker-1")
PROGRAMS = (*WORKERS, "gateway", "inbox", "mail")
SERVERS = ("postgres", "temporal")
DISKS = ("postgres", "temporal", "mail")
_DISK = "3g"
_BACK_SECONDS = 90.0


class World:
    """PostgreSQL, Temporal, two workers, the gateway, the inbox and somebody's mail server. A context manager.

    The parts reach each other by the proxy alone; whoever checks goes past it.
    """

    def __init__(self, folder: Path, *, disks: bool = False) -> None:
        self.folder = folder
        self.disks = disks and os.geteuid() == 0
        """whether data lie on small file systems of their own, which can be full"""
        ports = own_ports(14)
        self._fronts = dict(zip(ROUTES, ports[:5], strict=True))
        self._postgres, self._smtp, self._web, self._inbox, self._gateway = ports[5:10]
        self._temporal = tuple(ports[10:13])
        self._http = ports[13]
        self.postgres = self._new_postgres()
        self.temporal = self._new_temporal()
        self.programs: dict[str, WorkerProcess] = {}
        self.proxy: WorkerProcess | None = None
        self.by_itself: Counter[str] = Counter()
        """what ended at work without being killed"""
        self.keeps = True
        """whether what is left of the data is kept with the logs"""
        self._mounted: list[Path] = []
        self._watch: asyncio.Task[None] | None = None
        self._held: set[str] = set()
        """servers that somebody is just starting or holds down"""
        self._turns = {server: asyncio.Lock() for server in SERVERS}

    # Addresses

    @property
    def mailbox(self) -> Mailbox:
        """Every mail that arrived at the customers' and our people's."""
        return Mailbox(self.folder / "mail")

    @property
    def dsn(self) -> str:
        """The database, past the proxy."""
        return self.postgres.dsn

    @property
    def dsn_by_proxy(self) -> str:
        """The database as the parts reach it."""
        return self.postgres.dsn.replace(f":{self._postgres}/", f":{self._fronts['postgres']}/")

    def front(self, route: str) -> str:
        """`host:port` of a route of the proxy."""
        return f"{proxy.LOOPBACK}:{self._fronts[route]}"

    def port(self, route: str) -> int:
        """The port of a route of the proxy."""
        return self._fronts[route]

    @property
    def environment(self) -> dict[str, str]:
        """What the parts are told of each other."""
        return {
            "TEMPORAL_ADDRESS": self.front("temporal"),
            "PERENNIAL_DATABASE_URL": self.dsn_by_proxy,
            "PERENNIAL_SMTP_HOST": proxy.LOOPBACK,
            "PERENNIAL_SMTP_PORT": str(self.port("smtp")),
            "PERENNIAL_INBOX_AT": self.front("inbox"),
            "PERENNIAL_INBOX_PORT": str(self._inbox),
            "PERENNIAL_GATEWAY_PORT": str(self._gateway),
            "PERENNIAL_PUBLIC_URL": f"http://{self.front('gateway')}",
            "PERENNIAL_HTTP_PORT": str(self._http),
            "COLUMNS": "300",  # what a part says stands on one line
        }

    # Coming and going

    async def __aenter__(self) -> Self:
        try:
            if self.disks:
                await asyncio.to_thread(self._mount)
            await asyncio.gather(self.postgres.__aenter__(), self.temporal.__aenter__())
            await migrate(self.postgres.dsn)
            await self._start_proxy()
            self.programs = {name: self._program(name) for name in PROGRAMS}
            for program in self.programs.values():
                await program.start()
            for program in self.programs.values():
                await program.up()
            self._watch = asyncio.create_task(self._keep())
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
        for program in [*self.programs.values(), *([self.proxy] if self.proxy else [])]:
            await program.kill()
        self._end_what_just_began()
        for part in (self.temporal, self.postgres):
            await part.__aexit__(None, None, None)
        await asyncio.to_thread(self._remove)

    def _end_what_just_began(self) -> None:
        """Ends what was being started when the watch was cancelled, and is nobody's program yet: it names our folder."""
        for process in psutil.Process().children(recursive=True):
            with contextlib.suppress(psutil.Error):
                if "tests.faults.mail_server" in (said := process.cmdline()) and str(self.folder / "mail") in said:
                    process.kill()

    async def _start_proxy(self) -> None:
        targets = (self._postgres, self._temporal[0], self._smtp, self._inbox, self._gateway)
        routes = [f"{name}={self._fronts[name]}:{to}" for name, to in zip(ROUTES, targets, strict=True)]
        command = (sys.executable, "-m", "tests.faults.proxy", *routes)
        self.proxy = WorkerProcess(self.folder, "proxy", {}, command=command, ready=proxy.READY, listens=True)
        await self.proxy.start()
        await self.proxy.up()

    def _program(self, name: str) -> WorkerProcess:
        ours = {"gateway": ("gateway",), "inbox": ("inbox", "serve")}
        ready = {"gateway": "The console is at", "inbox": "are taken at", "mail": mail_server.READY}
        command: tuple[str, ...]
        if name == "mail":
            folder = str(self.folder / "mail")
            command = (sys.executable, "-m", "tests.faults.mail_server", folder, str(self._smtp), str(self._web))
        else:
            command = (*PERENNIAL, *ours.get(name, ("worker",)))
        says = ready.get(name, "Working on task queue")
        return WorkerProcess(self.folder, name, self.environment, command=command, ready=says)

    def _new_postgres(self) -> EmbeddedPostgres:
        return EmbeddedPostgres(self.folder / "postgres", self._postgres)

    def _new_temporal(self) -> EmbeddedTemporal:
        server, ui, metrics = self._temporal
        database = self.folder / "temporal" / "temporal.db"
        return EmbeddedTemporal(
            database, search_attributes=SEARCH_ATTRIBUTES, port=server, ui_port=ui, metrics_port=metrics
        )

    async def _keep(self) -> None:
        """Starts again what has ended by itself, as a supervisor would."""
        while True:
            for name, program in self.programs.items():
                if program.gone and not program.in_hand:
                    self.by_itself[name] += program.worked and name not in SERVERS
                    await program.start_again()
            for server in SERVERS:
                if server not in self._held and not self._alive(server):
                    self.by_itself[server] += 1
                    await self.start_server(server)
            await asyncio.sleep(0.2)

    def _alive(self, server: str) -> bool:
        try:
            process = psutil.Process(self.pid(server))
            return bool(process.status() != psutil.STATUS_ZOMBIE)
        except (psutil.Error, EmbeddedError):
            return False

    # Ending and starting

    def pid(self, server: str) -> int:
        """The process of PostgreSQL or Temporal."""
        return self.postgres.pid if server == "postgres" else self.temporal.pid

    @contextlib.contextmanager
    def held(self, *names: str) -> Iterator[None]:
        """Nobody else starts these in the block."""
        self._held.update(names)
        programs = [self.programs[name] for name in names if name in self.programs]
        for program in programs:
            program.in_hand = True
        try:
            yield
        finally:
            self._held.difference_update(names)
            for program in programs:
                program.in_hand = False

    async def kill(self, name: str) -> None:
        """Ends a part as a power failure would; it has to be held, or is started again."""
        if name in self.programs:
            await self.programs[name].kill()
            return
        async with self._turns[name]:
            with contextlib.suppress(ProcessLookupError, EmbeddedError):
                pid = self.pid(name)
                os.kill(pid, signal.SIGKILL)
                while psutil.pid_exists(pid):  # noqa: ASYNC110 - whoever waits for the child has started it
                    await asyncio.sleep(0.01)
            await self._part(name).__aexit__(None, None, None)

    async def stop(self, server: str) -> None:
        """Ends a server in good order."""
        async with self._turns[server]:
            await self._part(server).__aexit__(None, None, None)

    async def start(self, name: str, *, wait: bool = True) -> None:
        """Starts a part that has ended; returns once it is up."""
        if name in self.programs:
            await self.programs[name].start()
            if wait:
                with contextlib.suppress(TimeoutError):  # whoever it needs may be away: it is started again and again
                    await self.programs[name].up(20)
            return
        await self.start_server(name)

    async def start_server(self, name: str) -> None:
        """Starts PostgreSQL or Temporal, however long what is left of the one before keeps the port."""
        deadline = time.monotonic() + _BACK_SECONDS
        async with self._turns[name]:
            while not self._alive(name):
                await self._part(name).__aexit__(None, None, None)
                part: EmbeddedPostgres | EmbeddedTemporal
                if name == "postgres":
                    part = self.postgres = self._new_postgres()
                else:
                    part = self.temporal = self._new_temporal()
                try:
                    await part.__aenter__()
                    return
                except EmbeddedError:
                    if time.monotonic() > deadline:
                        raise
                    await asyncio.sleep(0.2)

    def _part(self, name: str) -> EmbeddedPostgres | EmbeddedTemporal:
        return self.postgres if name == "postgres" else self.temporal

    # Other ways to fail

    def connections(self, route: str, **how: float) -> None:
        """Has the proxy treat a route in some way, see there."""
        assert self.proxy is not None
        self.proxy.tell(json.dumps({"route": route, **how}))

    async def freeze(self, server: str, seconds: float) -> None:
        """A server stands still with all of its processes, and then goes on."""
        process = psutil.Process(self.pid(server))
        frozen = [process, *process.children(recursive=True)]
        for one in frozen:
            with contextlib.suppress(psutil.Error):
                one.suspend()
        try:
            await asyncio.sleep(seconds)
        finally:
            for one in reversed(frozen):
                with contextlib.suppress(psutil.Error):
                    one.resume()

    async def fill(self, disk: str, seconds: float) -> None:
        """No byte more can be written to a disk for so long."""
        path = self._disk(disk)
        for left in range(9, -1, -1):
            room = os.statvfs(path)
            used = (room.f_blocks - room.f_bfree) * room.f_frsize
            try:
                await self._sized(path, str(used + 4096))
            except OSError:  # more was written meanwhile
                if not left:
                    raise
            else:
                break
        try:
            await asyncio.sleep(seconds)
        finally:
            await self._sized(path, _DISK)

    async def _sized(self, path: Path, size: str) -> None:
        command = ("mount", "-o", f"remount,size={size}", str(path))
        process = await asyncio.create_subprocess_exec(*command)
        if await process.wait():
            raise OSError(f"{path} cannot be given {size}")

    # Copies of before

    def data_of(self, server: str) -> Path:
        """The folder with everything that a server knows."""
        return location(self.folder / "postgres") if server == "postgres" else self.folder / "temporal"

    def _copy_of(self, server: str) -> Path:
        return self.folder / f"{server}.before"

    async def keep_copy(self, server: str) -> None:
        """What the server knows now, kept beside it; it is down meanwhile."""
        with self.held(server):
            await self.stop(server)
            await asyncio.to_thread(_mirror, self.data_of(server), self._copy_of(server))
            await self.start_server(server)

    async def bring_back(self, server: str, before_work: Callable[[], Awaitable[None]] | None = None) -> None:
        """The server knows what it knew when it was copied, and no more; workers start after `before_work`."""
        with self.held(server, *WORKERS):
            for worker in WORKERS:
                await self.kill(worker)
            await self.stop(server)
            await asyncio.to_thread(_mirror, self._copy_of(server), self.data_of(server))
            await self.start_server(server)
            if before_work is not None:
                await before_work()
            for worker in WORKERS:
                await self.start(worker)

    async def reconcile(self, *more: str) -> tuple[int, str, str]:
        """Exit code, answer and complaints of `perennial doctor --reconcile --json`, past the proxy."""
        return await self.doctor("--reconcile", "--json", *more)

    async def doctor(self, *asked: str) -> tuple[int, str, str]:
        """Exit code, answer and complaints of `perennial doctor`, past the proxy."""
        environment = {
            **self.environment,
            "PERENNIAL_DATABASE_URL": self.dsn,
            "TEMPORAL_ADDRESS": self.temporal.address,
        }
        process = await asyncio.create_subprocess_exec(
            *(*PERENNIAL, "doctor", *asked),
            cwd=self.folder,
            env=command_environment(**environment),
            stdout=asyncio.subprocess.PIPE,
            stderr=asyncio.subprocess.PIPE,
        )
        out, err = await process.communicate()
        return process.returncode or 0, out.decode(), err.decode()

    # Disks

    def _disk(self, name: str) -> Path:
        return self.folder / "mail" if name == "mail" else self.data_of(name)

    def _mount(self) -> None:
        pointer = self.folder / "postgres"
        pointer.mkdir()
        for path in (self.folder / "mail", self.folder / "temporal", pointer):
            path.mkdir(exist_ok=True)
            path.chmod(0o711 if path == pointer else 0o700)
            done = subprocess.run(["mount", "-t", "tmpfs", "-o", f"size={_DISK}", "tmpfs", path], check=False)
            if done.returncode:  # a container whose root may not mount
                self.disks = False
                return
            self._mounted.append(path)

    def _remove(self) -> None:
        for server in SERVERS:
            with contextlib.suppress(OSError):
                shutil.copy(self.data_of(server) / "server.log", self.folder / f"{server}.log")
            if self.keeps:
                subprocess.run(["cp", "-a", self.data_of(server), self.folder / f"{server}.left"], check=False)
        home = location(self.folder / "postgres")
        if home != self.folder / "postgres":
            shutil.rmtree(home, ignore_errors=True)
        for path in self._mounted:
            subprocess.run(["umount", "-l", path], check=False)


def _mirror(source: Path, target: Path) -> None:
    """Makes a folder's content that of another, owners and modes included; the folder itself stays, as it may be a disk of its own."""
    target.mkdir(exist_ok=True)
    for old in target.iterdir():
        shutil.rmtree(old) if old.is_dir() else old.unlink()
    subprocess.run(["cp", "-a", f"{source}/.", str(target)], check=True)
