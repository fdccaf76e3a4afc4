"""What Prometheus asks a process for: the figures of operation, those of the process, and those of Temporal's own library.

The library shows its figures at a port of its own, of this machine alone, from where they are passed on: one process is one address.
"""

from __future__ import annotations

import asyncio
import socket
from collections.abc import AsyncIterator, Iterable, Mapping, Sequence
from contextlib import asynccontextmanager

import httpx2
from prometheus_client import generate_latest
from prometheus_client.metrics_core import GaugeMetricFamily, Metric
from prometheus_client.registry import Collector
from temporalio.runtime import PrometheusConfig, Runtime, TelemetryConfig

from gateway.figures import Figures, Told
from gateway.process_metrics import answering, own_registry

_LOOPBACK = "127.0.0.1"
_OF, _STATE = "of", "state"

FAMILIES: Mapping[str, tuple[str, Sequence[str]]] = {
    "journeys": (
        "Journeys that run, by how they stand; those that are overdue, paused or stuck run as well",
        (_STATE,),
    ),
    "case_runs": ("Cases' workflows that run, by how they stand", (_STATE,)),
    "batch_runs": ("Batches that run, by how they stand", (_STATE,)),
    "accounts": ("Customers on record", (_STATE,)),
    "deliveries": ("Mails, notices, orders and events on their way out, by channel", ("channel", _STATE)),
    "deliveries_oldest_seconds": ("For how long the oldest delivery of a channel waits", ("channel",)),
    "deliveries_settled": ("Deliveries of the last hour that came to their end", ("channel", _STATE)),
    "sales_holds": ("What holds sales back", ("level",)),
    "cases": ("Cases that are not over", ("priority", _STATE)),
    "promises": ("Promises of cases that are not over, by kind", ("kind", _STATE)),
    "staff_tasks": ("What our people have to do", (_STATE,)),
    "mails_in": ("Mails that came in and are not settled", (_STATE,)),
    "events_in": ("Events of other systems that are not settled", (_STATE,)),
    "imports": ("Imported rows that no journey looks after yet", ("kind", _STATE)),
    "proposals": ("What tools proposed and waits for a person", (_STATE,)),
    "approvals": ("Quotes that wait for an approval", (_STATE,)),
    "renewals": ("Renewals that customers accepted in 90 days", (_STATE,)),
    "renewal_turnaround_seconds": ("From a customer's first word to the renewed term, of 90 days", ("quantile",)),
    "reconcile_differences": ("Differences between agendas and facts when they were last compared", (_STATE,)),
    "reconcile_customers": ("Customers that were looked at then", ()),
    "reconcile_age_seconds": ("For how long agendas have not been compared with the facts", ()),
}
"""Each figure with what it says and the names of its labels, which are words of ours, never an id."""


class _Known(Collector):
    """Figures that were brought before, as families of Prometheus."""

    def __init__(self) -> None:
        self.told = Told()

    def collect(self) -> Iterable[Metric]:
        up = GaugeMetricFamily("perennial_up", "Whether a server answered when it was last asked", labels=["server"])
        for server, answered in self.told.up.items():
            up.add_metric([server], answered)
        yield up
        late = GaugeMetricFamily(
            "perennial_figures_late", "Whether a set of figures takes too long or cannot be counted", labels=["set"]
        )
        for name, is_late in self.told.late.items():
            late.add_metric([name], is_late)
        yield late
        for name, (says, labels) in FAMILIES.items():
            family = GaugeMetricFamily(f"perennial_{name}", says, labels=labels)
            for one in self.told.figures:
                if one.figure == name:
                    given = [_word(value) for value in (one.of, one.state) if value]
                    family.add_metric(given, one.value)
            yield family


def _word(value: str) -> str:
    """A channel by what it takes, not by the name of its activity."""
    return value.removeprefix("deliver_")


class Metrics:
    """One process's address for Prometheus. Its `runtime` is that of the clients whose figures are to be there."""

    def __init__(self, host: str, port: int) -> None:
        self._host, self._port = host, port
        self._own = f"{_LOOPBACK}:{_free_port()}"
        shown = PrometheusConfig(self._own, counters_total_suffix=True, unit_suffix=True, durations_as_seconds=True)
        self.runtime = Runtime(telemetry=TelemetryConfig(metrics=shown))
        self._known = _Known()
        self._registry = own_registry()
        self._registry.register(self._known)

    @asynccontextmanager
    async def served(self, figures: Figures) -> AsyncIterator[int]:
        """`/metrics` answers until the end of the block; its port. Raises OSError if it cannot listen there."""
        try:
            async with answering(lambda: self.text(figures), self._host, self._port) as port:
                yield port
        finally:
            await figures.end()

    async def text(self, figures: Figures) -> bytes:
        """All of it, in Prometheus' words."""
        self._known.told, of_library = await asyncio.gather(figures.now(), self._of_library())
        return generate_latest(self._registry) + of_library

    async def _of_library(self) -> bytes:
        try:
            async with httpx2.AsyncClient(timeout=2) as http:
                return (await http.get(f"http://{self._own}/metrics")).content
        except httpx2.HTTPError:
            return b""  # ours are told all the same


def _free_port() -> int:
    with socket.create_server((_LOOPBACK, 0)) as free:
        return int(free.getsockname()[1])
