"""A try to hand messages over: that it begins is on record before a server hears of it, so that what may have arrived is known to be so."""

from __future__ import annotations

from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager, suppress
from datetime import datetime

from activities.channels.attempts import outside_errors
from activities.channels.errors import (
    AddressRejectedError,
    ChannelUnavailableError,
    MessageRejectedError,
    UncertainError,
)
from activities.channels.text import one_line
from activities.frame import outbox
from activities.frame.outbox import Waiting
from activities.frame.unit_of_work import Performer
from activities.kernel.pool import TRANSPORT_ERRORS
from domain.kernel.calendar import local_day

Begins = Callable[[], Awaitable[None]]
"""To be awaited once the server listens, before it hears the message."""


@asynccontextmanager
async def leaving(performer: Performer, at: datetime, *rows: Waiting) -> AsyncIterator[Begins]:
    """Around a try to send mails as one message, that of the first row. What fails is told as `outside_errors` does; what the server
    has certainly not taken is not on record as begun any more."""
    lead, begun = rows[0].delivery_id, False
    ids = [row.delivery_id for row in rows]

    async def begins() -> None:
        nonlocal begun
        try:
            async with performer.connection() as connection:
                await outbox.note_begun(connection, ids, lead, at)
        except TRANSPORT_ERRORS as away:
            raise ChannelUnavailableError(f"that it leaves cannot be noted: {one_line(str(away))}") from away
        begun = True

    try:
        async with outside_errors(*rows):
            yield begins
    except UncertainError:
        raise
    except (ChannelUnavailableError, AddressRejectedError, MessageRejectedError):
        if begun:
            with suppress(*TRANSPORT_ERRORS):  # what stays on record then is that it may have arrived
                async with performer.connection() as connection:
                    await outbox.note_not_taken(connection, ids, at)
        raise


def may_have_arrived(row: Waiting, time_zone: str) -> str:
    """That an earlier try may have reached its reader, in words that follow on others; nothing if none was begun."""
    if row.begun_at is None:
        return ""
    day = local_day(row.begun_at, time_zone).isoformat()
    return (
        f"; as it was written it may have arrived on {day}: its mail server was gone before it said whether it took it"
    )
