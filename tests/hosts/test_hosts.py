"""Four workers on four hosts: how much faster they are than one where each waits outside, and that one cut off loses nothing.

`pytest tests/hosts` prints the figures. What computes is not compared: the hosts share this machine's processors.
"""

from __future__ import annotations

import asyncio
import re
import sys
import time
from collections.abc import AsyncIterator
from contextlib import AbstractAsyncContextManager, AsyncExitStack
from dataclasses import dataclass, field
from email import message_from_bytes
from pathlib import Path
from urllib.parse import urlsplit

import pytest
from aiosmtpd.smtp import SMTP, Envelope

from activities.kernel.pool import Pool, open_pool
from gateway.client import PerennialClient
from gateway.connection import connect_to_own
from tests.builders import order
from tests.e2e.lives import until
from tests.hosts import network
from workers.embedded.stack import EmbeddedStack
from workers.migrating import migrate
from workers.settings import Settings
from workers.wiring import working
from workflows.visibility import SEARCH_ATTRIBUTES

pytestmark = [
    pytest.mark.slow("hosts"),
    pytest.mark.engine,
    pytest.mark.timeout(280),
    pytest.mark.skipif(network.why_not() is not None, reason=network.why_not() or ""),
]

WAITS = 0.2
"""Seconds that the mail server takes for each mail, which is no work of ours."""
HOSTS = 4


@dataclass
class Mails:
    """The mail server: what it took, from where, and when."""

    taken: list[tuple[float, str, str, str]] = field(default_factory=list)

    async def handle_DATA(self, _: object, session: SMTP, envelope: Envelope) -> str:  # noqa: N802
        await asyncio.sleep(WAITS)
        written = message_from_bytes(envelope.original_content or b"")
        whom, host = envelope.rcpt_tos[0], str(session.peer[0])  # type: ignore[attr-defined]
        self.taken.append((time.monotonic(), str(written["Message-ID"]), whom, host))
        return "250 taken"

    def rate(self, since: int) -> float:
        """Mails a second, of those after the first so many."""
        times = [one[0] for one in self.taken[since:]]
        return (len(times) - 1) / (times[-1] - times[0])


@dataclass
class Place:
    """The servers, and hosts that reach them."""

    stack: EmbeddedStack
    pool: Pool
    client: PerennialClient
    settings: Settings
    mails: Mails
    smtp_port: int
    folder: Path

    async def sold(self, count: int) -> list[str]:
        """So many customers who are sold to, whose mails wait for somebody to take them out."""
        documents = [order() for _ in range(count)]
        for at in range(0, count, 5):
            await asyncio.gather(*map(self.client.place_order, documents[at : at + 5]))
        accounts = [one["account"]["account_id"] for one in documents]
        welcomed = "select count(distinct account_id) from outbox where account_id = any($1) and delivery_id like '%/welcome#0'"

        async def all_wait() -> bool:
            return bool(await self.pool.fetchval(welcomed, accounts) == count)

        await until(all_wait, "every welcome is written")
        return [one["contacts"][0]["email"] for one in documents]

    def worker(self, host: int, at_once: int, **more: str) -> AbstractAsyncContextManager[None]:
        facts = urlsplit(self.stack.postgres_dsn)
        elsewhere = facts._replace(netloc=facts.netloc.replace("127.0.0.1", network.HERE)).geturl()
        return network.process_on(
            host,
            *(sys.executable, "-m", "tests.hosts.worker", str(at_once)),
            log=self.folder / f"host{host}.log",
            TEMPORAL_ADDRESS=f"{network.HERE}:{self.stack.temporal.port}",
            PERENNIAL_DATABASE_URL=elsewhere,
            PERENNIAL_SMTP_HOST=network.HERE,
            PERENNIAL_SMTP_PORT=str(self.smtp_port),
            **more,
        )

    async def all_told(self, addresses: list[str]) -> None:
        """Returns once each of them has a mail."""

        async def told() -> bool:
            return set(addresses) <= {one[2] for one in self.mails.taken}

        await until(told, "every customer has heard", seconds=120)


