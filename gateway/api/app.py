"""The HTTP API: `/v1`, made of the registry of requests and of the views of what is on record."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import AbstractAsyncContextManager
from http import HTTPStatus
from importlib import metadata
from typing import Any

from fastapi import FastAPI
from starlette.routing import BaseRoute

from gateway.api import problems
from gateway.api.asking import asking
from gateway.api.deliveries import deliveries
from gateway.api.documents import document_of
from gateway.api.events import events
from gateway.api.journeys import journeys
from gateway.api.many import many
from gateway.api.papers import paper_paths
from gateway.api.previews import previews
from gateway.api.problems import CallError
from gateway.api.reading import reading
from gateway.api.reports import reports
from gateway.api.sold import sold
from gateway.api.things import things
from gateway.api.versions import VERSION
from gateway.api.writing import writing
from gateway.doors import Doors
from gateway.events.desk import EventDesk
from gateway.readiness import shortcomings

During = Callable[[], AbstractAsyncContextManager[None]]


def create_app(doors: Doors, *pages: BaseRoute, during: During | None = None, desk: EventDesk | None = None) -> FastAPI:
    """The application, over servers that are open already and are closed by whoever opened them.

    pages: what else it serves; each is asked after the paths of the API. during: what goes on for as long as it is served. desk: whoever
    attends in this process to events of other systems.
    """
    app = FastAPI(
        title="Perennial",
        version=metadata.version("perennial"),
        openapi_url=f"{VERSION}/openapi.json",
        docs_url=None,  # its pages load their scripts from other hosts
        redoc_url=None,
        redirect_slashes=False,
        lifespan=(lambda _: during()) if during else None,
    )
    app.openapi = lambda: document_of(app)  # type: ignore[method-assign]
    problems.install(app)
    areas = (asking, reading, things, sold, many, previews, journeys, reports, writing, paper_paths, deliveries)
    # Not `include_router`, which makes every route once more, and all of it again at the first call.
    for router in (*(area(doors) for area in areas), events(doors, desk)):
        app.router.routes.extend(router.routes)
    _signs_of_life(app, doors)
    app.router.routes.extend(pages)
    return app


def _signs_of_life(app: FastAPI, doors: Doors) -> None:
    """What a proxy or an orchestrator asks: whether the process answers, and whether calls can be taken."""

    @app.get("/live", include_in_schema=False)
    async def live() -> dict[str, str]:
        return {"status": "live"}

    @app.get("/ready", include_in_schema=False)
    async def ready() -> dict[str, str]:
        for missing in await shortcomings(doors.temporal, doors.pool):
            raise CallError(HTTPStatus.SERVICE_UNAVAILABLE, "ServerAway", missing)
        return {"status": "ready"}


def openapi_document() -> dict[str, Any]:
    """The document without any server: for files and tests."""
    return document_of(create_app(Doors(None, None)))  # type: ignore[arg-type]
