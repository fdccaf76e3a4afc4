"""The figures that the asset ledger promises: `python -m tests.bench_assets`. Prints each with its limit; exit code 1 on a miss.

On a PostgreSQL of its own. `--small` takes a tenth of the assets.
"""

from __future__ import annotations

import asyncio
import gc
import math
import random
import sys
import tempfile
import time
from collections.abc import Awaitable, Callable
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from pathlib import Path
from typing import Any

import asyncpg
from rich.console import Console
from rich.table import Table

from activities.assets.audit import audit
from activities.assets.portfolio import ACCOUNT_ASSETS, PORTFOLIO
from activities.frame.unit_of_work import Performer
from activities.journey.accepting import OrderAcceptance
from activities.kernel.clock import present
from activities.kernel.pool import Connection, Pool, open_pool
from activities.playbooks import FOLDER, read_playbooks
from domain.assets.ledger import Ledger, rebuild
from domain.assets.model import Asset, AssetAction
from domain.assets.operations import apply
from domain.assets.requests import Generate, Line
from domain.assets.worth import LedgerPolicy
from domain.frame.calls import RequestCall
from domain.quotes.pricing import price
from tests.builders import order
from tests.domain.quotes import bench as quoting
from tests.domain.quotes.builders import BOOK, CATALOGUE, NOW, percent, request, sale
from tests.installed_base import AT, PER_ACCOUNT, explained, fill
from workers.embedded.postgres import EmbeddedPostgres
from workers.migrating import migrate

ASSETS = 100_000
TIMES = 10
ORDER_LINES = 100
BARE_SUM = """
select sum(mrr) from asset_state_period where starts_at <= $1 and (ends_at is null or ends_at > $1) and quantity > 0
"""


class Figures:
    """What was measured, beside what is promised."""

    def __init__(self) -> None:
        self.missed = 0
        self.table = Table("figure", "measured", "limit", "")

    def add(self, what: str, value: float, limit: float, unit: str, detail: str = "") -> None:
        kept = value <= limit
        self.missed += not kept
        said = f"{value:,.2f} {unit}" if unit == "times" else f"{value:,.1f} {unit}"
        self.table.add_row(what, f"{said} {detail}".rstrip(), f"{limit:g} {unit}", "" if kept else "[red]missed[/red]")


def best(action: Callable[[], object], rounds: int) -> float:
    """The shortest of several runs, in milliseconds, without garbage collection."""
    taken = []
    gc.collect()
    gc.disable()
    for _ in range(rounds):
        began = time.perf_counter()
        action()
        taken.append((time.perf_counter() - began) * 1000)
    gc.enable()
    return min(taken)


# Rebuilding


def long_history(actions: int) -> tuple[Asset, tuple[AssetAction, ...], LedgerPolicy]:
    """An asset with many chronological actions: two upsells of two units, then a reduction that takes a unit of the last lot."""
    policy = LedgerPolicy(allow_backdate=True)
    start = datetime(2000, 1, 1, tzinfo=UTC)
    end = start + timedelta(days=actions + 400)
    asset = Asset(asset_id="long", account_id="bench", product="seats", currency="EUR")
    first = Line(start=start, end=end, quantity=100, unit_price=Decimal("9.90"))
    ledger = apply(
        Ledger(policy=policy),
        Generate(request_id="sale", asset=asset, lines=(first,)),
    )
    record = ledger.record(asset.asset_id)
    known = [*record.actions]
    # Each action as the ledger would write it; going through the whole ledger each time would measure something else.
    for number in range(1, actions):
        at = start + timedelta(days=number)
        sample = known[0]
        lot, units = (number + 1, 2) if number % 3 else (number, -1)
        row = sample.sources[0].having(lot=lot, start=at, quantity=units)
        known.append(sample.having(sequence=number + 1, request_id=f"r{number}", effective=at, sources=(row,), cuts=()))
    return asset, tuple(known), policy


def rebuilding(figures: Figures) -> None:
    """A thousand actions against the clock, ten thousand against n log n."""
    taken = {}
    for actions in (1_000, 10_000):
        asset, history, policy = long_history(actions)
        assert len(rebuild(asset, history, policy)) == actions
        taken[actions] = best(lambda a=asset, h=history, p=policy: rebuild(a, h, p), 7)  # type: ignore[misc]
    figures.add("rebuilding an asset with 1,000 actions", taken[1_000], 50, "ms")
    expected = 10 * math.log(10_000) / math.log(1_000)
    grown = taken[10_000] / taken[1_000] / expected
    figures.add("  10,000 actions, beside n log n", grown, 1.3, "times", f"({taken[10_000]:.0f} ms)")


