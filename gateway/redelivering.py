"""Events told once more, by request: at once, under the id that they had, so that whoever has one already takes it once."""

from __future__ import annotations

from activities.channels import webhook_rows
from activities.channels.errors import ChannelUnavailableError, MessageRejectedError
from activities.channels.webhooks import encoded
from activities.kernel.clock import present
from domain.frame.access import Principal, WriteAct, require_act
from domain.kernel.refusals import NOT_ALLOWED, Refusal
from gateway.acting import Acting, Subject
from gateway.doors import Doors
from gateway.views.deliveries import EventDelivery, delivery, stored_id

UNKNOWN_DELIVERY = "UnknownDelivery"


class Redelivering:
    """Tells events once more, by one door."""

    def __init__(self, doors: Doors, door: str) -> None:
        self._doors = doors
        self._acting = Acting(doors, door)

    async def redeliver(self, who: Principal, message_id: str, request_id: str, reason: str = "") -> EventDelivery:
        """One attempt, now, whatever became of it before; how it stands then. One that arrives settles it, and enables an endpoint that
        was disabled. Raises `Refusal`: UnknownDelivery, and NotAllowed for who may not, or where nobody is told of events."""
        require_act(who, WriteAct.REDELIVER_EVENT)
        channel = self._doors.webhooks
        if channel is None:
            raise Refusal(NOT_ALLOWED, "nobody is told of events: PERENNIAL_WEBHOOK_URL names no endpoint")
        async with self._doors.pool.acquire() as connection:
            stored = await stored_id(connection, message_id)
            body = await webhook_rows.body_of(connection, stored) if stored is not None else None
        if stored is None or body is None:
            raise Refusal(UNKNOWN_DELIVERY, f"no event left under {message_id!r}, or it was pruned since")
        async with self._acting.noted(
            who, Subject("delivery", message_id), WriteAct.REDELIVER_EVENT, request_id, reason
        ):
            taken, said = True, "taken"
            try:
                await channel.send(message_id, encoded(body), present().timestamp())
            except (ChannelUnavailableError, MessageRejectedError) as error:
                taken, said = False, str(error)
            at = present()
            async with self._doors.pool.acquire() as connection, connection.transaction():
                await webhook_rows.note_try(connection, stored, at, said, by=who.by, taken=taken)
                if taken:
                    await webhook_rows.note_taken(connection, stored, message_id, at)
                    await webhook_rows.note_arriving(connection, channel.url)
                found = await delivery(connection, message_id)
        if found is None:
            raise Refusal(UNKNOWN_DELIVERY, f"{message_id!r} was pruned meanwhile")
        return found
