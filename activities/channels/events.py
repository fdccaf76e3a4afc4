"""Takes events to the endpoint that other systems have named, signed, for as long as it takes."""

from __future__ import annotations

from typing import TYPE_CHECKING

from temporalio import activity
from temporalio.exceptions import ApplicationError

from activities.channels import webhook_rows
from activities.channels.attempts import not_yet, outbox_id, outside_errors
from activities.channels.errors import ChannelUnavailableError, MessageRejectedError
from activities.channels.rows import check_may_leave
from activities.channels.webhooks import encoded
from activities.frame import outbox
from activities.frame.errors import business_errors
from activities.frame.unit_of_work import Performer
from activities.kernel.clock import present
from domain.frame.flight import Channel, DeliveryCall, DeliveryStatus
from domain.frame.state import Outcome
from domain.journey.webhooks import message_id

if TYPE_CHECKING:
    from activities.channels.webhooks import WebhookChannel


class Webhooks:
    """Events on their way out. Without an endpoint none are written; those written before wait for it."""

    def __init__(self, performer: Performer, channel: WebhookChannel | None) -> None:
        self._performer = performer
        self._channel = channel

    @activity.defn(name=Channel.WEBHOOK.value)
    async def deliver_webhook(self, call: DeliveryCall) -> Outcome:
        """One event. An endpoint that is away or says no is tried again; one that is gone for good ends it."""
        delivery_id = outbox_id(call)
        async with business_errors(), self._performer.transaction() as connection:
            row = await outbox.find_outbox(connection, delivery_id)
            if row is None:
                raise ApplicationError(f"no message {delivery_id}", type="UnknownDelivery", non_retryable=True)
            if row.status != DeliveryStatus.WAITING or await outbox.settled_before(connection, row):
                return Outcome()
        check_may_leave(row)
        if self._channel is None:
            raise ApplicationError("no webhook endpoint is configured", type="NoWebhookEndpoint", non_retryable=True)
        status, said, sent, url = DeliveryStatus.SENT, None, message_id(delivery_id), self._channel.url
        async with business_errors(), self._performer.transaction() as connection:
            if (since := await webhook_rows.disabled_since(connection, url)) is not None:
                said = f"the endpoint is disabled since {since:%Y-%m-%d %H:%M} UTC: once it works, `perennial deliveries redeliver`"
                await outbox.settle_outbox(connection, delivery_id, DeliveryStatus.REJECTED, call.as_of, reason=said)
                return Outcome()
        try:
            async with outside_errors(row):
                # The time of the attempt, by which a receiver tells a message from an old one sent again.
                await self._channel.send(sent, encoded(row.body), present().timestamp())
        except ChannelUnavailableError as away:
            await self._failed(delivery_id, url, str(away))
            return await not_yet(self._performer, call, away, f"event {sent}", "receiving")
        except MessageRejectedError as gone:
            status, said = DeliveryStatus.REJECTED, str(gone)
        async with business_errors(), self._performer.transaction() as connection:
            await outbox.settle_outbox(connection, delivery_id, status, call.as_of, message_id=sent, reason=said)
            if said is None:
                await webhook_rows.note_arriving(connection, url)
            else:
                await webhook_rows.disable(connection, url, present(), said)
        return Outcome()

    async def _failed(self, delivery_id: str, url: str, said: str) -> None:
        async with business_errors(), self._performer.transaction() as connection:
            await webhook_rows.note_try(connection, delivery_id, present(), said, by="system", taken=False)
            await webhook_rows.note_failing(connection, url, present())
