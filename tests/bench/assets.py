"""What the asset ledger and the portfolio promise."""

from __future__ import annotations

import math
import random
import time
from collections.abc import AsyncIterator, Iterator
from typing import Any

import asyncpg

from activities.assets.audit import audit
from activities.assets.portfolio import ACCOUNT_ASSETS, PORTFOLIO
from activities.frame.unit_of_work import Performer
from activities.journey.accepting import OrderAcceptance
from activities.kernel.clock import present
from activities.kernel.pool import Connection, Pool
from activities.playbooks import FOLDER, read_playbooks
from domain.frame.calls import RequestCall
from tests.bench.meter import timed
from tests.bench.rebuilding import seconds_to_rebuild
from tests.bench.rows import Row, Size
from tests.bench.stand import database
from tests.builders import order
from tests.installed_base import AT, PER_ACCOUNT, explained, fill

ASSETS = 100_000
TIMES = 10
ORDER_LINES = 100
BARE_SUM = """
select sum(mrr) from asset_state_period where starts_at <= $1 and (ends_at is null or ends_at > $1) and quantity > 0
"""


# Rebuilding


def rebuilding() -> Iterator[Row]:
    """A thousand actions against the clock, ten thousand against n log n."""
    taken = {actions: seconds_to_rebuild(actions) * 1000 for actions in (1_000, 10_000)}
    yield Row("rebuilding an asset with 1,000 actions", taken[1_000], "ms", 50, how="CPU, best of 7")
    grown = taken[10_000] / taken[1_000] / (10 * math.log(10_000) / math.log(1_000))
    yield Row("  10,000 actions, beside n log n", grown, reach=1.3, detail=f"({taken[10_000]:.0f} ms)")


# Assetizing

TABLES = {
    "account": "account_id = $1",
    "contact": "account_id = $1",
    "sales_order": "account_id = $1",
    "order_line": "order_id in (select order_id from sales_order where account_id = $1)",
    "contract": "account_id = $1",
    "contract_term": "contract_id in (select contract_id from contract where account_id = $1)",
    "asset": "account_id = $1",
    "asset_action": "asset_id in (select asset_id from asset where account_id = $1)",
    "asset_action_source": "asset_id in (select asset_id from asset where account_id = $1)",
    "asset_state_period": "asset_id in (select asset_id from asset where account_id = $1)",
    "invoice": "account_id = $1",
    "invoice_line": "invoice_id in (select invoice_id from invoice where account_id = $1)",
    "onboarding_task": "account_id = $1",
    "journal": "account_id = $1",
    "outbox": "account_id = $1",
    "effect": "account_id = $1",
}


def order_of_lines(number: int) -> dict[str, Any]:
    """An order of a new account with 100 lines, half of them in a contract and half devices."""
    tag = f"BENCH{number:05}"
    document = order(tag, order_id=f"O-{tag}")
    contract = document["contracts"][0]
    half = ORDER_LINES // 2
    contract["contract_id"] = f"K-{tag}"
    contract["lines"] = [
        {"line_id": f"s{n}", "product": "SEATS", "quantity": 40, "unit_price": "1200"} for n in range(half)
    ]
    document["lines"] = [
        {"line_id": f"d{n}", "product": "TERMINAL", "quantity": 5, "unit_price": "80000"} for n in range(half)
    ]
    return document


async def assetizing(pool: Pool, rounds: int = 25) -> Row:
    """The activity that accepts an order of 100 lines, in turn with the rows it left inserted again under other ids."""
    requests = OrderAcceptance(Performer(pool, "Bench"), read_playbooks(FOLDER))
    ours, raw = [], []
    for number in range(rounds):
        tag, other = f"BENCH{2 * number:05}", f"BENCH{2 * number + 1:05}"
        document = order_of_lines(2 * number)
        call = RequestCall(account_id=tag, request_id=tag, body=document, as_of=present(), run="", opening=True)
        began = time.perf_counter()
        await requests.activate_order(call)
        ours.append((time.perf_counter() - began) * 1000)
        async with pool.acquire() as connection:
            rows = {table: await _copied(connection, table, where, tag, other) for table, where in TABLES.items()}
            assert len(rows["asset"][1]) == len(rows["asset_state_period"][1]) == ORDER_LINES
            began = time.perf_counter()
            async with connection.transaction():
                for table, (columns, records) in ((t, r) for t, r in rows.items() if r[1]):
                    await connection.copy_records_to_table(table, records=records, columns=columns)
            raw.append((time.perf_counter() - began) * 1000)
    return Row(
        "assetizing 100 lines beside COPY of the same rows",
        min(ours) / min(raw),
        reach=3,
        floor=f"{min(raw):.1f} ms",
        detail=f"({min(ours):.1f} ms)",
        how=f"the activity alone and COPY of the rows it left, in turn; best of {rounds}",
    )


