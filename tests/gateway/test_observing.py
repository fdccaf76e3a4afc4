"""Spans from an order to the mail that it brings, in one trace; the same histories with and without; nothing loaded unless asked for."""

from __future__ import annotations

import asyncio
import logging
import subprocess
import sys
from collections.abc import Iterator
from importlib import metadata
from pathlib import Path
from typing import Any

import httpx2
import pytest
from opentelemetry import trace
from opentelemetry.sdk.trace import ReadableSpan
from opentelemetry.sdk.trace.export import SimpleSpanProcessor
from opentelemetry.sdk.trace.export.in_memory_span_exporter import InMemorySpanExporter
from temporalio.client import WorkflowHistory
from temporalio.worker import Replayer

from activities.kernel import traces
from domain.frame.access import AccessRole
from gateway import observed
from gateway.client import PerennialClient
from gateway.connection import connect
from gateway.logged import FIELDS, LOG
from gateway.observed import ObservingError, is_wanted
from gateway.observing import Observing, by_environment
from gateway.plugin import OWN
from gateway.serving import served
from tests.builders import order
from tests.conftest import Servers
from tests.gateway.api.callers import token_of
from tests.replay.record import HISTORIES
from workers.wiring import WORKFLOWS, build_desk, build_gateway, build_inbox, build_worker

CALLER = "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01"
"""What somebody says who has a trace already."""


@pytest.fixture
def spans(monkeypatch: pytest.MonkeyPatch) -> Iterator[InMemorySpanExporter]:
    """The spans of this process while a test runs."""
    exporter = InMemorySpanExporter()
    found = Observing(None, SimpleSpanProcessor(exporter))
    monkeypatch.setattr(observed, "observing", lambda: found)
    monkeypatch.setattr("workers.wiring.observing", lambda: found)
    traces.tell(found)
    yield exporter
    traces.tell(None)
    found.provider.shutdown()


def _trace(span: ReadableSpan) -> str:
    return f"{span.context.trace_id:032x}"


