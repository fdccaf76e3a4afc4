"""A customer's mail program for tests, and a way to look at where its mails went."""

from __future__ import annotations

import uuid
from email.message import EmailMessage
from typing import Any

import aiosmtplib

from activities.kernel.clock import present
from domain.mail.reading import mail_key
from gateway.cases import CaseClient
from gateway.inbound import Inbox
from tests.builders import order
from tests.conftest import Servers
from tests.e2e.lives import at_rest, until

DOMAIN = "perennial.example"
SERVICE = f"service@{DOMAIN}"
OWN = f"success@{DOMAIN}"


class Post:
    """A customer's mail program, and the inbox that its mails reach."""

    def __init__(self, servers: Servers, inbox: Inbox, cases: CaseClient) -> None:
        self.servers = servers
        self.inbox = inbox
        self.cases = cases

    async def customer(self, *, email: str | None = None, **changes: Any) -> dict[str, Any]:
        """A new account with one contact; its order."""
        document = order(**changes)
        if email is not None:
            document["contacts"][0]["email"] = email
        else:
            document["contacts"][0]["email"] = f"aoi@{uuid.uuid4().hex[:12]}.example"
        await self.servers.client.place_order(document)
        return document

    async def send(self, message: EmailMessage | bytes, to: str = SERVICE, sender: str | None = None) -> str:
        """Sends a mail over SMTP, as the company's mail server would get it; its id in the inbox."""
        raw = message if isinstance(message, bytes) else message.as_bytes()
        stack = self.servers.stack
        async with aiosmtplib.SMTP(hostname=stack.smtp_host, port=stack.smtp_port) as smtp:
            await smtp.sendmail("jo@somewhere.example" if sender is None else sender, [to], raw)
        return mail_key(raw.replace(b"\r\n", b"\n"))

    async def delivered(self, message: EmailMessage | bytes, **envelope: Any) -> Any:
        """Sends a mail and has it looked at; its row in the inbox."""
        inbox_id = await self.send(message, **envelope)
        await self.inbox.settle_new()
        return await self.row(inbox_id)

    async def row(self, inbox_id: str) -> Any:
        return await self.servers.pool.fetchrow("select * from inbox_message where inbox_id = $1", inbox_id)

    async def messages(self, case_id: str, direction: str) -> list[str]:
        """What was written within a case, in order."""
        rows = await self.servers.pool.fetch(
            "select body from case_message where case_id = $1 and direction = $2 order by number", case_id, direction
        )
        return [row["body"] for row in rows]

    async def cases_of(self, document: dict[str, Any]) -> list[str]:
        """The ids of an account's cases, newest first."""
        return [case.case_id for case in await self.cases.cases_of(document["account"]["account_id"])]

    async def resolved(self, case_id: str) -> None:
        """Has the case resolved by an agent."""
        await self.cases.ask(case_id, "assign", {"owner": "S-2"})
        await self.cases.ask(case_id, "resolve", {"code": "fixed", "text": "Cable replaced."})

    async def status(self, case_id: str) -> str:
        """Where the case stands."""
        case = await self.cases.case(case_id)
        assert case is not None
        return case.status.value

    async def sent(self, account_id: str) -> int:
        """How many messages there are to an account, or to nobody's, once its journey sends nothing by itself."""
        await at_rest(self.servers.temporal, self.servers.pool, account_id)
        query = "select count(*) from outbox where account_id is null or account_id = $1"
        count: int = await self.servers.pool.fetchval(query, account_id)
        return count

    async def answered(self, address: str, template: str) -> Any:
        """The mail of this template that reached an address; waits for it."""
        query = "select * from outbox where body->>'to_email' = $1 and body->>'template' = $2 and status = 'sent'"

        async def has_left() -> bool:
            return await self.servers.pool.fetchrow(query, address, template) is not None

        await until(has_left, f"a mail {template!r} reaches {address}")
        return await self.servers.pool.fetchrow(query, address, template)

    async def survey_with(self, address: str, template: str) -> tuple[Any, Any]:
        """The mail of this template that reached an address, and the survey that left in its message."""
        lead = await self.answered(address, template)
        survey = await self.servers.pool.fetchrow(
            "select * from outbox where left_with = $1 and body->>'template' = 'survey'", lead["delivery_id"]
        )
        return lead, survey


def written(
    sender: str, subject: str = "Terminal is down", body: str = "Nothing works since nine.", **headers: str
) -> EmailMessage:
    message = EmailMessage()
    message["From"] = sender
    message["To"] = SERVICE
    message["Subject"] = subject
    message["Message-ID"] = f"<{uuid.uuid4()}@customer.example>"
    message["Date"] = present()
    for name, value in headers.items():
        message[name.replace("_", "-")] = value
    message.set_content(body)
    return message


def contact_of(document: dict[str, Any]) -> str:
    return str(document["contacts"][0]["email"])


def report_about(message_id: str, recipient: str, status: str = "5.1.1") -> bytes:
    return (
        f"From: MAILER-DAEMON@mx.example\r\nTo: {OWN}\r\nSubject: Undelivered\r\nMessage-ID: <{uuid.uuid4()}@mx.example>\r\n"
        'MIME-Version: 1.0\r\nContent-Type: multipart/report; report-type=delivery-status; boundary="B"\r\n\r\n'
        "--B\r\nContent-Type: text/plain\r\n\r\nSorry.\r\n--B\r\nContent-Type: message/delivery-status\r\n\r\n"
        f"Reporting-MTA: dns; mx.example\r\n\r\nFinal-Recipient: rfc822; {recipient}\r\nAction: failed\r\n"
        f"Status: {status}\r\nDiagnostic-Code: smtp; 550 no such user\r\n--B\r\nContent-Type: text/rfc822-headers\r\n\r\n"
        f"Message-ID: {message_id}\r\n--B--\r\n"
    ).encode()
