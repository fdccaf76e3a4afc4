"""Messages that leave as one: booked together, and sent again as the one that may have arrived."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime, timedelta

from temporalio.exceptions import ApplicationError

from activities.channels import joining
from activities.channels.attempts import instant_of, is_late, not_yet, outbox_id, outside_errors
from activities.channels.errors import (
    AddressRejectedError,
    ChannelUnavailableError,
    MessageRejectedError,
    PacedError,
    UncertainError,
)
from activities.channels.leaving import leaving
from activities.channels.mail import MailChannel
from activities.channels.not_sent import addressee
from activities.channels.notices import NoticeChannel
from activities.channels.pace import WAITS_AT_MOST
from activities.channels.rows import Rows
from activities.frame import outbox
from activities.frame.errors import business_errors
from activities.frame.unit_of_work import Performer
from domain.frame.flight import Channel, DeliveryCall, DeliveryStatus, TogetherCall
from domain.frame.keys import case_of_delivery, within_account
from domain.frame.messages import OutgoingMail, StaffNotice
from domain.frame.state import Outcome, Sent


class AsOne:
    """Mails, or notices, to one person that `joining.py` lets leave in one message."""

    def __init__(self, performer: Performer, rows: Rows, mail: MailChannel, notices: NoticeChannel) -> None:
        self._performer = performer
        self._rows = rows
        self._mail = mail
        self._notices = notices

    async def joined(self, call: TogetherCall) -> tuple[dict[str, Outcome | str | None], Mapping[str, outbox.Waiting]]:
        """What came of messages to one person that leave as one; null for what is to be tried again. Each is cleared by itself.

        If there are none of these, with the rows of all others, which were found just now.
        """
        calls = {
            outbox_id(one): one for one in map(call.alone, call.deliveries) if not case_of_delivery(one.delivery_id)
        }
        came: dict[str, Outcome | str | None] = {}
        if len(calls) < 2:
            return came, {}
        at = instant_of(call)
        async with business_errors(), self._performer.connection() as connection:
            rows = await outbox.find_messages(connection, list(calls))
        mails = [(row, OutgoingMail.model_validate(row.body)) for row in rows if row.channel is Channel.MAIL]
        notices = [(row, StaffNotice.model_validate(row.body)) for row in rows if row.channel is Channel.NOTICE]
        # What may have left together before does so again by whoever leads it, see `as_before`.
        new = (one for one in mails if one[0].left_with is None and not one[0].leads)
        on_time = (one for one in new if not is_late(one[1], at))
        groups: list[Sequence[joining.Leaving]] = [*joining.groups(on_time), *joining.told_together(notices)]
        if not groups:
            return came, {calls[row.delivery_id].delivery_id: row for row in rows}
        for group in groups:
            cleared: list[joining.Leaving] = []
            for waiting, message in group:
                one = calls[waiting.delivery_id]
                row = await self._rows.find(one)
                if isinstance(row, Outcome):
                    came[one.delivery_id] = row
                else:
                    cleared.append((row, message))
            if len(cleared) > 1:
                came |= await self._leave_as_one(calls, cleared)
        return came, {}

    async def _leave_as_one(
        self, calls: Mapping[str, DeliveryCall], group: Sequence[joining.Leaving]
    ) -> dict[str, Outcome | str | None]:
        """All are booked at once. What the server refuses is left to each message's own try. What it may have taken all the same is
        kept as one: said again in two, some of it would be read twice; so is what waits for its turn, which is one."""
        lead, *others = (row for row, _ in group)
        try:
            message_id = await self._send_as_one(group, instant_of(calls[lead.delivery_id]))
        except (UncertainError, PacedError):
            async with business_errors(), self._performer.transaction() as connection:
                await outbox.note_left_with(connection, [row.delivery_id for row in others], lead.delivery_id)
            return {calls[row.delivery_id].delivery_id: None for row, _ in group}
        except ChannelUnavailableError:
            return {calls[row.delivery_id].delivery_id: None for row, _ in group}
        except (AddressRejectedError, MessageRejectedError, ApplicationError):
            return {}
        return await self._booked(calls, group, message_id)

    async def _booked(
        self, calls: Mapping[str, DeliveryCall], group: Sequence[joining.Leaving], message_id: str
    ) -> dict[str, Outcome | str | None]:
        lead, *others = (row for row, _ in group)
        at = instant_of(calls[lead.delivery_id])
        async with business_errors(), self._performer.transaction() as connection:
            sent = DeliveryStatus.SENT
            await outbox.settle_outbox(connection, lead.delivery_id, sent, at, message_id=message_id, row=lead)
            for row in others:
                await outbox.settle_outbox(connection, row.delivery_id, sent, at, row=row)
            await outbox.note_left_with(connection, [row.delivery_id for row in others], lead.delivery_id)
        came: dict[str, Outcome | str | None] = {}
        for row, message in group:
            one = calls[row.delivery_id]
            followed = await self._rows.followed(one, row, at)
            mail = isinstance(message, OutgoingMail)
            sent_as = Sent(template=row.body["template"], role=row.role, at=at) if mail else None
            came[one.delivery_id] = followed.having(sent=sent_as) if sent_as else followed
        return came

    async def _send_as_one(self, group: Sequence[joining.Leaving], at: datetime) -> str:
        told = [one for _, one in group if isinstance(one, StaffNotice)]
        rows = [row for row, _ in group]
        if told:
            async with outside_errors(*rows):
                return await self._notices.send(told[0], told[1:])
        mails = [one for _, one in group if isinstance(one, OutgoingMail)]
        async with leaving(self._performer, at, *rows) as begins:
            return await self._mail.send_joined(mails, begins=begins)

    async def as_before(self, call: DeliveryCall, row: outbox.Waiting) -> Outcome | str | None:
        """A message that may have arrived in one with others leaves so again, however late, by whoever leads them: under the
        Message-ID of that it is read once. Null if it never was in one with others, or cannot be any more, and leaves by itself."""
        if row.left_with is None and not row.leads:
            return None
        lead = row.left_with or row.delivery_id
        async with business_errors(), self._performer.transaction() as connection:
            rows = await outbox.left_together(connection, lead)
            led = row.left_with is not None and any(one.delivery_id == lead for one in rows)
            group = None if led else joining.as_before(rows, lead)
            if group is None and not led:
                await outbox.note_left_with(connection, [one.delivery_id for one in rows], None)
                return None
        what = f"what was written{addressee(row)}"
        if group is None:
            return await not_yet(self._performer, call, await self._goes_with(lead), what, "mail")
        calls = {
            one.delivery_id: call.having(delivery_id=within_account(call.account_id, one.delivery_id)) for one in rows
        }
        try:
            message_id = await self._send_as_one(group, instant_of(call))
        except ChannelUnavailableError as away:
            return await not_yet(self._performer, call, away, what, "mail")
        except (AddressRejectedError, MessageRejectedError):
            return None
        return (await self._booked(calls, group, message_id))[call.delivery_id]

    async def _goes_with(self, lead: str) -> ChannelUnavailableError:
        """Why a message waits that leaves with another one."""
        if (waits := await self._mail.turn_of(lead)) is not None:
            return PacedError(max(waits, timedelta(0)) + WAITS_AT_MOST)  # once that one has left
        return ChannelUnavailableError("it may have left in one message with another one, and goes with that")
