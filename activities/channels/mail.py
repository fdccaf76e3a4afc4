"""Mail to customers and staff: composed as RFC 5322 wants it, handed to an SMTP server, failures told apart."""

from __future__ import annotations

import asyncio
import hashlib
from contextlib import suppress
from email.headerregistry import Address
from email.message import EmailMessage
from email.policy import SMTP as SMTP_POLICY
from email.policy import EmailPolicy
from typing import Self
from urllib.parse import quote

import aiosmtplib
from pydantic import Field, SecretStr, field_validator, model_validator

from activities.channels.errors import AddressRejectedError, ChannelUnavailableError, MessageRejectedError
from activities.channels.refusals import verdict
from activities.channels.rendering import RenderedMail, Renderer
from activities.channels.text import one_line, wire_address
from domain.messages import OutgoingMail
from domain.model import Received

_ID_LIMIT = 120
_LOOPBACK = frozenset({"localhost", "127.0.0.1", "::1"})


class SmtpSettings(Received):
    """The SMTP server that takes our mail, and who we are to it."""

    host: str = "localhost"
    port: int = Field(default=25, ge=1, le=65535)
    username: str | None = None
    password: SecretStr | None = None
    start_tls: bool = False
    """start in the clear and insist on TLS before anything is said (port 587)"""
    tls: bool = False
    """TLS from the first byte (port 465)"""
    sender: str
    """the address that mails come from and bounces go to"""
    sender_name: str = ""
    """the name beside it in mails that name no selling company"""
    mail_domain: str
    """our domain: the right-hand side of Message-IDs, and our name in EHLO"""
    timeout_seconds: float = Field(default=30, gt=0)
    """for a whole delivery, from connecting to the server's last word"""

    @field_validator("sender")
    @classmethod
    def _sendable(cls, value: str) -> str:
        return wire_address(value)

    @field_validator("mail_domain")
    @classmethod
    def _domain(cls, value: str) -> str:
        return wire_address(f"postmaster@{value}").removeprefix("postmaster@")

    @model_validator(mode="after")
    def _consistent(self) -> Self:
        if self.tls and self.start_tls:
            raise ValueError("tls and start_tls exclude each other; use tls on port 465, start_tls on port 587")
        if (self.username is None) != (self.password is None):
            raise ValueError("username and password go together; set both or none")
        if self.username is not None and not (self.tls or self.start_tls) and self.host not in _LOOPBACK:
            raise ValueError(f"a password would travel to {self.host} in the clear; set tls or start_tls")
        return self


def message_id_of(delivery_id: str, mail_domain: str) -> str:
    """The Message-ID of a delivery, known before it is sent: answers to it name it."""
    return f"<{_id_part(delivery_id)}@{mail_domain}>"


