from __future__ import annotations

from collections.abc import Callable, Iterator

import pytest

from activities.channels.mail import MailChannel, SmtpSettings
from activities.channels.rendering import Renderer
from domain.mail.signing import Key
from tests.activities.channels.fake_provisioning import FakeProvisioning
from tests.activities.channels.smtp_server import Mailbox, SmtpServer

Build = Callable[..., MailChannel]
KEY = Key(3, bytes(32))


async def key_of(number: int) -> Key | None:
    """The only key that there is."""
    return KEY if number == KEY.number else None


@pytest.fixture(scope="session")
def renderer() -> Renderer:
    return Renderer()


@pytest.fixture(scope="module")
def smtp_server() -> Iterator[SmtpServer]:
    server = SmtpServer()
    yield server
    server.stop()


@pytest.fixture
def mailbox(smtp_server: SmtpServer) -> Mailbox:
    smtp_server.mailbox.reset()
    return smtp_server.mailbox


@pytest.fixture
def channel_with(smtp_server: SmtpServer, renderer: Renderer) -> Build:
    """A channel to the loopback server, with some settings of its own."""

    def build(**changes: object) -> MailChannel:
        fields = {
            "host": "127.0.0.1",
            "port": smtp_server.port,
            "sender": "success@meridian.example",
            "mail_domain": "mail.meridian.example",
            "timeout_seconds": 60,
            **changes,
        }
        return MailChannel(SmtpSettings.model_validate(fields), renderer, key_of)

    return build


@pytest.fixture
def channel(channel_with: Build, mailbox: Mailbox) -> MailChannel:
    return channel_with()


@pytest.fixture
def service() -> Iterator[FakeProvisioning]:
    with FakeProvisioning() as fake:
        yield fake
