"""A worker that is killed between the halves of a transfer: after its restart there is one outcome, and no unit is lost."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import pytest
from temporalio.worker import Worker

from activities.assets.ledger import load_record
from domain.assets.model import AssetRecord
from tests.builders import order
from tests.conftest import Servers
from tests.e2e.killing import WorkerProcess
from tests.e2e.lives import account_of, place, until
from workers.wiring import build_worker


class Pair:
    """A customer whose journey one worker process does, and another one who is to receive, on a task queue of its own."""

    def __init__(self, servers: Servers, folder: Path) -> None:
        self.servers = servers
        self.giver, self.taker = order(), order()
        self.accounts = account_of(self.giver), account_of(self.taker)
        self.seats = f"{self.giver['order_id']}.1"
        self.queues = tuple(f"transfer-{account}" for account in self.accounts)
        stack = servers.stack
        environment = {
            "TEMPORAL_ADDRESS": stack.temporal_address,
            "PERENNIAL_DATABASE_URL": stack.postgres_dsn,
            "PERENNIAL_SMTP_HOST": stack.smtp_host,
            "PERENNIAL_SMTP_PORT": str(stack.smtp_port),
            "PERENNIAL_TASK_QUEUE": self.queues[0],
        }
        self.worker = WorkerProcess(folder, "giver", environment)

    def takers_worker(self) -> Worker:
        """Does the receiving journey, as long as it is open."""
        settings = self.servers.settings.model_copy(update={"task_queue": self.queues[1]})
        return build_worker(self.servers.temporal, self.servers.pool, settings)

    async def hand_over(self, quantity: int) -> dict[str, Any]:
        asked = {"to_account": self.accounts[1], "assets": [{"asset_id": self.seats, "quantity": quantity}]}
        return await self.servers.client.ask(self.accounts[0], "transfer_assets", {**asked, "request_id": "hand-over"})

    async def record(self, asset_id: str) -> AssetRecord | None:
        async with self.servers.pool.acquire() as connection:
            return await load_record(connection, asset_id)

    async def status(self) -> str:
        found = await self.servers.pool.fetchval(
            "select status from conveyance where from_account = $1", self.accounts[0]
        )
        return str(found)

    async def settled(self) -> None:
        async def is_settled() -> bool:
            return bool(
                await self.servers.pool.fetchval(
                    "select 1 from journal where account_id = $1 and kind = 'amendment_settled'", self.accounts[0]
                )
            )

        await until(is_settled, "the transfer is settled at its source")


@asynccontextmanager
async def pair(servers: Servers, folder: Path) -> AsyncIterator[Pair]:
    both = Pair(servers, folder)
    await both.worker.start()
    try:
        async with both.takers_worker():
            await place(servers.temporal, both.taker, task_queue=both.queues[1])
        await place(servers.temporal, both.giver, task_queue=both.queues[0])
        yield both
    finally:
        await both.worker.kill()
        for account in both.accounts:
            await servers.handle(account).terminate()


async def check_one_outcome(both: Pair, asset_id: str) -> None:
    """15 of 40 units are the other customer's, once."""
    source, target = await both.record(both.seats), await both.record(asset_id)
    assert source is not None
    assert target is not None
    assert (source.lock, source.periods[-1].quantity, target.periods[-1].quantity) == (None, 25, 15)
    assert (len(source.actions), len(target.actions)) == (2, 1)
    assert await both.status() == "received"
    received = await both.servers.pool.fetchval(
        "select count(*) from effect where account_id = $1 and key like '%/receive_assets:%'", both.accounts[1]
    )
    assert received == 1
    held = await both.servers.pool.fetchval(
        "select count(*) from asset where account_id = $1 and product_code = 'SEATS'", both.accounts[1]
    )
    assert held == 2


@pytest.mark.slow("kill")
async def test_killed_before_the_target_has_heard(servers: Servers, tmp_path: Path) -> None:
    async with pair(servers, tmp_path) as both:
        answer = await both.hand_over(15)
        asset_id = answer["assets"][0]["to_asset_id"]
        await both.worker.kill()
        source = await both.record(both.seats)
        assert source is not None
        assert (source.lock, source.periods[-1].quantity) == ("transfer_assets:hand-over", 25)
        assert (await both.status(), await both.record(asset_id)) == ("under_way", None)
        async with both.takers_worker():
            await both.worker.start()
            await both.settled()
        await check_one_outcome(both, asset_id)


@pytest.mark.slow("kill")
async def test_killed_after_the_target_has_taken_the_assets(servers: Servers, tmp_path: Path) -> None:
    async with pair(servers, tmp_path) as both:
        answer = await both.hand_over(15)
        asset_id = answer["assets"][0]["to_asset_id"]
        async with servers.pool.acquire() as connection:
            # Whoever wants to note the answer waits for this row.
            holding = connection.transaction()
            await holding.start()
            await connection.execute(
                "select 1 from outbox where account_id = $1 and channel = 'convey_assets' for update", both.accounts[0]
            )

            async def received() -> bool:
                return await both.status() == "received"

            async with both.takers_worker():
                await until(received, "the target takes the assets")
            await both.worker.kill()
            await holding.rollback()
            source = await both.record(both.seats)
            assert source is not None
            assert source.lock == "transfer_assets:hand-over"
            await both.worker.start()
            await both.settled()
        await check_one_outcome(both, asset_id)
