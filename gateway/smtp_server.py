"""The SMTP server: it takes the customers' mails for our addresses, and no other; kept before it says so."""

from __future__ import annotations

import asyncio
import logging
import ssl
from collections.abc import Callable
from enum import StrEnum
from pathlib import Path
from types import TracebackType
from typing import Any, Self
from weakref import WeakSet

import aiosmtplib
from aiosmtpd.smtp import SMTP, Envelope, Session

from domain.kernel.limits import MAIL_BYTES
from gateway.reception import Reception

MOST_SESSIONS = 50
"""Connections at once; the next ones are asked to come back."""
LATER = "451 4.3.0 the mail cannot be taken in now; try again later"
_SECONDS = 10

_log = logging.getLogger(__name__)


class Taken(StrEnum):
    """What came of a mail that was offered: kept; to be sent again later; too large; one connection too many; or of a recipient: refused,
    as not one of ours."""

    KEPT = "kept"
    LATER = "later"
    REFUSED = "refused"
    TOO_LARGE = "too_large"
    BUSY = "busy"


class SmtpSession(SMTP):
    """A session that takes lines of any length, as programs send them, whatever RFC 5321 says, and names its limit. `note` hears of
    what is too large."""

    line_length_limit = 1_000_000

    def __init__(self, handler: Any, *, note: Callable[[Taken], None] = lambda _: None, **options: Any) -> None:
        super().__init__(handler, **options)
        self._note = note

    async def push(self, status: Any) -> None:
        """Sends a reply. The library's refusals of what is too large say neither how large it may be nor what helps."""
        if isinstance(status, str) and status.startswith("552 "):
            self._note(Taken.TOO_LARGE)
            limit = int(self.data_size_limit or 0)
            status = (
                f"552 5.3.4 the mail is larger than {limit} bytes ({size_in_words(limit)}); send its files one by one"
            )
        await super().push(status)


def size_in_words(size: int) -> str:
    """ "32 MB"; in kB what is smaller."""
    return f"{size // 1024**2} MB" if size >= 1024**2 else f"{size // 1024} kB"


class Certificate:
    """A certificate with its key, read again once its file has changed: they are renewed every few weeks.

    Raises:
        OSError: on being made, if a file cannot be read.
        ssl.SSLError: if they are none, or do not belong together.
    """

    def __init__(self, certificate: Path, key: Path) -> None:
        self._files = (certificate, key)
        self.context = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
        self._seen = self._versions()
        self.context.load_cert_chain(certificate, key)

    def refreshed(self) -> ssl.SSLContext:
        """The context for the next session. What cannot be used is said, and the one before goes on."""
        try:
            versions = self._versions()
            if versions != self._seen:
                # Tried apart: a certificate without its new key must not reach the sessions.
                ssl.create_default_context(ssl.Purpose.CLIENT_AUTH).load_cert_chain(*self._files)
                self.context.load_cert_chain(*self._files)
                self._seen = versions
        except (OSError, ssl.SSLError) as error:
            _log.warning("the new certificate cannot be used: %s", error)
        return self.context

    def _versions(self) -> list[tuple[int, int]]:
        return [(found.st_mtime_ns, found.st_size) for found in (file.stat() for file in self._files)]


