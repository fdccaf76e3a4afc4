"""How calls to the server are made: tried again while it is busy or away, refusals told in words."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from typing import TypeVar

from temporalio.client import WorkflowUpdateFailedError
from temporalio.exceptions import ApplicationError
from temporalio.service import RPCError, RPCStatusCode

from domain.refusals import Problem, Refusal

_BUSY = frozenset({RPCStatusCode.RESOURCE_EXHAUSTED, RPCStatusCode.UNAVAILABLE, RPCStatusCode.ABORTED})
_ATTEMPTS = 12

_Answer = TypeVar("_Answer")


async def insist(send: Callable[[], Awaitable[_Answer]]) -> _Answer:
    """The answer of `send`, tried again while the server is busy or away; what was refused raises `Refusal`."""
    delay = 0.1
    for attempt in range(_ATTEMPTS):
        try:
            return await send()
        except WorkflowUpdateFailedError as failed:
            raise _refusal(failed) from failed
        except RPCError as error:
            if not _passes(error) or attempt == _ATTEMPTS - 1:
                raise
        await asyncio.sleep(delay)
        delay = min(delay * 2, 5.0)
    raise AssertionError("the last attempt either answers or raises")


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
