"""An SMTP server on loopback that delivers everything into a `Mailbox`, and pages to read it in a browser."""

import asyncio
import contextlib
import errno
import logging
from collections.abc import Awaitable, Callable, Sequence
from pathlib import Path
from weakref import WeakSet

from aiosmtpd.smtp import SMTP, Envelope, Session

from domain.kernel.limits import MAIL_BYTES
from gateway.smtp_server import LATER, SmtpSession
from workers.embedded.errors import EmbeddedError
from workers.embedded.lock import FolderLock
from workers.embedded.mailbox import Mailbox, Rejection
from workers.embedded.mailbox_web import MailboxWeb
from workers.embedded.part import Part
from workers.embedded.ports import LOOPBACK, MAILBOX_PORT, SMTP_PORT, choose_port

Arrival = Callable[[str, Sequence[str], bytes], Awaitable[None]]
"""Told of a mail before it is accepted: the envelope's sender and recipients, and the mail. If it raises, the mail is deferred."""

_log = logging.getLogger(__name__)

_TRIES = 20


class EmbeddedMailbox(Part):
    """The mail system of the embedded stack, as an async context manager.

    Args:
        folder: where the mails are kept; made when missing.
        smtp_port, web_port: TCP ports, or None for 1025 and 8025 or the next free ones.
        reject: refuses recipients; may be changed while running through the attribute of that name.

    Attributes:
        mailbox: the stored mails.
        arrival: whoever takes mails in beside the mailbox; may be set while running.

    Raises:
        AlreadyRunningError: on entering, when another process delivers into this folder.
        EmbeddedError: on entering, when a port that was asked for is taken.
    """

    def __init__(
        self,
        folder: Path,
        smtp_port: int | None = None,
        web_port: int | None = None,
        *,
        reject: Rejection | None = None,
    ) -> None:
        self.mailbox = Mailbox(folder.resolve())
        self.reject = reject
        self.arrival: Arrival | None = None
        self._wanted_port = smtp_port
        self._wanted_web_port = web_port
        self.smtp_host = LOOPBACK
        self.smtp_port = 0
        self._server: asyncio.Server | None = None
        self._sessions: WeakSet[SMTP] = WeakSet()
        self._web: MailboxWeb | None = None
        self._exit = contextlib.ExitStack()

    preferred = (SMTP_PORT, MAILBOX_PORT)
    """where to listen if that is free and no ports were asked for"""

    @property
    def web_url(self) -> str:
        """Where a browser shows the mails."""
        if self._web is None:
            raise EmbeddedError("the mailbox is not running")
        return self._web.url

    async def _start(self) -> None:
        folder = self.mailbox.folder
        folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        self._exit.enter_context(FolderLock(folder))
        for left in reversed(range(_TRIES)):
            try:
                await self._listen()
                return
            except OSError as error:
                asked = None not in (self._wanted_port, self._wanted_web_port)
                if asked or not left or error.errno != errno.EADDRINUSE:
                    raise EmbeddedError(f"The mailbox cannot listen on port {self.smtp_port}: {error}") from error

    async def _listen(self) -> None:
        """Takes both ports. Another server may take one between the look and the bind: then OSError, and none is kept."""
        self.smtp_port = choose_port(self._wanted_port, self.preferred[0])
        web_port = choose_port(self._wanted_web_port, self.preferred[1])
        server = await asyncio.get_running_loop().create_server(self._session, LOOPBACK, self.smtp_port)
        try:
            self._web = MailboxWeb(self.mailbox, web_port)
        except OSError:
            server.close()
            await server.wait_closed()
            raise
        self._server = server

    async def _stop(self) -> None:
        try:
            if self._server is not None:
                self._server.close()
                for session in self._sessions:
                    if session.transport is not None:
                        session.transport.close()
                await self._server.wait_closed()
            if self._web is not None:
                await asyncio.to_thread(self._web.close)
        finally:
            self._exit.close()

    def _session(self) -> SMTP:
        # A fixed host name: looking up our own may ask a name server and take seconds.
        session = SmtpSession(
            _Delivery(self),
            hostname="localhost",
            ident="Perennial mailbox",
            enable_SMTPUTF8=True,
            data_size_limit=MAIL_BYTES,
            loop=asyncio.get_running_loop(),
        )
        self._sessions.add(session)
        return session


class _Delivery:
    """What aiosmtpd calls for each command; the names are its own."""

    def __init__(self, owner: EmbeddedMailbox) -> None:
        self._owner = owner

    async def handle_RCPT(  # noqa: N802
        self, server: SMTP, session: Session, envelope: Envelope, address: str, options: list[str]
    ) -> str:
        if self._owner.reject and (refusal := self._owner.reject(address)):
            return refusal
        envelope.rcpt_tos.append(address)
        envelope.rcpt_options.extend(options)
        return "250 OK"

    async def handle_DATA(self, server: SMTP, session: Session, envelope: Envelope) -> str:  # noqa: N802
        content = envelope.original_content or b""
        if self._owner.arrival is not None:
            try:
                await self._owner.arrival(envelope.mail_from or "", envelope.rcpt_tos, content)
            except Exception:
                _log.exception("a mail could not be taken in; its sender will try again")
                return LATER
        try:
            mail_id = self._owner.mailbox.store(envelope.mail_from or "", envelope.rcpt_tos, content)
        except OSError:
            # Of what escapes from here the library says 500: for good, where the disk is only full for a while.
            _log.exception("a mail could not be kept; its sender will try again")
            return LATER
        return f"250 OK, stored as {mail_id}"