def previewing(figures: Figures) -> None:
    """A quote of 200 lines: sales, then changes of assets that have changed before."""
    sales = [sale("seats", 20, f"l{n}") for n in range(quoting.LINES)]
    changed, lines = quoting.changes()
    for what, ledger, wanted in (("200 sales", Ledger(), sales), ("200 changes", changed, lines)):
        asked = request(*wanted, quote_id="bench")
        taken = best(
            lambda led=ledger, ask=asked: price(CATALOGUE, BOOK, led, ask, (percent("10"),), as_of=NOW),  # type: ignore[misc]
            20,
        )
        figures.add(f"preview of a quote: {what}", taken, 20, "ms")


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


async def assetizing(pool: Pool, figures: Figures, rounds: int = 25) -> None:
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
    detail = f"({min(ours):.1f} ms to {min(raw):.1f} ms)"
    figures.add("assetizing 100 lines beside COPY of the same rows", min(ours) / min(raw), 3, "times", detail)


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


async def among_many(dsn: str, figures: Figures, assets: int) -> None:
    """One account's assets and the whole portfolio among many, then among ten times as many."""
    connection = await asyncpg.connect(
        dsn
    )  # not from the pool: making the data takes longer than a statement may there
    await fill(connection, assets, "IB")
    await connection.execute("vacuum analyze")
    await _plans(connection, figures, assets, assets)
    before = await _account_time(connection, assets)
    await _portfolio(connection, figures, assets)
    checked = await _timed(audit(connection)) / 1000
    figures.add(f"the doctor's look at the ledger of {assets:,} assets", checked, 10, "s")
    # Reads use neither: without them ten times the rows are made in a minute.
    await connection.execute("alter table asset_state_period drop constraint asset_state_period_no_overlap")
    await connection.execute("set session_replication_role = replica")
    await fill(connection, assets * (TIMES - 1), "MORE", history=False)
    await connection.execute("set session_replication_role = origin")
    await connection.execute("vacuum analyze")
    await _plans(connection, figures, assets * TIMES, assets)
    after = await _account_time(connection, assets)
    detail = f"({before:.3f} ms to {after:.3f} ms)"
    figures.add(f"  one account among {assets * TIMES:,} beside {assets:,}", after / before, 1.3, "times", detail)
    await _portfolio(connection, figures, assets * TIMES)
    await connection.close()


async def _plans(connection: Connection, figures: Figures, assets: int, ours: int) -> None:
    """What one account's assets cost in rows, the worst of several accounts."""
    worst = 0.0
    for account in _some_accounts(ours, 50):
        plan = await explained(connection, ACCOUNT_ASSETS, account, AT)
        assert not plan.sequential, f"{account}: {plan.sequential} read from end to end"
        worst = max(worst, plan.read / plan.returned)
    figures.add(
        f"one account among {assets:,} assets: rows read for each returned", worst, 2, "times", "(no sequential scan)"
    )


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


async def _portfolio(connection: Connection, figures: Figures, assets: int) -> None:
    """The portfolio by slice beside a bare sum over the same rows, in turn."""
    bare, ours = math.inf, math.inf
    for _ in range(9):
        bare = min(bare, await _timed(connection.fetch(BARE_SUM, AT)))
        ours = min(ours, await _timed(connection.fetch(PORTFOLIO, AT)))
    detail = f"({ours:.1f} ms to {bare:.1f} ms)"
    figures.add(f"portfolio of {assets:,} assets beside a bare sum", ours / bare, 1.5, "times", detail)


async def _timed(work: Awaitable[Any]) -> float:
    began = time.perf_counter()
    await work
    return (time.perf_counter() - began) * 1000


async def main() -> None:
    """Every figure, one after the other."""
    figures = Figures()
    assets = ASSETS // TIMES if "--small" in sys.argv else ASSETS
    rebuilding(figures)
    previewing(figures)
    with tempfile.TemporaryDirectory() as folder:
        async with EmbeddedPostgres(Path(folder)) as server:
            await migrate(server.dsn)
            pool = await open_pool(server.dsn)
            await assetizing(pool, figures)
            await pool.close()
            await among_many(server.dsn, figures, assets)
    Console().print(figures.table)
    if figures.missed:
        sys.exit(1)


if __name__ == "__main__":
    asyncio.run(main())
