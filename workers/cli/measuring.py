"""Where this process answers Prometheus, if its settings say so. What it takes is loaded only then."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager
from typing import TYPE_CHECKING, Any

from temporalio.client import Client

from activities.kernel.pool import open_pool
from workers.cli.common import UserError, progress_console
from workers.settings import Settings

if TYPE_CHECKING:
    from gateway.metrics import Metrics


def no_metrics(settings: Settings, error: OSError) -> UserError:
    """Why nobody can be answered where the settings say."""
    where = f"{settings.metrics_host}:{settings.metrics_port}"
    return UserError(f"no metrics on {where}: {error}; set PERENNIAL_METRICS_PORT to another one")


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
            try:
                port = await entered.enter_async_context(self._metrics.served(Figures(temporal, pool)))
            except OSError as error:
                raise no_metrics(self._settings, error) from error
            progress_console.print(f"Metrics are at http://{self._settings.metrics_host}:{port}/metrics.")
            yield


def metrics_of(settings: Settings) -> Measuring | None:
    """What this process measures; null if nobody asked for it."""
    if settings.metrics_port is None:
        return None
    from gateway.metrics import Metrics

    metrics = Metrics(settings.metrics_host, settings.metrics_port)
    return Measuring(metrics, settings)
