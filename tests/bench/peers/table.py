"""The same life on a table: what is due stands in it, workers look for it and take it in one transaction with what they write."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from activities.kernel.pool import Connection, Pool
from tests.bench.peers.driving import Watched, main
from tests.bench.recording import After

WORKERS, LOOK = 4, 0.05
TABLE = """
create table bench_due (id bigserial primary key, account text not null, number int not null, delivers boolean not null,
                        at timestamptz not null default now())
"""
NEXT = """
delete from bench_due where id = (
    select id from bench_due where at <= now() order by at, id for update skip locked limit 1) returning account, number, delivers
"""


class Table:
    """Requests are carried out by whoever asks; steps and messages wait in the table."""

    def __init__(self, work: Watched, pool: Pool) -> None:
        self._work, self._pool = work, pool

    async def begin(self, account: str) -> None:
        await self.ask(account, 0)

    async def ask(self, account: str, number: int) -> None:
        async with self._pool.acquire() as connection, connection.transaction():
            await self._follow(connection, account, await self._work.carry_out_within(connection, account, number))
        await self._work.done(account, number)

    async def tell(self, account: str, number: int) -> None:
        await self.ask(account, number)

    async def _follow(self, connection: Connection, account: str, after: After) -> None:
        rows = [(account, number, True) for number in after.leaving]
        if after.due is not None and after.at_once:
            rows.append((account, after.due, False))
        insert = "insert into bench_due (account, number, delivers) values ($1, $2, $3)"
        await connection.executemany(insert, rows)

    async def look(self) -> None:
        """Takes what is due, one after the other, for ever."""
        while True:
            if not await self._take():
                await asyncio.sleep(LOOK)

    async def _take(self) -> bool:
        async with self._pool.acquire() as connection, connection.transaction():
            found = await connection.fetchrow(NEXT)
            if found is None:
                return False
            account, number = found["account"], found["number"]
            if found["delivers"]:
                await self._work.deliver(account, number)
            else:
                await self._follow(connection, account, await self._work.carry_out_within(connection, account, number))
        await self._work.done(account, number)
        return True


@asynccontextmanager
async def opened(work: Watched, pool: Pool, _: str) -> AsyncIterator[Table]:
    """The table with its workers, until the end of the block."""
    await pool.execute(TABLE)
    table = Table(work, pool)
    looking = [asyncio.create_task(table.look()) for _ in range(WORKERS)]
    try:
        yield table
    finally:
        for one in looking:
            one.cancel()
        await asyncio.gather(*looking, return_exceptions=True)


if __name__ == "__main__":
    main(opened)
