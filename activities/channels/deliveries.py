"""What leaves the company, after the commit that decided it: mails, internal notices, and requests to the provisioning service."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping, Sequence
from datetime import datetime, timedelta

from temporalio import activity
from temporalio.exceptions import ApplicationError

from activities.channels import joining, late_mails
from activities.channels.attempts import (
    instant_of,
    is_late,
    not_yet,
    outbox_id,
    outside_errors,
    settled_key_of,
    settling,
)
from activities.channels.errors import (
    AddressRejectedError,
    ChannelUnavailableError,
    MessageRejectedError,
    PacedError,
    UncertainError,
)
from activities.channels.leaving import leaving
from activities.channels.mail import MailChannel
from activities.channels.not_sent import addressee, note_not_sent, told
from activities.channels.notices import NoticeChannel
from activities.channels.pace import WAITS_AT_MOST
from activities.channels.provisioning import Provisioner
from activities.frame import effects, outbox
from activities.frame.errors import business_errors
from activities.frame.situations import load_situation, reads
from activities.frame.unit_of_work import Activities, Performer
from activities.holds import hold_rows
from activities.kernel import news
from activities.kernel.pool import Connection
from activities.mail import inbox
from domain.frame import lateness
from domain.frame.calls import Together
from domain.frame.flight import TOGETHER, Channel, DeliveryCall, DeliveryStatus, TogetherCall
from domain.frame.keys import case_of_delivery, within_account
from domain.frame.mail_names import mail_in_words
from domain.frame.messages import OutgoingMail, StaffNotice
from domain.frame.situation import NOTHING
from domain.frame.state import Outcome, Sent
from domain.kernel.calendar import local_day
from domain.mail.reading import Attachment, files_of
from domain.orders.provisioning import ProvisioningItem, ProvisioningRequest
from domain.success import onboarding


class Deliveries(Activities):
    """Takes rows of the outbox where they belong. A row that was settled before is left alone, so a repetition does nothing."""

    def __init__(
        self, performer: Performer, mail: MailChannel, notices: NoticeChannel, provisioner: Provisioner
    ) -> None:
        super().__init__(performer)
        self._mail = mail
        self._notices = notices
        self._provisioner = provisioner

    @activity.defn(name=TOGETHER)
    async def deliver_together(self, call: TogetherCall) -> Together:
        """Mails and notices that were written at one instant: all at the same time, each booked by itself as soon as it has left;
        those to one person leave as one, if they may (`joining.py`).

        Each is tried once. What cannot leave now for a reason that may pass is left to an activity of its own, so that it neither
        keeps the others waiting nor has them sent again.
        """
        came, rows = await self._joined(call)
        apart = {id: channel for id, channel in call.deliveries.items() if id not in came}
        found = await asyncio.gather(*(self._once(call, *one, rows.get(one[0])) for one in apart.items()))
        came |= zip(apart, found, strict=True)
        together = Together(outcomes={id: one for id, one in came.items() if isinstance(one, Outcome)})
        failed = {id: one for id, one in came.items() if isinstance(one, str)}
        return together.having(failed=failed) if failed else together

    async def _joined(self, call: TogetherCall) -> tuple[dict[str, Outcome | str | None], Mapping[str, outbox.Waiting]]:
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
        on_time = (one for one in mails if not is_late(one[1], at))
        groups: list[Sequence[joining.Leaving]] = [*joining.groups(on_time), *joining.told_together(notices)]
        if not groups:
            return came, {calls[row.delivery_id].delivery_id: row for row in rows}
        for group in groups:
            cleared: list[joining.Leaving] = []
            for waiting, message in group:
                one = calls[waiting.delivery_id]
                row = await self._row(one)
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
            followed = await self._followed(one, row, at)
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

    async def _as_before(self, call: DeliveryCall, row: outbox.Waiting) -> Outcome | str | None:
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

    async def _once(
        self, call: TogetherCall, delivery_id: str, channel: Channel, row: outbox.Waiting | None
    ) -> Outcome | str | None:
        """What came of one try: its outcome, why it failed for good, or null if it is to be tried again."""
        deliver = self._deliver_notice if channel is Channel.NOTICE else self._deliver_mail
        try:
            return await deliver(call.alone(delivery_id), row)
        except ApplicationError as failed:
            return str(failed) if failed.non_retryable else None
        except Exception:
            return None  # its own activity meets this again, and says so

    async def _row(self, call: DeliveryCall, row: outbox.Waiting | None = None) -> outbox.Waiting | Outcome:
        """The message to deliver, or what came of it if it was settled before. `row`: as it was found just now."""
        if row is None:
            async with business_errors(), self._performer.connection() as connection:
                row = await outbox.find_outbox(connection, outbox_id(call))
        if row is None:
            raise ApplicationError(f"no message {outbox_id(call)}", type="UnknownDelivery", non_retryable=True)
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
        return await self._followed(call, row, row.sent_before or instant_of(call))

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

    @activity.defn(name=Channel.MAIL.value)
    async def deliver_mail(self, call: DeliveryCall) -> Outcome:
        """A mail to the customer. A refused address is flagged and told to the owner; an unreachable server is tried again."""
        return await self._deliver_mail(call)

    async def _deliver_mail(self, call: DeliveryCall, found: outbox.Waiting | None = None) -> Outcome:
        row = await self._row(call, found)
        if isinstance(row, Outcome):
            return row
        if isinstance(again := await self._as_before(call, row), Outcome):
            return again
        mail = OutgoingMail.model_validate(row.body)
        late = await self._late(call, row, mail) if is_late(mail, instant_of(call)) else None
        if isinstance(late, Outcome):
            return late
        mail = late.mail if late else mail
        try:
            if late and late.too_early:
                return await self._held(call, row)
            files = await self._files(mail.files_from) if mail.files_from else []
            async with leaving(self._performer, instant_of(call), row) as begins:
                message_id = await self._mail.send(mail, files, begins)
        except ChannelUnavailableError as away:
            what = f"the {mail_in_words(row.body['template'])}{addressee(row)}"
            return await not_yet(self._performer, call, away, what, "mail")
        except (AddressRejectedError, MessageRejectedError) as rejected:
            return await self._rejected(call, row, rejected)
        sent = Sent(template=row.body["template"], role=row.role, at=instant_of(call))
        return await self._sent(call, message_id, row, sent, late)

    async def _held(self, call: DeliveryCall, row: outbox.Waiting) -> Outcome:
        """A late mail waits for its hour, once its server is there again: until then it is the server that is waited for."""
        async with outside_errors():
            await self._mail.reach()
        async with business_errors(), self._performer.transaction() as connection:
            return await late_mails.held(connection, call, row, instant_of(call))

    async def _late(self, call: DeliveryCall, row: outbox.Waiting, mail: OutgoingMail) -> late_mails.Late | Outcome:
        """A mail that waited for a server is decided anew: it leaves with what is so now, or waits for an hour at which it may, or
        is dropped; the journal says which."""
        at = instant_of(call)
        async with business_errors(), self._performer.transaction() as connection:
            if row.account_id and case_of_delivery(row.delivery_id) is None:
                return await late_mails.decided_anew(connection, call, row, mail, at)
            said = lateness.on_day(
                mail.template, mail.context, local_day(mail.at, mail.time_zone), local_day(at, mail.time_zone)
            )
            if isinstance(said, str):
                return await late_mails.dropped(connection, call, row, at, said)
            optional = mail.unsubscribe is not None and row.account_id
            leaves_at = await late_mails.hour_of(connection, row.account_id, at) if optional else at
        if leaves_at > at:
            raise ApplicationError(late_mails.FOR_ITS_HOUR, type="ChannelUnavailable", next_retry_delay=leaves_at - at)
        return late_mails.Late(mail.having(context=said, at=at))

    async def _files(self, inbox_id: str) -> list[tuple[Attachment, bytes]]:
        """What came with a mail that is sent on."""
        async with business_errors(), self._performer.connection() as connection:
            raw = await inbox.raw_mail(connection, inbox_id)
        return await asyncio.to_thread(files_of, raw) if raw is not None else []

    @activity.defn(name=Channel.NOTICE.value)
    async def deliver_notice(self, call: DeliveryCall) -> Outcome:
        """An internal notice."""
        return await self._deliver_notice(call)

    async def _deliver_notice(self, call: DeliveryCall, found: outbox.Waiting | None = None) -> Outcome:
        row = await self._row(call, found)
        if isinstance(row, Outcome):
            return row
        if isinstance(again := await self._as_before(call, row), Outcome):
            return again
        try:
            async with outside_errors(row):
                message_id = await self._notices.send(StaffNotice.model_validate(row.body))
        except ChannelUnavailableError as away:
            return await not_yet(self._performer, call, away, f"notice{addressee(row)}", "mail")
        except (AddressRejectedError, MessageRejectedError) as rejected:
            return await self._rejected(call, row, rejected)
        return await self._sent(call, message_id, row)

    @activity.defn(name=Channel.PROVISIONING.value)
    async def provision(self, call: DeliveryCall) -> Outcome:
        """An order's lines are provided. An answer that makes no sense is a failure that somebody has to look at."""
        row = await self._row(call)
        if isinstance(row, Outcome):
            return row
        try:
            async with outside_errors(row):
                request = ProvisioningRequest(
                    request_key=row.delivery_id,
                    account_id=row.account_id,
                    order_id=row.body["order_id"],
                    items=tuple(ProvisioningItem.model_validate(item) for item in row.body["items"]),
                    as_of=row.created_at,
                )
                result = await self._provisioner.provision(request)
        except ChannelUnavailableError as away:
            what = f"provisioning of order {row.body['order_id']}"
            return await not_yet(self._performer, call, away, what, "provisioning")
        return await self._provided(call, row, result.request_key)

    async def _sent(
        self,
        call: DeliveryCall,
        message_id: str,
        row: outbox.Waiting,
        sent: Sent | None = None,
        late: late_mails.Late | None = None,
    ) -> Outcome:
        at = instant_of(call)
        about = [news.of_account(row.account_id)] if row.account_id else []

        async def settle(connection: Connection) -> None:
            sent = DeliveryStatus.SENT
            await outbox.settle_outbox(connection, row.delivery_id, sent, at, message_id=message_id, row=row)

        if late is not None and late.changes:
            async with business_errors(), self._performer.transaction(about) as connection:
                await late_mails.record(connection, call, row, late, at)
                await settle(connection)
        else:
            async with business_errors(), self._performer.connection() as connection:
                await settle(connection)
                await news.tell(connection, about)
        followed = await self._followed(call, row, at)
        return followed.having(sent=sent) if sent else followed

    async def _followed(self, call: DeliveryCall, row: outbox.Waiting, at: datetime) -> Outcome:
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

    async def _provided(self, call: DeliveryCall, row: outbox.Waiting, said: str) -> Outcome:
        """The service has provided everything: the journey notes it as its next step, with its own clock."""
        unit = settling(call, row, call.as_of, "provided")
        async with business_errors(), self._performer.begin(unit, reads(NOTHING)) as work:
            if work.before is not None:
                return work.before
            step = (await work.load_first()).step_now("onboarding_provisioned", row.stage, "provisioned")
            at = instant_of(call)
            await outbox.settle_outbox(work.connection, outbox_id(call), DeliveryStatus.SENT, at, message_id=said)
            return await work.record(Outcome(plan=[step]))

    async def _rejected(
        self, call: DeliveryCall, row: outbox.Waiting, rejected: AddressRejectedError | MessageRejectedError
    ) -> Outcome:
        """It came back for good: the contact is flagged and the owner told, in one transaction with the message's end."""
        unit, said = settling(call, row, call.as_of, "delivery_rejected"), str(rejected)
        async with business_errors(), self._performer.begin(unit) as work:
            if work.before is not None:
                return work.before
            connection, at = work.connection, instant_of(call)
            await outbox.settle_outbox(connection, outbox_id(call), DeliveryStatus.REJECTED, at, reason=said)
            still = True
            if row.contact_id and isinstance(rejected, AddressRejectedError):
                email = row.body["to_email"]
                still = await effects.flag_contact(connection, row.account_id, row.contact_id, email, call.as_of, said)
            if not row.account_id:
                return Outcome(attention={"address_rejected": f"A message was refused for good: {said}"})
            situation = await work.load()
            return await work.done(situation, told(row, said, still=still))
