"""What leaves the company, after the commit that decided it: mails, internal notices, and requests to the provisioning service."""

from __future__ import annotations

import asyncio

from temporalio import activity
from temporalio.exceptions import ApplicationError

from activities.channels import late_mails
from activities.channels.as_one import AsOne
from activities.channels.attempts import (
    instant_of,
    is_late,
    not_yet,
    outbox_id,
    outside_errors,
    settling,
)
from activities.channels.errors import (
    AddressRejectedError,
    ChannelUnavailableError,
    MessageRejectedError,
)
from activities.channels.leaving import leaving
from activities.channels.mail import MailChannel
from activities.channels.not_sent import addressee, told
from activities.channels.notices import NoticeChannel
from activities.channels.provisioning import Provisioner
from activities.channels.rows import Rows, check_may_leave
from activities.frame import effects, outbox
from activities.frame.errors import business_errors
from activities.frame.once_more import once_more
from activities.frame.situations import reads
from activities.frame.unit_of_work import Activities, Performer
from activities.kernel import news
from activities.kernel.pool import Connection
from activities.mail import inbox
from domain.frame import lateness
from domain.frame.calls import Together
from domain.frame.flight import TOGETHER, Channel, DeliveryCall, DeliveryStatus, TogetherCall
from domain.frame.keys import case_of_delivery
from domain.frame.mail_names import mail_in_words
from domain.frame.messages import OutgoingMail, StaffNotice
from domain.frame.situation import NOTHING
from domain.frame.state import Outcome, Sent
from domain.kernel.calendar import local_day
from domain.mail.reading import Attachment, files_of
from domain.orders.provisioning import ProvisioningItem, ProvisioningRequest


class Deliveries(Activities):
    """Takes rows of the outbox where they belong. A row that was settled before is left alone, so a repetition does nothing."""

    def __init__(
        self, performer: Performer, mail: MailChannel, notices: NoticeChannel, provisioner: Provisioner
    ) -> None:
        super().__init__(performer)
        self._mail = mail
        self._notices = notices
        self._provisioner = provisioner
        self._rows = Rows(performer)
        self._as_one = AsOne(performer, self._rows, mail, notices)

    @activity.defn(name=TOGETHER)
    async def deliver_together(self, call: TogetherCall) -> Together:
        """Mails and notices that were written at one instant: all at the same time, each booked by itself as soon as it has left;
        those to one person leave as one, if they may (`joining.py`).

        Each is tried once. What cannot leave now for a reason that may pass is left to an activity of its own, so that it neither
        keeps the others waiting nor has them sent again.
        """
        came, rows = await self._as_one.joined(call)
        apart = {id: channel for id, channel in call.deliveries.items() if id not in came}
        found = await asyncio.gather(*(self._once(call, *one, rows.get(one[0])) for one in apart.items()))
        came |= zip(apart, found, strict=True)
        together = Together(outcomes={id: one for id, one in came.items() if isinstance(one, Outcome)})
        failed = {id: one for id, one in came.items() if isinstance(one, str)}
        return together.having(failed=failed) if failed else together

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

    @activity.defn(name=Channel.MAIL.value)
    async def deliver_mail(self, call: DeliveryCall) -> Outcome:
        """A mail to the customer. A refused address is flagged and told to the owner; an unreachable server is tried again."""
        return await self._deliver_mail(call)

    async def _deliver_mail(self, call: DeliveryCall, found: outbox.Waiting | None = None) -> Outcome:
        row = await self._rows.find(call, found)
        if isinstance(row, Outcome):
            return row
        if isinstance(again := await self._as_one.as_before(call, row), Outcome):
            return again
        mail = OutgoingMail.model_validate(row.body)
        late = await self._late(call, row, mail) if is_late(mail, instant_of(call)) else None
        if isinstance(late, Outcome):
            return late
        mail = late.mail if late else mail
        try:
            if late and late.too_early:
                return await self._held(call, row)
            check_may_leave(row)
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
        if not once_more.get():
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
        changes = {"context": said} if said != mail.context else {}
        return late_mails.Late(mail.having(context=said, at=at), changes=changes)

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
        row = await self._rows.find(call, found)
        if isinstance(row, Outcome):
            return row
        if isinstance(again := await self._as_one.as_before(call, row), Outcome):
            return again
        check_may_leave(row)
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
        row = await self._rows.find(call)
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
        followed = await self._rows.followed(call, row, at)
        return followed.having(sent=sent) if sent else followed

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
        unit, said = settling(call, row, instant_of(call), "delivery_rejected"), str(rejected)
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
