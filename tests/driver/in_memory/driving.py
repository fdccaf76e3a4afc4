"""A run of lives in memory: a database, lives one after the other, and what is said of them."""

from __future__ import annotations

import itertools
import tempfile
import time
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from pathlib import Path
from unittest.mock import patch

from temporalio.client import Client

from activities.channels.mail import Begins, MailChannel
from activities.kernel.pool import open_pool
from domain.frame.messages import OutgoingMail
from domain.mail.reading import Attachment
from gateway.cases import CaseClient
from gateway.client import PerennialClient
from tests.driver.in_memory.acting import Acting
from tests.driver.in_memory.lives import BEGINNING, live
from tests.driver.in_memory.plain import CONVERTER, PLAIN
from tests.driver.in_memory.server import Server
from tests.driver.in_memory.service import InMemoryService
from tests.driver.life import Life, World
from tests.driver.running import broken_rules, history, requests, staff, steps
from tests.driver.tally import Tally
from workers.embedded.postgres import EmbeddedPostgres
from workers.migrating import migrate
from workers.settings import Settings
from workers.wiring import build_activities, build_inbox

MOST_LIVES = 100_000


class NoMail(MailChannel):
    """Every mail arrives at once."""

    async def send(
        self,
        mail: OutgoingMail,
        files: Sequence[tuple[Attachment, bytes]] = (),
        begins: Begins | None = None,
    ) -> str:
        """Its Message-ID."""
        if begins is not None:
            await begins()
        return f"<{mail.delivery_id}@in-memory.example>"

    async def reach(self) -> None:
        """The server is never away."""


@asynccontextmanager
async def running(tally: Tally, folder: Path) -> AsyncIterator[tuple[World, Server, list[str]]]:
    """PostgreSQL with the schema, and all else in memory; the last are the kinds of steps there are."""
    async with EmbeddedPostgres(folder / "postgres") as postgres:
        await migrate(postgres.dsn)
        pool = await open_pool(postgres.dsn)
        try:
            await pool.execute("alter database perennial set synchronous_commit = off")
            await pool.expire_connections()
            settings = Settings.model_validate({"database_url": postgres.dsn, "smtp_host": "localhost"})
            server = Server(CONVERTER, BEGINNING)
            temporal = Client(InMemoryService(server), plugins=[PLAIN])
            with patch("workers.wiring.MailChannel", NoMail):
                activities = build_activities(pool, settings, temporal)
            server.acting = Acting(activities, CONVERTER, tally)
            client, cases = PerennialClient(temporal, pool), CaseClient(temporal, pool)
            await staff(cases)
            # The server's present is what nobody can move; here it is the server's own.
            with patch("gateway.cases.server_time", server.present), patch("gateway.clock.server_time", server.present):
                world = World(temporal, pool, client, cases, build_inbox(temporal, pool, settings), tally)
                yield world, server, steps(activities)
        finally:
            await pool.close()


async def drive(
    minutes: float, seed: int, *, lives: int = MOST_LIVES, first: int = 1, log: Path | None = None
) -> tuple[str, list[str]]:
    """Lives from the `first` on, until the time is over or so many are lived. Returns the table and what is wrong.

    log: where to write what customers did in whose lives something was wrong.
    """
    tally, began, lived = Tally(), time.monotonic(), 0
    broken: list[Life] = []
    with tempfile.TemporaryDirectory(prefix="driver-") as folder:
        async with running(tally, Path(folder)) as (world, server, kinds):
            for number in itertools.islice(itertools.count(first), lives):
                if time.monotonic() > began + minutes * 60:
                    break
                before = _wrong(tally)
                life = await live(world, server, seed, number)
                lived += 1
                if _wrong(tally) > before:
                    broken.append(life)
                    again = f"python -m tests.driver --in-memory --seed {seed} --life {number}"
                    print(f"life {life.name} is wrong; it is lived again by `{again}`", flush=True)
            rules = await broken_rules(world)
            await server.forget()
    wrong = [*tally.failures, *rules]
    wrong += [f"agenda of {who}: {says}" for who, said in tally.apart.items() for says in said.values()]
    if log is not None:
        log.write_text(history(tally, broken))
    said = f"seed {seed}: {lived} lives of two customers in memory in {(time.monotonic() - began) / 60:.1f} minutes"
    return f"{said}\n\n{tally.table(requests(), kinds)}", wrong


def _wrong(tally: Tally) -> int:
    return len(tally.failures) + len(tally.apart)
