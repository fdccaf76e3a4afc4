"""What Prometheus asks an inbox for: mails by what came of them, its connections, and its process."""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager

from prometheus_client import Counter, Gauge, generate_latest

from gateway.process_metrics import answering, own_registry
from gateway.smtp_server import Taken


class InboxMetrics:
    """The figures of one inbox, and the address where they are told."""

    def __init__(self, host: str, port: int) -> None:
        self._host, self._port = host, port
        self._registry = own_registry()
        says = "Mails that were offered to this inbox, by what came of them"
        self._mails = Counter("perennial_inbox_mails", says, ["outcome"], registry=self._registry)
        for outcome in Taken:
            self._mails.labels(outcome.value)
        self._connections = Gauge(
            "perennial_inbox_connections", "Connections of mail servers to this inbox", registry=self._registry
        )

    def note(self, outcome: Taken) -> None:
        """One more of these."""
        self._mails.labels(outcome.value).inc()

    @asynccontextmanager
    async def served(self, connections: Callable[[], int]) -> AsyncIterator[int]:
        """`/metrics` answers until the end of the block; its port. Raises OSError if it cannot listen there."""
        self._connections.set_function(connections)
        async with answering(self._text, self._host, self._port) as taken:
            yield taken

    async def _text(self) -> bytes:
        return generate_latest(self._registry)
