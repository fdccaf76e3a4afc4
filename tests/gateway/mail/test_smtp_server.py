"""The SMTP server as mail servers meet it: what it announces, takes and refuses, and that a mail is kept before it says so."""

from __future__ import annotations

import asyncio
import os
import shutil
import signal
import ssl
import uuid
from collections.abc import AsyncIterator, Callable, Sequence
from contextlib import asynccontextmanager
from pathlib import Path
from typing import cast

import aiosmtplib
import httpx2
import pytest
from prometheus_client.parser import text_string_to_metric_families

from activities.kernel.pool import Pool
from domain.mail.marks import Domains
from domain.mail.reading import mail_key
from gateway import smtp_server
from gateway.inbox_metrics import InboxMetrics
from gateway.reception import Reception
from gateway.smtp_server import Certificate, SmtpServer, Taken, announced
from tests.conftest import Servers
from tests.gateway.mail.post import DOMAIN, OWN, SERVICE, Post, contact_of, written
from tests.ports import own_ports
from tests.workers.cli.running import PROGRAM, perennial

TLS = Path(__file__).parents[2] / "data" / "tls"
LIMIT = 100_000


class Kept(Reception):
    """A reception that keeps in memory."""

    def __init__(self) -> None:
        super().__init__(cast("Pool", None), own_address=OWN, domains=Domains(DOMAIN))
        self.mails: list[tuple[str, list[str], bytes]] = []

    async def accept(self, sender: str, recipients: Sequence[str], content: bytes) -> str:
        if b"Subject: lost" in content:
            raise OSError("the database is away")
        self.mails.append((sender, list(recipients), content))
        return "m-1"


@asynccontextmanager
async def opened(
    certificate: Certificate | None = None, note: Callable[[Taken], None] = lambda _: None
) -> AsyncIterator[tuple[SmtpServer, Kept]]:
    kept = Kept()
    server = SmtpServer(
        kept, name=DOMAIN, host="127.0.0.1", port=0, certificate=certificate, size_limit=LIMIT, note=note
    )
    async with server:
        yield server, kept


def client_of(server: SmtpServer, *, start_tls: bool | None = False) -> aiosmtplib.SMTP:
    trusted = ssl.create_default_context(cafile=TLS / "certificate.pem")
    return aiosmtplib.SMTP(
        hostname="127.0.0.1", port=server.port, start_tls=start_tls, tls_context=trusted if start_tls else None
    )


async def said_step_by_step(client: aiosmtplib.SMTP, mail: bytes, options: list[str]) -> None:
    """What `sendmail` does, with the options that a test says."""
    await client.mail("jo@acme.example", options=options)
    await client.rcpt(SERVICE)
    await client.data(mail)


async def test_it_takes_mail_for_us_and_for_nobody_else() -> None:
    async with opened() as (server, kept), client_of(server) as client:
        refused, _ = await client.sendmail(
            "jo@acme.example",
            [SERVICE, f"Case+C-1@{DOMAIN.upper()}", OWN, "jo@elsewhere.example"],
            b"Subject: x\r\n\r\ny",
        )
        assert [*refused] == ["jo@elsewhere.example"]
        assert refused["jo@elsewhere.example"].code == 550
        with pytest.raises(aiosmtplib.SMTPRecipientsRefused):
            await client.sendmail("jo@acme.example", [f"jo@x{DOMAIN}"], b"Subject: x\r\n\r\ny")
        await client.sendmail("", [SERVICE], b"Subject: bounce\r\n\r\ny")
    assert [(sender, to) for sender, to, _ in kept.mails] == [
        ("jo@acme.example", [SERVICE, f"Case+C-1@{DOMAIN.upper()}", OWN]),
        ("", [SERVICE]),
    ]


