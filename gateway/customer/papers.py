"""The documents of a mail, for whoever has its link: that of each names the mail and its place in it, and is good for a time."""

from __future__ import annotations

from datetime import timedelta
from enum import Enum

from activities.channels.papers import Press
from activities.kernel.clock import present
from activities.kernel.pool import Connection, Pool
from activities.mail import keys, paper_rows
from activities.mail.paper_rows import CarriedPapers
from domain.frame.messages import Issuer
from domain.mail.papers import Paper, bills_named
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
        if mail.now is not None and mail.now > mail.body.at + GOOD_FOR:
            return NoPaper.EXPIRED
        async with pool.acquire() as connection:
            return await _numbered(connection, mail, number) or NoPaper.NOT_OURS
    return NoPaper.NOT_OURS


async def _numbered(connection: Connection, mail: CarriedPapers, number: int) -> Paper | None:
    """A document that a mail brought, or an invoice that it speaks of, as the customer had got it."""
    brought, named = mail.papers, bills_named(mail.body)
    if 1 <= number <= len(brought):
        return brought[number - 1]
    if not 1 <= number <= len(named):
        return None
    id = named[number - 1]
    whose = await paper_rows.account_of_bill(connection, id)
    return (
        None
        if whose is None
        else await papers.bill(
            connection, whose, id, mail.body.issuer or Issuer(name=str(mail.body.context.get("seller", "")))
        )
    )


async def pdf_of(pool: Pool, press: Press, paper: Paper) -> bytes:
    """The document as it was sent."""
    async with pool.acquire() as connection:
        sheet = await papers.sheet(connection, press, paper)
    return await papers.pdf(press, sheet)
