"""Where this process answers Prometheus, if its settings say so. What it takes is loaded only then."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import AbstractAsyncContextManager, AsyncExitStack, asynccontextmanager
from typing import TYPE_CHECKING, Any

from temporalio.client import Client

from activities.kernel.pool import open_pool
from workers.cli.common import UserError, progress_console
from workers.settings import Settings

if TYPE_CHECKING:
    from gateway.metrics import Metrics


@asynccontextmanager
async def answering(settings: Settings, serving: AbstractAsyncContextManager[int]) -> AsyncIterator[None]:
    """Says where `serving` answers Prometheus, until the end of the block. Raises UserError if it cannot listen there."""
    async with AsyncExitStack() as entered:
        try:
            port = await entered.enter_async_context(serving)
        except OSError as error:
            where = f"{settings.metrics_host}:{settings.metrics_port}"
            raise UserError(f"no metrics on {where}: {error}; set PERENNIAL_METRICS_PORT to another one") from error
        progress_console.print(f"Metrics are at http://{settings.metrics_host}:{port}/metrics.")
        yield


class Measuring:
    """Metrics of a process: first the options of its connection to Temporal, then the address where they are read."""

    def __init__(self, metrics: Metrics, settings: Settings) -> None:
        self._metrics, self._settings = metrics, settings
        self.options: dict[str, Any] = {"runtime": metrics.runtime}

    @asynccontextmanager
    async def served(self, temporal: Client) -> AsyncIterator[None]:
        """`/metrics` answers until the end of the block. Raises UserError if it cannot listen there."""
        from gateway.figures import CONNECTIONS, Figures

        dsn = self._settings.database_url.get_secret_value()
        pool = await open_pool(dsn, pooled=self._settings.database_pooled, size=CONNECTIONS)
        async with AsyncExitStack() as entered:
            entered.callback(pool.terminate)
            await entered.enter_async_context(answering(self._settings, self._metrics.served(Figures(temporal, pool))))
            yield


def metrics_of(settings: Settings) -> Measuring | None:
    """What this process measures; null if nobody asked for it."""
    if settings.metrics_port is None:
        return None
    from gateway.metrics import Metrics

    metrics = Metrics(settings.metrics_host, settings.metrics_port)
    return Measuring(metrics, settings)
