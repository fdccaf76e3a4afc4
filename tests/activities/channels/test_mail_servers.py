"""What the mail servers of others may do: refuse, talk nonsense, be slow or silent."""

from __future__ import annotations

import asyncio
import socket

import pytest
from aiosmtpd.smtp import AuthResult

from activities.channels.errors import AddressRejectedError, ChannelUnavailableError, MessageRejectedError
from activities.channels.mail import MailChannel
from activities.channels.samples import a_mail
from tests.activities.channels.conftest import Build
from tests.activities.channels.slow_servers import Server, dripping, served, unavailable_in_time
from tests.activities.channels.smtp_server import Mailbox

ADDRESS, MESSAGE, LATER = AddressRejectedError, MessageRejectedError, ChannelUnavailableError


@pytest.mark.parametrize(
    ("stage", "reply", "expected"),
    [
        ("rcpt", "550 5.1.1 No such user", ADDRESS),
        ("rcpt", "550 No such user here", ADDRESS),
        ("rcpt", "553 5.1.3 Bad address syntax", ADDRESS),
        ("rcpt", "552 5.2.2 Mailbox full", ADDRESS),
        ("rcpt", "556 5.1.10 Domain takes no mail", ADDRESS),
        ("rcpt", "451 4.7.1 Greylisted", LATER),
        ("rcpt", "450 Mailbox busy", LATER),
        ("rcpt", "452 4.2.2 Mailbox full", LATER),
        ("rcpt", "530 5.7.0 Authentication required", LATER),
        ("rcpt", "550 5.7.1 Relaying denied", LATER),
        ("rcpt", "550 relay not permitted", LATER),
        ("rcpt", "553 5.1.8 Sender address rejected: domain not found", LATER),
        ("rcpt", "550 Sender verify failed", LATER),
        ("rcpt", "503 Bad sequence", LATER),
        ("mail", "550 5.7.1 Sender not allowed", LATER),
        ("mail", "530 5.7.0 Authentication required", LATER),
        ("mail", "452 4.3.1 Disk full", LATER),
        ("mail", "552 5.3.4 Message size exceeds fixed limit", MESSAGE),
        ("data", "554 5.7.1 Looks like spam", MESSAGE),
        ("data", "552 5.3.4 Too big", MESSAGE),
        ("data", "554 No thanks", MESSAGE),
        ("data", "552 5.2.3 Message length exceeds limit", MESSAGE),
        ("data", "550 5.1.1 User unknown", ADDRESS),
        ("data", "451 4.3.0 Try again", LATER),
        ("data", "530 5.7.0 Authentication required", LATER),
    ],
)
async def test_a_refusal_means_what_its_stage_and_status_say(
    channel: MailChannel, mailbox: Mailbox, stage: str, reply: str, expected: type[Exception]
) -> None:
    mailbox.replies[stage] = reply
    with pytest.raises(Exception, match=reply[4:]) as caught:
        await channel.send(a_mail())
    assert type(caught.value) is expected
    if isinstance(caught.value, AddressRejectedError | MessageRejectedError):
        assert (caught.value.code, caught.value.reason) == (int(reply[:3]), reply[4:])
    assert mailbox.accepted == []


async def test_after_a_refusal_the_channel_works_again(channel: MailChannel, mailbox: Mailbox) -> None:
    mailbox.replies["rcpt"] = "451 later"
    with pytest.raises(ChannelUnavailableError):
        await channel.send(a_mail())
    mailbox.replies.clear()
    assert await channel.send(a_mail()) == mailbox.last()["Message-ID"]


async def test_a_server_that_refuses_connections_is_unavailable(channel_with: Build) -> None:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))  # bound, not listening: nobody else can answer there
        with pytest.raises(ChannelUnavailableError):
            await channel_with(port=taken.getsockname()[1]).send(a_mail())


async def test_an_unknown_host_is_unavailable(channel_with: Build) -> None:
    with pytest.raises(ChannelUnavailableError):
        await channel_with(host="no-such-host.invalid").send(a_mail())


async def silent(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    await reader.read()
    writer.close()


async def nonsense(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    writer.write(b"HTTP/1.1 400 Bad Request\r\n\r\n")
    await reader.read()
    writer.close()


async def hang_up(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    writer.close()


@pytest.mark.parametrize("server", [dripping(b"220-wait\r\n"), silent, nonsense, hang_up])
async def test_a_server_that_is_none_is_unavailable_within_the_time_out(channel_with: Build, server: Server) -> None:
    async with served(server) as port:
        with unavailable_in_time():
            await channel_with(port=port, timeout_seconds=0.4).send(a_mail())


async def test_a_slow_server_is_unavailable_within_the_time_out(channel_with: Build, mailbox: Mailbox) -> None:
    mailbox.delay_seconds = 60
    with unavailable_in_time(r"0\.4 s|[Tt]imed out"):
        await channel_with(timeout_seconds=0.4).send(a_mail())
    assert mailbox.accepted == []


@pytest.mark.parametrize("reply", ["421 Too busy to say good-bye", "500 What?"])
async def test_a_bad_good_bye_is_no_failure(channel: MailChannel, mailbox: Mailbox, reply: str) -> None:
    mailbox.replies["quit"] = reply
    assert await channel.send(a_mail()) == mailbox.last()["Message-ID"]


async def test_a_server_without_tls_is_not_spoken_to_in_the_clear(channel_with: Build, mailbox: Mailbox) -> None:
    for settings_ in ({"start_tls": True}, {"tls": True}):
        with pytest.raises(ChannelUnavailableError):
            await channel_with(**settings_).send(a_mail())
    assert mailbox.accepted == []


async def test_a_login_is_used_and_a_wrong_one_is_unavailable(channel_with: Build, mailbox: Mailbox) -> None:
    channel = channel_with(username="perennial", password="a password")
    assert await channel.send(a_mail()) == mailbox.last()["Message-ID"]
    mailbox.login = AuthResult(success=False, handled=False)
    with pytest.raises(ChannelUnavailableError, match="535"):
        await channel.send(a_mail())
    assert len(mailbox.accepted) == 1
