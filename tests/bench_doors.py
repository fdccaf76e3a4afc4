"""What the doors promise of many customers: `python -m tests.bench_doors [--customers N] [--items N]`. Exit code 1 on a miss.

The customer's page, search and one account by the API, with all customers on record; orders over HTTP beside the bare client's. Worker and
gateway are processes of their own; whoever asks is another one, on loopback. Each page is held against its own statements, asked bare.
"""

from __future__ import annotations

import argparse
import asyncio
import os
import random
import socket
import statistics
import sys
import tempfile
import time
from asyncio.subprocess import DEVNULL
from collections.abc import AsyncIterator, Awaitable, Callable, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import asyncpg
import httpx2
from rich.console import Console
from rich.table import Table
from temporalio.client import Client

from activities.frame import access_rows, session_rows
from activities.frame.access_rows import ApiKey, StaffAccess
from activities.kernel import pool as pools
from activities.kernel.clock import present
from activities.kernel.pool import Pool, open_pool
from activities.playbooks import FOLDER, read_playbooks
from domain.frame.access import ANYTHING, AccessRole
from gateway.client import PerennialClient
from gateway.connection import connect
from gateway.console.app import console
from gateway.console.visit import Place
from gateway.doors import Doors
from gateway.tokens import Token
from tests import many_customers
from tests.builders import order
from tests.gateway.console.browser import in_front_of
from workers.embedded.stack import EmbeddedStack
from workers.migrating import migrate
from workflows.visibility import SEARCH_ATTRIBUTES

CUSTOMERS, ITEMS = 100_000, 10_000_000
PAGES, SEARCHES, ORDERS, AT_ONCE = 300, 600, 200, 10
SECRET = "b" * 43
_NAMES = """
update account set name = case substr(account_id, 3)::int % 4
    when 0 then (array['山羊', '青葉', '鴨川', '港', '富士見', '東雲'])[1 + substr(account_id, 3)::int % 6]
        || (array['珈琲', '電機', '染工', '書房', '商店'])[1 + substr(account_id, 3)::int % 5] || '株式会社 ' || substr(account_id, 3)
    else (array['Capricorn', 'Thornfield', 'Prairie', 'Uetli', 'Spreewerk', 'Blue Bike', 'Thames'])[1 + substr(account_id, 3)::int % 7] || ' '
        || (array['Coffee', 'Law', 'Foods', 'Shop', 'Design'])[1 + substr(account_id, 3)::int % 5] || ' ' || substr(account_id, 3) end
"""
_ITEMS = """
insert into timeline_item (key, account_id, at, kind, title, actor, link, visibility)
select account_id || '/' || n, account_id, timestamptz '2026-01-05 09:00Z' + n * interval '3 days',
       (array['message', 'case', 'purchase', 'survey', 'onboarding', 'relationship'])[1 + n % 6], 'Something happened, number ' || n, 'system', null,
       (array['customer', 'staff', 'service'])[1 + n % 3]
from account, generate_series(1, $1::int) n
"""
_INDEXES = """
select 'alter table timeline_item drop constraint ' || c.conname as drop, 'alter table timeline_item add constraint ' || c.conname || ' '
       || pg_get_constraintdef(c.oid) as again
from pg_constraint c where c.conrelid = 'timeline_item'::regclass and c.contype in ('p', 'f')
union all
select 'drop index ' || i.indexrelid::regclass, pg_get_indexdef(i.indexrelid)
from pg_index i where i.indrelid = 'timeline_item'::regclass and not i.indisprimary
order by drop, again
"""
"""What is dropped before many rows come and made again after them: their order by index costs more than the rows."""
_ACTIONS = """
insert into asset_action (asset_id, sequence, request_id, category, type, effective, recorded_at, cuts, lifecycle_start, lifecycle_end,
                          attributes, quantity_change, mrr_change, product_amount_change, adjustment_amount_change, amount_change,
                          can_roll_back)
select asset_id, 1, order_id, 'Initial Sale', 'Generate', lifecycle_start, lifecycle_start, '{}', lifecycle_start,
       lifecycle_start + interval '365 days', '[]', 40, 400, 4800, 0, 4800, false
from asset
"""
_SOURCES = """
insert into asset_action_source (asset_id, sequence, number, lot, starts_at, ends_at, quantity, unit_price, product_amount)
select asset_id, 1, 0, 1, lifecycle_start, lifecycle_start + interval '365 days', 40, 10, 4800 from asset
"""


