"""`perennial up`: the whole stack in the foreground, from PyPI packages alone."""

from __future__ import annotations

import os
import subprocess
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, nullcontext
from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path
from socket import socket
from typing import Annotated

import typer
from rich.markup import escape

from activities.journey.attending import Attending
from activities.kernel.pool import Pool, open_pool
from gateway import observed
from gateway.client import PerennialClient
from gateway.connection import connect_to_own, names_a_server
from gateway.here import CODEC, DATA_DIR, Running, find_running, running_file
from gateway.serving import listening_near, served_by
from workers.cli.common import UserError, progress_console, until_stopped, waited
from workers.cli.measuring import metrics_of
from workers.cli.servers import IMPORTS_WAIT
from workers.embedded.ports import GATEWAY_PORT, LOOPBACK
from workers.embedded.stack import EmbeddedStack
from workers.embedded.temporal_server import RETENTION, find_program
from workers.heap import settle
from workers.logs import set_up
from workers.migrating import migrate
from workers.registering import register_endpoint
from workers.retention import wanted_retention
from workers.schedules import keep_schedules
from workers.settings import Settings
from workers.wiring import attended, build_attending, build_desk, build_gateway, build_inbox, build_worker
from workflows.visibility import SEARCH_ATTRIBUTES


@dataclass(frozen=True)
class Up:
    """A stack that is up, its worker included."""

    stack: EmbeddedStack
    running: Running
    client: PerennialClient
    pool: Pool
    attending: Attending


@asynccontextmanager
async def stack_up(data_dir: Path, *, keep: bool = True, quiet: bool = False) -> AsyncIterator[Up]:
    """PostgreSQL, Temporal, the mailbox and a worker; all of it ends with the block.

    What is mailed to the company's addresses is taken in, see `gateway.inbound`.
    """
    said = (lambda line: None) if quiet else (lambda line: progress_console.print(f"[dim]{line}[/dim]"))
    # Held from here on: its address stands in mails, and the Temporal UI asks there.
    with listening_near(LOOPBACK, GATEWAY_PORT) as listens:
        address = f"http://{LOOPBACK}:{listens.getsockname()[1]}"
        codec, retention = f"{address}{CODEC}", wanted_retention(os.environ) or RETENTION
        async with (
            EmbeddedStack(
                data_dir, SEARCH_ATTRIBUTES, keep=keep, on_progress=said, codec=codec, retention=retention
            ) as stack,
            _worked(stack, listens, address) as up,
        ):
            yield up


@asynccontextmanager
async def _worked(stack: EmbeddedStack, listens: socket, address: str) -> AsyncIterator[Up]:
    """The stack with its worker and its gateway, which answers at `address`."""
    await migrate(stack.postgres_dsn)
    settings = Settings.of_stack(
        database_url=stack.postgres_dsn,
        smtp_host=stack.smtp_host,
        smtp_port=stack.smtp_port,
        public_url=os.environ.get("PERENNIAL_PUBLIC_URL", address),
        console_url=os.environ.get("PERENNIAL_CONSOLE_URL", address),
    )
    if settings.log is not None:
        set_up(settings.log)
    metrics = metrics_of(settings)
    options = {**observed.options(), **(metrics.options if metrics else {})}
    temporal = await connect_to_own(stack.temporal_address, **options)
    pool = await open_pool(stack.postgres_dsn)
    place = running_file(stack.data_dir)
    try:
        inbox, desk = build_inbox(temporal, pool, settings), build_desk(temporal, pool, settings)
        stack.mail.arrival = inbox.arrival
        app = build_gateway(temporal, pool, settings, inbox, desk, local=True, ui=stack.running.ui_url)
        async with (
            build_worker(temporal, pool, settings),
            attended(inbox, desk),
            served_by(app, listens),
            metrics.served(temporal) if metrics else nullcontext(),
        ):
            await keep_schedules(temporal, settings.task_queue)
            await register_endpoint(temporal, settings.task_queue)
            settle()
            running = stack.running.model_copy(update={"gateway_url": address})
            place.touch(mode=0o600)
            place.write_text(running.model_dump_json())
            waits = timedelta(seconds=IMPORTS_WAIT)
            client = PerennialClient(temporal, pool, task_queue=settings.task_queue, within=waits)
            yield Up(stack, running, client, pool, build_attending(pool, settings))
    finally:
        stack.mail.arrival = None
        place.unlink(missing_ok=True)
        await pool.close()


def show_addresses(running: Running) -> None:
    """Where to look, and how other commands reach the stack: each whole and on a line of its own, however narrow the screen."""
    places = {
        "Temporal UI": f"[link={running.ui_url}]{running.ui_url}[/link]",
        "Mailbox": f"[link={running.mailbox_url}]{running.mailbox_url}[/link]",
        "Console": f"[link={running.gateway_url}]{running.gateway_url}[/link]",
        "API": f"{running.gateway_url}/v1",
        "Temporal": running.temporal_address,
        "Temporal CLI": "perennial temporal …",
        "PostgreSQL": escape(running.database_url),
        "SMTP": f"{running.smtp_host}:{running.smtp_port}",
        "Mail in": f"to service@{Settings().mail_domain} by that SMTP port",
    }
    for name, place in places.items():
        progress_console.print(f"  {name:<14}{place}", soft_wrap=True, highlight=False)


app = typer.Typer()


@app.command()
@waited
async def up(
    data: Annotated[Path, typer.Option(help="Where everything is kept between runs.")] = DATA_DIR,
) -> None:
    """The whole stack in the foreground: PostgreSQL, Temporal with its UI, a mailbox, a worker."""
    async with stack_up(data) as servers:
        show_addresses(servers.running)
        progress_console.print("Everything is up; Ctrl-C ends it. Other commands in this folder find it by themselves.")
        await until_stopped()
        progress_console.print("Ending …")


@app.command(
    context_settings={"allow_extra_args": True, "ignore_unknown_options": True, "help_option_names": []},
    add_help_option=False,
)
def temporal(context: typer.Context) -> None:
    """Temporal's own command line, against the stack of this folder or TEMPORAL_ADDRESS; never any other server."""
    raise typer.Exit(subprocess.call([str(find_program()), *context.args], env=_temporal_environment()))


def _temporal_environment() -> dict[str, str]:
    """The environment in which the Temporal CLI finds our server. Raises UserError if there is none."""
    if names_a_server():
        return dict(os.environ)
    running = find_running()
    if running is None:
        raise UserError("no stack runs in this folder; start `perennial up` here, or set TEMPORAL_ADDRESS")
    codec = {"TEMPORAL_CODEC_ENDPOINT": running.gateway_url + CODEC} if running.gateway_url else {}
    return {**codec, **os.environ, "TEMPORAL_ADDRESS": running.temporal_address}
