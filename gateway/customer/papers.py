"""The documents of a mail, for whoever has its link: that of each names the mail and its place in it, and is good for a time."""

from __future__ import annotations

from datetime import timedelta
from enum import Enum

from activities.channels.papers import Press
from activities.kernel.clock import present
from activities.kernel.pool import Pool
from activities.mail import keys, paper_rows
from domain.mail.papers import Paper
from domain.mail.signing import AddressPurpose, opened
from gateway import papers

GOOD_FOR = timedelta(days=400)
"""A year, and what an audit needs after it."""


class NoPaper(Enum):
    """Why a link leads to no document."""

    NOT_OURS = "not ours"
    EXPIRED = "expired"


async def paper_of(pool: Pool, token: str, number: int) -> Paper | NoPaper:
    """The document of that number in the mail that a token names."""
    async with pool.acquire() as connection:
        digest = opened(token, AddressPurpose.PAPER, await keys.load_keys(connection))
        mails = await paper_rows.mail_by_token(connection, digest, present()) if digest is not None else []
    for mail in mails:
        found = mail.papers
        if not 1 <= number <= len(found) or mail.now is None:
            continue
        return found[number - 1] if mail.now <= mail.body.at + GOOD_FOR else NoPaper.EXPIRED
    return NoPaper.NOT_OURS


async def pdf_of(pool: Pool, press: Press, paper: Paper) -> bytes:
    """The document as it was sent."""
    async with pool.acquire() as connection:
        sheet = await papers.sheet(connection, press, paper)
    return await papers.pdf(press, sheet)