@pytest.fixture
async def place(tmp_path: Path) -> AsyncIterator[Place]:
    mails = Mails()
    async with network.hosts(HOSTS), EmbeddedStack(tmp_path / "stack", SEARCH_ATTRIBUTES, keep=False) as stack:
        await migrate(stack.postgres_dsn)
        pool = await open_pool(stack.postgres_dsn)
        # Every wait for a lock of more than 5 ms is in the server's log.
        name = await pool.fetchval("select current_database()")
        await pool.execute(f"alter database {name} set log_lock_waits = on")
        await pool.execute(f"alter database {name} set deadlock_timeout = '5ms'")
        await pool.expire_connections()
        smtp = await asyncio.get_running_loop().create_server(lambda: SMTP(mails), network.HERE, 0)
        port = smtp.sockets[0].getsockname()[1]
        settings = Settings.of_stack(database_url=stack.postgres_dsn, smtp_host=network.HERE, smtp_port=port)
        client = PerennialClient(await connect_to_own(stack.temporal_address), pool)
        async with network.put_there(stack.postgres_port, stack.temporal.port):
            yield Place(stack, pool, client, settings, mails, port, tmp_path)
        smtp.close()
        await pool.close()


async def test_four_workers_where_each_waits_outside(place: Place) -> None:
    apart = {"PERENNIAL_QUEUES_APART": "deliveries", "PERENNIAL_WORKS_ON": "deliveries"}
    here = place.settings.model_copy(update={"queues_apart": "deliveries", "works_on": "journeys"})
    async with working(await connect_to_own(place.stack.temporal_address), place.pool, here):
        one = await place.sold(15)
        async with place.worker(1, 1, **apart):
            await place.all_told(one)
        alone = place.mails.rate(0)
        since = len(place.mails.taken)
        four = await place.sold(60)
        async with AsyncExitStack() as entered:
            for host in range(1, HOSTS + 1):
                await entered.enter_async_context(place.worker(host, 1, **apart))
            await place.all_told(four)
    # They do not begin all at once: counted is from when the last of them has had its first.
    began = max(
        min(taken[0] for taken in place.mails.taken[since:] if taken[3] == network.address(host))
        for host in range(1, 5)
    )
    together = place.mails.rate(next(n for n, taken in enumerate(place.mails.taken) if taken[0] >= began))
    waits = len(re.findall("still waiting for", (place.stack.postgres.home / "server.log").read_text()))
    commits = await place.pool.fetchval("select xact_commit from pg_stat_database where datname = current_database()")
    print(
        f"\none {alone:.2f}/s, four {together:.2f}/s: {together / alone:.2f} times; {waits} waits over 5 ms in {commits} commits"
    )
    assert together / alone >= 1.8, "beside other tests; by itself it is more"
    assert waits < commits / 100


async def test_a_host_that_is_cut_off_loses_nothing(place: Place) -> None:
    documents = [order() for _ in range(30)]
    addresses = [one["contacts"][0]["email"] for one in documents]
    async with AsyncExitStack() as entered:
        for host in range(1, HOSTS + 1):
            await entered.enter_async_context(place.worker(host, 3))
        asked = [asyncio.create_task(place.client.place_order(one)) for one in documents]

        async def host_two_works() -> bool:
            return any(taken[3] == network.address(2) for taken in place.mails.taken)

        await until(host_two_works, "the second host has sent a mail", seconds=100)
        network.cut(2)
        at = time.monotonic()
        await asyncio.gather(*asked)
        await place.all_told(addresses)
        after = [taken for taken in place.mails.taken if taken[0] > at + 1]
        network.join(2)
    print(f"\n{len(place.mails.taken)} mails to {len(addresses)} customers, {len(after)} of them after the cut")
    assert after, "it was cut off in the middle"
    assert network.address(2) not in {taken[3] for taken in after}
    # Where the server's word did not come through, the same message may come again: under its one Message-ID.
    by_id = {(taken[1], taken[2]) for taken in place.mails.taken if taken[2] in addresses}
    assert len(by_id) == len({one[0] for one in by_id}) == len(addresses)
    done = "select count(*) - count(distinct key) from journal where account_id = any($1)"
    accounts = [one["account"]["account_id"] for one in documents]
    assert await place.pool.fetchval(done, accounts) == 0, "no step was done twice"
    waiting = "select count(*) from outbox where account_id = any($1) and status not in ('sent', 'withdrawn')"

    async def all_booked() -> bool:
        return bool(await place.pool.fetchval(waiting, accounts) == 0)

    await until(all_booked, "all that left is on record")
