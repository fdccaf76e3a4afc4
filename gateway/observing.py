"""Spans by OpenTelemetry: from whoever asks, through the update and its activity, to the mail server, in one trace.

A workflow makes no span of its own and reads nothing of them: what came with an update goes on with the activity that answers it, as a
header. So histories are the same commands with and without.
"""

from __future__ import annotations

import atexit
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from importlib import metadata
from typing import Any

from opentelemetry import trace
from opentelemetry.sdk.resources import OTELResourceDetector, Resource
from opentelemetry.sdk.trace import TracerProvider
from opentelemetry.sdk.trace.export import BatchSpanProcessor, ConsoleSpanExporter, SpanExporter
from opentelemetry.trace import SpanKind
from opentelemetry.trace.propagation.tracecontext import TraceContextTextMapPropagator
from starlette.types import ASGIApp, Message, Receive, Scope, Send
from temporalio import activity
from temporalio.contrib.opentelemetry import TracingInterceptor
from temporalio.worker import (
    ActivityInboundInterceptor,
    ExecuteActivityInput,
    HandleUpdateInput,
    StartActivityInput,
    WorkflowInboundInterceptor,
    WorkflowInterceptorClassInput,
    WorkflowOutboundInterceptor,
)
from temporalio.workflow import ActivityHandle

from activities.kernel import traces
from domain.frame.flight import TOGETHER, Channel
from gateway.observed import ObservingError
from workflows.carried import carried, carrying

_W3C = TraceContextTextMapPropagator()
_PARENT = "traceparent"
_HEADER = "_tracer-data"
_DELIVERIES = frozenset({TOGETHER, *Channel})
_UNSEEN = ("/live", "/ready", "/codec")
"""Paths of machines that ask all the time."""


class Observing:
    """Takes the spans of a process."""

    def __init__(self, exporter: SpanExporter | None, processor: Any = None) -> None:
        ours = Resource.create({"service.name": "perennial", "service.version": metadata.version("perennial")})
        # What the environment says comes last: `create` lets what it is given stand above it.
        resource = ours.merge(OTELResourceDetector().detect())
        self.provider = TracerProvider(resource=resource, shutdown_on_exit=False)
        self.provider.add_span_processor(processor or BatchSpanProcessor(exporter))  # type: ignore[arg-type]
        self._tracer = self.provider.get_tracer("perennial")
        self.interceptor = Traced(self._tracer)
        atexit.register(self.provider.shutdown)

    @contextmanager
    def span(self, name: str, of: str | None, about: Mapping[str, str | int]) -> Iterator[None]:
        """A span for as long as the block. What is raised is told by its kind alone: its words may name somebody."""
        parent = _W3C.extract({_PARENT: of}) if of else None
        with self._tracer.start_as_current_span(
            name, parent, kind=SpanKind.CLIENT, attributes=about, record_exception=False, set_status_on_exception=False
        ) as span:
            try:
                yield
            except Exception as error:
                span.set_status(trace.StatusCode.ERROR, type(error).__name__)
                raise

    def here(self) -> str | None:
        """The present span."""
        carrier: dict[str, str] = {}
        _W3C.inject(carrier)
        return carrier.get(_PARENT)

    def over_http(self, app: ASGIApp) -> ASGIApp:
        """`app` with a span for each call, in the caller's trace if it says one. No span has an id or a word of what was asked."""

        async def traced(scope: Scope, receive: Receive, send: Send) -> None:
            if scope["type"] != "http" or scope["path"].startswith(_UNSEEN):
                await app(scope, receive, send)
                return
            said = {key.decode("latin-1"): value.decode("latin-1") for key, value in scope["headers"]}
            with self._tracer.start_as_current_span(
                scope["method"], _W3C.extract(said), kind=SpanKind.SERVER, record_exception=False
            ) as span:

                async def answering(message: Message) -> None:
                    if message["type"] == "http.response.start":
                        span.set_attribute("http.response.status_code", message["status"])
                    await send(message)

                span.set_attribute("http.request.method", scope["method"])
                await app(scope, receive, answering)
                if route := getattr(scope.get("route"), "path", None):
                    span.set_attribute("http.route", route)
                    span.update_name(f"{scope['method']} {route}")

        return traced


class Traced(TracingInterceptor):
    """Temporal's own, but for workflows, which only hand on."""

    def __init__(self, tracer: trace.Tracer) -> None:
        super().__init__(tracer)
        self.text_map_propagator = _W3C

    def workflow_interceptor_class(self, input: WorkflowInterceptorClassInput) -> type[WorkflowInboundInterceptor]:  # type: ignore[override]
        """Hands on what came with an update."""
        return _HandsOn

    def intercept_activity(self, next: ActivityInboundInterceptor) -> ActivityInboundInterceptor:
        """A span for each activity, but for deliveries, which belong to the traces of their messages."""
        return _Activity(next, super().intercept_activity(next))


class _Activity(ActivityInboundInterceptor):
    def __init__(self, plain: ActivityInboundInterceptor, traced: ActivityInboundInterceptor) -> None:
        super().__init__(plain)
        self._traced = traced

    async def execute_activity(self, input: ExecuteActivityInput) -> Any:
        of_messages = activity.info().activity_type in _DELIVERIES
        return await (self.next if of_messages else self._traced).execute_activity(input)


class _HandsOn(WorkflowInboundInterceptor):
    def init(self, outbound: WorkflowOutboundInterceptor) -> None:
        super().init(_Outbound(outbound))

    async def handle_update_handler(self, input: HandleUpdateInput) -> Any:
        with carrying(input.headers.get(_HEADER)):
            return await super().handle_update_handler(input)


class _Outbound(WorkflowOutboundInterceptor):
    def start_activity(self, input: StartActivityInput) -> ActivityHandle[Any]:
        if (header := carried()) is not None:
            input.headers = {**input.headers, _HEADER: header}
        return super().start_activity(input)


def by_environment(environment: Mapping[str, str]) -> Observing:
    """Spans go where OTEL_… says, and those of this process from now on. Raises ObservingError for what is not known here."""
    found = Observing(_exporter(environment))
    traces.tell(found)
    return found


def _exporter(environment: Mapping[str, str]) -> SpanExporter:
    match environment.get("OTEL_TRACES_EXPORTER") or "otlp":
        case "console":
            return ConsoleSpanExporter()
        case "otlp":
            spoken = _spoken(environment)
            if spoken != "http/protobuf":
                raise ObservingError(f"OTEL_EXPORTER_OTLP_PROTOCOL is {spoken!r}; spans are sent by http/protobuf")
            from opentelemetry.exporter.otlp.proto.http.trace_exporter import OTLPSpanExporter

            return OTLPSpanExporter()
        case other:
            raise ObservingError(f"OTEL_TRACES_EXPORTER is {other!r}; give otlp, console or none")


def _spoken(environment: Mapping[str, str]) -> str:
    names: Sequence[str] = ("OTEL_EXPORTER_OTLP_TRACES_PROTOCOL", "OTEL_EXPORTER_OTLP_PROTOCOL")
    return next((environment[name] for name in names if environment.get(name)), "http/protobuf")
