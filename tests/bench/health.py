"""What the daily look at health takes."""

from __future__ import annotations

import time
from collections.abc import AsyncIterator
from datetime import timedelta
from unittest.mock import patch

from activities.success.health_runs import run_health
from tests.bench.rows import Row, Size
from tests.bench.stand import database
from tests.many_customers import AT, fill

ACCOUNTS, SECONDS = 10_000, 60


async def rows(size: Size) -> AsyncIterator[Row]:
    """Two looks at so many customers: the first writes all scores, the second what changed in a day."""
    accounts = size.count("accounts", ACCOUNTS, 1_000)
    async with database() as place:
        await fill(place.pool, accounts)
        taken, counts = [], []
        for days in range(2):
            now = AT + timedelta(days=days)
            began = time.monotonic()
            with patch("activities.success.health_runs.present", return_value=now):
                run = await run_health(place.pool, None, now)
            taken.append(time.monotonic() - began)
            counts.append(f"day {days}: {run.counts()} in {taken[-1]:.1f} s")
    limit = SECONDS * accounts / ACCOUNTS
    yield Row(f"the daily look at health of {accounts:,} customers", max(taken), "s", limit, how="; ".join(counts))