class MailChannel:
    """Sends mails through one SMTP server, each over a connection of its own."""

    def __init__(self, settings: SmtpSettings, renderer: Renderer) -> None:
        self._settings = settings
        self._renderer = renderer

    async def send(self, mail: OutgoingMail) -> str:
        """Hand `mail` to the server and return its Message-ID, which every resend of the delivery carries again.

        Never takes longer than the time-out of the settings. Raises AddressRejectedError if the recipient is refused for
        good, MessageRejectedError if the content is, RenderError if it cannot be put into words, and
        ChannelUnavailableError for everything that may pass: no connection, a time-out, a 4xx reply, a wrong login, a
        sender that the server does not know.
        """
        try:
            recipient = wire_address(mail.to_email)
        except ValueError as error:
            raise AddressRejectedError(None, str(error)) from None
        message = self._compose(mail, recipient, self._renderer.render(mail))
        await self._deliver(recipient, message.as_bytes())
        return str(message["Message-ID"])

    def _compose(self, mail: OutgoingMail, recipient: str, rendered: RenderedMail) -> EmailMessage:
        settings = self._settings
        sender_name = str(mail.context.get("seller") or settings.sender_name)
        message = EmailMessage(policy=_WIRE)
        message["From"] = _mailbox(sender_name, settings.sender)
        message["To"] = _mailbox(mail.to_name, recipient)
        message["Subject"] = _header_text(rendered.subject)
        message["Date"] = mail.at
        message["Message-ID"] = message_id_of(mail.delivery_id, settings.mail_domain)
        if mail.in_reply_to is not None:
            message["In-Reply-To"] = mail.in_reply_to
        if mail.references:
            message["References"] = " ".join(mail.references)
        if mail.reply_to is not None:
            message["Reply-To"] = self._reply_address(mail.reply_to)
        if mail.automatic:
            message["Auto-Submitted"] = "auto-generated"
        if mail.unsubscribe is not None:
            subject = quote(f"unsubscribe {mail.unsubscribe}", safe="")
            message["List-Unsubscribe"] = f"<mailto:{settings.sender}?subject={subject}>"
        message.set_content(rendered.text)
        message.add_alternative(rendered.html, subtype="html")
        message["Content-Language"] = rendered.language  # only now: setting the content clears such headers
        # A boundary of our own makes a resend the same message, byte for byte.
        message.set_boundary(hashlib.sha256(mail.delivery_id.encode("utf-8", "replace")).hexdigest()[:40])
        return message

    def _reply_address(self, reply_to: str) -> str:
        try:
            return wire_address(reply_to)
        except ValueError as error:
            raise MessageRejectedError(None, f"Reply-To: {error}") from None

    async def _deliver(self, recipient: str, content: bytes) -> None:
        settings = self._settings
        client = aiosmtplib.SMTP(
            hostname=settings.host,
            port=settings.port,
            username=settings.username,
            password=settings.password.get_secret_value() if settings.password else None,
            use_tls=settings.tls,
            start_tls=settings.start_tls,
            local_hostname=settings.mail_domain,
            timeout=settings.timeout_seconds,
        )
        deadline = asyncio.get_running_loop().time() + settings.timeout_seconds
        try:
            async with asyncio.timeout_at(deadline):
                await client.connect()
                await client.sendmail(settings.sender, [recipient], content)
            # The server has the mail now: whatever happens to the good-bye must not look like a failure.
            with suppress(aiosmtplib.SMTPException, OSError, TimeoutError):
                async with asyncio.timeout_at(deadline):
                    await client.quit()
        except aiosmtplib.SMTPException as error:
            raise verdict(error) from error
        except TimeoutError:
            raise ChannelUnavailableError(f"no answer from {settings.host} in {settings.timeout_seconds:g} s") from None
        except OSError as error:
            raise ChannelUnavailableError(f"{settings.host}: {error}") from error
        finally:
            client.close()


class _WirePolicy(EmailPolicy):
    """Long identifiers and links stay in one piece; folded, the standard policy would turn them into encoded words."""

    def fold(self, name: str, value: str) -> str:
        if name.lower() in {"message-id", "in-reply-to", "list-unsubscribe"}:
            return f"{name}: {value}{self.linesep}"
        if name.lower() == "references":
            return f"{name}: {f'{self.linesep} '.join(value.split())}{self.linesep}"
        folded: str = super().fold(name, value)
        return folded

    def fold_binary(self, name: str, value: str) -> bytes:
        return self.fold(name, value).encode("ascii")


# 7bit: a server without 8BITMIME takes it as well.
_WIRE = _WirePolicy(linesep=SMTP_POLICY.linesep, max_line_length=78, cte_type="7bit")


def _mailbox(name: str, address: str) -> Address:
    return Address(display_name=_header_text(name), addr_spec=address)


def _header_text(value: str) -> str:
    """`value` for a header: on one line, and never read as an encoded word by the recipient's mail program."""
    return one_line(value).replace("=?", "= ?")


def _id_part(delivery_id: str) -> str:
    """A dot-atom that no other delivery has: the id, with what may not stand there percent-encoded."""
    part = quote(delivery_id, safe="", errors="replace").replace(".", "%2E")
    return part if 0 < len(part) <= _ID_LIMIT else hashlib.sha256(part.encode("ascii")).hexdigest()
