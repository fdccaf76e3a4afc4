"""Who reads a page that a mail's link leads to: whom the mail went to, for as long as the link is good and they are a contact."""

from __future__ import annotations

from datetime import timedelta
from enum import Enum

from activities.kernel.clock import present
from activities.kernel.pool import Connection
from activities.mail import keys, reader_rows
from activities.mail.reader_rows import MailReader
from domain.mail.signing import AddressPurpose, opened

GOOD_FOR = {
    AddressPurpose.MAILS: timedelta(days=400),
    AddressPurpose.OWNED: timedelta(days=90),
    AddressPurpose.STEPS: timedelta(days=90),
}
"""How long a link of each purpose leads somewhere, from the mail on."""


class NoReader(Enum):
    """Why a page is shown to nobody."""

    NOT_OURS = "not ours"
    EXPIRED = "expired"
    GONE = "gone"
    """whom the mail went to is no contact any more, or has another address"""


async def reader_of(connection: Connection, token: str, purpose: AddressPurpose) -> MailReader | NoReader:
    """Whom the mail of a token went to."""
    digest = opened(token, purpose, await keys.load_keys(connection))
    found = await reader_rows.reader_of(connection, digest, present()) if digest is not None else []
    if not found:
        return NoReader.NOT_OURS
    reader = found[0]
    if reader.now > reader.at + GOOD_FOR[purpose]:
        return NoReader.EXPIRED
    return reader if reader.current else NoReader.GONE
