"""The same life on bare temporalio: a workflow per customer, updates for what is asked, timers for what falls due."""

from __future__ import annotations

import asyncio
import os
import sys
from collections import deque
from dataclasses import dataclass
from datetime import datetime, timedelta
from pathlib import Path

from temporalio import activity, workflow
from temporalio.client import Client
from temporalio.worker import UnsandboxedWorkflowRunner, Worker

from activities.kernel.pool import open_pool
from tests.bench.peers.work import Work
from tests.bench.recording import After
from workers.settings import Settings

QUEUE = "bare"
WITHIN = timedelta(seconds=20)
AT_ONCE = timedelta(seconds=20)
"""what came as soon after another act needed no timer"""


@dataclass
class Standing:
    """Where a customer stands when a run goes on as another one."""

    began: datetime
    after: After


@workflow.defn
class BareLife:
    """One customer."""

    @workflow.init
    def __init__(self, account: str, standing: Standing | None = None) -> None:
        self._account = account
        self._began = standing.began if standing else workflow.now()
        self._after = standing.after if standing else None
        self._noted = deque[int]()
        self._leaving = deque[int]()
        self._busy = asyncio.Lock()
        self._changed = False

    @workflow.run
    async def run(self, account: str, standing: Standing | None = None) -> None:
        """Whatever is due, told or to be sent, one after the other, for as long as the customer stays."""
        while True:
            while self._leaving:
                await self._deliver(self._leaving.popleft())
            if self._noted:
                await self._carry_out(self._noted.popleft())
                continue
            if self._after and workflow.info().is_continue_as_new_suggested() and workflow.all_handlers_finished():
                workflow.continue_as_new(args=[account, Standing(self._began, self._after)])
            self._changed = False
            if (wait := self._until_due()) is not None and wait <= timedelta(0):
                await self._due()
                continue
            try:
                await workflow.wait_condition(
                    lambda: self._changed or bool(self._leaving) or bool(self._noted), timeout=wait
                )
            except TimeoutError:
                await self._due()

    def _until_due(self) -> timedelta | None:
        if self._after is None or self._after.seconds is None:
            return None
        wait = self._began + timedelta(seconds=self._after.seconds) - workflow.now()
        return wait if wait > AT_ONCE else timedelta(0)

    async def _due(self) -> None:
        assert self._after is not None
        assert self._after.due is not None
        await self._carry_out(self._after.due)

    async def _carry_out(self, number: int) -> None:
        async with self._busy:
            self._after = await workflow.execute_activity(
                "carry_out",
                args=[self._account, number],
                result_type=After,
                start_to_close_timeout=WITHIN,
                summary="A step",
            )
            self._leaving.extend(self._after.leaving)
            self._changed = True

    async def _deliver(self, number: int) -> None:
        await workflow.execute_activity(
            "deliver", args=[self._account, number], start_to_close_timeout=WITHIN, summary="A message"
        )

    @workflow.update
    async def ask(self, number: int) -> int:
        """Something is asked; answered once it is written."""
        await self._carry_out(number)
        return number

    @workflow.signal
    def tell(self, number: int) -> None:
        """Something is told."""
        self._noted.append(number)


class Activities:
    """The work, as activities."""

    def __init__(self, work: Work) -> None:
        self._work = work

    @activity.defn
    async def carry_out(self, account: str, number: int) -> After:
        return await self._work.carry_out(account, number)

    @activity.defn
    async def deliver(self, account: str, number: int) -> None:
        await self._work.deliver(account, number)


async def serve(lives: Path) -> None:
    """A worker, until it is ended."""
    settings = Settings()
    pool = await open_pool(settings.database_url.get_secret_value())
    activities = Activities(Work(pool, settings, lives))
    async with Worker(
        await Client.connect(os.environ["TEMPORAL_ADDRESS"]),
        task_queue=QUEUE,
        workflows=[BareLife],
        activities=[activities.carry_out, activities.deliver],
        workflow_runner=UnsandboxedWorkflowRunner(),
        max_cached_workflows=2000,
    ):
        await asyncio.Event().wait()


if __name__ == "__main__":
    asyncio.run(serve(Path(sys.argv[1])))
