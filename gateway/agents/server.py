"""The MCP server: the tools, for whoever comes with a key, over the standard streams or over HTTP.

The only module that needs the SDK (`perennial[agents]`).
"""

from __future__ import annotations

import json
import logging
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from importlib import metadata
from typing import Any

from mcp.server.auth.middleware.bearer_auth import AuthenticatedUser
from mcp.server.auth.provider import AccessToken
from mcp.server.context import ServerRequestContext
from mcp.server.lowlevel.server import Server
from mcp.server.stdio import stdio_server
from mcp.server.streamable_http_manager import StreamableHTTPSessionManager
from mcp.types import (
    CallToolRequestParams,
    CallToolResult,
    ListToolsResult,
    PaginatedRequestParams,
    TextContent,
    ToolAnnotations,
)
from mcp.types import Tool as Listed
from starlette.responses import JSONResponse
from starlette.types import Receive, Scope, Send
from temporalio.service import RPCError

from activities.kernel.clock import present
from activities.kernel.pool import TRANSPORT_ERRORS
from domain.frame.access import Principal
from domain.kernel.refusals import Refusal
from gateway.agents.given import Sessions
from gateway.agents.tools import ABOUT, TOOLS
from gateway.agents.visit import Visit
from gateway.api.bodies import BODY_LIMIT
from gateway.api.entry import NOT_SIGNED_IN, principal_of
from gateway.calling import NoAnswerError
from gateway.doors import Doors

_log = logging.getLogger(__name__)
_AWAY: tuple[type[BaseException], ...] = (*TRANSPORT_ERRORS, RPCError)
_WHO = "perennial.principal"
_SESSION = "mcp-session-id"
Whose = Callable[[ServerRequestContext[Any, Any]], Awaitable[Principal]]


def _server(doors: Doors, whose: Whose) -> Server[Any]:
    """The tools for whoever `whose` says that a message comes from."""
    logging.getLogger("mcp").setLevel(logging.WARNING)  # below that it tells what was asked
    sessions = Sessions()

    async def list_tools(_: ServerRequestContext[Any, Any], __: PaginatedRequestParams | None) -> ListToolsResult:
        return ListToolsResult(tools=_LISTED)

    async def call_tool(context: ServerRequestContext[Any, Any], params: CallToolRequestParams) -> CallToolResult:
        who = await whose(context)
        headers = context.request.headers if context.request is not None else {}
        given = sessions.of(who.name, headers.get(_SESSION, ""), present())
        return await _used(Visit(doors, who, given), params.name, params.arguments or {})

    return Server(
        "perennial",
        version=metadata.version("perennial"),
        title="Perennial",
        instructions=ABOUT,
        on_list_tools=list_tools,
        on_call_tool=call_tool,
    )


_LISTED = [
    Listed(
        name=tool.name,
        title=tool.title,
        description=tool.says,
        input_schema=tool.arguments.model_json_schema(),
        annotations=ToolAnnotations(
            read_only_hint=tool.reads_only, destructive_hint=not tool.reads_only, open_world_hint=False
        ),
    )
    for tool in TOOLS.values()
]


async def _used(visit: Visit, name: str, arguments: dict[str, Any]) -> CallToolResult:
    """What a tool says, or why it cannot; of mistakes of ours it says nothing of their insides."""
    tool = TOOLS.get(name)
    if tool is None:
        return _failed({"code": "UnknownTool", "says": f"there are {', '.join(TOOLS)}"})
    try:
        said = await tool.use(visit, arguments)
    except Refusal as refusal:
        problems = [problem.model_dump(mode="json") for problem in refusal.problems]
        return _failed({"code": refusal.type, "says": str(refusal), "problems": problems})
    except NoAnswerError as error:
        return _failed({"code": "NoAnswer", "says": str(error)})
    except _AWAY as error:
        _log.warning("a server cannot be reached: %s", type(error).__name__)
        return _failed({"code": "ServerAway", "says": "a server behind this one cannot be reached; try again"})
    except Exception as error:
        _log.error("a tool ended in a mistake of ours", exc_info=error)
        return _failed({"code": "OurMistake", "says": "this is a mistake of ours and stands in the log"})
    return CallToolResult(content=[_text(said)], structured_content=said)


def _failed(said: dict[str, Any]) -> CallToolResult:
    return CallToolResult(content=[_text(said)], structured_content=said, is_error=True)


def _text(said: dict[str, Any]) -> TextContent:
    return TextContent(type="text", text=json.dumps(said, ensure_ascii=False))


async def over_streams(doors: Doors, token: str) -> None:
    """Serves the standard streams until they end, for the key of `token`, which is looked at with each call."""

    async def whose(_: ServerRequestContext[Any, Any]) -> Principal:
        who = await principal_of(doors.pool, token)
        if who is None:
            raise Refusal("NotSignedIn", NOT_SIGNED_IN)
        return who

    server = _server(doors, whose)
    async with stdio_server() as (incoming, outgoing):
        await server.run(incoming, outgoing, server.create_initialization_options())


class OverHttp:
    """The tools as an ASGI application, for calls with a key as bearer. A session is its key's alone."""

    def __init__(self, doors: Doors) -> None:
        self._doors = doors
        self._manager = StreamableHTTPSessionManager(
            _server(doors, _of_call), json_response=True, max_request_body_size=BODY_LIMIT, max_sessions=1000
        )

    @asynccontextmanager
    async def running(self) -> AsyncIterator[None]:
        """Sessions live until the end of the block."""
        async with self._manager.run():
            yield

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        token = _bearer(scope)
        who = await principal_of(self._doors.pool, token) if token else None
        if who is None:
            headers = {"WWW-Authenticate": 'Bearer realm="perennial"'}
            said = {"error": "invalid_token", "error_description": NOT_SIGNED_IN}
            await JSONResponse(said, 401, headers)(scope, receive, send)
            return
        user = AuthenticatedUser(AccessToken(token="", client_id=who.name, scopes=list(who.scopes)))
        await self._manager.handle_request({**scope, _WHO: who, "user": user}, receive, send)


async def _of_call(context: ServerRequestContext[Any, Any]) -> Principal:
    """Who made the HTTP call that a message came with."""
    who = context.request.scope.get(_WHO) if context.request is not None else None
    if not isinstance(who, Principal):
        raise Refusal("NotSignedIn", NOT_SIGNED_IN)
    return who


def _bearer(scope: Scope) -> str:
    said = next((value for name, value in scope["headers"] if name == b"authorization"), b"").decode("latin-1")
    scheme, _, token = said.partition(" ")
    return token.strip() if scheme.lower() == "bearer" else ""
