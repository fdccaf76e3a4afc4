"""Temporal and PostgreSQL, for commands that need both, and who asks for what they ask. Clients are loaded when they are used."""

from __future__ import annotations

from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager, nullcontext
from datetime import timedelta
from typing import TYPE_CHECKING, Annotated, Any

import typer

from activities.kernel.pool import Connection, Pool
from gateway.here import find_running
from workers.cli.common import UserError, settings_of

if TYPE_CHECKING:
    from temporalio.client import Client

    from domain.frame.access import Principal
    from workers.settings import Settings


class Connections:
    """A client of the servers that the environment or the embedded stack names."""

    def __init__(self, temporal: Client, pool: Pool, settings: Settings) -> None:
        from gateway.cases import CaseClient
        from gateway.client import PerennialClient

        self.temporal = temporal
        self.pool = pool
        self.settings = settings
        within = timedelta(seconds=settings.answer_within)
        self.client = PerennialClient(temporal, pool, task_queue=settings.task_queue, within=within)
        self.cases = CaseClient(temporal, pool, task_queue=settings.task_queue, within=within)


async def temporal_client(**options: Any) -> Client:
    """Temporal alone, from the environment or from the stack that runs in this folder."""
    from gateway.connection import connect

    return await connect(**options)


IMPORTS_WAIT = 300
"""Seconds that a command which keeps the server busy itself waits for each answer, unless the settings say more."""


@asynccontextmanager
async def connections(at_least: int = 0, *, measured: bool = False) -> AsyncIterator[Connections]:
    """Temporal and PostgreSQL, from the environment or from the stack that runs in this folder.

    at_least: seconds for which an answer is waited for, even if the settings say less. measured: Prometheus is answered meanwhile, if
    the settings say where.
    """
    running = find_running()
    settings = settings_of(running)
    settings = settings.model_copy(update={"answer_within": max(at_least, settings.answer_within)})
    metrics = None
    if measured:
        from workers.cli.measuring import metrics_of

        metrics = metrics_of(settings)
    temporal = await temporal_client(**metrics.options if metrics else {})
    pool = await settings.open_pool()
    try:
        async with metrics.served(temporal) if metrics else nullcontext():
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
    from activities.frame import staff_rows

    if by is None:
        return "cli"
    if by not in await staff_rows.find_staff(connection, [by]):
        raise UserError(
            f"{by!r} is none of our people; `perennial staff list` shows them, `perennial staff add` adds one"
        )
    return by


async def trusted(pool: Pool, by: str | None) -> Principal:
    """Whoever asks by the command line, as the audit log has them: whoever reaches the database may do all that is done here."""
    from domain.frame.access import AccessRole, Principal

    async with pool.acquire() as connection:
        asked_by = await asker(connection, by)
    return Principal(asked_by if by is None else f"staff:{by}", asked_by, frozenset({AccessRole.ADMIN}))


@asynccontextmanager
async def asking(
    servers: Connections, by: str | None, about: str, id: str, update: str, request: Mapping[str, Any]
) -> AsyncIterator[None]:
    """The request of the block stands in the audit log as the act of whoever asks by the command line. about: `account` or `case`."""
    from gateway.acting import Subject, noted, reason_in

    who, request_id = await trusted(servers.pool, by), str(request.get("request_id") or "")
    async with noted(servers.pool, "cli", who, Subject(about, id), update, request_id, reason_in(request)):
        yield
