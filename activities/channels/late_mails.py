"""Mails that waited for their server: each is decided anew in the transaction after which it leaves."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from activities.billing.payments import dunning_facts
from activities.frame import effects, outbox
from activities.frame.situations import load_situation
from activities.holds import hold_rows
from activities.kernel.pool import Connection
from domain.billing import dunning
from domain.frame import lateness, pace
from domain.frame.flight import DeliveryCall, DeliveryStatus
from domain.frame.mail_names import mail_in_words
from domain.frame.messages import OutgoingMail
from domain.frame.service_facts import WRITTEN_ANEW, WrittenMail
from domain.frame.situation import Situation
from domain.frame.state import Outcome
from domain.holds import holding
from domain.journey import mail_anew
from domain.kernel.calendar import start_of_day

FOR_ITS_HOUR = "it waits for an hour at which it may leave"


@dataclass(frozen=True)
class Late:
    """A mail as it leaves now; `too_early`: it may not leave at this hour. `changes`: fields that are other than it was written with."""

    mail: OutgoingMail
    too_early: bool = False
    changes: dict[str, Any] = field(default_factory=dict)


async def decided_anew(
    connection: Connection, call: DeliveryCall, row: outbox.Waiting, mail: OutgoingMail, at: datetime
) -> Late | Outcome:
    """A journey's mail as it leaves at `at`; or what comes of it if it is dropped."""
    await hold_rows.lock_account(connection, row.account_id)
    situation = await load_situation(connection, row.account_id, at)
    if mail.template in lateness.LATEST_ONLY and await outbox.said_later(connection, row):
        return await dropped(connection, call, row, at, "a later one says it, too")
    written = WrittenMail(
        delivery_id=row.delivery_id,
        created_at=mail.at,
        stage=row.stage,
        contact_id=row.contact_id,
        body=row.body,
        quote_over=await hold_rows.quote_is_over(connection, row.delivery_id),
    )
    owed = await dunning_facts(connection, row.account_id) if mail.template == dunning.MAIL else None
    changes = mail_anew.decided(situation, written, owed)
    if isinstance(changes, str):
        return await dropped(connection, call, row, at, changes)
    if mail.unsubscribe is not None and await _too_early(connection, situation, row, mail):
        return Late(mail, too_early=True)
    changed = changes if written.differs(changes) else {}
    return Late(mail.having(**{**changes, "at": at}), changes=changed)


async def record(connection: Connection, call: DeliveryCall, row: outbox.Waiting, late: Late, at: datetime) -> None:
    """What a late mail said that has left is on record, if it is other than it was written."""
    if not late.changes:
        return
    await outbox.rewrite_outbox(connection, row.delivery_id, late.changes)
    says = f"The {mail_in_words(row.body['template'])} left late, {WRITTEN_ANEW} by what is so now"
    await note(connection, call, row, at, "rewritten", says)


async def _too_early(connection: Connection, situation: Situation, row: outbox.Waiting, mail: OutgoingMail) -> bool:
    """True for an optional mail that would leave outside the promised hours, or on a day on which its reader gets another."""
    start = start_of_day(situation.today, situation.customer.account.time_zone)
    last = await outbox.optional_mail_beside(connection, row, situation.as_of, start, pace.not_counted(mail.template))
    return pace.late_day_for(situation, mail.template, last, row.created_at) is not None


async def hour_of(connection: Connection, account_id: str, at: datetime) -> datetime:
    """When a case's optional mail that would leave at `at` leaves: then, or at the next hour at which people work."""
    return (await load_situation(connection, account_id, at)).soon[0]


async def held(connection: Connection, call: DeliveryCall, row: outbox.Waiting, at: datetime) -> Outcome:
    """The journey looks at what waits, and sends it when it may leave."""
    await outbox.hold_outbox(connection, row.delivery_id, FOR_ITS_HOUR)
    says = f"Held back: {mail_in_words(row.body['template'])}; {FOR_ITS_HOUR}"
    await note(connection, call, row, at, hold_rows.Clearance.HELD.value, says)
    return review(await load_situation(connection, call.account_id, call.as_of), call)


def review(situation: Situation, call: DeliveryCall) -> Outcome:
    """The look at what waits that a held message calls for."""
    return Outcome(plan=[holding.review_step(situation, f"held-{call.as_of:%Y%m%dT%H%M%S%f}-{call.delivery_id}")])


async def dropped(connection: Connection, call: DeliveryCall, row: outbox.Waiting, at: datetime, why: str) -> Outcome:
    """A mail of which nobody has any use by now: it does not leave, and the journal says so."""
    if await outbox.settle_outbox(connection, row.delivery_id, DeliveryStatus.WITHDRAWN, at, reason=why):
        gone = hold_rows.Clearance.WITHDRAWN.value
        await note(connection, call, row, at, gone, f"Dropped: {mail_in_words(row.body['template'])}; {why}")
    return Outcome()


async def note(
    connection: Connection, call: DeliveryCall, row: outbox.Waiting, at: datetime, name: str, says: str
) -> None:
    """A line of the journal about a message; `name` says what became of it: held, withdrawn or rewritten."""
    if not row.account_id:
        return
    kind = {"held": "service_held", "withdrawn": "dropped"}.get(name, name)
    line = effects.JournalRow(f"{row.delivery_id}/{name}-{call.as_of:%Y%m%dT%H%M%S%f}", at, row.stage, kind, says, {})
    await effects.write_journal(connection, row.account_id, [line])
