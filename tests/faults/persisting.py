"""Sending until there is an answer, as a service does whose order must not be lost."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Awaitable, Callable
from typing import TypeVar

import aiosmtplib
import httpx2
from temporalio.client import WorkflowUpdateRPCTimeoutOrCancelledError
from temporalio.service import RPCError

from activities.kernel.pool import TRANSPORT_ERRORS
from gateway.calling import NoAnswerError

PATIENCE = 250.0
OUTAGES: tuple[type[BaseException], ...] = (
    RPCError,
    WorkflowUpdateRPCTimeoutOrCancelledError,
    NoAnswerError,
    RuntimeError,
    httpx2.HTTPError,
    aiosmtplib.SMTPException,
    *TRANSPORT_ERRORS,
)
"""What the next attempt may find mended."""
_Answer = TypeVar("_Answer")


async def persist(send: Callable[[], Awaitable[_Answer]], patience: float = PATIENCE) -> _Answer:
    """The answer of `send`, however often it has to be tried within `patience` seconds."""
    deadline = time.monotonic() + patience
    while True:
        try:
            return await send()
        except OUTAGES:
            task = asyncio.current_task()
            # Temporal's client makes an error of its own of a cancellation.
            if time.monotonic() > deadline or (task is not None and task.cancelling()):
                raise
        await asyncio.sleep(0.2)