@pytest.mark.engine
async def test_an_order_its_update_its_activity_and_its_mail_are_one_trace_and_replay_without(
    on_engine: Servers, spans: InMemorySpanExporter, caplog: pytest.LogCaptureFixture, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(LOG, "propagate", True)
    caplog.set_level(logging.INFO, LOG.name)
    document = order()
    account, (contact, *_) = document["account"]["account_id"], document["contacts"]
    temporal = await connect(on_engine.stack.temporal_address)
    settings = on_engine.settings.model_copy(update={"task_queue": "observed"})
    client = PerennialClient(temporal, on_engine.pool, task_queue="observed")
    inbox, desk = build_inbox(temporal, on_engine.pool, settings), build_desk(temporal, on_engine.pool, settings)
    app = build_gateway(temporal, on_engine.pool, settings, inbox, desk, local=True)
    async with (
        build_worker(temporal, on_engine.pool, settings),
        served(app, "127.0.0.1", 0) as port,
        httpx2.AsyncClient(base_url=f"http://127.0.0.1:{port}", timeout=30) as http,
    ):
        headers = {"Authorization": f"Bearer {await token_of(on_engine, AccessRole.PROGRAM)}", "traceparent": CALLER}
        answer = await http.post(
            "/v1/orders", json=document, headers={**headers, "Idempotency-Key": account, "Prefer": "wait=30"}
        )
        assert answer.status_code < 300, answer.text
        for _ in range(150):
            if on_engine.mails_to(contact["email"]) and "SMTP" in {span.name for span in spans.get_finished_spans()}:
                break
            await asyncio.sleep(0.1)
        await asyncio.sleep(0.5)
        history = await client.temporal.get_workflow_handle(f"journey-{account}").fetch_history()
    ours = CALLER.split("-")[1]
    found = [span for span in spans.get_finished_spans() if _trace(span) == ours]
    names = [span.name for span in found]
    assert {"POST /v1/orders", "RunActivity:activate_order", "deliver_mail", "SMTP"} <= set(names), names
    assert any(name.startswith("StartUpdateWithStartWorkflow") for name in names), names
    by_id = {span.context.span_id: span for span in found}
    smtp = next(span for span in found if span.name == "SMTP")
    path = []
    step: Any = smtp
    while step is not None:
        path.append(step.name.partition(":")[0])
        step = by_id.get(step.parent.span_id) if step.parent else None
    assert path == ["SMTP", "deliver_mail", "RunActivity", "StartUpdateWithStartWorkflow", "POST /v1/orders"]
    said = [str(value) for span in found for value in (span.attributes or {}).values()]
    assert not [one for one in said if "@" in one or document["account"]["name"] in one]
    lines = [getattr(record, FIELDS) for record in caplog.records if record.name == LOG.name]
    activation = next(line for line in lines if line["kind"] == "activate_order" and line["account"] == account)
    assert (activation["trace"], activation["workflow"]) == (ours, f"journey-{account}")
    assert any(line.get("trace") == ours for line in lines if line["event"] == "delivery")
    of = "select body->>'template' as template, trace from outbox where account_id = $1 and channel = 'deliver_mail'"
    mails = {row["template"]: traces.trace_of(row["trace"]) for row in await on_engine.pool.fetch(of, account)}
    assert mails["welcome"] == ours, "a step of its own, which the order planned for at once"
    assert set(mails.values()) == {ours}
    result = await Replayer(workflows=WORKFLOWS, plugins=[OWN]).replay_workflow(history)
    assert result.replay_failure is None


@pytest.mark.parametrize("path", sorted(HISTORIES.glob("*.json"))[::7], ids=lambda path: path.stem)
async def test_histories_on_file_replay_while_spans_are_told(path: Path, spans: InMemorySpanExporter) -> None:
    history = WorkflowHistory.from_json(f"recorded-{path.stem}", path.read_text(encoding="utf-8"))
    traced = observed.observing()
    assert traced is not None
    result = await Replayer(workflows=WORKFLOWS, plugins=[OWN], interceptors=[traced.interceptor]).replay_workflow(
        history
    )
    assert result.replay_failure is None
    assert spans.get_finished_spans() == ()


def test_without_settings_nothing_of_it_is_loaded_and_no_span_is_made() -> None:
    loads = "import sys; import workers.wiring, workers.cli.processes, gateway.connection, gateway.plugin; print(*sys.modules)"
    loaded = subprocess.run([sys.executable, "-c", loads], check=True, capture_output=True, text=True).stdout.split()
    assert [one for one in loaded if one.partition(".")[0] in ("opentelemetry", "prometheus_client")] == []
    assert (traces.here(), traces.present()) == (None, None)
    with traces.span("nobody hears"):
        assert not trace.get_current_span().get_span_context().is_valid


@pytest.mark.parametrize(
    ("given", "wanted"),
    [
        ({}, False),
        ({"OTEL_EXPORTER_OTLP_ENDPOINT": "http://collector:4318"}, True),
        ({"OTEL_TRACES_EXPORTER": "console"}, True),
        ({"OTEL_TRACES_EXPORTER": "none", "OTEL_EXPORTER_OTLP_ENDPOINT": "http://collector:4318"}, False),
        ({"OTEL_SDK_DISABLED": "true", "OTEL_EXPORTER_OTLP_ENDPOINT": "http://collector:4318"}, False),
    ],
)
def test_standard_settings_say_whether_anybody_is_told(given: dict[str, str], wanted: bool) -> None:
    assert is_wanted(given) is wanted


@pytest.mark.parametrize(
    ("given", "called"),
    [
        ({}, "perennial"),
        ({"OTEL_SERVICE_NAME": "perennial-gateway"}, "perennial-gateway"),
        ({"OTEL_RESOURCE_ATTRIBUTES": "service.name=crm,deployment.environment.name=test"}, "crm"),
        ({"OTEL_SERVICE_NAME": "nearer", "OTEL_RESOURCE_ATTRIBUTES": "service.name=crm"}, "nearer"),
    ],
)
def test_a_process_is_called_as_its_settings_say(
    given: dict[str, str], called: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name in ("OTEL_SERVICE_NAME", "OTEL_RESOURCE_ATTRIBUTES"):
        monkeypatch.delenv(name, raising=False)
    for name, value in given.items():
        monkeypatch.setenv(name, value)
    found = Observing(None, SimpleSpanProcessor(InMemorySpanExporter()))
    said = found.provider.resource.attributes
    found.provider.shutdown()
    assert said["service.name"] == called
    assert said["service.version"] == metadata.version("perennial")


@pytest.mark.parametrize(
    ("given", "says"),
    [
        ({"OTEL_TRACES_EXPORTER": "zipkin"}, "give otlp, console or none"),
        ({"OTEL_EXPORTER_OTLP_PROTOCOL": "grpc"}, "spans are sent by http/protobuf"),
    ],
)
def test_what_cannot_be_told_is_said(given: dict[str, str], says: str) -> None:
    with pytest.raises(ObservingError, match=says):
        by_environment(given)
