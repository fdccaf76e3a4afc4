"""Kills workers, PostgreSQL and Temporal at random instants while customers live a year, and counts what became of it.

    python -m tests.faults.twins --kills 50 --customers 20 --seed 7

The same customers live the same year twice: once undisturbed, once with the kills. Afterwards tables and mailbox must tell
the same: each step once, each message under one Message-ID (sent again after a crash it carries the same one), none missing.
"""

from __future__ import annotations

import argparse
import asyncio
import random
import sys
import tempfile
import time
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from functools import partial
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

import asyncpg
from rich.console import Console
from rich.table import Table
from temporalio.runtime import LoggingConfig, Runtime, TelemetryConfig, TelemetryFilter

from activities.kernel.clock import present
from activities.kernel.pool import open_pool
from domain.success.usage import UsageRow
from gateway.client import PerennialClient
from gateway.connection import connect
from tests.builders import goods_order, order
from tests.e2e.killing import Fragile
from tests.e2e.lives import ONBOARDING, account_of
from tests.e2e.tally import Tally, tally
from tests.faults.persisting import persist

CALM, KILLED = "-calm", "-kill"
LAST_DAY = 400
BEFORE = 10
"""Days of use before the order."""
TARGETS = ["postgres", "temporal", "worker-0", "worker-1"]


@dataclass
class Life:
    """One customer's year: what the people around them do, on which day."""

    document: dict[str, Any]
    number: int
    base: datetime
    """noon of the first day; what is done by people is done at noon, far from the mornings when the journey acts"""
    reported: int = 0
    """up to which day the meter has reported"""

    @property
    def account(self) -> str:
        """The account's id."""
        return account_of(self.document)

    async def begin(self, client: PerennialClient) -> None:
        """The order, and what the product's meter has reported so far."""
        await client.place_order(self.document)
        await client.record_usage(self._use(-BEFORE, 0))

    def _use(self, since: int, until: int) -> list[UsageRow]:
        """The use of the days from `since` up to the one before `until`: the same figures, in whatever portions it is asked for."""
        draw = random.Random(self.number)
        figures = {
            day: draw.randint(4, 10) if 120 < day < 170 + 10 * (self.number % 4) else draw.randint(26, 39)
            for day in range(-BEFORE, LAST_DAY)
        }
        first = self.base.date()
        return [
            UsageRow(
                account_id=self.account,
                product="SEATS",
                day=first + timedelta(days=day),
                active_users=figures[day],
            )
            for day in range(since, until)
        ]

    async def live(self, client: PerennialClient) -> None:
        """The year, through outages."""
        await self._reach(client, 41)
        for task in ONBOARDING:
            await self._ask(client, "complete_task", {"task": task, "order_id": self.document["order_id"]}, task)
        await self._reach(client, 100)
        later = goods_order(self.document, self.base + timedelta(days=100))
        later["order_id"] = f"{self.document['order_id']}-B"
        await persist(lambda: client.place_order(later))
        await self._reach(client, 200)
        await self._ask(client, "pause", {"reason": "stocktaking"}, "pause")
        await self._reach(client, 207)
        await self._ask(client, "resume", {}, "resume")
        await self._reach(client, 330)
        if decision := ("accept", "decline", None)[self.number % 3]:
            contract = self.document["contracts"][0]["contract_id"]
            answer = {"contract_id": contract, "decision": decision, "reason": "price"}
            await self._ask(client, "answer_renewal", answer, "renewal")
        await self._reach(client, LAST_DAY)

    async def _reach(self, client: PerennialClient, day: int) -> None:
        """Comes to that day; the meter reports the days that are over every week, and on arrival."""
        while self.reported < day:
            until = min(self.reported + 7, day)
            rows = self._use(self.reported, until)
            at = self.base + timedelta(days=until)
            await persist(partial(client.fast_forward_to, self.account, at))
            await persist(partial(client.record_usage, rows))
            self.reported = until

    async def _ask(self, client: PerennialClient, update: str, request: dict[str, Any], name: str) -> None:
        body = {**request, "request_id": f"{self.number}-{name}"}
        await persist(lambda: client.ask(self.account, update, body))


