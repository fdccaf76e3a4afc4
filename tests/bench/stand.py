"""Where a group is measured: a stack of its own, its worker a process of its own, and a meter on all of it."""

from __future__ import annotations

import asyncio
import os
import socket
import sys
import tempfile
from asyncio.subprocess import DEVNULL
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass
from datetime import UTC
from pathlib import Path
from typing import Any

import psutil
from temporalio.api.taskqueue.v1 import TaskQueue
from temporalio.api.workflowservice.v1 import DescribeTaskQueueRequest
from temporalio.client import Client

from activities.kernel.pool import Pool, open_pool
from gateway.client import PerennialClient
from gateway.clock import server_time
from gateway.connection import connect
from tests.bench.meter import Meter, Spent, none
from tests.conftest import Servers
from workers.embedded.postgres import EmbeddedPostgres
from workers.embedded.stack import EmbeddedStack
from workers.migrating import migrate
from workers.settings import Settings
from workers.wiring import build_worker
from workflows.visibility import SEARCH_ATTRIBUTES

PROGRAM = str(Path(sys.executable).with_name("perennial"))
WORKER = (PROGRAM, "worker")


_NOT_OURS = ("PERENNIAL", "TEMPORAL", "PYTHONDONTWRITEBYTECODE")


@dataclass(frozen=True)
class Stand:
    """One stack, and what is asked of it."""

    folder: Path
    stack: EmbeddedStack
    temporal: Client
    pool: Pool
    client: PerennialClient
    meter: Meter

    @property
    def environment(self) -> dict[str, str]:
        """By which another process finds this stack and nothing else, and modules that are compiled as an installation has them."""
        inherited = {name: value for name, value in os.environ.items() if not name.startswith(_NOT_OURS)}
        return {
            **inherited,
            "PYTHONPYCACHEPREFIX": str(self.folder / "compiled"),
            "TEMPORAL_ADDRESS": self.stack.temporal_address,
            "PERENNIAL_DATABASE_URL": self.stack.postgres_dsn,
            "PERENNIAL_SMTP_HOST": self.stack.smtp_host,
            "PERENNIAL_SMTP_PORT": str(self.stack.smtp_port),
        }

    @asynccontextmanager
    async def process(self, *command: str, queue: str = "", **environment: str) -> AsyncIterator[psutil.Process]:
        """A process until the end of the block."""
        with (self.folder / f"stderr-{queue}").open("w") as said:
            running = await asyncio.create_subprocess_exec(
                *command, env=self.environment | environment, stderr=said, stdout=DEVNULL
            )
        try:
            yield psutil.Process(running.pid)
        finally:
            if running.returncode is None:
                running.terminate()
            await running.wait()

    @asynccontextmanager
    async def worker(self, *command: str, queue: str = "perennial") -> AsyncIterator[psutil.Process]:
        """A worker, ours if no other is said, until the end of the block; the meter counts it from when it is there."""
        async with self.process(*(command or WORKER), queue=queue) as running:
            await self._polled(queue, running)
            self.meter.watch("worker", running.pid)
            try:
                yield running
            finally:
                self.meter.watch("worker", None)

    async def _polled(self, queue: str, worker: psutil.Process) -> None:
        """Waits until the worker asks for work: it alone has polled since now."""
        began = server_time()
        request = DescribeTaskQueueRequest(namespace="default", task_queue=TaskQueue(name=queue))

        async def missing() -> int:
            if not worker.is_running() or worker.status() == psutil.STATUS_ZOMBIE:
                raise RuntimeError((self.folder / f"stderr-{queue}").read_text()[-3000:])
            said = await self.temporal.workflow_service.describe_task_queue(request)
            return not any(poller.last_access_time.ToDatetime(UTC) >= began for poller in said.pollers)

        await none(missing, 180)

    async def spent(self, worker: psutil.Process, work: Callable[[], Awaitable[Any]]) -> Spent:
        """What something takes that this worker does, while others wait."""
        self.meter.watch("worker", worker.pid)
        return await self.meter.spent(work)

    async def quiet(self, *accounts: str) -> None:
        """Waits until all that was said to these customers has left."""
        waiting = (
            "select count(*) filter (where status = 'waiting') + (count(*) = 0)::int from outbox"
            " where account_id = any($1)"
        )

        async def left() -> int:
            return int(await self.pool.fetchval(waiting, list(accounts)))

        await none(left)

    @asynccontextmanager
    async def in_process(self) -> AsyncIterator[Servers]:
        """Our worker in this process, as tests have it, where no CPU is measured."""
        settings = Settings.of_stack(
            database_url=self.stack.postgres_dsn, smtp_host=self.stack.smtp_host, smtp_port=self.stack.smtp_port
        )
        async with build_worker(self.temporal, self.pool, settings):
            yield Servers(self.stack, self.temporal, self.pool, settings, self.client)


@asynccontextmanager
async def stand() -> AsyncIterator[Stand]:
    """A stack until the end of the block."""
    with tempfile.TemporaryDirectory(prefix="perennial-bench-") as name:
        folder = Path(name)
        async with EmbeddedStack(folder / "stack", SEARCH_ATTRIBUTES, keep=False) as stack:
            await migrate(stack.postgres_dsn)
            pool = await open_pool(stack.postgres_dsn)
            temporal = await connect(stack.temporal_address)
            meter = Meter(server=stack.temporal.pid, PostgreSQL=stack.postgres.pid)
            try:
                yield Stand(folder, stack, temporal, pool, PerennialClient(temporal, pool), meter)
            finally:
                await pool.close()


@dataclass(frozen=True)
class Database:
    """PostgreSQL alone."""

    folder: Path
    dsn: str
    pool: Pool
    meter: Meter


@asynccontextmanager
async def database() -> AsyncIterator[Database]:
    """PostgreSQL with our tables until the end of the block."""
    with tempfile.TemporaryDirectory(prefix="perennial-bench-") as folder:
        async with EmbeddedPostgres(Path(folder) / "server") as server:
            await migrate(server.dsn)
            pool = await open_pool(server.dsn)
            try:
                yield Database(Path(folder), server.dsn, pool, Meter(PostgreSQL=server.pid))
            finally:
                await pool.close()


def free_port() -> int:
    """A port that nobody has."""
    with socket.create_server(("127.0.0.1", 0)) as found:
        return int(found.getsockname()[1])
