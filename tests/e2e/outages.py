"""A worker of its own with a mailbox and a provisioning service that tests may take away and bring back."""

from __future__ import annotations

import asyncio
import itertools
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from pathlib import Path

from gateway.client import PerennialClient
from tests.activities.channels.fake_provisioning import FakeProvisioning
from tests.conftest import Servers
from tests.e2e.refusing import refused
from tests.ports import own_ports
from workers.embedded.mailbox import Mailbox
from workers.embedded.mailbox_server import EmbeddedMailbox
from workers.wiring import build_worker

_numbers = itertools.count(1)


@dataclass
class Outside:
    """What lies outside the company for one worker: its mail server, which keeps port and mails, and its provisioning service."""

    servers: Servers
    client: PerennialClient
    provisioning: FakeProvisioning
    folder: Path
    port: int
    web_port: int
    task_queue: str
    _mail: EmbeddedMailbox | None = field(default=None)

    @property
    def mailbox(self) -> Mailbox:
        """Everything that ever arrived."""
        return Mailbox(self.folder)

    async def mail_comes_up(self) -> None:
        """The mail server listens."""
        self._mail = EmbeddedMailbox(self.folder, self.port, self.web_port, reject=refused)
        await self._mail.__aenter__()

    async def mail_goes_down(self) -> None:
        """The mail server is gone; connections are refused."""
        if self._mail is not None:
            await self._mail.__aexit__(None, None, None)
            self._mail = None

    def mails_go_unanswered(self, times: int | None = None) -> list[str]:
        """The mail server keeps what comes for a customer, and the connection is gone before it can say so: so often, or until it goes
        down. Returns which mails, as they come."""
        assert self._mail is not None
        mail, keep = self._mail, self._mail.mailbox.store
        dropped: list[str] = []

        def kept(sender: str, recipients: Sequence[str], content: bytes) -> str:
            found = keep(sender, recipients, content)
            if (times is None or len(dropped) < times) and "@customer.example" in recipients[0]:
                dropped.append(found)
                for session in mail._sessions:
                    if isinstance(session.transport, asyncio.Transport):
                        session.transport.abort()
            return found

        mail.mailbox.store = kept  # type: ignore[method-assign]
        return dropped


@asynccontextmanager
async def outside(servers: Servers, folder: Path, **given: object) -> AsyncIterator[Outside]:
    """A worker on the session's servers with an outside of its own, everything up; `given` are further settings of it."""
    port, web_port = own_ports(2)
    queue = f"outside-{next(_numbers)}"
    with FakeProvisioning() as provisioning:
        settings = servers.settings.model_copy(
            update={"smtp_port": port, "provisioning_url": provisioning.url, "task_queue": queue, **given}
        )
        client = PerennialClient(servers.temporal, servers.pool, task_queue=queue)
        here = Outside(servers, client, provisioning, folder / "mails", port, web_port, queue)
        await here.mail_comes_up()
        try:
            async with build_worker(servers.temporal, servers.pool, settings):
                yield here
        finally:
            await here.mail_goes_down()
