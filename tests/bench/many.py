"""Many customers at once: a storm of steps that fall due together, beside the least that an engine needs for the same; orders in flight.

Each worker is a process of its own, ours and the floor's in turn; an activity is a step, or the mails of one instant."""

from __future__ import annotations

import asyncio
import sys
import time
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping, Sequence
from datetime import datetime, timedelta
from email.message import EmailMessage

import aiosmtplib
from temporalio import activity, workflow
from temporalio.api.enums.v1 import EventType
from temporalio.client import Client
from temporalio.worker import UnsandboxedWorkflowRunner, Worker

from activities.kernel.pool import Pool, open_pool
from gateway.clock import Clocks
from tests.bench.history import histories_of
from tests.bench.meter import Spent, at, both, none
from tests.bench.rows import Row, Size
from tests.bench.stand import Stand, stand
from tests.builders import order

QUEUE = "floor"
JOURNEYS, ORDERS, IN_FLIGHT = 1_000, 200, 20
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


async def storm(place: Stand, wakes: Mapping[str, datetime], left: Callable[[], Awaitable[int]]) -> Spent:
    """Wakes all of these at once, until nothing is left to do; what one of them took."""
    clocks = Clocks(place.temporal)

    async def work() -> None:
        await asyncio.gather(*(clocks.forward(id, day) for id, day in wakes.items()))
        await none(left)

    return (await place.meter.spent(work)).each(len(wakes))


class Ours:
    """Journeys that wait for their first step."""

    def __init__(self, place: Stand) -> None:
        self._place = place
        self._client = place.client

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
        found: int = await self._place.pool.fetchval(
            "select count(*) from outbox where status = 'waiting' and account_id = any($1)", list(ids)
        )
        return found

    async def storm(self, ids: Sequence[str]) -> tuple[Spent, int]:
        """The next morning of all: what one customer took, and how many activities that was."""
        wakes: dict[str, datetime] = {}
        for id in ids:
            agenda = await self._client.agenda_of(id)
            assert agenda is not None
            wakes[f"journey-{id}"] = min(step.at for step in agenda.steps) + timedelta(seconds=1)
        before = await self._done(ids)

        async def left() -> int:
            woken = "select count(distinct account_id) from effect where account_id = any($1) and as_of >= $2"
            done = await self._place.pool.fetchval(woken, list(ids), morning)
            return len(ids) - int(done) + await self._waiting(ids)

        morning = min(wakes.values()) - timedelta(seconds=1)
        spent = await storm(self._place, wakes, left)
        return spent, await self._done(ids) - before

    async def _done(self, ids: Sequence[str]) -> int:
        """Activities of one of them, each a step or mails that leave together."""
        runs = await histories_of(self._place.temporal, f"journey-{ids[0]}")
        return sum(event.event_type == EventType.EVENT_TYPE_ACTIVITY_TASK_SCHEDULED for run in runs for event in run)


async def floor_storm(place: Stand, ids: Sequence[str], activities: int) -> Spent:
    """The same many bare workflows, each with as many activities."""
    for id in ids:
        await place.temporal.start_workflow(Sleeper.run, args=[id, activities], id=f"floor-{id}", task_queue=QUEUE)
    await asyncio.sleep(2)
    clocks = Clocks(place.temporal)
    wakes = {f"floor-{id}": await clocks.told(f"floor-{id}") + LATER for id in ids}
    last = [f"{id}/{(activities - 1) // 2}" for id in ids]
    written = "select count(*) from effect where key = any($1)"
    sent = "select count(*) from outbox where delivery_id = any($1) and status = 'sent'"

    async def left() -> int:
        if activities % 2:
            return len(ids) - int(await place.pool.fetchval(written, last))
        return len(ids) - int(await place.pool.fetchval(sent, [f"{key}#0" for key in last]))

    return await storm(place, wakes, left)


async def rows(size: Size) -> AsyncIterator[Row]:
    """A storm of ours, then one of the floor, twice; then orders in flight."""
    journeys, count = size.count("journeys", JOURNEYS, 50), size.count("orders", ORDERS, 60)
    bare: list[Spent] = []
    waking: list[tuple[Spent, int]] = []
    async with stand() as place:
        floor = (
            *(sys.executable, "-m", "tests.bench.many"),
            *(place.stack.temporal_address, place.stack.postgres_dsn, str(place.stack.smtp_port)),
        )
        ours = Ours(place)
        for _ in range(2):
            async with place.worker():
                ids, _ = await ours.placed(journeys)
                waking.append(await ours.storm(ids))
            async with place.worker(*floor, queue=QUEUE):
                bare.append(await floor_storm(place, ids, waking[-1][1]))
        async with place.worker():
            _, times = await ours.placed(count)
    for (spent, done), least in zip(waking, bare, strict=True):
        yield Row(
            f"storm of {journeys:,} due at once: the bare rate, by CPU of an activity",
            least.cpu / spent.cpu,
            reach=0.85,
            least=True,
            floor=str(least.each(done)),
            detail=f"({spent.each(done)})",
            how=f"{done} activities a customer",
        )
        yield Row("  the same by time", least.wall / spent.wall)
    share = at(times, 0.99) / at(times, 0.5)
    yield Row(f"orders, {IN_FLIGHT} in flight: p99 to p50", share, reach=3, detail=f"({both(times)})")


if __name__ == "__main__":
    asyncio.run(serve_floor(sys.argv[1], sys.argv[2], int(sys.argv[3])))
