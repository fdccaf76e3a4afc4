"""How calls to the server are made: tried again while it is busy or away, within a deadline; refusals told in words."""

from __future__ import annotations

import asyncio
import itertools
import random
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from datetime import timedelta
from typing import TypeVar

from temporalio.client import (
    RPCTimeoutOrCancelledError,
    WorkflowUpdateFailedError,
)
from temporalio.exceptions import ApplicationError
from temporalio.service import RPCError, RPCStatusCode

from domain.kernel.refusals import MendableError, Problem, Refusal

ANSWER_WITHIN = timedelta(seconds=60)
"""So long a program waits for an answer, however often it has to ask a busy server for it; a person may want to wait less."""
_PASSING = frozenset(
    {
        RPCStatusCode.RESOURCE_EXHAUSTED,
        RPCStatusCode.UNAVAILABLE,
        RPCStatusCode.ABORTED,
        RPCStatusCode.DEADLINE_EXCEEDED,
    }
)
_NO_POLLER = "no poller seen"
_STUMBLES = "Workflow Task in failed state"
"""what the server says at once where workers have died, or were late, over a workflow's task three times in a row: the next may do it"""

_Answer = TypeVar("_Answer")


class NoAnswerError(MendableError):
    """No answer came in time. Unlike what was refused, it may still happen; the message says where to look and what to do.

    taken: whether a worker has taken it in, so that it is done whoever waits; null if nobody can say.
    """

    taken: bool | None = None


@dataclass(frozen=True)
class Call:
    """What is asked of a workflow. `update_id` is null for what only looks; `again` says how an update is sent once more."""

    what: str
    workflow_id: str
    update_id: str | None = None
    again: str = ""

    def unanswered(self, within: timedelta, said: str) -> NoAnswerError:
        """The sentence for whoever waited in vain; `said` is what the server had to say, if it spoke at all."""
        why = f" ({said})" if said else ""
        parts = [
            f"no answer to {self.what} came from {self.workflow_id} within {within.total_seconds():g} seconds{why}"
        ]
        if self.update_id is not None:
            parts.append(
                f"it may still take effect: look for update {self.update_id} of workflow {self.workflow_id} in the Temporal UI"
            )
            parts += [self.again] if self.again else []
        parts.append("`perennial doctor` says whether a worker runs")
        return NoAnswerError("; ".join(parts))


async def insist(send: Callable[[], Awaitable[_Answer]], call: Call, within: timedelta = ANSWER_WITHIN) -> _Answer:
    """The answer of `send`, tried again while the server is busy or away; what was refused raises `Refusal`.

    within: the deadline for all attempts together. Raises NoAnswerError after it.
    """
    said: list[str] = []
    scope = asyncio.timeout(within.total_seconds())
    try:
        async with scope:
            return await _persistently(send, said)
    except (TimeoutError, RPCError, RPCTimeoutOrCancelledError) as error:
        # Temporal's client turns a cancellation, such as that by the deadline, into an error of its own.
        nobody = isinstance(error, RPCError) and _NO_POLLER in error.message
        if not nobody and not scope.expired():
            raise
        raise call.unanswered(within, "no worker runs" if nobody else said[-1] if said else "") from None


async def _persistently(send: Callable[[], Awaitable[_Answer]], said: list[str]) -> _Answer:
    delay = 0.1
    for _ in itertools.count():
        try:
            return await send()
        except WorkflowUpdateFailedError as failed:
            raise _refusal(failed) from failed
        except RPCError as error:
            if not _passes(error):
                raise
            said.append(error.message)
        except RPCTimeoutOrCancelledError:
            if (task := asyncio.current_task()) is None or task.cancelling():
                raise
            said.append("the server ended the call")
        # Whoever was turned away together does not come back together.
        await asyncio.sleep(delay * random.uniform(0.5, 1.0))
        delay = min(delay * 2, 5.0)
    raise AssertionError("never reached: it is asked until it answers or raises")


def _passes(error: RPCError) -> bool:
    """True for what is over once the server is back or less busy, a connection that broke and a task that stumbles included."""
    broke = error.status is RPCStatusCode.UNKNOWN and error.message == "transport error"
    stumbles = error.status is RPCStatusCode.FAILED_PRECONDITION and _STUMBLES in error.message
    return error.status in _PASSING or broke or stumbles


def _refusal(failed: WorkflowUpdateFailedError) -> BaseException:
    cause = failed.cause
    if not isinstance(cause, ApplicationError):
        return failed
    found = [item for detail in cause.details if isinstance(detail, list) for item in detail]
    refusal = Refusal(cause.type or "Refused", cause.message)
    refusal.problems = tuple(Problem.model_validate(item) for item in found)
    return refusal