@dataclass
class Figures:
    """What was measured, beside what is promised."""

    table: Table = field(default_factory=lambda: Table("figure", "measured", "to reach", ""))
    missed: int = 0

    def add(self, what: str, said: str, promised: str, kept: bool) -> None:
        """A row; a miss counts."""
        self.missed += not kept
        self.table.add_row(what, said, promised, "" if kept else "[red]missed[/red]")


def at(times: Sequence[float], share: float) -> float:
    """The value that this share of the times does not exceed, in milliseconds."""
    return sorted(times)[min(int(len(times) * share), len(times) - 1)] * 1000


def both(times: Sequence[float]) -> str:
    """The median and the 99th percentile."""
    return f"p50 {at(times, 0.5):.0f} ms, p99 {at(times, 0.99):.0f} ms"


async def fill(pool: Pool, customers: int, items: int) -> None:
    """Customers with names in two scripts, and so many items on their timelines."""
    began = time.monotonic()
    await many_customers.fill(pool, customers, usage_days=7)
    standard = read_playbooks(FOLDER).current("standard")
    assert standard is not None
    body = standard.model_dump(mode="json")
    async with pool.acquire() as connection:
        await connection.execute("update playbook set body = $1, version = 1", body | {"version": 1})
        for statement in (_NAMES, _ACTIONS, _SOURCES):
            await connection.execute(statement, timeout=3600)
        await connection.execute("set maintenance_work_mem = '1GB'")
        made = await connection.fetch(_INDEXES)
        for one in made:
            await connection.execute(one["drop"])
        await connection.execute(_ITEMS, items // customers, timeout=3600)
        for one in made:
            await connection.execute(one["again"], timeout=3600)
        await connection.execute("vacuum analyze", timeout=3600)
    Console().print(f"{customers:,} customers, {items:,} items: filled in {time.monotonic() - began:.0f} s")


@dataclass(frozen=True)
class Caller:
    """Somebody who may see all: at the pages by a session, by the API with a key."""

    pages: httpx2.AsyncClient
    api: httpx2.AsyncClient


async def signed_in(pool: Pool) -> str:
    """One of our people at the pages, and a key; its token."""
    token = Token.new()
    every = tuple(role.value for role in AccessRole)
    key = ApiKey(token.key_id, "bench", every, (), tuple(ANYTHING), present(), "bench")
    async with pool.acquire() as connection:
        await access_rows.add_key(connection, key, token.secret)
        await access_rows.grant(connection, StaffAccess("S-1", every, (), False, None, present(), "bench"))
        await session_rows.begin_session(connection, SECRET, "S-1", present())
    return str(token)


async def timed(ask: Callable[[], Awaitable[Any]]) -> float:
    """Seconds that an answer takes."""
    began = time.perf_counter()
    await ask()
    return time.perf_counter() - began


class Bare:
    """The statements of pages, asked again with nothing around them."""

    def __init__(self, dsn: str, temporal: Client) -> None:
        self._dsn, self._temporal = dsn, temporal
        self.asked: list[tuple[str, tuple[Any, ...]]] = []

    async def statements(self, path: str) -> list[tuple[str, tuple[Any, ...]]]:
        """What the page asks the database, in its order."""
        self.asked = []

        async def watched(connection: Any) -> None:
            await pools._prepare(connection)
            connection.add_query_logger(self._noted)

        pool = await asyncpg.create_pool(self._dsn, min_size=0, max_size=10, init=watched, reset=_as_it_is)
        try:
            doors = Doors(self._temporal, pool)
            browser = in_front_of(console(Place(doors)))
            browser.http.cookies.set("perennial-session", SECRET)
            answer = await browser.http.get(path)
            assert answer.status_code == 200, answer.text[:300]
        finally:
            await pool.close()
        return [one for one in self.asked if one[0].startswith(("select", "with"))]

    def _noted(self, record: Any) -> None:
        self.asked.append((record.query.strip(), record.args))

    async def seconds(self, paths: Sequence[str]) -> tuple[list[float], float]:
        """How long the statements of each page take on one connection, warm; and how many statements a page asks."""
        all_of_them = [await self.statements(path) for path in paths]
        pool = await open_pool(self._dsn)
        times = []
        async with pool.acquire() as connection:
            for asked in [all_of_them[0], *all_of_them]:
                began = time.perf_counter()
                for query, args in asked:
                    await connection.fetch(query, *args)
                times.append(time.perf_counter() - began)
        await pool.close()
        return times[1:], statistics.mean(len(asked) for asked in all_of_them)


async def _as_it_is(_: Any) -> None: ...


async def pages(figures: Figures, caller: Caller, bare: Bare, chance: random.Random, customers: int) -> None:
    """Customers' pages, one after the other, each of another customer."""
    paths = [f"/customers/A-{chance.randint(1, customers)}" for _ in range(PAGES)]
    for path in paths[:10]:
        await caller.pages.get(path)
    floor, statements = await bare.seconds(paths[:100])
    times, sizes = [], []
    for path in paths:
        began = time.perf_counter()
        answer = await caller.pages.get(path)
        times.append(time.perf_counter() - began)
        assert answer.status_code == 200, answer.text[:300]
        sizes.append(len(answer.content))
    ratio = at(times, 0.99) / at(floor, 0.99)
    figures.add("customer page", both(times), "150 ms", at(times, 0.99) < 150)
    said = f"{ratio:.1f} times ({both(floor)}; {statements:.0f} statements)"
    figures.add("customer page against its statements bare, p99", said, "3 times", ratio < 3)
    figures.add("customer page, bytes", f"{max(sizes) / 1000:.0f} kB", "300 kB", max(sizes) < 300_000)


async def searches(figures: Figures, caller: Caller, chance: random.Random, customers: int) -> None:
    """Parts of names in two scripts, of addresses and ids, by people who type."""
    parts = ["珈琲", "株式", "港電", "鴨川", "capri", "thornf", "bike", "coffee", "law", "p1@a", "person"]
    times: dict[str, list[float]] = {}
    for part in parts:
        await caller.pages.get("/customers", params={"q": part})
    for _ in range(SEARCHES):
        part = chance.choice(parts)
        asked = chance.choice((part, f"{part} {chance.randint(1, 99)}", f"A-{chance.randint(1, customers)}"))
        kind = "id" if asked.startswith("A-") else "one part" if asked == part else "two parts"
        times.setdefault(kind, []).append(
            await timed(lambda asked=asked: caller.pages.get("/customers", params={"q": asked}))  # type: ignore[misc]
        )
    for kind, of_it in sorted(times.items()):
        figures.add(f"search, {kind}", both(of_it), "p99 100 ms", at(of_it, 0.99) < 100)


async def accounts(figures: Figures, caller: Caller, chance: random.Random, customers: int) -> None:
    """One account by the API."""
    times = [await timed(lambda: caller.api.get(f"/accounts/A-{chance.randint(1, customers)}")) for _ in range(PAGES)]
    figures.add("GET /v1/accounts/{id}", both(times[10:]), "p99 100 ms", at(times[10:], 0.99) < 100)


async def orders(figures: Figures, caller: Caller, client: PerennialClient) -> None:
    """Orders to their acceptance, by both ways in turn, several in flight."""

    async def over_http(document: dict[str, Any]) -> None:
        answer = await caller.api.post("/orders", json=document, timeout=60)
        assert answer.status_code in (200, 201), answer.text[:300]

    rates: dict[str, list[float]] = {"http": [], "bare": []}
    for turn in range(2 * ORDERS // (AT_ONCE * 5)):
        kind: str = ("bare", "http")[turn % 2]
        ask: Callable[[dict[str, Any]], Awaitable[Any]] = over_http if kind == "http" else client.place_order
        began = time.perf_counter()
        for _ in range(5):
            await asyncio.gather(*(ask(order()) for _ in range(AT_ONCE)))
        rates[kind].append(5 * AT_ONCE / (time.perf_counter() - began))
        await asyncio.sleep(3)
    http, plain = (statistics.median(rates[kind][1:] or rates[kind]) for kind in ("http", "bare"))
    said = f"{http / plain:.2f} ({http:.0f} to {plain:.0f} a second)"
    figures.add("orders over HTTP against the bare client", said, "at least 0.8", http / plain >= 0.8)


@asynccontextmanager
async def processes(stack: EmbeddedStack, port: int) -> AsyncIterator[None]:
    """`perennial worker` and `perennial gateway` until the end of the block."""
    environment = {
        **os.environ,
        "TEMPORAL_ADDRESS": stack.temporal_address,
        "PERENNIAL_DATABASE_URL": stack.postgres_dsn,
        "PERENNIAL_SMTP_HOST": stack.smtp_host,
        "PERENNIAL_SMTP_PORT": str(stack.smtp_port),
        "PERENNIAL_GATEWAY_PORT": str(port),
        "PERENNIAL_GATEWAY_HOST": "127.0.0.1",
    }
    program = str(Path(sys.executable).with_name("perennial"))
    running = [
        await asyncio.create_subprocess_exec(program, name, env=environment, stderr=DEVNULL, stdout=DEVNULL)
        for name in ("worker", "gateway")
    ]
    try:
        async with httpx2.AsyncClient(base_url=f"http://127.0.0.1:{port}") as http:
            for _ in range(300):
                try:
                    if (await http.get("/ready")).status_code == 200:
                        break
                except httpx2.HTTPError:
                    pass
                await asyncio.sleep(0.2)
        yield
    finally:
        for one in running:
            one.terminate()
        for one in running:
            await one.wait()


def free_port() -> int:
    """A port that nobody has."""
    with socket.create_server(("127.0.0.1", 0)) as found:
        return int(found.getsockname()[1])


async def main(customers: int, items: int) -> int:
    """Every figure, one after the other; how many were missed."""
    figures, chance, port = Figures(), random.Random(7), free_port()
    with tempfile.TemporaryDirectory(prefix="perennial-bench-doors-") as folder:
        async with EmbeddedStack(Path(folder), SEARCH_ATTRIBUTES, keep=False) as stack:
            await migrate(stack.postgres_dsn)
            pool = await open_pool(stack.postgres_dsn)
            await fill(pool, customers, items)
            token = await signed_in(pool)
            temporal = await connect(stack.temporal_address)
            client = PerennialClient(temporal, pool)
            host = f"http://127.0.0.1:{port}"
            async with (
                processes(stack, port),
                httpx2.AsyncClient(base_url=host, cookies={"perennial-session": SECRET}) as at_pages,
                httpx2.AsyncClient(base_url=f"{host}/v1", headers={"Authorization": f"Bearer {token}"}) as by_key,
            ):
                caller = Caller(at_pages, by_key)
                await pages(figures, caller, Bare(stack.postgres_dsn, temporal), chance, customers)
                await searches(figures, caller, chance, customers)
                await accounts(figures, caller, chance, customers)
                await orders(figures, caller, client)
            await pool.close()
    Console().print(figures.table)
    return figures.missed


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=(__doc__ or "").split("\n", maxsplit=1)[0])
    parser.add_argument("--customers", type=int, default=CUSTOMERS)
    parser.add_argument("--items", type=int, default=ITEMS)
    given = parser.parse_args()
    sys.exit(asyncio.run(main(given.customers, given.items)) > 0)
