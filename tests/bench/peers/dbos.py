"""The same life on DBOS: a durable function per customer, messages for what is asked, events for the answers."""

from __future__ import annotations

from collections import deque
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from dbos import DBOS, SetWorkflowID

from activities.kernel.pool import Pool
from tests.bench.peers.driving import Watched, main
from tests.bench.recording import After

WITHIN = 120.0
WORK: list[Watched] = []
"""The work of this process: steps of DBOS are functions of modules."""


@DBOS.step()
async def carry_out(account: str, number: int) -> After:
    after = await WORK[0].carry_out(account, number)
    await WORK[0].done(account, number)
    return after


@DBOS.step()
async def deliver(account: str, number: int) -> None:
    await WORK[0].deliver(account, number)
    await WORK[0].done(account, number)


@DBOS.workflow()
async def life(account: str) -> None:
    """Whatever is asked, told or due, one after the other, for as long as the customer stays."""
    after = await carry_out(account, 0)
    await DBOS.set_event_async("0", True)
    early = deque[int]()
    while True:
        for number in after.leaving:
            await deliver(account, number)
        if after.at_once or not early:
            asked = await DBOS.recv_async(timeout_seconds=0 if after.at_once else WITHIN)
            if asked is not None:
                early.append(asked)
        if after.at_once and after.due is not None:
            after = await carry_out(account, after.due)
        elif not early:
            return
        else:
            number = early.popleft()
            after = await carry_out(account, number)
            await DBOS.set_event_async(str(number), True)


class Durable:
    """How it is asked."""

    async def begin(self, account: str) -> None:
        with SetWorkflowID(account):
            await DBOS.start_workflow_async(life, account)
        await DBOS.get_event_async(account, "0", WITHIN)

    async def ask(self, account: str, number: int) -> None:
        await DBOS.send_async(account, number)
        await DBOS.get_event_async(account, str(number), WITHIN)

    async def tell(self, account: str, number: int) -> None:
        await DBOS.send_async(account, number)


@asynccontextmanager
async def opened(work: Watched, _: Pool, dsn: str) -> AsyncIterator[Durable]:
    """DBOS in this process, until the end of the block."""
    WORK.append(work)
    DBOS(config={"name": "bench", "system_database_url": dsn, "log_level": "ERROR", "run_admin_server": False})
    DBOS.launch()
    try:
        yield Durable()
    finally:
        DBOS.destroy()


if __name__ == "__main__":
    main(opened)