async def test_the_largest_size_is_announced_and_said_in_the_refusal() -> None:
    large = b"Subject: x\r\n\r\n" + b"y" * 70 + b"\r\n" + (b"z" * 70 + b"\r\n") * (LIMIT // 72)
    async with opened() as (server, kept), client_of(server) as client:
        assert (await client.ehlo()).code == 250
        assert client.esmtp_extensions["size"] == str(LIMIT)
        assert await announced("127.0.0.1", server.port) == (LIMIT, False)
        for size in (f"SIZE={len(large)}", None):  # said beforehand, or found out while it comes
            with pytest.raises(aiosmtplib.SMTPResponseException) as refused:
                await said_step_by_step(client, large, [size] if size else [])
            assert refused.value.code == 552
            assert f"larger than {LIMIT} bytes (97 kB)" in refused.value.message
            await client.rset()
        await client.sendmail("jo@acme.example", [SERVICE], large[: LIMIT - 1000])  # and the session goes on
    assert len(kept.mails) == 1


async def test_starttls_is_offered_with_a_certificate_and_a_renewed_one_is_used(tmp_path: Path) -> None:
    shutil.copytree(TLS, tmp_path / "tls")
    certificate = Certificate(tmp_path / "tls" / "certificate.pem", tmp_path / "tls" / "key.pem")
    async with opened(certificate) as (server, kept):
        assert await announced("127.0.0.1", server.port) == (LIMIT, True)
        async with client_of(server, start_tls=True) as client:
            assert client.transport is not None
            assert client.transport.get_extra_info("cipher")
            await client.sendmail("jo@acme.example", [SERVICE], b"Subject: x\r\n\r\n" + b"y" * 2000)
        async with client_of(server) as client:  # who has no TLS is heard as well
            await client.sendmail("jo@acme.example", [SERVICE], b"Subject: x\r\n\r\ny")
        (tmp_path / "tls" / "key.pem").write_text("half of a new one")
        async with client_of(server, start_tls=True) as client:
            await client.sendmail("jo@acme.example", [SERVICE], b"Subject: x\r\n\r\ny")
        for file in TLS.iterdir():
            (tmp_path / "tls" / file.name).write_bytes(file.read_bytes())
        async with client_of(server, start_tls=True) as client:
            await client.sendmail("jo@acme.example", [SERVICE], b"Subject: x\r\n\r\ny")
    assert len(kept.mails) == 4
    assert kept.mails[0][2].endswith(b"y" * 2000 + b"\r\n")


async def test_what_cannot_be_kept_is_asked_for_again_and_a_full_house_says_so(monkeypatch: pytest.MonkeyPatch) -> None:
    async with opened() as (server, kept), client_of(server) as client:
        with pytest.raises(aiosmtplib.SMTPDataError, match="try again later") as deferred:
            await client.sendmail("jo@acme.example", [SERVICE], b"Subject: lost\r\n\r\ny")
        assert deferred.value.code == 451
        monkeypatch.setattr(smtp_server, "MOST_SESSIONS", 1)
        async with client_of(server) as another:
            with pytest.raises(aiosmtplib.SMTPException, match="too many connections"):
                await another.sendmail("jo@acme.example", [SERVICE], b"Subject: x\r\n\r\ny")
        monkeypatch.setattr(smtp_server, "MOST_SESSIONS", 5)
        await client.sendmail("jo@acme.example", [SERVICE], b"Subject: x\r\n\r\ny")
    assert len(kept.mails) == 1


async def figures(port: int) -> dict[str, float]:
    """What Prometheus is told at a port, of mails by their outcome, and of connections."""
    async with httpx2.AsyncClient(timeout=15) as http:
        text = (await http.get(f"http://127.0.0.1:{port}/metrics")).text
    found = [one for family in text_string_to_metric_families(text) for one in family.samples]
    assert {"perennial_release", "process_cpu_seconds_total"} <= {one.name for one in found}
    mails = {one.labels["outcome"]: one.value for one in found if one.name == "perennial_inbox_mails_total"}
    return mails | {"connections": next(one.value for one in found if one.name == "perennial_inbox_connections")}


async def test_prometheus_is_told_what_came_of_each_mail(monkeypatch: pytest.MonkeyPatch) -> None:
    metrics = InboxMetrics("127.0.0.1", 0)
    async with (
        opened(note=metrics.note) as (server, _),
        metrics.served(server.connections) as port,
        client_of(server) as client,
    ):
        nothing = dict.fromkeys(("kept", "later", "refused", "too_large", "busy"), 0.0)
        assert await figures(port) == {**nothing, "connections": 1}
        await client.sendmail("jo@acme.example", [SERVICE, "jo@elsewhere.example"], b"Subject: x\r\n\r\ny")
        for mail in (b"Subject: lost\r\n\r\ny", b"Subject: x\r\n\r\n" + b"y" * 2 * LIMIT):
            with pytest.raises(aiosmtplib.SMTPException):
                await client.sendmail("jo@acme.example", [SERVICE], mail)
        monkeypatch.setattr(smtp_server, "MOST_SESSIONS", 1)
        async with client_of(server) as another:
            assert (await figures(port))["connections"] == 2
            with pytest.raises(aiosmtplib.SMTPException):
                await another.sendmail("jo@acme.example", [SERVICE], b"Subject: x\r\n\r\ny")
        assert await figures(port) == {**dict.fromkeys(nothing, 1), "connections": 1}


async def test_a_certificate_without_its_key_is_said_before_anything_is_served(tmp_path: Path) -> None:
    environment = {
        "PERENNIAL_INBOX_CERTIFICATE": str(TLS / "certificate.pem"),
        "PERENNIAL_INBOX_KEY": str(tmp_path / "k"),
    }
    ended = await perennial(
        "inbox", "serve", dsn="postgresql://none", folder=tmp_path, environment=environment, width=300
    )
    assert (ended.code, "STARTTLS cannot be offered" in ended.err) == (1, True)
    del environment["PERENNIAL_INBOX_KEY"]
    ended = await perennial(
        "inbox", "serve", dsn="postgresql://none", folder=tmp_path, environment=environment, width=300
    )
    assert (ended.code, "PERENNIAL_INBOX_KEY together" in ended.err) == (1, True)


@pytest.mark.engine
async def test_a_served_inbox_keeps_what_comes_until_it_is_asked_to_end(
    post: Post, servers: Servers, tmp_path: Path
) -> None:
    account = await post.customer()
    port, page, metrics = own_ports(3)
    environment = {
        "PERENNIAL_INBOX_PORT": str(port),
        "PERENNIAL_PUBLIC_URL": "https://mail.perennial.example",
        "PERENNIAL_HTTP_PORT": str(page),
        "PERENNIAL_METRICS_PORT": str(metrics),
        "PERENNIAL_INBOX_CERTIFICATE": str(TLS / "certificate.pem"),
        "PERENNIAL_INBOX_KEY": str(TLS / "key.pem"),
        "PERENNIAL_DATABASE_URL": servers.stack.postgres_dsn,
    }

    async def checked() -> int:
        dsn = servers.stack.postgres_dsn
        return (await perennial("inbox", "serve", "--check", dsn=dsn, folder=tmp_path, environment=environment)).code

    assert await checked() == 1
    process = await asyncio.create_subprocess_exec(
        PROGRAM, "inbox", "serve", cwd=tmp_path, env={**os.environ, **environment}, stderr=asyncio.subprocess.PIPE
    )
    try:
        assert process.stderr is not None
        said = [await process.stderr.readline() for _ in range(2)]
        assert [line.split()[0] for line in said] == [b"Metrics", b"Links"]
        while b"Mails to" not in (line := await process.stderr.readline()):
            assert line, "it has ended"
        reader, writer = await asyncio.open_connection("127.0.0.1", page)
        writer.write(f"GET /unsubscribe/{'a' * 48} HTTP/1.0\r\n\r\n".encode())
        assert b" 404 " in await reader.readline()  # it knows that we have not signed that
        writer.close()
        assert await checked() == 0
        mail = written(contact_of(account), f"Down {uuid.uuid4()}").as_bytes()
        trusted = ssl.create_default_context(cafile=TLS / "certificate.pem")
        await aiosmtplib.send(
            mail,
            sender="jo@acme.example",
            recipients=[SERVICE],
            hostname="127.0.0.1",
            port=port,
            start_tls=True,
            tls_context=trusted,
        )
        assert (await figures(metrics))["kept"] == 1
    finally:
        process.send_signal(signal.SIGTERM)
        ended = await process.wait()
    assert ended == 0
    assert await checked() == 1
    await post.inbox.settle_new()
    row = await post.row(mail_key(mail.replace(b"\r\n", b"\n")))
    assert (row["status"], row["account_id"]) == ("matched", account["account"]["account_id"])