async def _copied(
    connection: Connection, table: str, where: str, tag: str, other: str
) -> tuple[list[str], list[list[Any]]]:
    """The account's rows of a table under other ids: column names and values."""
    found = await connection.fetch(f"select * from {table} where {where}", tag)
    columns = [name for name in (found[0].keys() if found else ()) if name != "journal_id"]
    records: list[list[Any]] = [
        [value.replace(tag, other) if isinstance(value := row[name], str) else value for name in columns]
        for row in found
    ]
    return columns, records


# Among many


async def among_many(dsn: str, assets: int) -> AsyncIterator[Row]:
    """One account's assets and the whole portfolio among many, then among ten times as many."""
    connection = await asyncpg.connect(
        dsn
    )  # not from the pool: making the data takes longer than a statement may there
    await fill(connection, assets, "IB")
    await connection.execute("vacuum analyze")
    yield await _plans(connection, assets, assets)
    before = await _account_time(connection, assets)
    yield await _portfolio(connection, assets)
    yield Row(f"the doctor's look at the ledger of {assets:,} assets", await timed(audit(connection)), "s", 10)
    # Reads use neither: without them ten times the rows are made in a minute.
    await connection.execute("alter table asset_state_period drop constraint asset_state_period_no_overlap")
    await connection.execute("set session_replication_role = replica")
    await fill(connection, assets * (TIMES - 1), "MORE", history=False)
    await connection.execute("set session_replication_role = origin")
    await connection.execute("vacuum analyze")
    yield await _plans(connection, assets * TIMES, assets)
    after = await _account_time(connection, assets)
    said = f"({after:.3f} ms)"
    figure = f"  one account among {assets * TIMES:,} beside {assets:,}"
    yield Row(figure, after / before, reach=1.3, floor=f"{before:.3f} ms", detail=said, how="best of 8 rounds of 300")
    yield await _portfolio(connection, assets * TIMES)
    await connection.close()


async def _plans(connection: Connection, assets: int, ours: int) -> Row:
    """What one account's assets cost in rows, the worst of several accounts."""
    worst = 0.0
    for account in _some_accounts(ours, 50):
        plan = await explained(connection, ACCOUNT_ASSETS, account, AT)
        assert not plan.sequential, f"{account}: {plan.sequential} read from end to end"
        worst = max(worst, plan.read / plan.returned)
    figure = f"one account among {assets:,} assets: rows read for each returned"
    return Row(figure, worst, reach=2, detail="(no sequential scan)", how="explain analyze, the worst of 50 accounts")


async def _account_time(connection: Connection, assets: int, accounts: int = 300) -> float:
    """Milliseconds for one account: the best of several rounds over the same accounts."""
    names = _some_accounts(assets, accounts)
    rounds = []
    for _ in range(8):
        began = time.perf_counter()
        for name in names:
            await connection.fetch(ACCOUNT_ASSETS, name, AT)
        rounds.append((time.perf_counter() - began) / accounts * 1000)
    return min(rounds)


def _some_accounts(assets: int, count: int) -> list[str]:
    chosen = random.Random(1).sample(range(assets // PER_ACCOUNT), count)
    return [f"IB-{n}" for n in chosen]


async def _portfolio(connection: Connection, assets: int) -> Row:
    """The portfolio by slice beside a bare sum over the same rows, in turn."""
    bare, ours = math.inf, math.inf
    for _ in range(9):
        bare = min(bare, await timed(connection.fetch(BARE_SUM, AT)))
        ours = min(ours, await timed(connection.fetch(PORTFOLIO, AT)))
    return Row(
        f"portfolio of {assets:,} assets beside a bare sum",
        ours / bare,
        reach=1.5,
        floor=f"{bare * 1000:.1f} ms",
        detail=f"({ours * 1000:.1f} ms)",
        how="by slice, and a sum over the same rows, in turn; best of 9",
    )


async def rows(size: Size) -> AsyncIterator[Row]:
    """Rebuilding, assetizing, and reads among many."""
    for row in rebuilding():
        yield row
    async with database() as place:
        yield await assetizing(place.pool)
        async for row in among_many(place.dsn, size.count("assets", ASSETS, ASSETS // TIMES)):
            yield row
