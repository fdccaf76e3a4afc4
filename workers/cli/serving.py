"""`perennial inbox serve`: the SMTP server that takes customers' mails, beside the workers that read them."""

from __future__ import annotations

import ssl
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import TYPE_CHECKING, Annotated

import typer

from gateway.customer.pages import customer_app
from gateway.here import find_running
from gateway.reception import Reception
from gateway.serving import served
from gateway.smtp_server import Certificate, SmtpServer, announced, size_in_words
from workers.cli.common import UserError, database, progress_console, settings_of, until_stopped, waited
from workers.logs import set_up
from workers.settings import LogForm, Settings

if TYPE_CHECKING:
    from gateway.inbox_metrics import InboxMetrics

_EVERYWHERE = {"0.0.0.0": "127.0.0.1", "::": "::1", "": "127.0.0.1"}


app = typer.Typer()


@app.command()
@waited
async def serve(
    check: Annotated[
        bool,
        typer.Option("--check", help="Only say, by the exit code, whether one is served here and can keep mails."),
    ] = False,
) -> None:
    """Takes mails to the company's addresses by SMTP, until Ctrl-C; workers read them. PERENNIAL_INBOX_* are its settings."""
    await (_check() if check else _serve())


@asynccontextmanager
async def _links(reception: Reception, settings: Settings) -> AsyncIterator[None]:
    """What links in mails lead to, if there is an address for it in mails."""
    if settings.public_url is None:
        yield
        return
    async with served(customer_app(reception), settings.http_host, settings.http_port) as port:
        progress_console.print(
            f"Links in mails lead to {settings.public_url}, which is passed on to {settings.http_host}:{port}."
        )
        yield


def _metrics(settings: Settings) -> InboxMetrics | None:
    if settings.metrics_port is None:
        return None
    from gateway.inbox_metrics import InboxMetrics

    return InboxMetrics(settings.metrics_host, settings.metrics_port)


@asynccontextmanager
async def _measured(metrics: InboxMetrics | None, settings: Settings, server: SmtpServer) -> AsyncIterator[None]:
    """Where Prometheus asks, if the settings say so."""
    if metrics is None:
        yield
        return
    from workers.cli.measuring import answering

    async with answering(settings, metrics.served(server.connections)):
        yield


async def _serve() -> None:
    settings = settings_of(find_running())
    set_up(settings.log or LogForm.TEXT)
    certificate = _certificate(settings)
    metrics = _metrics(settings)
    pool = await settings.open_pool()
    try:
        reception = Reception(pool, own_address=settings.mail_sender, domains=settings.domains())
        async with (
            SmtpServer(
                reception,
                name=settings.mail_domain,
                host=settings.inbox_host,
                port=settings.inbox_port,
                certificate=certificate,
                size_limit=settings.inbox_size_limit,
                **({"note": metrics.note} if metrics else {}),
            ) as listening,
            _measured(metrics, settings, listening),
            _links(reception, settings),
        ):
            progress_console.print(
                f"Mails to {settings.mail_sender} and to any address of {settings.domains()} are taken at"
                f" {settings.inbox_host}:{listening.port}, up to {size_in_words(settings.inbox_size_limit)},"
                f" {'with' if certificate else 'without'} STARTTLS; Ctrl-C ends it."
            )
            await until_stopped()
    finally:
        await pool.close()


def _certificate(settings: Settings) -> Certificate | None:
    if settings.inbox_certificate is None or settings.inbox_key is None:
        return None
    try:
        return Certificate(settings.inbox_certificate, settings.inbox_key)
    except (OSError, ssl.SSLError) as error:
        raise UserError(
            f"STARTTLS cannot be offered: {error}; PERENNIAL_INBOX_CERTIFICATE and PERENNIAL_INBOX_KEY name a PEM"
            " certificate with its chain and the key that belongs to it"
        ) from error


async def _check() -> None:
    settings = settings_of(find_running())
    await announced(_EVERYWHERE.get(settings.inbox_host, settings.inbox_host), settings.inbox_port)
    async with database() as pool:
        await pool.fetchval("select true from inbox_message limit 1")
