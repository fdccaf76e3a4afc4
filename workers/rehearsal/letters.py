"""What the customer of a story writes: a mail to the service address, or a reply to a mail of ours, over the SMTP port of the stack."""

from __future__ import annotations

import asyncio
from datetime import datetime, timedelta
from email.headerregistry import Address
from email.message import EmailMessage
from email.policy import SMTP
from email.utils import parseaddr
from typing import Annotated

import aiosmtplib
from pydantic import Field, StringConstraints

from activities.kernel.pool import Pool
from activities.mail import inbox
from domain.kernel.base import Received
from domain.kernel.refusals import Refusal
from domain.mail.reading import mail_key
from domain.mail.routing import InboxStatus
from domain.orders.order import MailAddress
from workers.embedded.mailbox import Mailbox, StoredMail

TAKEN_IN = timedelta(seconds=30)
_LOOK_EVERY = 0.02


class Letter(Received):
    """A mail of the customer. `answers`: it replies to our latest mail of this template to its sender; else it is a mail of its own."""

    sender: MailAddress
    name: Annotated[str, StringConstraints(max_length=100)] = ""
    subject: Annotated[str, StringConstraints(max_length=200)] = ""
    body: Annotated[str, Field(min_length=1, max_length=20_000)]
    answers: Annotated[str, StringConstraints(pattern=r"^[a-z][a-z0-9_]{0,60}$")] | None = None


class PostOffice:
    """Takes a story's letters to the company, and waits until each was looked at."""

    def __init__(self, pool: Pool, mailbox: Mailbox, host: str, port: int, domain: str) -> None:
        self._pool = pool
        self._mailbox = mailbox
        self._host = host
        self._port = port
        self._domain = domain

    async def send(self, letter: Letter, account_id: str, at: datetime) -> str:
        """What became of the mail, in words. Raises `Refusal` (InvalidStory) if it answers a mail that never reached its sender."""
        to, message = f"service@{self._domain}", EmailMessage(policy=SMTP)
        message["From"] = Address(letter.name, addr_spec=letter.sender)
        message["Subject"] = letter.subject
        message["Date"] = at
        message["Message-ID"] = f"<{at:%Y%m%dT%H%M%S}.{account_id}@customer.example>"
        if letter.answers is not None:
            answered = await self._answered(letter.answers, letter.sender, account_id)
            to = parseaddr(answered.headers.get("Reply-To") or answered.headers["From"])[1]
            message.replace_header("Subject", f"Re: {answered.summary.subject}")
            message["In-Reply-To"] = answered.headers["Message-ID"]
        message["To"] = to
        message.set_content(letter.body)
        raw = message.as_bytes()
        async with aiosmtplib.SMTP(hostname=self._host, port=self._port) as smtp:
            await smtp.sendmail(letter.sender, [to], raw)
        return await self._taken_in(mail_key(raw.replace(b"\r\n", b"\n")), to)

    async def _answered(self, template: str, sender: str, account_id: str) -> StoredMail:
        found = await self._pool.fetch(
            "select message_id from outbox where account_id = $1 and body->>'template' = $2 and status = 'sent'"
            " and lower(body->>'to_email') = lower($3) order by settled_at desc, created_at desc, delivery_id desc limit 1",
            account_id,
            template,
            sender,
        )
        for mail in reversed(self._mailbox.list()):
            if found and mail.message_id == found[0]["message_id"]:
                return self._mailbox.read(mail.id)
        raise Refusal("InvalidStory", f"a mail answers {template!r}, and none has reached {sender} by then")

    async def _taken_in(self, inbox_id: str, to: str) -> str:
        async with asyncio.timeout(TAKEN_IN.total_seconds()):
            while True:
                async with self._pool.acquire() as connection:
                    row = await inbox.find_mail(connection, inbox_id)
                if row is not None and row["status"] != InboxStatus.NEW.value:
                    return str(row["reason"])
                await asyncio.sleep(_LOOK_EVERY)
