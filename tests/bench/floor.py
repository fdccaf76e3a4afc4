"""The floor: recorded lives on bare Temporal, driven from outside as ours are."""

from __future__ import annotations

import sys
from collections import deque
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from datetime import datetime

import psutil
from temporalio.client import Client, WithStartWorkflowOperation
from temporalio.common import WorkflowIDConflictPolicy

from gateway.clock import Clocks
from tests.bench.lives import Life
from tests.bench.peers.bare import QUEUE, BareLife
from tests.bench.recording import Recorded, Turn, keep
from tests.bench.stand import Stand


class Bare:
    """One customer on the floor."""

    def __init__(self, place: Stand, temporal: Client, life: Recorded) -> None:
        self._place, self._temporal, self._life = place, temporal, life
        self.id = f"bare-{life.account}"
        self._began: datetime | None = None
        self._asked = iter([act.number for act in life.acts if act.came_by == "update"])
        self._told = iter([act for act in life.acts if act.came_by == "signal"])
        self._next_told = next(self._told, None)
        self._uses = iter(life.uses)
        self._turns = deque(life.turns)

    @property
    def account(self) -> str:
        """The customer's id."""
        return self._life.account

    async def play(self) -> None:
        """The next part of the life."""
        while self._turns:
            turn = self._turns.popleft()
            if turn.what == "part":
                return
            await self._turn(turn, self._turns[0].at if self._turns else None)

    async def _turn(self, turn: Turn, until: datetime | None) -> None:
        match turn.what:
            case "order":
                start: WithStartWorkflowOperation[BareLife, None] = WithStartWorkflowOperation(
                    "BareLife",
                    self.account,
                    id=self.id,
                    task_queue=QUEUE,
                    id_conflict_policy=WorkflowIDConflictPolicy.USE_EXISTING,
                )
                await self._temporal.execute_update_with_start_workflow(
                    "ask", next(self._asked), start_workflow_operation=start
                )
                self._began = await Clocks(self._temporal).told(self.id)
            case "ask":
                await self._temporal.get_workflow_handle(self.id).execute_update("ask", next(self._asked))
            case "move":
                await Clocks(self._temporal).move(self.id, self.at(turn.at))
            case "use":
                async with self._place.pool.acquire() as connection, connection.transaction():
                    for statement in next(self._uses):
                        await connection.execute(statement.text, *statement.values)
                if (told := self._next_told) and (until is None or told.at < until):
                    await self._temporal.get_workflow_handle(self.id).signal("tell", told.number)
                    self._next_told = next(self._told, None)

    def at(self, instant: datetime) -> datetime:
        """When an instant of the recorded life is in this one."""
        assert self._began is not None
        return self._began + (instant - self._life.began)

    @property
    def next_turn(self) -> datetime:
        """When the next turn, a move, ends."""
        return self.at(self._turns[0].at)


@dataclass(frozen=True)
class Floor:
    """A worker of the floor, and the customers that it knows, each to be lived once."""

    worker: psutil.Process
    lives: Iterator[Bare]


@asynccontextmanager
async def floor(place: Stand, life: Recorded, customers: int) -> AsyncIterator[Floor]:
    """A worker of the floor until the end of the block, with so many customers of this life."""
    if not await place.pool.fetchval("select exists (select from product)"):
        async with place.worker():  # what all customers share comes with the first of ours
            await Life(place.client, place.pool, "bench-before").order()
            await place.quiet("bench-before")
    lives = [life.of(f"bare-{number:05}") for number in range(1, customers + 1)]
    temporal = await Client.connect(place.stack.temporal_address)  # without our codec and converter
    file = place.folder / "lives"
    keep(lives, file)
    async with place.worker(sys.executable, "-m", "tests.bench.peers.bare", str(file), queue=QUEUE) as worker:
        yield Floor(worker, iter([Bare(place, temporal, life) for life in lives]))
