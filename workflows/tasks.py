"""What runs beside the one loop: its alarm clock, and the messages on their way out."""

from __future__ import annotations

import asyncio
from collections import deque
from datetime import datetime, timedelta
from typing import Protocol

from temporalio import workflow
from temporalio.exceptions import ActivityError, is_cancelled_exception

from domain.journey import Delivery, Outcome
from workflows import calls


class Alarm:
    """One timer, for the earliest instant; it is set anew only when that instant moves."""

    def __init__(self) -> None:
        self._at: datetime | None = None
        self._task: asyncio.Task[None] | None = None

    def set(self, at: datetime | None, label: str) -> None:
        """Wakes the workflow at `at`. `label` is what the Temporal UI shows for the timer.

        With null a timer that runs is left alone: a pause is mostly over before it rings, and ringing does no harm.
        """
        rang = self._task is not None and self._task.done()
        if at is None or (at == self._at and not rang):
            return
        if self._task is not None and not self._task.done():
            self._task.cancel()
        self._at = at
        self._task = None
        if at > workflow.now():
            self._task = asyncio.create_task(self._ring(at - workflow.now(), label))

    async def _ring(self, delay: timedelta, label: str) -> None:
        await workflow.sleep(delay, summary=label)


class Flying(Protocol):
    """What has messages on their way out: a journey's state, a case's progress."""

    @property
    def in_flight(self) -> list[Delivery]:
        """The messages, those that are stuck included."""
        ...


class DeliveryTasks:
    """Messages on their way out, each its own activity. The loop never waits for one; it picks up what has arrived."""

    def __init__(self, account_id: str) -> None:
        self.account_id = account_id
        self._running: dict[str, asyncio.Task[None]] = {}
        self._arrived: deque[tuple[Delivery, Outcome | str]] = deque()

    def keep_going(self, state: Flying) -> None:
        """Starts whatever the state says is on its way and no task takes care of: new messages, and all after a rollover."""
        for delivery in state.in_flight:
            if not delivery.stuck and delivery.id not in self._running:
                self._running[delivery.id] = asyncio.create_task(self._deliver(delivery))

    def again(self, state: Flying) -> None:
        """Whatever waits for its next try is tried now: `keep_going` starts it anew. What has left meanwhile is left alone there."""
        for delivery in state.in_flight:
            if task := self._running.pop(delivery.id, None):
                task.cancel()

    def arrived(self) -> tuple[Delivery, Outcome | str] | None:
        """The next delivery that has ended, with its outcome or the reason why it failed for good."""
        if not self._arrived:
            return None
        delivery, outcome = self._arrived.popleft()
        self._running.pop(delivery.id, None)
        return delivery, outcome

    def waiting(self) -> bool:
        """True while an arrival waits to be picked up."""
        return bool(self._arrived)

    async def _deliver(self, delivery: Delivery) -> None:
        try:
            outcome: Outcome | str = await calls.deliver(self.account_id, delivery)
        except ActivityError as error:
            if is_cancelled_exception(error):
                return  # another try has taken its place
            outcome = str(error.cause or error)
        self._arrived.append((delivery, outcome))
