"""What the commands share: where the servers are, how errors are said, how long work shows itself."""

from __future__ import annotations

import asyncio
import os
import signal
import sys
from collections.abc import AsyncIterator, Callable, Coroutine
from contextlib import asynccontextmanager, suppress
from functools import wraps
from typing import TYPE_CHECKING, Any, ParamSpec

import asyncpg
from pydantic import ValidationError
from rich.console import Console

from activities.kernel.pool import Connection, Pool
from domain.kernel.refusals import MendableError, Refusal
from gateway.here import Running, open_facts

if TYPE_CHECKING:
    from workers.settings import Settings

PIPED_WIDTH = 200
"""Columns of a result that goes into a file or a pipe: ids, days and amounts stand there in full."""

console = Console(width=None if sys.stdout.isatty() or "COLUMNS" in os.environ else PIPED_WIDTH)
"""Results go to standard output."""

progress_console = Console(stderr=True)
"""Progress, addresses and hints go to standard error, so that results can be piped into a file or a program."""

_Given = ParamSpec("_Given")


class UserError(MendableError):
    """Something that whoever runs the command can mend; the message says how."""


def settings_of(running: Running | None) -> Settings:
    """Settings from the environment, and from the embedded stack where the environment names no servers."""
    from workers.settings import Settings

    if running is None or "PERENNIAL_DATABASE_URL" in os.environ:
        return Settings()
    return Settings.of_stack(
        database_url=running.database_url, smtp_host=running.smtp_host, smtp_port=running.smtp_port
    )


@asynccontextmanager
async def database() -> AsyncIterator[Pool]:
    """PostgreSQL alone, for what needs no journey."""
    pool = await open_facts()
    try:
        yield pool
    finally:
        await pool.close()


@asynccontextmanager
async def facts() -> AsyncIterator[Connection]:
    """One connection to PostgreSQL, for what only reads or writes rows."""
    async with database() as pool, pool.acquire() as connection:
        yield connection


def waited(work: Callable[_Given, Coroutine[Any, Any, None]]) -> Callable[_Given, None]:
    """A command of typer's that runs `work` to its end."""

    @wraps(work)
    def command(*args: _Given.args, **kwargs: _Given.kwargs) -> None:
        asyncio.run(work(*args, **kwargs))

    return command


def explain(error: BaseException) -> str | None:
    """An error in a sentence that says what to do, or null for one that is a mistake of ours."""
    match error:
        case Refusal():
            return f"{error.type}: {error}"
        case MendableError():
            return str(error)
        case asyncpg.InvalidCatalogNameError() | asyncpg.UndefinedTableError():
            return f"the database has no schema yet ({error}); run `perennial migrate`"
        case OSError() | asyncpg.PostgresConnectionError():
            return f"a server or file cannot be reached: {error}; start `perennial up`, or ask `perennial doctor` what is missing"
        case ValidationError():
            return str(Refusal.from_validation("InvalidSettings", "the settings cannot be used", error))
        case _ if type(error).__qualname__ == "SettingsError":  # by its name, too: what was to be JSON and is none
            return f"InvalidSettings: {error}; it is written as JSON, as in .env.example"
        case _ if type(error).__qualname__ == "RPCError":  # by its name: most commands never load Temporal's client
            return f"Temporal refused: {error}"
        case _:
            return None


def told_to_end() -> asyncio.Event:
    """Is set when Ctrl-C is pressed or the process is asked to end, which from now on it does by itself."""
    stopped = asyncio.Event()
    loop = asyncio.get_running_loop()
    for sign in (signal.SIGINT, signal.SIGTERM):
        with suppress(NotImplementedError):
            loop.add_signal_handler(sign, stopped.set)
    return stopped


async def until_stopped() -> None:
    """Returns when Ctrl-C is pressed or the process is asked to end."""
    await told_to_end().wait()


async def unless(stopped: asyncio.Event, work: Coroutine[Any, Any, None]) -> None:
    """Does `work`, and leaves it in the middle once `stopped` is set."""
    doing, ends = asyncio.create_task(work), asyncio.create_task(stopped.wait())
    try:
        await asyncio.wait((doing, ends), return_when=asyncio.FIRST_COMPLETED)
        if doing.done():
            await doing
    finally:
        for one in (doing, ends):
            one.cancel()
        await asyncio.gather(doing, ends, return_exceptions=True)
