"""What runs beside the one loop: its alarm clock, and the messages on their way out."""

from __future__ import annotations

import asyncio
from collections import deque
from datetime import datetime, timedelta
from typing import Protocol

from temporalio import workflow
from temporalio.exceptions import ActivityError, is_cancelled_exception

from domain.frame.calls import Together
from domain.frame.flight import LEAVE_TOGETHER, Delivery
from domain.frame.state import Outcome
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


MOST_TOGETHER = 10
"""So many messages leave in one activity at most, each over a connection of its own."""


def may_leave_together() -> bool:
    """True for runs in which what was written at one instant leaves in one activity."""
    return workflow.patched("delivered-together")


class DeliveryTasks:
    """Messages on their way out: those of one instant in one activity, what could not leave with it each in its own. The loop
    never waits for one; it picks up what has arrived."""

    def __init__(self, account_id: str) -> None:
        self.account_id = account_id
        self._running: dict[str, asyncio.Task[None]] = {}
        self._first_tries: set[str] = set()
        self._apart: set[str] = set()
        self._arrived: deque[tuple[Delivery, Outcome | str]] = deque()

    def keep_going(self, state: Flying) -> None:
        """Starts whatever the state says is on its way and no task takes care of: new messages, and all after a rollover."""
        waiting = self.not_started(state)
        together = [one for one in waiting if self._has_not_been_tried(one)]
        if len(together) > 1 and may_leave_together():
            for at in range(0, len(together), MOST_TOGETHER):
                self._start_together(together[at : at + MOST_TOGETHER])
        for delivery in waiting:
            if delivery.id not in self._running:
                self._running[delivery.id] = asyncio.create_task(self._deliver(delivery))

    def not_started(self, state: Flying) -> list[Delivery]:
        """What is on its way and no task takes care of."""
        return [one for one in state.in_flight if not one.stuck and one.id not in self._running]

    def _has_not_been_tried(self, delivery: Delivery) -> bool:
        return delivery.channel in LEAVE_TOGETHER and not delivery.late and delivery.id not in self._apart

    def _start_together(self, deliveries: list[Delivery]) -> None:
        if len(deliveries) > 1:
            task = asyncio.create_task(self._deliver_together(deliveries))
            ids = [one.id for one in deliveries]
            self._first_tries.update(ids)
            self._running.update(dict.fromkeys(ids, task))

    def again(self, state: Flying, alone: str | None = None) -> None:
        """Whatever waits for its next try is tried now, or `alone` of it: `keep_going` starts it anew. What has left meanwhile is left
        alone there, and what is just being tried for the first time is left to that try."""
        for delivery in state.in_flight:
            if (
                alone in (None, delivery.id)
                and delivery.id not in self._first_tries
                and (task := self._running.pop(delivery.id, None))
            ):
                task.cancel()
                self._apart.add(delivery.id)

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

    async def _deliver_together(self, deliveries: list[Delivery]) -> None:
        try:
            came = await calls.deliver_together(self.account_id, deliveries)
        except ActivityError as error:
            if is_cancelled_exception(error):
                return
            came = Together()
        for delivery in deliveries:
            self._first_tries.discard(delivery.id)
            outcome = came.outcomes.get(delivery.id) or came.failed.get(delivery.id)
            if outcome is not None:
                self._arrived.append((delivery, outcome))
            else:
                self._apart.add(delivery.id)
                self._running[delivery.id] = asyncio.create_task(self._deliver(delivery))

    async def _deliver(self, delivery: Delivery) -> None:
        try:
            outcome: Outcome | str = await calls.deliver(self.account_id, delivery)
        except ActivityError as error:
            if is_cancelled_exception(error):
                return  # another try has taken its place
            outcome = str(error.cause or error)
        self._arrived.append((delivery, outcome))
