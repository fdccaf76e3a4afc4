"""Reception: mail is kept before anything else, by whichever process it reaches; only the database is needed for that."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from datetime import datetime

from activities.kernel.clock import present
from activities.kernel.pool import Connection, Pool
from activities.mail import inbox, keys, questions
from activities.mail.questions import Decidable, MailQuestion
from domain.mail.asks import Answered, Question
from domain.mail.choices import PageChoice
from domain.mail.marks import Domains, chosen_subject, marks_of
from domain.mail.reading import mail_key, read_mail
from domain.mail.routing import InboxStatus
from domain.mail.signing import AddressPurpose, looks_like_ours, opened
from domain.mail.text import printable
from gateway.customer.questions import Page, asked_by, page_of


async def keep_mail(
    pool: Pool, raw: bytes, received_at: datetime, *, recipients: Sequence[str] = (), return_path: str | None = None
) -> str:
    """Keeps a mail for whichever process looks at the inbox next; its id."""
    inbox_id = mail_key(raw, received_at)
    named = [printable(one) for one in recipients]
    path = None if return_path is None else printable(return_path)
    async with pool.acquire() as connection:
        await inbox.keep_mail(connection, inbox_id, raw, named, path, received_at)
    return inbox_id


ANSWERED_WITHIN = 10.0
"""So many seconds somebody who answers on a page waits for what it brings about; what takes longer is told by mail."""


class Reception:
    """Where mails are handed over.

    Args:
        own_address: the address that our mails come from, and to which delivery reports and wishes for fewer mails go.
        domains: ours; mail to any address under them is for us.
    """

    def __init__(self, pool: Pool, *, own_address: str, domains: Domains) -> None:
        self._pool = pool
        self._own_address = own_address
        self._domains = domains
        self._kept = asyncio.Event()

    @property
    def pool(self) -> Pool:
        """The database in which mail is kept."""
        return self._pool

    async def receive(
        self, raw: bytes, received_at: datetime, *, recipients: Sequence[str] = (), return_path: str | None = None
    ) -> str:
        """Keeps a mail and returns its id in the inbox; the same mail again changes nothing.

        `recipients` and `return_path` are those of the envelope ("" for an empty return path), where they are known;
        otherwise the headers `Delivered-To` and `Return-Path` of `raw` are looked at.
        """
        inbox_id = await keep_mail(self._pool, raw, received_at, recipients=recipients, return_path=return_path)
        self._kept.set()
        return inbox_id

    def takes(self, address: str) -> bool:
        """True for an address whose mail is for us, whatever it says."""
        return address.lower() == self._own_address.lower() or self._domains.takes(address)

    async def accept(self, sender: str, recipients: Sequence[str], content: bytes) -> str:
        """A mail that a mail server brings to addresses that `takes` knows; its id in the inbox."""
        return await self.receive(content, present(), recipients=recipients, return_path=sender)

    async def knows_stop(self, token: str) -> bool:
        """True for a token of ours by which an addressee of a mail wants no more optional ones."""
        async with self._pool.acquire() as connection:
            return opened(token, AddressPurpose.STOP, await keys.load_keys(connection)) is not None

    async def stop(self, token: str) -> bool:
        """Keeps that wish, once, as a mail that says it. False for a token that we have not signed."""
        if not await self.knows_stop(token):
            return False
        token = token.lower()
        said = f"Subject: unsubscribe {token}\r\nMessage-ID: <{token}@one-click>\r\n\r\n"
        await self.receive(said.encode("ascii"), present())
        return True

    async def page(self, token: str) -> Page | None:
        """The page of a mail's question by the token of its links; null for a token that we have not signed, or that asks nothing."""
        async with self._pool.acquire() as connection:
            digest = opened(token, AddressPurpose.ANSWER, await keys.load_keys(connection))
            question = await questions.question_of(connection, digest, present()) if digest is not None else None
            asked = asked_by(question) if question is not None else None
            if question is None or asked is None:
                return None
            return page_of(question, asked, await _decidable(connection, question, asked))

    async def answer(self, token: str, choice: PageChoice, comment: str, once: str) -> str:
        """Keeps what was answered on the page of a mail's question, as a mail that says it; its id. `once` is the mark of the page that
        was filled in: sent twice, it is one answer."""
        head = (
            f"Subject: {chosen_subject(token.lower(), choice.written)}\r\nContent-Type: text/plain; charset=utf-8\r\n"
        )
        head += f"Message-ID: <{once}@answer>\r\nContent-Transfer-Encoding: 8bit\r\n"
        return await self.receive(f"{head}\r\n{printable(comment)}\r\n".encode(), present())

    async def settled(self, inbox_id: str) -> None:
        """Returns once an answer was looked at; at once where nobody looks at the inbox in this process."""

    async def became(self, inbox_id: str) -> InboxStatus | None:
        """What became of an answer that was kept; null if none was kept under this id."""
        async with self._pool.acquire() as connection:
            found = await inbox.find_mail(connection, inbox_id)
        return InboxStatus(found["status"]) if found else None

    async def arrival(self, sender: str, recipients: Sequence[str], content: bytes) -> None:
        """What a mail server of ours tells of each mail that it accepts, those that we send ourselves included."""
        if sender.lower() == self._own_address.lower() or not await self._is_for_us(recipients, content):
            return
        await self.accept(sender, recipients, content)

    async def _is_for_us(self, recipients: Sequence[str], content: bytes) -> bool:
        """True for mail to our domain, and for an answer to a mail of ours, which goes to one of our people."""
        if any(map(self.takes, recipients)):
            return True
        mail = await asyncio.to_thread(read_mail, content)
        if not any(looks_like_ours(one, self._domains.mail) for one in mail.answers):
            return False
        async with self._pool.acquire() as connection:
            answers = marks_of(mail, self._domains, await keys.load_keys(connection)).answered
            return bool(answers) and await inbox.is_staff_address(connection, recipients)


async def _decidable(connection: Connection, question: MailQuestion, asked: Answered) -> Decidable | None:
    """Where what a mail asks a decision about stands; null for what is not decided, or not on record."""
    account_id = question.account_id or ""
    match asked.question:
        case Question.RENEWAL:
            return await questions.renewal_asked(connection, account_id, asked.id, str(question.context["term_end"]))
        case Question.QUOTE:
            return await questions.quote_asked(connection, account_id, asked.id)
        case Question.OFFER:
            return await questions.offer_asked(connection, account_id, asked.id)
        case _:
            return None
