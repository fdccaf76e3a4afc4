"""An attempt at a delivery: which row it is about, at which instant, how long it goes on, and what kind of failure it was."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import AbstractContextManager, ExitStack, asynccontextmanager
from datetime import datetime, timedelta

from temporalio import activity
from temporalio.exceptions import ApplicationError

from activities.channels.errors import AddressRejectedError, ChannelUnavailableError, MessageRejectedError, PacedError
from activities.frame import outbox
from activities.frame.errors import business_errors
from activities.frame.unit_of_work import Performer, Unit
from activities.kernel import traces
from activities.kernel.heartbeats import heartbeats
from activities.kernel.pool import TRANSPORT_ERRORS
from domain.billing import dunning
from domain.frame.flight import DeliveryCall, TogetherCall
from domain.frame.keys import message_key, settled_key
from domain.frame.messages import OutgoingMail
from domain.frame.state import Outcome
from domain.kernel.calendar import local_day


@asynccontextmanager
async def outside_errors(*rows: outbox.Waiting) -> AsyncIterator[None]:
    """Who is away is tried again for as long as it takes; what can never work needs a person; a refusal is an answer.

    While it takes long, Temporal hears that somebody still works on it. `rows`: what leaves, whose traces have it as a span.
    """
    try:
        with ExitStack() as spans:
            for row in rows:
                spans.enter_context(_span(row))
            async with heartbeats():
                yield
    except (ChannelUnavailableError, AddressRejectedError, MessageRejectedError):
        raise
    except TRANSPORT_ERRORS:
        raise  # of our own database, which has the mails' keys and turns
    except Exception as mistake:
        kind = type(mistake).__name__.removesuffix("Error")
        raise ApplicationError(str(mistake), type=kind, non_retryable=True) from mistake


def _span(row: outbox.Waiting) -> AbstractContextManager[None]:
    info = activity.info()
    whose = {"account": row.account_id, "delivery": row.delivery_id, "workflow": info.workflow_id or ""}
    known = {name: traces.opaque(id) for name, id in whose.items() if id}
    return traces.span(row.channel.value, {"attempt": info.attempt, **known}, row.trace)


LATE_AFTER = timedelta(hours=1)
"""What has not left by then is shown to people; it is tried again all the same."""


async def not_yet(
    performer: Performer, call: DeliveryCall, away: ChannelUnavailableError, what: str, provider: str
) -> Outcome:
    """The other side is away. Within the hour, and once it was said, the attempt fails and is repeated; at the hour it says so.

    What is said then stays as it is, while the attempts go on: the list of what has not left counts on from there. What only waits for
    its turn is not late: nothing is to be mended.

    Raises:
        ApplicationError: to be tried again, at the hour at the latest while nothing was said yet.
    """
    if isinstance(away, PacedError):
        raise _again(away, away.again_in) from away
    if call.late:
        raise away
    info = activity.info()
    passed = info.current_attempt_scheduled_time - info.scheduled_time
    if passed >= LATE_AFTER:
        async with business_errors(), performer.transaction() as connection:
            await outbox.note_tried(connection, outbox_id(call), info.attempt)
        says = f"{what} has not left for an hour: {away}. By then it had been tried {info.attempt} times, and it is tried again"
        goes_on = "every 6 hours at the latest (`perennial deliveries list` counts on, and says when next)"
        return Outcome(late=f"{says} {goes_on}; mend the {provider} service, then `retry_deliveries`")
    left = LATE_AFTER - passed
    usual = timedelta(seconds=5 * 3 ** min(info.attempt - 1, 9))
    raise _again(away, min(left, usual)) from away


def _again(away: ChannelUnavailableError, after: timedelta) -> ApplicationError:
    return ApplicationError(str(away), type="ChannelUnavailable", next_retry_delay=after)


def is_late(mail: OutgoingMail, at: datetime) -> bool:
    """True for a mail that was decided on another day than it leaves on, for an optional one after an hour, and always for a reminder of
    what may be paid by now."""
    other_day = local_day(mail.at, mail.time_zone) < local_day(at, mail.time_zone)
    reminds = mail.template == dunning.MAIL
    return other_day or reminds or (mail.unsubscribe is not None and at - mail.at >= LATE_AFTER)


def outbox_id(call: DeliveryCall) -> str:
    """The row that a call delivers: a case's rows have their whole id, a journey's leave out the account."""
    return message_key(call.account_id, call.delivery_id)


def instant_of(call: DeliveryCall | TogetherCall) -> datetime:
    """The customer's time at this attempt; the call's own is that of the first one, which may be days ago."""
    info = activity.info()
    return call.as_of + max(info.current_attempt_scheduled_time - info.scheduled_time, timedelta(0))


def settled_key_of(call: DeliveryCall) -> str:
    """Under which it is on record what followed."""
    return settled_key(outbox_id(call))


def settling(call: DeliveryCall, row: outbox.Waiting, at: datetime, kind: str) -> Unit:
    """What follows once a message has left, or never will."""
    return Unit(row.account_id, settled_key_of(call), at, row.stage, kind)