class SmtpServer:
    """The server, as an async context manager.

    Args:
        reception: keeps what comes.
        name: the name by which it greets, usually the mail domain.
        port: 0 for any free one; `port` is the one taken.
        certificate: for STARTTLS, which is offered with one and never insisted on: senders that know none are customers, too.
        size_limit: bytes of a mail; announced, and said in the refusal.
        note: hears what came of each mail that was offered.

    Raises:
        OSError: on entering, if it cannot listen there.
    """

    def __init__(
        self,
        reception: Reception,
        *,
        name: str,
        host: str,
        port: int,
        certificate: Certificate | None = None,
        size_limit: int = MAIL_BYTES,
        note: Callable[[Taken], None] = lambda _: None,
    ) -> None:
        self._reception = reception
        self._name = name
        self._host = host
        self.port = port
        self._certificate = certificate
        self._size_limit = size_limit
        self.note = note
        self._sessions: WeakSet[SMTP] = WeakSet()
        self._server: asyncio.Server | None = None

    async def __aenter__(self) -> Self:
        self._server = await asyncio.get_running_loop().create_server(self._session, self._host, self.port)
        self.port = self._server.sockets[0].getsockname()[1]
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if self._server is None:
            return
        self._server.close()
        for session in self._sessions:
            if session.transport is not None:
                session.transport.close()
        await self._server.wait_closed()

    def _session(self) -> SMTP:
        session = SmtpSession(
            _Reading(self),
            note=self.note,
            hostname=self._name,
            ident="Perennial inbox",
            enable_SMTPUTF8=True,
            data_size_limit=self._size_limit,
            tls_context=self._certificate.refreshed() if self._certificate else None,
            loop=asyncio.get_running_loop(),
        )
        self._sessions.add(session)
        return session

    @property
    def is_full(self) -> bool:
        """True if no more connections are taken for the moment."""
        return self.connections() > MOST_SESSIONS

    def connections(self) -> int:
        """How many mail servers are connected."""
        return sum(one.transport is not None for one in self._sessions)

    def refusal(self, address: str) -> str | None:
        """Why a recipient is refused: a server that passes mail on for others would be used for spam."""
        if self._reception.takes(address):
            return None
        return f"550 5.7.1 mail for {address} is not taken here"

    async def kept(self, envelope: Envelope) -> str:
        """The reply once the mail is safe, or cannot be made so now."""
        sender = envelope.mail_from or ""
        try:
            inbox_id = await self._reception.accept(
                "" if sender == "<>" else sender, envelope.rcpt_tos, envelope.original_content or b""
            )
        except Exception:
            _log.exception("a mail could not be kept; its sender will try again")
            self.note(Taken.LATER)
            return LATER
        self.note(Taken.KEPT)
        return f"250 2.0.0 kept as {inbox_id}"


class _Reading:
    """What aiosmtpd calls for each command; the names are its own."""

    def __init__(self, owner: SmtpServer) -> None:
        self._owner = owner

    async def handle_MAIL(  # noqa: N802
        self, server: SMTP, session: Session, envelope: Envelope, address: str, options: list[str]
    ) -> str:
        if self._owner.is_full:
            self._owner.note(Taken.BUSY)
            return "421 4.3.2 too many connections; try again later"
        envelope.mail_from = address
        envelope.mail_options.extend(options)
        return "250 2.1.0 OK"

    async def handle_RCPT(  # noqa: N802
        self, server: SMTP, session: Session, envelope: Envelope, address: str, options: list[str]
    ) -> str:
        if refusal := self._owner.refusal(address):
            self._owner.note(Taken.REFUSED)
            return refusal
        envelope.rcpt_tos.append(address)
        envelope.rcpt_options.extend(options)
        return "250 2.1.5 OK"

    async def handle_DATA(self, server: SMTP, session: Session, envelope: Envelope) -> str:  # noqa: N802
        return await self._owner.kept(envelope)


async def announced(host: str, port: int) -> tuple[int | None, bool]:
    """What an inbox that is served there announces: the bytes that it takes, and whether it offers STARTTLS.

    Raises:
        OSError: nobody answers there as a mail server does, in time.
    """
    client = aiosmtplib.SMTP(hostname=host, port=port, timeout=_SECONDS, start_tls=False)
    try:
        async with client:
            await client.ehlo()
            size = client.esmtp_extensions.get("size", "")
            return (int(size) if size.isdigit() else None), client.supports_extension("starttls")
    except aiosmtplib.SMTPException as error:
        raise OSError(f"no inbox answers at {host}:{port}: {error}") from error
