"""The servers of a test without Temporal's: PostgreSQL and mailbox are the stack's, the workflows live in this process.

A test of one life takes about 0.5 s of CPU here, and 1.8 s on the real server, which has half of them. What that server alone can
do (histories, lists, workers that come and go, two calls at the very same time) is tried there, see the mark `engine`.
"""

from __future__ import annotations

import asyncio
from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from datetime import datetime, timedelta
from random import Random
from unittest.mock import patch

from temporalio.client import Client

from activities.kernel import clock
from activities.kernel.clock import present
from activities.kernel.pool import Pool
from tests.driver.in_memory.acting import Acting
from tests.driver.in_memory.plain import CONVERTER, PLAIN
from tests.driver.in_memory.server import Server
from tests.driver.in_memory.service import InMemoryService
from tests.driver.tally import Tally
from workers.settings import Settings
from workers.wiring import build_activities

MOST_ATTEMPTS = 10_000
_settling: ContextVar[bool] = ContextVar("settling", default=False)


class InMemory(Server):
    """Its clock goes on with everybody's, and calls that come side by side are done one after the other."""

    def __init__(self) -> None:
        self._gone = timedelta()
        self._one_at_a_time = asyncio.Lock()
        super().__init__(CONVERTER, present())
        self.slowness = ()

    def open(self, pool: Pool, settings: Settings) -> Client:
        """Its client, once it has the activities over a database."""
        temporal = Client(InMemoryService(self), plugins=[PLAIN])
        activities = build_activities(pool, settings, temporal)
        self.acting = Acting(activities, CONVERTER, Tally(), most_attempts=MOST_ATTEMPTS)
        return temporal

    @property
    def _present(self) -> datetime:
        return present() + self._gone

    @_present.setter
    def _present(self, at: datetime) -> None:
        self._gone = max(at - present(), timedelta())

    def _pass(self, least: int, most: int) -> None:
        """Time passes by itself."""

    async def settle(self) -> None:
        """As ever, one call at a time; an activity that itself calls belongs to the call that it is done for."""
        if _settling.get():
            await super().settle()
            return
        async with self._one_at_a_time:
            mine = _settling.set(True)
            try:
                await super().settle()
            finally:
                _settling.reset(mine)

    @contextmanager
    def is_the_present(self) -> Iterator[None]:
        """Whoever asks what time it is on the server gets this one's within the block."""
        with patch("gateway.cases.server_time", self.present), patch("gateway.clock.server_time", self.present):
            yield

    @contextmanager
    def it_is(self, at: datetime) -> Iterator[None]:
        """The present for everybody within the block, whatever day it is."""
        with patch.object(clock, "_ahead"), self.is_the_present():
            clock.begin_at(at)
            yield

    async def forget_all(self) -> None:
        """What was lived so far; it is the present again."""
        await self.begin_anew(present(), Random(0))
