"""A customer's journey and cases moved together: two workflows are two clocks, and no fact may be written out of order."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from datetime import datetime, timedelta

from activities.kernel.pool import Pool
from activities.service import case_rows
from domain.kernel.ids import case_workflow_id
from gateway.clock import Clocks
from gateway.entity import MayBeGone

SECOND = timedelta(seconds=1)
"""Moved this far past an instant, everything that was due at it is done: a clock stands still while something is done."""

_LOOKS, _PAUSE = 300, 0.2
"""How often it is asked, and how many seconds lie between, whether a case is still about what was due."""

Move = Callable[[datetime], Awaitable[datetime]]


async def move_together(pool: Pool, clocks: Clocks, account_id: str, move_journey: Move, until: datetime) -> datetime:
    """Moves an account's journey and its cases to `until`, by whichever is due next, in turn. Returns the journey's time.

    Before a case does something, the journey is brought to that instant, so that it hears of it at its own time.
    """
    standing: set[str] = set()
    """cases that were due and did nothing: set aside by an error, or without a workflow"""
    while due := await _next_due(pool, account_id, until, standing):
        case_id, at = due
        await move_journey(at)
        await _move_case(clocks, case_id, min(at + SECOND, until))
        for _ in range(_LOOKS):
            if not await clocks.is_deciding(case_workflow_id(case_id)):
                break
            await asyncio.sleep(_PAUSE)  # a server is away, while time goes on
        if await _next_due(pool, account_id, until, standing) == due:
            standing.add(case_id)
    reached = await move_journey(until)
    async with pool.acquire() as connection:
        remaining = await case_rows.running_cases(connection, account_id)
    for case_id in remaining:
        await _move_case(clocks, case_id, until)
    return reached


async def _next_due(pool: Pool, account_id: str, until: datetime, without: set[str]) -> tuple[str, datetime] | None:
    async with pool.acquire() as connection:
        due = await case_rows.next_due(connection, account_id, list(without))
    return due if due is not None and due[1] <= until else None


async def _move_case(clocks: Clocks, case_id: str, until: datetime) -> None:
    with MayBeGone():  # a case whose workflow has ended needs no time
        await clocks.move(case_workflow_id(case_id), until)
