"""How calls to the server are made: tried again while it is busy or away, refusals told in words."""

from __future__ import annotations

import asyncio
import itertools
import random
from collections.abc import Awaitable, Callable
from typing import TypeVar

from temporalio.client import WorkflowUpdateFailedError
from temporalio.exceptions import ApplicationError
from temporalio.service import RPCError, RPCStatusCode

from domain.refusals import Problem, Refusal

_BUSY = frozenset({RPCStatusCode.RESOURCE_EXHAUSTED, RPCStatusCode.UNAVAILABLE, RPCStatusCode.ABORTED})
_ATTEMPTS = 12
PATIENCE = 60.0
"""Seconds for which a busy server is asked again; a slow one is asked for longer, until it was asked a dozen times."""

_Answer = TypeVar("_Answer")


async def insist(send: Callable[[], Awaitable[_Answer]]) -> _Answer:
    """The answer of `send`, tried again while the server is busy or away; what was refused raises `Refusal`.

    Raises RPCError when it is still away after `PATIENCE`.
    """
    clock = asyncio.get_running_loop().time
    give_up = clock() + PATIENCE
    delay = 0.1
    for attempt in itertools.count(1):
        try:
            return await send()
        except WorkflowUpdateFailedError as failed:
            raise _refusal(failed) from failed
        except RPCError as error:
            if not _passes(error) or (attempt >= _ATTEMPTS and clock() >= give_up):
                raise
        await asyncio.sleep(
            delay * random.uniform(0.5, 1.0)
        )  # whoever was turned away together does not come back together
        delay = min(delay * 2, 5.0)
    raise AssertionError("never reached: it is asked until it answers or raises")


def _passes(error: RPCError) -> bool:
    """True for what is over once the server is back or less busy, a connection that broke included."""
    return error.status in _BUSY or (error.status is RPCStatusCode.UNKNOWN and error.message == "transport error")


def _refusal(failed: WorkflowUpdateFailedError) -> BaseException:
    cause = failed.cause
    if not isinstance(cause, ApplicationError):
        return failed
    found = [item for detail in cause.details if isinstance(detail, list) for item in detail]
    refusal = Refusal(cause.type or "Refused", cause.message)
    refusal.problems = tuple(Problem.model_validate(item) for item in found)
    return refusal
