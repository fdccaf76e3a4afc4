"""Many customers at once: a storm of steps that fall due together, beside the least that an engine needs for the same; and orders in
flight: `python -m tests.bench_many`. Prints; asserts nothing. Each worker is a process of its own, ours and the
floor's in turn; an activity is a step, or the mails of one instant."""

from __future__ import annotations

import argparse
import asyncio
import sys
import tempfile
import time
from asyncio.subprocess import DEVNULL
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass
from datetime import datetime, timedelta
from email.message import EmailMessage
from pathlib import Path

import aiosmtplib
import psutil
from rich.console import Console
from rich.table import Table
from temporalio import activity, workflow
from temporalio.api.enums.v1 import EventType
from temporalio.client import Client
from temporalio.worker import UnsandboxedWorkflowRunner, Worker

from activities.kernel.pool import Pool, open_pool
from gateway.client import PerennialClient
from gateway.clock import Clocks
from gateway.connection import connect
from tests.bench import histories_of
from tests.bench_doors import at, both
from tests.builders import order
from workers.embedded.stack import EmbeddedStack
from workers.migrating import migrate
from workflows.visibility import SEARCH_ATTRIBUTES

QUEUE = "floor"
JOURNEYS, ORDERS, IN_FLIGHT = 200, 200, 20
LATER = timedelta(days=30)


