"""`perennial mcp`: the tools of agents over the standard streams, for the key in PERENNIAL_KEY."""

from __future__ import annotations

import os
from importlib.util import find_spec

import typer

from workers.cli.common import UserError, waited
from workers.cli.servers import connections
from workers.logs import set_up
from workers.settings import LogForm

app = typer.Typer()


@app.command()
@waited
async def mcp() -> None:
    """The tools of agents over the standard streams, by the Model Context Protocol."""
    if find_spec("mcp") is None:
        raise UserError("the tools of agents are an extra; install perennial[agents]")
    token = os.environ.get("PERENNIAL_KEY", "")
    if not token:
        raise UserError("set PERENNIAL_KEY to a key; `perennial access add-key assistant --role sales` makes one")
    from gateway.agents.server import over_streams
    from gateway.api.entry import principal_of
    from gateway.doors import Doors

    set_up(LogForm.TEXT)  # to the standard error stream: the other two belong to the protocol
    async with connections() as servers:
        if await principal_of(servers.pool, token) is None:
            raise UserError(
                "the key in PERENNIAL_KEY lets nobody in; `perennial access keys` shows those that are valid"
            )
        settings = servers.settings
        await over_streams(Doors(servers.temporal, servers.pool, settings.task_queue), token)
