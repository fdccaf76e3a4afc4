"""What processes attend to by themselves: they look for what was kept, by them or by others, and try again what could not be done yet."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Awaitable, Callable
from contextlib import suppress
from datetime import timedelta

from temporalio.client import RPCTimeoutOrCancelledError
from temporalio.service import RPCError, RPCStatusCode

from activities.kernel.pool import TRANSPORT_ERRORS
from gateway.calling import NoAnswerError

EVERY = timedelta(seconds=15)
"""How often a process looks for what another one has kept."""
PATIENCE = timedelta(seconds=60)
"""How long one thing may take; then it is tried again later."""
ATTEMPTS = 8
"""So often is tried what does not look as if it would pass."""
_FIRST_DELAY = timedelta(seconds=5)

_log = logging.getLogger(__name__)


async def look_again_and_again(what: str, kept: asyncio.Event, settle_new: Callable[[], Awaitable[int]]) -> None:
    """Looks at all that was kept, that of an earlier process included, until it is cancelled."""
    while True:
        kept.clear()
        try:
            await settle_new()
        except Exception as away:  # the database is away or not yet migrated: what was kept waits
            _log.warning("the %s cannot be looked at: %s", what, type(away).__name__)
        with suppress(TimeoutError):
            async with asyncio.timeout(EVERY.total_seconds()):
                await kept.wait()


async def all_of(settle_next: Callable[[], Awaitable[bool]]) -> int:
    """Settles one after the other until nothing is left; how many there were."""
    looked_at = 0
    while await settle_next():
        looked_at += 1
    return looked_at


def delay_after(attempts: int, longest: timedelta) -> timedelta:
    """After how long something is tried again."""
    times: int = 2 ** min(attempts, 10)
    return min(_FIRST_DELAY * times, longest)


def raise_if_cancelled(error: Exception) -> None:
    """Temporal's client turns the end of the process into an error of its own; this one turns it back."""
    if (task := asyncio.current_task()) is not None and task.cancelling():
        raise asyncio.CancelledError from error


def passes(error: Exception) -> bool:
    """True for what another attempt can get right, however long it takes."""
    if isinstance(error, RPCError):
        return error.status is not RPCStatusCode.INVALID_ARGUMENT
    return isinstance(error, (NoAnswerError, RPCTimeoutOrCancelledError, *TRANSPORT_ERRORS))
