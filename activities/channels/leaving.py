"""A try to hand messages over: that it begins is on record before a server hears of it, so that what may have arrived is known to be so."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress
from datetime import datetime

from activities.channels.attempts import outside_errors
from activities.channels.errors import (
    AddressRejectedError,
    ChannelUnavailableError,
    MessageRejectedError,
    UncertainError,
)
from activities.channels.mail import Begins
from activities.channels.text import one_line
from activities.frame import effects, outbox
from activities.frame.effects import JournalRow
from activities.frame.outbox import Waiting
from activities.frame.unit_of_work import Performer
from activities.kernel.pool import TRANSPORT_ERRORS, Connection
from domain.frame.flight import Channel
from domain.frame.mail_names import mail_in_words
from domain.kernel.calendar import local_day


@asynccontextmanager
async def leaving(performer: Performer, at: datetime, *rows: Waiting) -> AsyncIterator[Begins]:
    """Around a try to send mails as one message, that of the first row. What fails is told as `outside_errors` does; what the server
    has certainly not taken is not on record as begun any more."""
    lead, begun = rows[0].delivery_id, False

    async def begins() -> None:
        nonlocal begun
        begun = True
        try:
            async with performer.connection() as connection:
                await outbox.note_begun(connection, [row.delivery_id for row in rows], lead, at)
        except TRANSPORT_ERRORS as away:
            raise ChannelUnavailableError(f"that it leaves cannot be noted: {one_line(str(away))}") from away

    try:
        async with outside_errors(*rows):
            yield begins
    except UncertainError:
        raise
    except (ChannelUnavailableError, AddressRejectedError, MessageRejectedError):
        if begun:
            with suppress(*TRANSPORT_ERRORS):  # what stays on record then is that it may have arrived
                async with performer.connection() as connection:
                    await outbox.note_not_taken(connection, rows, at)
        raise


async def note_in_doubt(connection: Connection, row: Waiting) -> None:
    """A line of the journal, once for each try of which nobody knows how it ended. What becomes of the mail from here on, be it sent again,
    written anew or dropped, is said beside it."""
    if row.begun_at is None or not row.account_id or row.channel is not Channel.MAIL:
        return
    zone = row.body["time_zone"]
    day = local_day(row.begun_at, zone).isoformat()
    says = f"The {mail_in_words(row.body['template'])} may have arrived on {day}: whether its mail server took it is not known"
    line = JournalRow(
        f"{row.delivery_id}/in-doubt-{row.begun_at:%Y%m%dT%H%M%S%f}", row.begun_at, row.stage, "in_doubt", says, {}
    )
    await effects.write_journal(connection, row.account_id, [line])
