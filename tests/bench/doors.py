"""What the doors promise of many customers.

The customer's page, search and one account by the API, with all customers on record; orders over HTTP beside the bare client's. Worker and
gateway are processes of their own; whoever asks is another one, on loopback. Each page is held against its own statements, asked bare.
"""

from __future__ import annotations

import asyncio
import random
import statistics
import time
from collections.abc import AsyncIterator, Awaitable, Callable, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass
from typing import Any

import asyncpg
import httpx2
from temporalio.client import Client

from activities.frame import access_rows, session_rows
from activities.frame.access_rows import ApiKey, StaffAccess
from activities.kernel import pool as pools
from activities.kernel.clock import present
from activities.kernel.pool import Pool, open_pool
from activities.playbooks import FOLDER, read_playbooks
from domain.frame.access import ANYTHING, AccessRole
from gateway.client import PerennialClient
from gateway.console.app import console
from gateway.console.visit import Place
from gateway.doors import Doors
from gateway.tokens import Token
from tests import many_customers
from tests.bench.meter import at, both, none, timed
from tests.bench.rows import Row, Size
from tests.bench.stand import PROGRAM, Stand, free_port, stand
from tests.builders import order
from tests.gateway.console.browser import in_front_of

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


async def fill(pool: Pool, customers: int, items: int) -> None:
    """Customers with names in two scripts, and so many items on their timelines."""
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


async def pages(caller: Caller, bare: Bare, chance: random.Random, customers: int) -> AsyncIterator[Row]:
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
    how = f"{PAGES} customers of {customers:,}, one after the other"
    yield Row("customer page, p99", at(times, 0.99), "ms", 150, detail=f"({both(times)})", how=how)
    figure, how = "customer page against its statements bare, p99", f"{statements:.0f} statements, on one connection"
    yield Row(figure, ratio, reach=3, floor=both(floor), how=how)
    yield Row("customer page, bytes", max(sizes) / 1000, "kB", 300)


async def searches(caller: Caller, chance: random.Random, customers: int) -> AsyncIterator[Row]:
    """Parts of names in two scripts, of addresses and ids, by people who type."""
    parts = ["珈琲", "株式", "港電", "鴨川", "capri", "thornf", "bike", "coffee", "law", "p1@a", "person"]
    times: dict[str, list[float]] = {}
    for part in parts:
        await caller.pages.get("/customers", params={"q": part})
    for _ in range(SEARCHES):
        part = chance.choice(parts)
        asked = chance.choice((part, f"{part} {chance.randint(1, 99)}", f"A-{chance.randint(1, customers)}"))
        kind = "id" if asked.startswith("A-") else "one part" if asked == part else "two parts"
        times.setdefault(kind, []).append(await timed(caller.pages.get("/customers", params={"q": asked})))
    for kind, of_it in sorted(times.items()):
        yield Row(f"search, {kind}, p99", at(of_it, 0.99), "ms", 100, detail=f"({both(of_it)})")


async def accounts(caller: Caller, chance: random.Random, customers: int) -> Row:
    """One account by the API."""
    times = [await timed(caller.api.get(f"/accounts/A-{chance.randint(1, customers)}")) for _ in range(PAGES)]
    return Row("GET /v1/accounts/{id}, p99", at(times[10:], 0.99), "ms", 100, detail=f"({both(times[10:])})")


async def orders(caller: Caller, client: PerennialClient, count: int) -> Row:
    """Orders to their acceptance, by both ways in turn, several in flight."""

    async def over_http(document: dict[str, Any]) -> None:
        answer = await caller.api.post("/orders", json=document, timeout=60)
        assert answer.status_code in (200, 201), answer.text[:300]

    rates: dict[str, list[float]] = {"http": [], "bare": []}
    for turn in range(2 * count // (AT_ONCE * 5)):
        kind: str = ("bare", "http")[turn % 2]
        ask: Callable[[dict[str, Any]], Awaitable[Any]] = over_http if kind == "http" else client.place_order
        began = time.perf_counter()
        for _ in range(5):
            await asyncio.gather(*(ask(order()) for _ in range(AT_ONCE)))
        rates[kind].append(5 * AT_ONCE / (time.perf_counter() - began))
        await asyncio.sleep(3)
    http, plain = (statistics.median(rates[kind][1:] or rates[kind]) for kind in ("http", "bare"))
    return Row(
        "orders over HTTP against the bare client",
        http / plain,
        reach=0.8,
        least=True,
        floor=f"{plain:.0f} a second",
        detail=f"({http:.0f} a second)",
        how=f"{AT_ONCE} in flight, in turn",
    )


@asynccontextmanager
async def served(place: Stand, port: int) -> AsyncIterator[None]:
    """`perennial worker` and `perennial gateway` until the end of the block."""
    listening = {"PERENNIAL_GATEWAY_PORT": str(port), "PERENNIAL_GATEWAY_HOST": "127.0.0.1"}
    async with (
        place.worker(),
        place.process(PROGRAM, "gateway", **listening),
        httpx2.AsyncClient(base_url=f"http://127.0.0.1:{port}") as http,
    ):

        async def missing() -> int:
            try:
                return (await http.get("/ready")).status_code != 200
            except httpx2.HTTPError:
                return 1

        await none(missing, 180)
        yield


async def rows(size: Size) -> AsyncIterator[Row]:
    """Every figure, one after the other."""
    chance, port = random.Random(7), free_port()
    customers = size.count("customers", CUSTOMERS, 2_000)
    async with stand() as place:
        await fill(place.pool, customers, size.count("items", ITEMS, 200_000))
        token = await signed_in(place.pool)
        host = f"http://127.0.0.1:{port}"
        async with (
            served(place, port),
            httpx2.AsyncClient(base_url=host, cookies={"perennial-session": SECRET}) as at_pages,
            httpx2.AsyncClient(base_url=f"{host}/v1", headers={"Authorization": f"Bearer {token}"}) as by_key,
        ):
            caller = Caller(at_pages, by_key)
            async for row in pages(caller, Bare(place.stack.postgres_dsn, place.temporal), chance, customers):
                yield row
            async for row in searches(caller, chance, customers):
                yield row
            yield await accounts(caller, chance, customers)
            yield await orders(caller, place.client, size.count("orders", ORDERS, 100))
