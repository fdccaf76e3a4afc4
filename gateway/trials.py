"""A playbook tried on all customers of its segment, by chunks in processes of their own: it is arithmetic for seconds."""

from __future__ import annotations

import asyncio
import multiprocessing
import os
from collections.abc import AsyncIterator
from concurrent.futures import ProcessPoolExecutor
from datetime import date, datetime

from activities.journey.portfolio_facts import Held, accounts_of
from activities.journey.rehearsals import Trial, try_on
from activities.kernel.pool import Pool, open_pool
from domain.frame.playbook import Playbook

CHUNK = 250
_PAGE = 10_000


async def held(pool: Pool, segment: str) -> list[Held]:
    """All accounts of a segment that are not closed, in the order of their ids."""
    found: list[Held] = []
    async with pool.acquire() as connection:
        while page := await accounts_of(connection, segment, found[-1].account_id if found else "", _PAGE):
            found += page
    return found


async def try_on_all(
    dsn: str, playbook: Playbook, accounts: list[Held], as_of: datetime, until: date
) -> AsyncIterator[list[Trial]]:
    """What the playbook changes for these accounts, a chunk at a time in whatever order they are ready."""
    chunks = [accounts[at : at + CHUNK] for at in range(0, len(accounts), CHUNK)]
    processes = min(os.cpu_count() or 1, len(chunks))
    if processes <= 1:
        for chunk in chunks:
            yield await _try_on(dsn, playbook, chunk, as_of, until)
        return
    loop = asyncio.get_running_loop()
    with ProcessPoolExecutor(processes, mp_context=multiprocessing.get_context("spawn")) as executor:
        asked = [loop.run_in_executor(executor, _tried, dsn, playbook, chunk, as_of, until) for chunk in chunks]
        for ready in asyncio.as_completed(asked):
            yield await ready


def _tried(dsn: str, playbook: Playbook, chunk: list[Held], as_of: datetime, until: date) -> list[Trial]:
    return asyncio.run(_try_on(dsn, playbook, chunk, as_of, until))


async def _try_on(dsn: str, playbook: Playbook, chunk: list[Held], as_of: datetime, until: date) -> list[Trial]:
    pool = await open_pool(dsn)
    try:
        async with pool.acquire() as connection, connection.transaction(readonly=True):
            return await try_on(connection, playbook, chunk, as_of, until)
    finally:
        await pool.close()
