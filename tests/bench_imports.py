"""What the import of usage costs: `python -m tests.bench_imports [ROWS]`. Prints it beside its floor and limit; exit code 1 on a miss.

The floor is COPY of the same figures into the same table, and for days that are on record COPY beside it and one bare update, run in
turn; CPU is that of this process and of PostgreSQL together.
"""

from __future__ import annotations

import asyncio
import resource
import sys
import tempfile
from collections.abc import Awaitable, Callable
from datetime import date, timedelta
from pathlib import Path
from typing import Any, cast
from unittest.mock import Mock

import psutil
from rich.console import Console
from temporalio.client import Client

from activities.kernel.pool import Connection, Pool, open_pool
from activities.playbooks import FOLDER, read_playbook
from gateway.client import PerennialClient
from tests.bench_assets import Figures
from tests.many_customers import fill
from workers.embedded.postgres import EmbeddedPostgres
from workers.feeds.usage import COLUMNS, import_usage
from workers.migrating import migrate

ROWS, DAYS, ROUNDS = 1_000_000, 250, 2
PRODUCTS = ("SEATS", "MORE")
IN_USE, CORRECTED = 30, 29
"""Of forty seats, on every day: no threshold is crossed, so that nobody is told."""
LIMITS = {"new days": 1.6, "days on record, all corrected": 2}
LAST = date(2026, 10, 31)


def accounts_of(rows: int) -> int:
    """How many accounts report so many figures."""
    return rows // DAYS // len(PRODUCTS)


def write_file(file: Path, rows: int, users: int) -> date:
    """A file of all accounts' figures, day by day. Returns its first day."""
    first = LAST - timedelta(days=DAYS - 1)
    with file.open("w") as out:
        out.write(",".join(COLUMNS) + "\n")
        for day in range(DAYS):
            on = first + timedelta(days=day)
            for number in range(1, accounts_of(rows) + 1):
                out.writelines(f"A-{number},{product},{on},{users}\n" for product in PRODUCTS)
    return first


async def cpu_of(postmaster: psutil.Process, work: Callable[[], Awaitable[Any]]) -> float:
    """Seconds of CPU that something takes, here and in the server."""
    before = _cpu(postmaster)
    await work()
    return _cpu(postmaster) - before


def _cpu(postmaster: psutil.Process) -> float:
    ended = postmaster.cpu_times()
    times = [each.cpu_times() for each in (psutil.Process(), postmaster, *postmaster.children())]
    return sum(each.user + each.system for each in times) + ended.children_user + ended.children_system


async def importing(pool: Pool, folder: Path, figures: Figures, rows: int) -> None:
    """A file of new days, in turn with its floor; then one in which each figure of theirs is corrected."""
    file, corrected = folder / "usage.csv", folder / "corrected.csv"
    first = write_file(file, rows, IN_USE)
    write_file(corrected, rows, CORRECTED)
    client = PerennialClient(cast("Client", Mock(spec=Client)), pool)
    async with pool.acquire() as connection:
        postmaster = psutil.Process(await connection.fetchval("select pg_backend_pid()")).parent()
    assert postmaster is not None

    async def anew() -> None:
        await pool.execute("truncate usage_day")
        before = (
            "insert into usage_day (account_id, product_code, day, active_users)"
            " select account_id, product, $1, $2 from account, unnest($3::text[]) product"
        )
        await pool.execute(before, first - timedelta(days=1), IN_USE, PRODUCTS)

    async def ours(said: Path = file) -> None:
        report = await import_usage(client, said, rejects=folder / "rejects.csv")
        assert (report.imported, report.rejected, report.journeys_told) == (rows, 0, 0)

    columns = ["account_id", "product_code", "day", "active_users"]

    async def copied(connection: Connection, table: str, said: Path) -> None:
        await connection.copy_to_table(table, source=said, columns=columns, format="csv", header=True, timeout=300)

    async def bare() -> None:
        async with pool.acquire() as connection:
            await copied(connection, "usage_day", file)

    async def bare_corrected() -> None:
        async with pool.acquire() as connection, connection.transaction():
            await connection.execute("create temporary table said (like usage_day including defaults) on commit drop")
            await copied(connection, "said", corrected)
            update = "update usage_day o set active_users = s.active_users from said s where (o.account_id, o.product_code, o.day)"
            await connection.execute(f"{update} = (s.account_id, s.product_code, s.day)", timeout=300)

    taken: dict[str, list[float]] = {what: [] for what in LIMITS}
    for _ in range(ROUNDS):
        for new, known in ((bare, bare_corrected), (ours, lambda: ours(corrected))):
            await anew()
            for measured, work in zip(taken.values(), (new, known), strict=True):
                measured.append(await cpu_of(postmaster, work))
            assert await pool.fetchval("select count(*) from usage_day") == rows + accounts_of(rows) * len(PRODUCTS)
    for what, seconds in taken.items():
        least, best = min(seconds[::2]), min(seconds[1::2])
        said = f"usage import of {rows:,} rows beside COPY: {what}"
        figures.add(said, best / least, LIMITS[what], "times", f"({best:.1f} s to {least:.1f} s of CPU)")
    memory = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1000
    figures.add("  the memory of the process at its most", memory, 200, "MB")


async def main(rows: int) -> Figures:
    figures = Figures()
    with tempfile.TemporaryDirectory(prefix="perennial-bench-imports-") as folder:
        async with EmbeddedPostgres(Path(folder) / "server") as server:
            await migrate(server.dsn)
            pool = await open_pool(server.dsn)
            try:
                await fill(pool, accounts_of(rows), 1)
                playbook = read_playbook(FOLDER / "standard.yaml").model_dump(mode="json", exclude_unset=True)
                await pool.execute("update playbook set body = $1", playbook)
                await importing(pool, Path(folder), figures, rows)
            finally:
                await pool.close()
    return figures


if __name__ == "__main__":
    measured = asyncio.run(main(int(sys.argv[1]) if len(sys.argv) > 1 else ROWS))
    Console().print(measured.table)
    sys.exit(bool(measured.missed))
