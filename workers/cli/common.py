"""What the commands share: where the servers are, how errors are said, how long work shows itself."""

from __future__ import annotations

import asyncio
import json
import os
import sys
from collections.abc import AsyncIterator, Coroutine
from contextlib import asynccontextmanager
from datetime import timedelta
from typing import Annotated, Any, TypeVar

import asyncpg
import typer
from pydantic import ValidationError
from rich.console import Console
from temporalio.client import Client
from temporalio.service import RPCError

from activities.playbooks import PlaybookError
from activities.store import people
from activities.store.pool import Connection, Pool, open_pool
from domain.refusals import Refusal
from gateway.calling import NoAnswerError
from gateway.cases import CaseClient
from gateway.client import PerennialClient
from gateway.connection import NoServerError, connect
from gateway.here import Running, find_running
from workers.embedded.errors import EmbeddedError
from workers.migrating import MigrationError
from workers.registering import RegistrationError
from workers.settings import Settings

PIPED_WIDTH = 200
"""Columns of a result that goes into a file or a pipe: ids, days and amounts stand there in full."""

console = Console(width=None if sys.stdout.isatty() or "COLUMNS" in os.environ else PIPED_WIDTH)
"""Results go to standard output."""

progress_console = Console(stderr=True)
"""Progress, addresses and hints go to standard error, so that results can be piped into a file or a program."""

_Result = TypeVar("_Result")


class UserError(Exception):
    """Something that whoever runs the command can mend; the message says how."""


def settings_of(running: Running | None) -> Settings:
    """Settings from the environment, and from the embedded stack where the environment names no servers."""
    if running is None or "PERENNIAL_DATABASE_URL" in os.environ:
        return Settings()
    return Settings.of_stack(
        database_url=running.database_url, smtp_host=running.smtp_host, smtp_port=running.smtp_port
    )


class Connections:
    """A client of the servers that the environment or the embedded stack names."""

    def __init__(self, temporal: Client, pool: Pool, settings: Settings) -> None:
        self.temporal = temporal
        self.pool = pool
        self.settings = settings
        within = timedelta(seconds=settings.answer_within)
        self.client = PerennialClient(temporal, pool, task_queue=settings.task_queue, within=within)
        self.cases = CaseClient(temporal, pool, task_queue=settings.task_queue, within=within)


async def temporal_client(running: Running | None) -> Client:
    """Temporal alone, from the environment or from the stack that runs in this folder."""
    address = None if running is None or "TEMPORAL_ADDRESS" in os.environ else running.temporal_address
    try:
        return await connect(address)
    except RuntimeError as error:
        where = address or os.environ.get("TEMPORAL_ADDRESS", "localhost:7233")
        raise UserError(f"no Temporal server at {where}; start `perennial up`, or set TEMPORAL_ADDRESS") from error


IMPORTS_WAIT = 300
"""Seconds that a command which keeps the server busy itself waits for each answer, unless the settings say more."""


@asynccontextmanager
async def connections(at_least: int = 0) -> AsyncIterator[Connections]:
    """Temporal and PostgreSQL, from the environment or from the stack that runs in this folder.

    at_least: seconds for which an answer is waited for, even if the settings say less.
    """
    running = find_running()
    settings = settings_of(running)
    settings = settings.model_copy(update={"answer_within": max(at_least, settings.answer_within)})
    temporal = await temporal_client(running)
    pool = await open_pool(settings.database_url.get_secret_value())
    try:
        yield Connections(temporal, pool, settings)
    finally:
        await pool.close()


By = Annotated[
    str | None,
    typer.Option(
        "--by",
        metavar="STAFF_ID",
        help="Who does it: one of our people; else PERENNIAL_STAFF.",
        envvar="PERENNIAL_STAFF",
    ),
]


async def asker(connection: Connection, by: str | None) -> str:
    """Who asks, as they say: `by`, one of our people, or the command line itself. Raises UserError for anybody else."""
    if by is None:
        return "cli"
    if by not in await people.find_staff(connection, [by]):
        raise UserError(
            f"{by!r} is none of our people; `perennial staff list` shows them, `perennial staff add` adds one"
        )
    return by


@asynccontextmanager
async def database() -> AsyncIterator[Pool]:
    """PostgreSQL alone, for what needs no journey."""
    pool = await open_pool(settings_of(find_running()).database_url.get_secret_value())
    try:
        yield pool
    finally:
        await pool.close()


def run(work: Coroutine[Any, Any, _Result]) -> _Result:
    """Runs a command's work to its end."""
    return asyncio.run(work)


def print_json(value: Any) -> None:
    """One JSON document on standard output."""
    print(json.dumps(value, ensure_ascii=False, indent=2, default=str))


def explain(error: BaseException) -> str | None:
    """An error in a sentence that says what to do, or null for one that is a mistake of ours."""
    match error:
        case Refusal():
            return f"{error.type}: {error}"
        case (
            UserError()
            | NoAnswerError()
            | NoServerError()
            | EmbeddedError()
            | MigrationError()
            | RegistrationError()
            | PlaybookError()
        ):
            return str(error)
        case asyncpg.InvalidCatalogNameError() | asyncpg.UndefinedTableError():
            return f"the database has no schema yet ({error}); run `perennial migrate`"
        case OSError() | asyncpg.PostgresConnectionError():
            return f"a server or file cannot be reached: {error}; start `perennial up`, or ask `perennial doctor` what is missing"
        case RPCError():
            return f"Temporal refused: {error.message}"
        case ValidationError():
            return str(Refusal.from_validation("InvalidSettings", "the settings cannot be used", error))
        case _:
            return None