@workflow.defn
class Sleeper:
    """The least that wakes on a day, writes a step's rows, sends its mail, and so on for so many activities, and sleeps on."""

    @workflow.run
    async def run(self, account_id: str, activities: int) -> None:
        await workflow.sleep(LATER)
        for number in range(activities):
            await workflow.execute_activity(
                ("write_step", "send_step")[number % 2],
                args=[account_id, number // 2],
                start_to_close_timeout=timedelta(seconds=20),
                summary="A step",
            )
        await workflow.sleep(timedelta(days=365))


class Steps:
    """What a step with a mail writes and does, with no rules."""

    def __init__(self, pool: Pool, smtp_port: int) -> None:
        self._pool = pool
        self._smtp_port = smtp_port

    @activity.defn
    async def write_step(self, account_id: str, number: int) -> None:
        """Reads the customer, and writes journal, outbox and effect."""
        async with self._pool.acquire() as connection, connection.transaction():
            await connection.fetchrow("select * from account where account_id = $1 for update", account_id)
            await connection.execute(
                "insert into journal (account_id, key, at, stage, kind, title, detail) values ($1, $1 || '/' || $2::text, now(), '', '', '', '{}')",
                account_id,
                str(number),
            )
            await connection.execute(
                "insert into outbox (delivery_id, account_id, channel, stage, body, created_at, status)"
                " values ($1, $2, 'deliver_mail', '', '{}', now(), 'waiting')",
                f"{account_id}/{number}#0",
                account_id,
            )
            await connection.execute(
                "insert into effect values ($1, $2, '', now(), '{}')", f"{account_id}/{number}", account_id
            )

    @activity.defn
    async def send_step(self, account_id: str, number: int) -> None:
        """Sends the mail and books that it left."""
        message = EmailMessage()
        message["From"], message["To"], message["Subject"] = "us@seller.example", "you@customer.example", "A step"
        message.set_content("It is time.")
        await aiosmtplib.send(message, hostname="127.0.0.1", port=self._smtp_port)
        await self._pool.execute(
            "update outbox set status = 'sent', settled_at = now() where delivery_id = $1", f"{account_id}/{number}#0"
        )


async def serve_floor(address: str, dsn: str, smtp_port: int) -> None:
    """The floor's worker, until it is ended."""
    pool = await open_pool(dsn)
    steps = Steps(pool, smtp_port)
    client = await Client.connect(address)
    async with Worker(
        client,
        task_queue=QUEUE,
        workflows=[Sleeper],
        activities=[steps.write_step, steps.send_step],
        workflow_runner=UnsandboxedWorkflowRunner(),
    ):
        await asyncio.Event().wait()


@dataclass(frozen=True)
class Setup:
    """One stack, and who is measured on it."""

    stack: EmbeddedStack
    temporal: Client
    pool: Pool

    @asynccontextmanager
    async def worker(self, *command: str) -> AsyncIterator[None]:
        """A worker process until the end of the block."""
        environment = {
            "TEMPORAL_ADDRESS": self.stack.temporal_address,
            "PERENNIAL_DATABASE_URL": self.stack.postgres_dsn,
            "PERENNIAL_SMTP_HOST": "127.0.0.1",
            "PERENNIAL_SMTP_PORT": str(self.stack.smtp_port),
            "PATH": str(Path(sys.executable).parent),
        }
        process = await asyncio.create_subprocess_exec(*command, env=environment, stderr=DEVNULL, stdout=DEVNULL)
        try:
            yield
        finally:
            process.terminate()
            await process.wait()

    def seconds(self) -> float:
        """CPU so far of whatever runs for us: the worker, the engine, PostgreSQL with its connections, and this process."""
        me = psutil.Process()
        return sum(sum(one.cpu_times()[:2]) for one in (me, *me.children(recursive=True)))


async def none(left: Callable[[], Awaitable[int]]) -> None:
    """Waits until nothing is left."""
    while True:
        if not await left():
            return
        await asyncio.sleep(0.05)


async def storm(setup: Setup, wakes: Mapping[str, datetime], left: Callable[[], Awaitable[int]]) -> tuple[float, float]:
    """Wakes all of these at once. Milliseconds until nothing is left to do, and of CPU, for one each."""
    clocks = Clocks(setup.temporal)
    began, spent = time.perf_counter(), setup.seconds()
    await asyncio.gather(*(clocks.forward(id, day) for id, day in wakes.items()))
    await none(left)
    taken, used = time.perf_counter() - began, setup.seconds() - spent
    return taken * 1000 / len(wakes), used * 1000 / len(wakes)


class Ours:
    """Journeys that wait for their first step."""

    def __init__(self, setup: Setup) -> None:
        self._setup = setup
        self._client = PerennialClient(setup.temporal, setup.pool)

    async def placed(self, customers: int, at_once: int = IN_FLIGHT) -> tuple[list[str], list[float]]:
        """So many customers, their orders so many in flight; and the seconds to each answer."""
        ids: list[str] = []
        times: list[float] = []
        places = asyncio.Semaphore(at_once)

        async def one() -> None:
            async with places:
                document = order()
                began = time.perf_counter()
                await self._client.place_order(document)
                times.append(time.perf_counter() - began)
                ids.append(str(document["account"]["account_id"]))

        await asyncio.gather(*(one() for _ in range(customers)))
        await none(lambda: self._waiting(ids))
        return ids, times

    async def _waiting(self, ids: Sequence[str]) -> int:
        found: int = await self._setup.pool.fetchval(
            "select count(*) from outbox where status = 'waiting' and account_id = any($1)", list(ids)
        )
        return found

    async def storm(self, ids: Sequence[str]) -> tuple[float, float, int]:
        """The next morning of all: milliseconds and CPU of one customer, and how many activities that was."""
        wakes: dict[str, datetime] = {}
        for id in ids:
            agenda = await self._client.agenda_of(id)
            assert agenda is not None
            wakes[f"journey-{id}"] = min(step.at for step in agenda.steps) + timedelta(seconds=1)
        before = await self._done(ids)

        async def left() -> int:
            woken = "select count(distinct account_id) from effect where account_id = any($1) and as_of >= $2"
            done = await self._setup.pool.fetchval(woken, list(ids), morning)
            return len(ids) - int(done) + await self._waiting(ids)

        morning = min(wakes.values()) - timedelta(seconds=1)
        wall, cpu = await storm(self._setup, wakes, left)
        return wall, cpu, await self._done(ids) - before

    async def _done(self, ids: Sequence[str]) -> int:
        """Activities of one of them, each a step or mails that leave together."""
        runs = await histories_of(self._setup.temporal, f"journey-{ids[0]}")
        return sum(event.event_type == EventType.EVENT_TYPE_ACTIVITY_TASK_SCHEDULED for run in runs for event in run)


async def floor_storm(setup: Setup, ids: Sequence[str], activities: int) -> tuple[float, float]:
    """The same many bare workflows, each with as many activities."""
    for id in ids:
        await setup.temporal.start_workflow(Sleeper.run, args=[id, activities], id=f"floor-{id}", task_queue=QUEUE)
    await asyncio.sleep(2)
    clocks = Clocks(setup.temporal)
    wakes = {f"floor-{id}": await clocks.told(f"floor-{id}") + LATER for id in ids}
    last = [f"{id}/{(activities - 1) // 2}" for id in ids]
    written = "select count(*) from effect where key = any($1)"
    sent = "select count(*) from outbox where delivery_id = any($1) and status = 'sent'"

    async def left() -> int:
        if activities % 2:
            return len(ids) - int(await setup.pool.fetchval(written, last))
        return len(ids) - int(await setup.pool.fetchval(sent, [f"{key}#0" for key in last]))

    return await storm(setup, wakes, left)


async def main(journeys: int, orders: int) -> None:
    """A storm of ours, then one of the floor, twice; then orders in flight."""
    table = Table("figure", "measured", "to reach")
    program = Path(sys.executable)
    with tempfile.TemporaryDirectory(prefix="perennial-bench-many-") as folder:
        async with EmbeddedStack(Path(folder), SEARCH_ATTRIBUTES, keep=False) as stack:
            await migrate(stack.postgres_dsn)
            pool = await open_pool(stack.postgres_dsn)
            setup = Setup(stack, await connect(stack.temporal_address), pool)
            floor = (
                str(program),
                "-m",
                "tests.bench_many",
                "--floor",
                stack.temporal_address,
                stack.postgres_dsn,
                str(stack.smtp_port),
            )
            ours = Ours(setup)
            bare: list[tuple[float, float]] = []
            waking: list[tuple[float, float, int]] = []
            for _ in range(2):
                async with setup.worker(str(program.with_name("perennial")), "worker"):
                    ids, _ = await ours.placed(journeys)
                    waking.append(await ours.storm(ids))
                async with setup.worker(*floor):
                    bare.append(await floor_storm(setup, ids, waking[-1][2]))
            async with setup.worker(str(program.with_name("perennial")), "worker"):
                _, times = await ours.placed(orders)
            await pool.close()
    for (wall, cpu, done), (bare_wall, bare_cpu) in zip(waking, bare, strict=True):
        each, bare_each = cpu / done, bare_cpu / done
        said = f"{bare_each / each:.2f} by CPU, {bare_wall / wall:.2f} by time"
        table.add_row(f"storm of {journeys}: the bare rate, by activity", said, "0.85")
        table.add_row(
            "  one of ours, one of the floor",
            f"{each:.1f} ms of CPU to {bare_each:.1f} ms; {done} activities a customer",
            "",
        )
    table.add_row(
        f"orders, {IN_FLIGHT} in flight", f"{both(times)}: {at(times, 0.99) / at(times, 0.5):.1f} times", "3 times"
    )
    Console().print(table)


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=(__doc__ or "").split("\n", maxsplit=1)[0])
    parser.add_argument("--journeys", type=int, default=JOURNEYS)
    parser.add_argument("--orders", type=int, default=ORDERS)
    parser.add_argument("--floor", nargs=3, metavar=("ADDRESS", "DSN", "SMTP_PORT"), help=argparse.SUPPRESS)
    given = parser.parse_args()
    if given.floor:
        asyncio.run(serve_floor(given.floor[0], given.floor[1], int(given.floor[2])))
    else:
        asyncio.run(main(given.journeys, given.orders))
