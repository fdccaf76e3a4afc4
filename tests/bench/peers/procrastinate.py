"""The same life on procrastinate: steps and messages are jobs, those of one customer under one lock."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from procrastinate import App, PsycopgConnector
from procrastinate.app import WorkerOptions

from activities.kernel.pool import Pool
from tests.bench.peers.driving import Watched, main
from tests.bench.recording import After

WORKER: WorkerOptions = {"concurrency": 4, "install_signal_handlers": False, "fetch_job_polling_interval": 0.05}
"""It looks as often as the table's workers do: what waits for a lock is told to nobody when that is free."""


class Jobs:
    """Requests are carried out by whoever asks; what follows is deferred."""

    def __init__(self, work: Watched, app: App) -> None:
        self._work = work
        self._step = app.task(name="step", queue="lives")(self._carry_out)
        self._message = app.task(name="message", queue="lives")(self._deliver)

    async def begin(self, account: str) -> None:
        await self.ask(account, 0)

    async def ask(self, account: str, number: int) -> None:
        await self._carry_out(account, number)

    async def tell(self, account: str, number: int) -> None:
        await self._step.configure(lock=account).defer_async(account=account, number=number)

    async def _carry_out(self, account: str, number: int) -> None:
        await self._follow(account, await self._work.carry_out(account, number))
        await self._work.done(account, number)

    async def _deliver(self, account: str, number: int) -> None:
        await self._work.deliver(account, number)
        await self._work.done(account, number)

    async def _follow(self, account: str, after: After) -> None:
        for number in after.leaving:
            await self._message.configure(lock=account).defer_async(account=account, number=number)
        if after.due is not None and after.at_once:
            await self._step.configure(lock=account).defer_async(account=account, number=after.due)


@asynccontextmanager
async def opened(work: Watched, _: Pool, dsn: str) -> AsyncIterator[Jobs]:
    """The app with its worker, until the end of the block."""
    app = App(connector=PsycopgConnector(conninfo=dsn))
    jobs = Jobs(work, app)
    async with app.open_async():
        await app.schema_manager.apply_schema_async()
        working = asyncio.create_task(app.run_worker_async(**WORKER))
        try:
            yield jobs
        finally:
            working.cancel()
            await asyncio.gather(working, return_exceptions=True)


if __name__ == "__main__":
    main(opened)
