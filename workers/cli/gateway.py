"""`perennial gateway`: the API for services and the pages for people, as a process of its own."""

from __future__ import annotations

from typing import Annotated

import typer

from gateway.here import find_running
from workers.cli.common import UserError, progress_console, settings_of, until_stopped, waited
from workers.cli.output import print_json
from workers.cli.servers import connections
from workers.logs import set_up
from workers.settings import LogForm

app = typer.Typer()


@app.command()
@waited
async def gateway(
    openapi: Annotated[bool, typer.Option("--openapi", help="Only print the OpenAPI document.")] = False,
    check: Annotated[
        bool, typer.Option("--check", help="Only say, by the exit code, whether one answers here.")
    ] = False,
) -> None:
    """The API for services and the pages for people, over the servers that the environment names."""
    if openapi:
        from gateway.api.app import openapi_document

        print_json(openapi_document())
        return
    settings = settings_of(find_running())
    if check:
        await _check(settings.gateway_host, settings.gateway_port)
        return
    from gateway.serving import served
    from workers.wiring import attended, build_desk, build_gateway, build_inbox

    set_up(settings.log or LogForm.TEXT)
    async with connections(measured=True) as servers:
        inbox = build_inbox(servers.temporal, servers.pool, servers.settings)
        desk = build_desk(servers.temporal, servers.pool, servers.settings)
        app = build_gateway(servers.temporal, servers.pool, servers.settings, inbox, desk)
        try:
            listens = served(app, settings.gateway_host, settings.gateway_port, settings.trusted_proxies)
            async with attended(inbox, desk), listens as port:
                progress_console.print(
                    f"The console is at http://{settings.gateway_host}:{port}, the API at /v1 there; Ctrl-C ends it."
                )
                await until_stopped()
        except OSError as error:
            where = f"{settings.gateway_host}:{settings.gateway_port}"
            raise UserError(f"cannot listen on {where}: {error}; set PERENNIAL_GATEWAY_PORT to another one") from error


async def _check(host: str, port: int) -> None:
    import httpx2

    try:
        async with httpx2.AsyncClient(timeout=5) as http:
            found = await http.get(f"http://{host if host not in ('0.0.0.0', '::') else '127.0.0.1'}:{port}/ready")
    except httpx2.HTTPError as error:
        raise UserError(f"no gateway answers on {host}:{port}: {type(error).__name__}") from error
    if found.status_code != 200:
        raise UserError(f"the gateway on {host}:{port} is not ready: {found.text[:200]}")
