"""What every process tells Prometheus of itself, and the address where it does."""

from __future__ import annotations

from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from importlib import metadata

from fastapi import FastAPI, Response
from prometheus_client import CollectorRegistry, Gauge, ProcessCollector

from gateway.serving import served

TEXT = "text/plain; version=0.0.4; charset=utf-8"


def own_registry() -> CollectorRegistry:
    """A registry with the release, CPU and memory of this process."""
    registry = CollectorRegistry()
    release = Gauge("perennial_release", "The release of this process", ["version"], registry=registry)
    release.labels(metadata.version("perennial")).set(1)
    ProcessCollector(registry=registry)
    return registry


@asynccontextmanager
async def answering(text: Callable[[], Awaitable[bytes]], host: str, port: int) -> AsyncIterator[int]:
    """`/metrics` answers with what `text` says until the end of the block; its port. Raises OSError if it cannot listen there."""
    app = FastAPI(openapi_url=None)

    @app.get("/metrics")
    async def metrics() -> Response:
        return Response(await text(), media_type=TEXT)

    async with served(app, host, port) as taken:
        yield taken
