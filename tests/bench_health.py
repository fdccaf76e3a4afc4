"""What the daily look at health takes: `python -m tests.bench_health [ACCOUNTS]`. Prints it with its limit; exit code 1 on a miss."""

from __future__ import annotations

import asyncio
import sys
import tempfile
import time
from datetime import timedelta
from pathlib import Path
from unittest.mock import patch

from activities.kernel.pool import open_pool
from activities.success.health_runs import run_health
from tests.many_customers import AT, fill
from workers.embedded.postgres import EmbeddedPostgres
from workers.migrating import migrate

ACCOUNTS, SECONDS = 10_000, 60


async def measured(accounts: int, folder: Path) -> float:
    """Seconds of two looks at so many customers, the slower one; the first writes all scores, the second what changed in a day."""
    async with EmbeddedPostgres(folder) as server:
        await migrate(server.dsn)
        pool = await open_pool(server.dsn)
        try:
            await fill(pool, accounts)
            taken = []
            for days in range(2):
                now = AT + timedelta(days=days)
                began = time.monotonic()
                with patch("activities.success.health_runs.present", return_value=now):
                    run = await run_health(pool, None, now)
                taken.append(time.monotonic() - began)
                print(f"day {days}: {run.counts()} in {taken[-1]:.1f} s")
            return max(taken)
        finally:
            await pool.close()


if __name__ == "__main__":
    many = int(sys.argv[1]) if len(sys.argv) > 1 else ACCOUNTS
    with tempfile.TemporaryDirectory(prefix="perennial-bench-health-") as place:
        slowest = asyncio.run(measured(many, Path(place)))
    print(f"{many:,} customers: {slowest:.1f} s, limit {SECONDS} s for {ACCOUNTS:,}")
    sys.exit(slowest > SECONDS)
