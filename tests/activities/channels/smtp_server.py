"""A real SMTP server on loopback that keeps what it accepts, and refuses what a test tells it to refuse."""

from __future__ import annotations

import asyncio
import email
import email.policy
import threading
from email.message import EmailMessage
from typing import Any

from aiosmtpd.smtp import SMTP, AuthResult, Envelope, Session


class Mailbox:
    """The handler: `replies` maps a stage (mail, rcpt, data) to the reply that refuses there."""

    def __init__(self) -> None:
        self.reset()

    def reset(self) -> None:
        """Empty, and ready to accept everything at once."""
        self.accepted: list[bytes] = []
        self.recipients: list[str] = []
        self.replies: dict[str, str] = {}
        self.delay_seconds = 0.0
        self.login = AuthResult(success=True)

    def last(self) -> EmailMessage:
        """The last accepted mail, parsed."""
        message = email.message_from_bytes(self.accepted[-1], policy=email.policy.default)
        assert isinstance(message, EmailMessage)
        return message

    async def handle_MAIL(  # noqa: N802 - the server calls it so
        self, server: SMTP, session: Session, envelope: Envelope, address: str, options: list[str]
    ) -> str:
        await asyncio.sleep(self.delay_seconds)
        envelope.mail_from = address
        return self.replies.get("mail", "250 OK")

    async def handle_RCPT(  # noqa: N802
        self, server: SMTP, session: Session, envelope: Envelope, address: str, options: list[str]
    ) -> str:
        if "rcpt" not in self.replies:
            envelope.rcpt_tos.append(address)
        return self.replies.get("rcpt", "250 OK")

    async def handle_DATA(self, server: SMTP, session: Session, envelope: Envelope) -> str:  # noqa: N802
        if "data" in self.replies:
            return self.replies["data"]
        assert isinstance(envelope.content, bytes)
        self.accepted.append(envelope.content)
        self.recipients.extend(envelope.rcpt_tos)
        return "250 Accepted"

    async def handle_QUIT(self, server: SMTP, session: Session, envelope: Envelope) -> str:  # noqa: N802
        await asyncio.sleep(self.delay_seconds)
        return self.replies.get("quit", "221 Bye")

    def authenticate(self, *_: Any) -> AuthResult:
        return self.login


class SmtpServer:
    """The server in a thread of its own, on a free port. Ends with `stop`."""

    def __init__(self) -> None:
        self.mailbox = Mailbox()
        self._loop = asyncio.new_event_loop()
        self._thread = threading.Thread(target=self._loop.run_forever, daemon=True)
        self._thread.start()
        self._server = asyncio.run_coroutine_threadsafe(self._listen(), self._loop).result(10)

    async def _listen(self) -> asyncio.Server:
        return await self._loop.create_server(self._session, "127.0.0.1", 0)

    def _session(self) -> SMTP:
        return SMTP(
            self.mailbox,
            authenticator=self.mailbox.authenticate,
            auth_require_tls=False,
            hostname="loopback",
            loop=self._loop,
        )

    @property
    def port(self) -> int:
        return int(self._server.sockets[0].getsockname()[1])

    def stop(self) -> None:
        asyncio.run_coroutine_threadsafe(self._close(), self._loop).result(10)
        self._loop.call_soon_threadsafe(self._loop.stop)
        self._thread.join(10)
        self._loop.close()

    async def _close(self) -> None:
        self._server.close()
        sessions = asyncio.all_tasks() - {asyncio.current_task()}
        for session in sessions:
            session.cancel()
        await asyncio.gather(*sessions, return_exceptions=True)
