"""A run: customers begin one after the other and live side by side, faults come, databases are brought back; then all is checked."""

from __future__ import annotations

import asyncio
import json
import sys
import time
from collections import Counter
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from pathlib import Path
from random import Random
from typing import Any

import asyncpg
from temporalio.client import Client
from temporalio.runtime import LoggingConfig, Runtime, TelemetryConfig, TelemetryFilter

from activities.kernel.clock import present
from activities.kernel.pool import Pool, open_pool
from gateway.cases import CaseClient
from gateway.client import PerennialClient
from gateway.connection import connect
from gateway.outgoing import Outgoing
from tests.accountant.doors import Lived, read_documents
from tests.faults.checking import Finding, Kind, check, is_by_batch, resent
from tests.faults.customers import customer
from tests.faults.doors import WITHIN, Doors, api
from tests.faults.evidence import Evidence, gather
from tests.faults.failing import OF_CONNECTIONS, OF_PARTS, Failing
from tests.faults.gate import Gate
from tests.faults.living import Living, live
from tests.faults.persisting import persist
from tests.faults.planting import plant
from tests.faults.report import Report
from tests.faults.world import SERVERS, World

SETTLES_WITHIN = 240.0
_STOPS_CLOCKS = (
    "kill_temporal",
    "freeze",
    "kill_everything",
    "full_temporal",
    "restore_temporal",
    "restore_postgres",
    "postgres_for_long",
)
"""Faults after which a moved clock may run past what is due"""
Say = Callable[[str], None]


@dataclass(frozen=True)
class Asked:
    """How a run shall be."""

    seed: int
    minutes: float
    journeys: int
    """so many at most; fewer if the time is over before"""
    at_once: int = 10
    every: float = 7.0
    """seconds from one fault of a part to the next"""
    of_connections: float = 12.0
    restores: bool = True
    days: tuple[int, ...] | None = None
    """how many days lives last at most, if not as usual: mostly months, now and then years"""
    plants: tuple[str, ...] = ()


