"""An assistant of ours in tests: a real MCP client, which comes with a key over HTTP or over the standard streams."""

from __future__ import annotations

import os
import sys
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import httpx2
from fastapi import FastAPI
from mcp import StdioServerParameters
from mcp.client import Client
from mcp.client.streamable_http import streamable_http_client

from gateway.serving import served
from tests.conftest import Servers
from workers.wiring import build_gateway, build_inbox

WHY = "they asked for it on the telephone"


class Assistant:
    """Uses tools, and takes what they say as it is structured."""

    def __init__(self, client: Client) -> None:
        self.client = client

    async def use(self, tool: str, **arguments: Any) -> dict[str, Any]:
        """What a tool says; it is a mistake of the test if the tool refuses."""
        result = await self.client.call_tool(tool, arguments)
        assert not result.is_error, result.structured_content
        return dict(result.structured_content or {})

    async def refused(self, tool: str, **arguments: Any) -> dict[str, Any]:
        """How a tool refuses."""
        result = await self.client.call_tool(tool, arguments)
        assert result.is_error, result.structured_content
        return dict(result.structured_content or {})

    async def ask(self, operation: str, of: str, **request: Any) -> dict[str, Any]:
        """Asks one of the acts."""
        return await self.use("ask", operation=operation, of=of, request=request, reason=WHY)


def gateway_of(servers: Servers) -> FastAPI:
    """A gateway over the same servers."""
    inbox = build_inbox(servers.temporal, servers.pool, servers.settings)
    return build_gateway(servers.temporal, servers.pool, servers.settings, inbox)


@asynccontextmanager
async def over_http(servers: Servers, token: str, **options: Any) -> AsyncIterator[Assistant]:
    """At a gateway of its own."""
    app = gateway_of(servers)
    async with (
        served(app, "127.0.0.1", 0) as port,
        httpx2.AsyncClient(headers={"Authorization": f"Bearer {token}"}, timeout=60) as http,
        Client(streamable_http_client(f"http://127.0.0.1:{port}/mcp", http_client=http), **options) as client,
    ):
        yield Assistant(client)


@asynccontextmanager
async def over_streams(servers: Servers, token: str, folder: Path) -> AsyncIterator[Assistant]:
    """Of a process of its own."""
    kept = {name: value for name, value in os.environ.items() if not name.startswith(("TEMPORAL_", "PERENNIAL_"))}
    env = {
        **kept,
        "PERENNIAL_KEY": token,
        "PERENNIAL_DATABASE_URL": servers.settings.database_url.get_secret_value(),
        "TEMPORAL_ADDRESS": servers.stack.temporal_address,
    }
    program = StdioServerParameters(
        command=sys.executable, args=["-c", "from workers.cli import main; main()", "mcp"], env=env, cwd=folder
    )
    async with Client(program) as client:
        yield Assistant(client)