def lives(count: int, group: str) -> list[Life]:
    """The lives of a group. Two groups differ in their ids alone."""
    now = present().replace(microsecond=0)
    places = {"Asia/Tokyo": "JP", "Europe/Berlin": "DE", "America/New_York": "US"}
    zone = next(zone for zone in places if 3 <= now.astimezone(ZoneInfo(zone)).hour < 20)  # far from midnight
    base = now.astimezone(ZoneInfo(zone)).replace(hour=12, minute=0, second=0).astimezone(UTC)
    result = []
    for n in range(count):
        document = order(f"C{n:02d}{group}", order_id=f"SO{n:02d}{group}")
        document["account"].update(time_zone=zone, country=places[zone], name=f"Company {n}")
        document["contacts"][0]["email"] = f"c{n:02d}{group}@customer.example"
        document["contracts"][0].update(contract_id=f"K{n:02d}{group}", auto_renew=n % 2 == 0)
        if n % 5 == 4:
            document["contacts"][0]["email"] = f"nobody{n:02d}{group}@customer.example"
        result.append(Life(document, n, base))
    return result


@dataclass
class Report:
    """What a run of the chaos found."""

    seed: int
    killed: dict[str, int] = field(default_factory=dict)
    calm: Tally = field(default_factory=Tally)
    disturbed: Tally = field(default_factory=Tally)
    calm_seconds: float = 0
    disturbed_seconds: float = 0
    up_again: list[float] = field(default_factory=list)
    ended_by_themselves: int = 0

    @property
    def kills(self) -> int:
        """How many processes were killed."""
        return sum(self.killed.values())

    def faults(self) -> list[str]:
        """Everything that is not as it should be."""
        found = self.disturbed.differences(self.calm)
        for name, group in (("undisturbed", self.calm), ("disturbed", self.disturbed)):
            found += [f"{name}: {message} is on record as sent and never arrived" for message in group.lost]
            found += [f"{name}: {message} arrived and is not on record" for message in group.unknown]
            found += [f"{name}: {group.waiting} messages still wait"] if group.waiting else []
        if self.calm.resent:
            found.append(f"undisturbed: {self.calm.resent} messages were sent twice")
        if self.ended_by_themselves:
            found.append(f"{self.ended_by_themselves} workers ended without being killed")
        return found

    def show(self, console: Console) -> None:
        """The table."""
        table = Table(f"seed {self.seed}", "undisturbed", "disturbed", title="A year of the same customers")
        killed = ", ".join(f"{n} x {what}" for what, n in sorted(self.killed.items()))
        table.add_row("killed by SIGKILL", "none", f"{self.kills} ({killed})")
        for name in ("steps", "messages", "resent", "waiting"):
            table.add_row(name, str(getattr(self.calm, name)), str(getattr(self.disturbed, name)))
        table.add_row("lost or unknown", *(str(len(g.lost) + len(g.unknown)) for g in (self.calm, self.disturbed)))
        table.add_row("seconds", f"{self.calm_seconds:.1f}", f"{self.disturbed_seconds:.1f}")
        lost = (self.disturbed_seconds - self.calm_seconds) / max(1, self.kills)
        table.add_row(
            "seconds per kill", "", f"{lost:.1f}, of these down {sum(self.up_again) / max(1, self.kills):.1f}"
        )
        table.add_row("differences", "", str(len(self.faults())))
        console.print(table)
        for fault in self.faults()[:40]:
            console.print(f"[red]{fault}[/]")


async def settle(dsn: str, accounts: list[str], seconds: float = 200) -> None:
    """Waits until no message of `accounts` is on its way, or until that takes too long to be right."""
    deadline = time.monotonic() + seconds
    query = "select count(*) from outbox where account_id = any($1) and status = 'waiting'"
    while time.monotonic() < deadline:
        connection = await persist(lambda: asyncpg.connect(dsn, timeout=5))
        waiting = await connection.fetchval(query, accounts)
        await connection.close()
        if not waiting:
            return
        await asyncio.sleep(0.3)