@dataclass
class Run:
    """One run on a world that is up."""

    world: World
    asked: Asked
    say: Say
    report: Report
    doors: Doors
    failing: Failing
    temporal: Client
    """past the proxy"""
    pool: Pool
    lives: list[Living] = field(default_factory=list)
    lost_patience: list[Finding] = field(default_factory=list)
    told_by_batches: set[str] = field(default_factory=set)

    async def live(self) -> None:
        """Customers, faults and repetitions, until the time is over and everybody who began has lived to the end."""
        deadline = time.monotonic() + self.asked.minutes * 60
        beside = [
            asyncio.create_task(self.doors.repeat()),
            asyncio.create_task(self.failing.run(OF_PARTS, self.asked.every)),
            asyncio.create_task(self.failing.run(OF_CONNECTIONS, self.asked.of_connections)),
            asyncio.create_task(self._bring_back(deadline)),
            asyncio.create_task(self._tell()),
        ]
        numbers = iter(range(1, 1_000_000))
        living = [asyncio.create_task(self._one_after_the_other(numbers, deadline)) for _ in range(self.asked.at_once)]
        try:
            watched = {*living, *beside}
            while not all(task.done() for task in living):
                done, watched = await asyncio.wait(watched, return_when=asyncio.FIRST_COMPLETED)
                for task in done:
                    task.result()
        finally:
            for task in [*beside, *living]:
                task.cancel()
            await asyncio.gather(*beside, *living, return_exceptions=True)

    async def _one_after_the_other(self, numbers: Any, deadline: float) -> None:
        while time.monotonic() < deadline and self._journeys() < self.asked.journeys:
            number = next(numbers)
            one = customer(self.asked.seed, number, present().date(), self.asked.days)
            living = Living(one, Lived(one.story))
            self.lives.append(living)
            try:
                await live(self.doors, living)
            except Exception as error:
                said = f"life {number} could not go on: {type(error).__name__}: {error}"
                self.lost_patience.append(Finding(Kind.WRONG, said))
                self.say(said)

    def _journeys(self) -> int:
        return sum(len(living.customer.story.accounts) for living in self.lives)

    async def _tell(self) -> None:
        while True:
            await asyncio.sleep(20)
            counted = sum(self.failing.counted.values())
            over = sum(living.over for living in self.lives)
            took = time.monotonic() - self.report.began
            self.say(
                f"{took:.0f} s: {counted} faults, {self._journeys()} journeys of {len(self.lives)} lives, {over} over"
            )

    async def _bring_back(self, deadline: float) -> None:
        """Each database once from before, and the whole stack killed, at times that the length of the run gives."""
        whole = deadline - time.monotonic()
        await asyncio.sleep(whole * 0.12)
        await self._everything()
        for server in SERVERS if self.asked.restores else ():
            async with self.doors.gate.closed():
                await self.world.keep_copy(server)
                told = self._by_batches()
                self.say(f"a copy of {server} is kept")
            await asyncio.sleep(whole * 0.2)
            async with self.doors.gate.closed():
                self.told_by_batches |= self._by_batches() - told if server == "postgres" else set()
                await self._restore(server)

    def _by_batches(self) -> set[str]:
        """The Message-IDs of what batches have told our people so far."""
        ids = (one.message_id for one in self.world.mailbox.list())
        return {id for id in ids if id is not None and is_by_batch(id)}

    async def _everything(self) -> None:
        async with self.doors.gate.passing():
            await self.failing.kill_everything(self._first_step)
        self.say(f"all was killed; the first step after {self.failing.recovered[-1]:.1f} s")

    async def _first_step(self) -> None:
        """Returns once something is written into the journal that was not there."""

        async def last() -> int:
            connection = await asyncpg.connect(self.world.dsn, timeout=2)
            try:
                return int(await connection.fetchval("select coalesce(max(journal_id), 0) from journal"))
            finally:
                await connection.close()

        before = await persist(last)
        while await persist(last) == before:  # noqa: ASYNC110 - a table tells nobody
            await asyncio.sleep(0.1)

    async def _restore(self, server: str) -> None:
        began = time.monotonic()
        await self.world.bring_back(server, self._redo if server == "postgres" else None)
        self.failing.counted[f"restore_{server}"] += 1
        code, out, err = await self.world.reconcile()
        found = _found(out)
        self.say(f"{server} is back from before: {found.get('differences')} differences, {found.get('by_kind')}")
        if "differences" not in found:
            self.say(f"doctor ends with {code}: {(out + err)[-1000:]}")
        code, out, err = await self.world.reconcile("--mend")
        if code:  # what came up meanwhile, an operator has mended, too
            code, out, err = await self.world.reconcile("--mend")
        if code:
            self._stands(server, code, out, err)
        if server == "postgres":
            await self.doors.tell_tables_again(mended=True)
        await self.doors.mail_again()
        code, out, err = await self.world.reconcile()
        if code:
            self._stands(server, code, out, err)
        took = time.monotonic() - began
        self.report.restored.append({"server": server, "found": found.get("differences"), "seconds": round(took, 1)})
        self.say(f"{server} is mended after {took:.0f} s: {'nothing' if not code else 'something'} stands")

    async def _redo(self) -> None:
        """What comes before workers start where facts were lost: what files brought and what the histories know, in turn, as an operator
        does it who is told what is missing."""
        for more in (*[()] * 8, ("--leave-out",)):
            await self.doors.tell_tables_again(mended=False)
            code, out, err = await self.world.doctor("--redo", *more)
            self.say(f"doctor --redo: {out.strip()[-2000:]} ({code}) {err[-300:]}")
            if "run this again" not in out:
                break

    def _stands(self, server: str, code: int, out: str, err: str) -> None:
        left = [one for one in _found(out).get("found", []) if not one.get("mended")]
        for one in left:
            self.lost_patience.append(
                Finding(Kind.LOST, f"after {server} came back: {one['account_id']}: {one['says']}")
            )
        if not left:
            self.lost_patience.append(
                Finding(Kind.WRONG, f"after {server} came back doctor ends with {code}: {(out + err)[-300:]}")
            )

    async def settle(self) -> None:
        """All is up, what was to be sent again is sent, what waited for a provider is tried now, as an operator asks for it, and nothing is
        on its way any more, or too long for that to be right."""
        await self.doors.repeat_all()
        client, cases = PerennialClient(self.temporal, self.pool), CaseClient(self.temporal, self.pool)
        said = [said async for _, said in Outgoing(self.temporal, self.pool, client, cases).retry()]
        self.say(f"tried again: {dict(Counter(said))}")
        deadline = time.monotonic() + SETTLES_WITHIN
        while time.monotonic() < deadline:
            waiting = await self.pool.fetchval("select count(*) from outbox where status = 'waiting'")
            new = await self.pool.fetchval("select count(*) from inbox_message where status = 'new'")
            if not waiting and not new:
                break
            await asyncio.sleep(0.5)

    async def check(self) -> tuple[Evidence, list[Finding]]:
        """What the checker finds."""
        evidence = await gather(self.temporal, self.pool, self.world.mailbox)
        evidence.told_by_batches = self.told_by_batches
        over = [living for living in self.lives if living.over]
        async with self.pool.acquire() as connection:
            for living in over:
                accounts = [each["account_id"] for each in living.customer.story.accounts]
                living.lived.documents = await read_documents(connection, accounts)
        found = check(evidence, self.doors.heard, [living.lived for living in over])
        stopped = sum(count for kind, count in self.failing.counted.items() if kind in _STOPS_CLOCKS)
        if len(evidence.issued_late) > stopped:
            found.append(Finding(Kind.WRONG, f"issued late, more than clocks were stopped: {evidence.issued_late}"))
        found += self.lost_patience
        found += [Finding(Kind.WRONG, said) for living in self.lives for said in living.broken]
        return evidence, found


