"""Whether this process tells spans to anybody, by OpenTelemetry's own settings. What that takes is loaded only then."""

from __future__ import annotations

import os
from collections.abc import Mapping
from functools import lru_cache
from importlib.util import find_spec
from typing import TYPE_CHECKING, Any

from domain.kernel.refusals import MendableError

if TYPE_CHECKING:
    from gateway.observing import Observing

_WHERE = ("OTEL_EXPORTER_OTLP_ENDPOINT", "OTEL_EXPORTER_OTLP_TRACES_ENDPOINT")


class ObservingError(MendableError, ValueError):
    """Spans are wanted and cannot be told; the message says what to do."""


def is_wanted(environment: Mapping[str, str]) -> bool:
    """True if settings name somewhere for spans to go."""
    if environment.get("OTEL_SDK_DISABLED", "").lower() == "true":
        return False
    exporter = environment.get("OTEL_TRACES_EXPORTER", "")
    return exporter != "none" and (bool(exporter) or any(environment.get(name) for name in _WHERE))


def observing() -> Observing | None:
    """Whoever takes this process's spans; null if nobody does. Raises ObservingError if somebody should and cannot."""
    return _observing() if is_wanted(os.environ) else None


@lru_cache(maxsize=1)
def _observing() -> Observing:
    if find_spec("opentelemetry.sdk") is None:
        raise ObservingError("OTEL_… says where spans go; install `perennial[observe]`, or set OTEL_SDK_DISABLED=true")
    from gateway.observing import by_environment

    return by_environment(os.environ)


def options() -> dict[str, Any]:
    """What a connection to Temporal is given so that spans go on in workflows and activities."""
    found = observing()
    return {} if found is None else {"interceptors": [found.interceptor]}
