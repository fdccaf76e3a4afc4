"""Mail to customers and staff: composed as RFC 5322 wants it, handed to an SMTP server, failures told apart."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Sequence
from contextlib import suppress
from datetime import timedelta
from email.utils import format_datetime
from typing import Self
from urllib.parse import quote, urlsplit

import aiosmtplib
from pydantic import Field, SecretStr, field_validator, model_validator

from activities.channels import composing
from activities.channels.errors import (
    AddressRejectedError,
    ChannelUnavailableError,
    MessageRejectedError,
    UncertainError,
)
from activities.channels.pace import MailPace
from activities.channels.refusals import verdict
from activities.channels.rendering import RenderedMail, Renderer
from activities.channels.text import one_line, wire_address
from activities.kernel import traces
from activities.kernel.computing import computed
from domain.frame.messages import OutgoingMail
from domain.kernel.base import Received
from domain.mail.reading import Attachment
from domain.mail.signing import AddressPurpose, Key, message_id_of, signed_address, token_of

KeyOf = Callable[[int], Awaitable[Key | None]]
"""The key of a number; null if there never was such a one."""
Begins = Callable[[], Awaitable[None]]
"""To be awaited once the server listens, before it hears the message."""

_LOOPBACK = frozenset({"localhost", "127.0.0.1", "::1"})


_PURPOSES = {
    "answer": AddressPurpose.ANSWER,
    "document": AddressPurpose.PAPER,
    "mails": AddressPurpose.MAILS,
    "owned": AddressPurpose.OWNED,
    "steps": AddressPurpose.STEPS,
}
"""What the link to each page is for."""


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
    reply_domain: str | None = None
    """the domain of the addresses that answers go to; without it, an answer goes to the person behind the mail"""
    public_url: str | None = None
    """where `perennial inbox serve` is reached from outside: who wants no more mails says so by one click, and questions are answered"""
    timeout_seconds: float = Field(default=30, gt=0)
    """for a whole delivery, from connecting to the server's last word"""

    @field_validator("sender")
    @classmethod
    def _sendable(cls, value: str) -> str:
        return wire_address(value)

    @field_validator("mail_domain", "reply_domain")
    @classmethod
    def _domain(cls, value: str | None) -> str | None:
        return value and wire_address(f"postmaster@{value}").removeprefix("postmaster@")

    @field_validator("public_url")
    @classmethod
    def _public(cls, value: str | None) -> str | None:
        return value and _web_address(value)

    @model_validator(mode="after")
    def _consistent(self) -> Self:
        if self.tls and self.start_tls:
            raise ValueError("tls and start_tls exclude each other; use tls on port 465, start_tls on port 587")
        if (self.username is None) != (self.password is None):
            raise ValueError("username and password go together; set both or none")
        if self.username is not None and not (self.tls or self.start_tls) and self.host not in _LOOPBACK:
            raise ValueError(f"a password would travel to {self.host} in the clear; set tls or start_tls")
        return self


def _lines_in(mail: OutgoingMail) -> int:
    """How many lines the longest list or document of a mail has."""
    listed = [value for value in mail.context.values() if isinstance(value, list | tuple)]
    return max(map(len, [*listed, *(document["lines"] for document in mail.documents)]), default=0)


