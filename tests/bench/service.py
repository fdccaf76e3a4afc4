"""What service promises: logs and worked cases, the timeline, open cases.

`--with log=FILE`: a whole log of case events instead of the sample; `worked=FILE`: worked cases likewise; `idle=N`: so many open cases.
"""

from __future__ import annotations

import asyncio
import math
import time
from collections.abc import AsyncIterator
from datetime import UTC, datetime
from pathlib import Path

from activities.journey.timeline import page_query
from activities.kernel.clock import present
from activities.kernel.pool import Connection, Pool
from activities.service.service_reports import sla_report
from domain.journey.customer_timeline import PAGE, Audience, TimelineKind
from domain.kernel.business_clock import clock_of
from domain.service.case_log import promises_of
from gateway.cases import CaseClient
from tests.bench.history import actions_metric, settled_actions
from tests.bench.meter import timed
from tests.bench.rows import Row, Size
from tests.bench.stand import Stand, database, stand
from tests.cases import person
from tests.oracles import read_cases, run_cases
from tests.timelines import explained, fill
from workers.feeds.case_log import CaseLogScanner
from workers.feeds.case_mapping import case_mapping_for
from workers.feeds.cases import import_cases
from workers.feeds.importing import side_by_side

SAMPLE_LOG = Path(__file__).parents[1] / "data" / "incident_log_sample.csv"
SAMPLE_CASES = Path(__file__).parents[1] / "oracles" / "sample.json"
IDLE_SECONDS = 15


# The log and the worked cases


def log_figures(log: Path) -> Row:
    """Every promise of every case of a log, computed from its lines."""
    mapping, header = case_mapping_for(log)
    began = time.perf_counter()
    scan = CaseLogScanner(mapping, header).scan(log)
    reading = time.perf_counter() - began
    calendar = mapping.whole_calendar()
    counted = {calendar.id: clock_of(calendar)}
    now = present()
    began = time.perf_counter()
    promises = sum(
        len(promises_of(mapping.policy, case.priority, case.record(now), counted, as_of=now)) for case in scan.cases
    )
    taken = time.perf_counter() - began
    detail = f"({len(scan.cases):,} cases, {promises:,} promises; read in {reading:.1f} s)"
    return Row("promises of a whole log recomputed", taken, "s", 10, detail=detail)


def worked_cases(file: Path) -> Row:
    """The share of other systems' worked cases of service that come out as they say."""
    cases = [case for case in read_cases(file) if case.get("topic", "service") == "service"]
    results = run_cases(cases)
    passed = sum(result.verdict == "passed" for result in results)
    failed = [result.id for result in results if result.verdict == "failed"]
    detail = f"({passed} of {len(results)}{', failed: ' + ', '.join(failed) if failed else ''})"
    figure = "worked cases of topic service that pass"
    return Row(figure, passed / len(results) * 100, "%", 95, least=True, detail=detail)


async def importing(pool: Pool, log: Path, folder: Path) -> AsyncIterator[Row]:
    """The log taken over, and its report read back."""
    report = await import_cases(pool, log, rejects=folder / "rejects.csv", as_of=present())
    detail = f"({report.cases:,} cases, {report.lines:,} lines, {report.rejected} rejected)"
    yield Row("importing the log", report.seconds, "s", 60, detail=detail)
    async with pool.acquire() as connection:
        await connection.execute("vacuum analyze")
        far = datetime(1990, 1, 1, tzinfo=UTC), datetime(2030, 1, 1, tzinfo=UTC)
        taken = await timed(sla_report(connection, *far, as_of=present()))
    yield Row("  the SLA report over all of it", taken, "s", 5)


# The timeline


async def timeline(pool: Pool, items: int) -> AsyncIterator[Row]:
    """The first page for a customer with many items, and for one with ten times as many."""
    async with pool.acquire() as connection:
        times = {}
        for size in (items, 10 * items):
            account = await fill(connection, size, f"bench-{size}")
            await connection.execute("vacuum analyze timeline_item", timeout=120)
            worst = 0.0
            for audience in Audience:
                for kinds in ((), (TimelineKind.CASE,), (TimelineKind.CASE, TimelineKind.MESSAGE)):
                    query = page_query(kinds, audience.sees, PAGE + 1, behind=False)
                    plan = await explained(connection, query, account)
                    assert not plan.sequential, f"{plan.sequential} read from end to end"
                    worst = max(worst, plan.read / plan.returned)
            figure = f"timeline of {size:,} items, first page: rows read for each returned"
            yield Row(
                figure, worst, reach=2, detail="(no sequential scan)", how="explain analyze, the worst of 9 pages"
            )
            times[size] = await _page_time(connection, account)
        said, floor = (f"{times[count]:.3f} ms" for count in (10 * items, items))
        grown = times[10 * items] / times[items]
        yield Row("  ten times the items", grown, reach=1.3, floor=floor, detail=f"({said})", how="best of 7 rounds")


async def _page_time(connection: Connection, account: str, pages: int = 200) -> float:
    """Milliseconds for the first page, the best of several rounds."""
    query = page_query((), Audience.SERVICE.sees, PAGE + 1, behind=False)
    best = math.inf
    for _ in range(7):
        began = time.perf_counter()
        for _ in range(pages):
            await connection.fetch(query, account)
        best = min(best, (time.perf_counter() - began) / pages * 1000)
    return best


# On the real engine


async def idle(place: Stand, count: int) -> AsyncIterator[Row]:
    """What many open cases cost while nothing is due."""
    client = CaseClient(place.temporal, place.pool)
    await client.put_team({"team": "service", "name": "Service", "lead": person("bench-lead")})
    await client.put_agent({"staff": person("bench-agent"), "team": "service"})

    async def opened(number: int) -> None:
        await client.open_case(
            {
                "case_id": f"idle-{number}",
                "contact": {"phone": "+1 555 0100"},
                "subject": "It can wait",
                "priority": "low",
                "owner": "bench-agent",
            }
        )

    opening = await timed(side_by_side(range(count), opened, 16))
    before = await settled_actions(place.stack.metrics_url)
    spent = await place.meter.spent(lambda: asyncio.sleep(IDLE_SECONDS))
    still = await place.pool.fetchval("select count(*) from service_case where status = 'open'")
    assert still == count, f"{still} of {count} cases are open"
    actions = actions_metric(place.stack.metrics_url) - before
    detail = f"(in {IDLE_SECONDS} s; opened at {count / opening:.0f}/s)"
    yield Row(f"actions of {count:,} open cases while nothing is due", actions, "", 0, detail=detail)
    yield Row("  their worker's share of a core", spent.parts["worker"] / IDLE_SECONDS * 100, "%", 10)


async def rows(size: Size) -> AsyncIterator[Row]:
    """Every figure, one after the other."""
    log = size.file("log", SAMPLE_LOG)
    yield log_figures(log)
    yield worked_cases(size.file("worked", SAMPLE_CASES))
    async with database() as place:
        async for row in importing(place.pool, log, place.folder):
            yield row
        async for row in timeline(place.pool, size.count("items", 100_000, 10_000)):
            yield row
    async with stand() as engine, engine.worker():
        async for row in idle(engine, size.count("idle", 1_000, 100)):
            yield row