async def kill_along(
    world: Fragile, kills: int, draw: random.Random, expected: int, before: int, report: Report
) -> None:
    """Kills at instants drawn evenly over the lives: each when so many of the expected messages have arrived."""
    instants = sorted(draw.uniform(0.0, 0.93) for _ in range(kills))
    targets = (TARGETS * (kills // len(TARGETS) + 1))[:kills]
    draw.shuffle(targets)
    for instant, target in zip(instants, targets, strict=True):
        pause, moment = draw.uniform(0, 0.5), draw.uniform(0, 0.2)
        while len(world.mail.mailbox.list()) - before < instant * expected:  # noqa: ASYNC110 - a folder tells nobody
            await asyncio.sleep(0.02)
        await asyncio.sleep(moment)
        report.up_again.append(await world.kill(target, pause))


async def rehearse(folder: Path, *, kills: int, customers: int, seed: int) -> Report:
    """The whole run. What is wrong is in the report's `faults`."""
    report = Report(seed)
    draw = random.Random(seed)
    async with Fragile(folder) as world:
        temporal = await connect(world.temporal.address, runtime=_quiet_runtime())
        client = PerennialClient(temporal, await open_pool(world.postgres.dsn))
        groups = {group: lives(customers, group) for group in (CALM, KILLED)}
        for group in groups.values():
            await asyncio.gather(*(life.begin(client) for life in group))
        mailbox, accounts = world.mail.mailbox, {name: [life.account for life in g] for name, g in groups.items()}
        began = time.monotonic()
        await asyncio.gather(*(life.live(client) for life in groups[CALM]))
        await settle(world.postgres.dsn, accounts[CALM])
        report.calm_seconds = time.monotonic() - began
        expected, before = sum(CALM in key for key in _ids(world)), len(mailbox.list())

        began = time.monotonic()
        killer = asyncio.create_task(kill_along(world, kills, draw, expected, before, report))
        try:
            await asyncio.gather(*(life.live(client) for life in groups[KILLED]))
            await killer
        finally:
            killer.cancel()
        await settle(world.postgres.dsn, accounts[KILLED])
        report.disturbed_seconds = time.monotonic() - began

        report.calm = await tally(world.postgres.dsn, mailbox, accounts[CALM], CALM)
        report.disturbed = await tally(world.postgres.dsn, mailbox, accounts[KILLED], KILLED)
        report.killed = dict(world.killed)
        report.ended_by_themselves = world.returned_by_itself
    return report


def _quiet_runtime() -> Runtime:
    """Says nothing of servers that are away, which here they are all the time."""
    quiet = TelemetryFilter(core_level="ERROR", other_level="ERROR")
    return Runtime(telemetry=TelemetryConfig(logging=LoggingConfig(filter=quiet)))


def _ids(world: Fragile) -> list[str]:
    return [mail.message_id or "" for mail in world.mail.mailbox.list()]


def main() -> int:
    """Runs it from the command line; 1 if anything is wrong."""
    parser = argparse.ArgumentParser(description=__doc__.split("\n", maxsplit=1)[0])
    parser.add_argument("--kills", type=int, default=50)
    parser.add_argument("--customers", type=int, default=20)
    parser.add_argument("--seed", type=int, default=random.SystemRandom().randrange(10**6))
    parser.add_argument("--limit", type=float, default=900, help="seconds after which it has failed")
    asked = parser.parse_args()
    console = Console()
    console.print(f"seed {asked.seed}: {asked.kills} kills over {asked.customers} customers' years")
    with tempfile.TemporaryDirectory(prefix="perennial-chaos-") as folder:
        work = rehearse(Path(folder), kills=asked.kills, customers=asked.customers, seed=asked.seed)
        report = asyncio.run(asyncio.wait_for(work, asked.limit))
    report.show(console)
    return 1 if report.faults() else 0


if __name__ == "__main__":
    sys.exit(main())