class MailChannel:
    """Sends mails through one SMTP server, each over a connection of its own."""

    def __init__(self, settings: SmtpSettings, renderer: Renderer, keys: KeyOf, pace: MailPace | None = None) -> None:
        self._settings = settings
        self._renderer = renderer
        self._keys = keys
        self._pace = pace

    @property
    def takes_answers(self) -> bool:
        """True if answers to our mails reach the inbox, as one is served."""
        return self._settings.reply_domain is not None

    async def turn_of(self, delivery_id: str) -> timedelta | None:
        """In what time a mail has its turn, if it waits for one."""
        return None if self._pace is None else await self._pace.given(delivery_id)

    async def send(
        self,
        mail: OutgoingMail,
        files: Sequence[tuple[Attachment, bytes]] = (),
        begins: Begins | None = None,
    ) -> str:
        """Hand `mail`, with `files`, to the server and return its Message-ID, which every resend of the delivery carries again.
        `begins` is awaited before the server, which listens by then, hears of it.

        Never takes longer than the time-out of the settings, once it is its turn. Raises AddressRejectedError if the recipient is refused for
        good, MessageRejectedError if the content is, RenderError if it cannot be put into words, and
        ChannelUnavailableError for everything that may pass: no connection, a time-out, a 4xx reply, a wrong login, a
        sender that the server does not know; UncertainError if the server was gone before it said that it has the mail.
        """
        return await self.send_joined([mail], files, begins)

    async def send_joined(
        self,
        mails: Sequence[OutgoingMail],
        files: Sequence[tuple[Attachment, bytes]] = (),
        begins: Begins | None = None,
    ) -> str:
        """As `send`, for mails to one person that leave as one message: it is that of the first one, which answers come to."""
        mail = mails[0]
        try:
            recipient = wire_address(mail.to_email)
        except ValueError as error:
            raise AddressRejectedError(None, str(error)) from None
        if self._pace is not None:  # before anything is done for it, which the next try would do again
            await self._pace.turn(mail.delivery_id)
        key = await self._keys(mail.key) if mail.key is not None else None
        size = max(map(_lines_in, mails))
        message_id, written = await computed(size, self._written, mails, recipient, key, files)
        await self._talk(lambda client: client.sendmail(self._settings.sender, [recipient], written), begins)
        return message_id

    def _written(
        self,
        mails: Sequence[OutgoingMail],
        recipient: str,
        key: Key | None,
        files: Sequence[tuple[Attachment, bytes]],
    ) -> tuple[str, bytes]:
        """The message that mails leave as: its Message-ID, and all of it."""
        rendered = self._renderer.render_joined(
            mails,
            by_reply=self.takes_answers,
            links=lambda page, one: self._link(page, one, key),
        )
        unsubscribe = next((one.unsubscribe for one in mails if one.unsubscribe is not None), None)
        mail = mails[0].having(unsubscribe=unsubscribe)
        headers = self._headers(mail, recipient, rendered, key)
        return headers["Message-ID"], composing.composed(headers, rendered, files, mail.delivery_id)

    def _headers(self, mail: OutgoingMail, recipient: str, rendered: RenderedMail, key: Key | None) -> dict[str, str]:
        settings = self._settings
        sender_name = str(mail.context.get("seller") or settings.sender_name)
        headers = {
            "From": composing.mailbox("From", sender_name, settings.sender),
            "To": composing.mailbox("To", mail.to_name, recipient),
            "Subject": composing.words("Subject", rendered.subject),
            "Date": format_datetime(mail.at),
            "Message-ID": message_id_of(mail.delivery_id, settings.mail_domain, key),
        }
        if mail.in_reply_to is not None:
            headers["In-Reply-To"] = composing.one_piece(mail.in_reply_to)
        if mail.references:
            headers["References"] = composing.one_a_line(mail.references)
        if settings.reply_domain is not None and key is not None:
            headers["Reply-To"] = signed_address(mail.delivery_id, AddressPurpose.REPLY, key, settings.reply_domain)
        elif mail.reply_to is not None:
            headers["Reply-To"] = self._reply_address(mail.reply_to)
        if mail.automatic:
            headers["Auto-Submitted"] = "auto-generated"
        if mail.unsubscribe is not None:
            headers["List-Unsubscribe"] = self._unsubscribe(mail, mail.unsubscribe, key)
            if key is not None and settings.public_url is not None:
                headers["List-Unsubscribe-Post"] = "List-Unsubscribe=One-Click"
        return headers | {"Content-Language": rendered.language}

    def _unsubscribe(self, mail: OutgoingMail, contact: str, key: Key | None) -> str:
        """How the recipient wants no more such mails: a signed address, else our own with a signed subject."""
        settings = self._settings
        if key is None:
            return f"<mailto:{settings.sender}?subject={quote(f'unsubscribe {contact}', safe='')}>"
        token = token_of(mail.delivery_id, AddressPurpose.STOP, key)
        if settings.reply_domain is not None:
            address = signed_address(mail.delivery_id, AddressPurpose.STOP, key, settings.reply_domain)
            by_mail = f"<mailto:{address}?subject=unsubscribe>"
        else:
            by_mail = f"<mailto:{settings.sender}?subject=unsubscribe%20{token}>"
        return by_mail if settings.public_url is None else f"<{settings.public_url}/unsubscribe/{token}>, {by_mail}"

    def _link(self, page: str, mail: OutgoingMail, key: Key | None) -> str | None:
        """Where a page about a mail is; null where none is served."""
        if key is None or self._settings.public_url is None:
            return None
        return f"{self._settings.public_url}/{page}/{token_of(mail.delivery_id, _PURPOSES[page], key)}"

    def _reply_address(self, reply_to: str) -> str:
        try:
            return wire_address(reply_to)
        except ValueError as error:
            raise MessageRejectedError(None, f"Reply-To: {error}") from None

    async def reach(self) -> None:
        """Raises ChannelUnavailableError while the server is away."""
        await self._talk(lambda _: asyncio.sleep(0))

    async def _talk(
        self,
        says: Callable[[aiosmtplib.SMTP], Awaitable[object]],
        begins: Begins | None = None,
    ) -> None:
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
        away: type[ChannelUnavailableError] = ChannelUnavailableError
        try:
            with traces.span("SMTP", {"server.address": settings.host, "server.port": settings.port}):
                async with asyncio.timeout_at(deadline):
                    await client.connect()
                    if begins is not None:
                        await begins()
                    away = UncertainError  # what is said from here on may have been heard
                    await says(client)
            # The server has the mail now: whatever happens to the good-bye must not look like a failure.
            with suppress(aiosmtplib.SMTPException, OSError, TimeoutError):
                async with asyncio.timeout_at(deadline):
                    await client.quit()
        except (aiosmtplib.SMTPServerDisconnected, aiosmtplib.SMTPTimeoutError) as error:
            raise away(one_line(str(error))) from error
        except aiosmtplib.SMTPException as error:
            said = verdict(error)
            # A reply that is none says nothing about what was taken.
            no_answer = isinstance(error, aiosmtplib.SMTPResponseException) and not 400 <= error.code < 600
            raise (away(str(said)) if no_answer else said) from error
        except TimeoutError:
            raise away(f"no answer from {settings.host} in {settings.timeout_seconds:g} s") from None
        except OSError as error:
            raise away(f"{settings.host}: {error}") from error
        finally:
            client.close()


def _web_address(url: str) -> str:
    """`url` without a slash at its end. Raises ValueError for what no mail program would post to."""
    try:
        parts = urlsplit(url)
        host, secure = parts.hostname or "", parts.scheme == "https"
        port = parts.port
    except ValueError:
        host, secure, port = "", False, None
    if (
        not url.isascii()
        or not url.isprintable()
        or not host
        or parts.query
        or parts.fragment
        or any(char in url for char in "<>, \t")
        or port == 0
    ):
        raise ValueError(
            f"{one_line(url)[:80]!r} is no address to put in mails; use one such as https://mail.example.com"
        )
    if not secure and not (parts.scheme == "http" and host in _LOOPBACK):
        raise ValueError(f"{one_line(url)[:80]!r} is not safe to be posted to; use https")
    return url.rstrip("/")
