"""Notices that a batch wrote, which no journey carries: each leaves by itself, once, and is booked as it leaves."""

from __future__ import annotations

import asyncio
from datetime import datetime

from activities.channels.errors import (
    AddressRejectedError,
    ChannelUnavailableError,
    MessageRejectedError,
    PacedError,
    RenderError,
)
from activities.channels.notices import NoticeChannel
from activities.frame import outbox
from activities.kernel.pool import Connection, Pool
from activities.kernel.queries import Column, Value
from domain.frame.flight import DeliveryStatus
from domain.frame.keys import BATCH
from domain.frame.messages import StaffNotice

_waiting = Column[str](
    "select delivery_id from outbox where status = 'waiting' and channel = 'deliver_notice' and starts_with(delivery_id, $1)"
    " and ($2::text is null or account_id = $2) order by created_at, delivery_id"
)
_taken = Value[bool | None](
    "select true from outbox where delivery_id = $1 and status = 'waiting' for update skip locked"
)
"""Holds a message that has not left, unless somebody else sends it at this moment."""


class BatchNotices:
    """Sends them by a channel."""

    def __init__(self, pool: Pool, notices: NoticeChannel) -> None:
        self._pool = pool
        self._notices = notices

    async def leave(self, as_of: datetime, account: str | None) -> dict[str, int]:
        """Whatever has not left, of an account or of all, the oldest first: how many were `sent` and `refused`, and still are `waiting`,
        because the server is away."""
        counts = {"sent": 0, "refused": 0, "waiting": 0}
        async with self._pool.acquire() as connection:
            waiting = await _waiting(connection, BATCH, account)
        for n, delivery_id in enumerate(waiting):
            came = await self._at_its_turn(delivery_id, as_of)
            if came == "waiting":
                return {**counts, came: len(waiting) - n}
            if came:
                counts[came] += 1
        return counts

    async def _at_its_turn(self, delivery_id: str, as_of: datetime) -> str:
        """As `_try`; what waits for its turn holds neither its row nor a connection."""
        while True:
            try:
                async with self._pool.acquire() as connection, connection.transaction():
                    return await self._try(connection, delivery_id, as_of)
            except PacedError as paced:
                await asyncio.sleep(paced.again_in.total_seconds())

    async def _try(self, connection: Connection, delivery_id: str, as_of: datetime) -> str:
        """What came of one try; empty if somebody else sends it at this moment, or has. Raises PacedError."""
        row = await outbox.find_outbox(connection, delivery_id) if await _taken(connection, delivery_id) else None
        if row is None:
            return ""
        try:
            sent = await self._notices.send(StaffNotice.model_validate(row.body))
        except PacedError:
            raise
        except ChannelUnavailableError:
            return "waiting"
        except (AddressRejectedError, MessageRejectedError, RenderError) as refused:
            await outbox.settle_outbox(connection, delivery_id, DeliveryStatus.REJECTED, as_of, reason=str(refused))
            return "refused"
        await outbox.settle_outbox(connection, delivery_id, DeliveryStatus.SENT, as_of, message_id=sent, row=row)
        return "sent"