@asynccontextmanager
async def running(folder: Path, asked: Asked, say: Say) -> AsyncIterator[Run]:
    """A world with everything that a run needs."""
    dice = Random(asked.seed)
    gate = Gate()
    async with World(folder, disks=True) as world:
        own = await connect(world.temporal.address, runtime=_quiet_runtime())
        temporal = await connect(world.front("temporal"), runtime=_quiet_runtime())
        pool, by_proxy = await open_pool(world.dsn), await open_pool(world.dsn_by_proxy)
        http = await api(world, pool)
        try:
            client = PerennialClient(temporal, by_proxy, within=WITHIN)
            doors = Doors(world, client, by_proxy, http, gate, Random(dice.random()))
            failing = Failing(world, gate, Random(dice.random()))
            yield Run(world, asked, say, Report(asked.seed), doors, failing, own, pool)
        finally:
            await http.aclose()
            for each in (pool, by_proxy):
                each.terminate()


def _found(out: str) -> dict[str, Any]:
    """What doctor has found, if it came as far as that."""
    try:
        found: dict[str, Any] = json.loads(out)
    except ValueError:
        return {}
    return found


def _quiet_runtime() -> Runtime:
    """Says nothing of servers that are away, which here they are all the time."""
    quiet = TelemetryFilter(core_level="ERROR", other_level="ERROR")
    return Runtime(telemetry=TelemetryConfig(logging=LoggingConfig(filter=quiet)))


async def rehearse(folder: Path, asked: Asked, say: Say) -> Report:
    """The whole run, its plants included."""
    async with running(folder, asked, say) as run:
        report = run.report
        await run.live()
        say("everybody has lived to the end; waiting for what is on its way")
        await run.settle()
        planted = [await plant(kind, run.world, run.pool) for kind in asked.plants]
        evidence, findings = await run.check()
        report.planted = {one.kind: one.is_found(findings) for one in planted}
        report.findings = findings
        run.world.keeps = bool(findings)
        report.faults = run.failing.counted
        report.left_out = run.failing.left_out
        report.recovered = run.failing.recovered
        report.by_itself = run.world.by_itself
        report.journeys = len({row["account_id"] for row in evidence.of("orders")})
        report.cases = len(evidence.of("cases"))
        report.steps = len(evidence.of("journal"))
        report.mails = len(evidence.mails)
        report.resent = resent(evidence)
        report.issued_late = len(evidence.issued_late)
        report.documents = len(evidence.charged)
        report.days = sum(living.days * len(living.customer.story.accounts) for living in run.lives)
        report.answered = run.doors.heard.sent
        report.again = run.doors.heard.again
        report.seconds = time.monotonic() - report.began
        return report


def to_stderr(line: str) -> None:
    """A line of progress."""
    print(line, file=sys.stderr, flush=True)
