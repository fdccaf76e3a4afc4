"""The rows of the outbox at an attempt: which may leave now, and what follows once they have left."""

from __future__ import annotations

from datetime import datetime

from temporalio.exceptions import ApplicationError

from activities.channels import late_mails
from activities.channels.attempts import instant_of, outbox_id, settled_key_of, settling
from activities.channels.leaving import note_in_doubt
from activities.channels.not_sent import note_not_sent
from activities.frame import effects, outbox
from activities.frame.errors import business_errors
from activities.frame.once_more import once_more
from activities.frame.situations import load_situation, reads
from activities.frame.unit_of_work import Performer
from activities.holds import hold_rows
from activities.kernel.pool import Connection
from domain.frame.flight import DeliveryCall, DeliveryStatus
from domain.frame.situation import NOTHING
from domain.frame.state import Outcome, Sent
from domain.success import onboarding


def check_may_leave(row: outbox.Waiting) -> None:
    """Refuses to send what is only decided once more, as the database had lost it: whatever has to leave is left to those who send."""
    if once_more.get():
        raise ApplicationError(f"{row.delivery_id} is still to leave", type="StillToLeave", non_retryable=True)


class Rows:
    """Finds what is to leave, and carries on what has left."""

    def __init__(self, performer: Performer) -> None:
        self._performer = performer

    async def find(self, call: DeliveryCall, row: outbox.Waiting | None = None) -> outbox.Waiting | Outcome:
        """The message to deliver, or what came of it if it was settled before. `row`: as it was found just now."""
        if row is None:
            async with business_errors(), self._performer.connection() as connection:
                row = await outbox.find_outbox(connection, outbox_id(call))
        if row is None:
            raise ApplicationError(f"no message {outbox_id(call)}", type="UnknownDelivery", non_retryable=True)
        if row.begun_at is not None and row.status != DeliveryStatus.SENT and row.sent_before is None:
            async with business_errors(), self._performer.connection() as connection:
                await note_in_doubt(connection, row)
        if row.status == DeliveryStatus.WAITING and row.sent_before is None:
            if row.purpose is None:
                return row
            async with business_errors(), self._performer.connection() as connection:
                if await hold_rows.clear_undisturbed(connection, row, instant_of(call)):
                    return row
        async with business_errors(), self._performer.transaction() as connection:
            left = await outbox.settled_before(connection, row)
            if not left and row.status in (DeliveryStatus.WAITING, DeliveryStatus.HELD):
                return await self._cleared(connection, call, row)
            if done := await effects.find_effect(connection, settled_key_of(call)):
                return done.outcome
            if not left and row.status != DeliveryStatus.SENT:
                return Outcome()
        return await self.followed(call, row, row.sent_before or instant_of(call))

    async def _cleared(
        self, connection: Connection, call: DeliveryCall, row: outbox.Waiting
    ) -> outbox.Waiting | Outcome:
        """The message, if nothing holds it back at this attempt; else the journey looks at what does, and sends it later."""
        clearance = hold_rows.Clearance.HELD
        if row.status == DeliveryStatus.WAITING:
            clearance = await hold_rows.clear_to_send(connection, row, instant_of(call))
        if clearance is hold_rows.Clearance.CLEARED:
            return row
        if row.status == DeliveryStatus.WAITING:
            await note_not_sent(connection, call, row, clearance, instant_of(call))
        if clearance is hold_rows.Clearance.WITHDRAWN:
            return Outcome()
        return late_mails.review(await load_situation(connection, call.account_id, call.as_of), call)

    async def followed(self, call: DeliveryCall, row: outbox.Waiting, at: datetime) -> Outcome:
        """What follows from a message that has left: the task that it completes is done. That it left is on record by now,
        so whatever stands in the way of this sends nothing again."""
        name = row.body.get("completes")
        if not name:
            return Outcome()
        sent = Sent(template=row.body["template"], role=row.role, at=at)
        async with (
            business_errors(),
            self._performer.begin(settling(call, row, at, "onboarding_mailed"), reads(NOTHING)) as work,
        ):
            if work.before is not None:
                return work.before
            situation = await work.load_first()
            decision = onboarding.mailed(situation, row.stage, name)
            if decision is None:
                return Outcome(sent=sent)
            outcome = await work.carry_out(situation, decision)
            return await work.record(outcome.having(sent=sent))
