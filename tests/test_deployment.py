"""Production's shape: the compose file, the image, and what a deployment registers with Temporal, on a real server."""

import asyncio
import contextlib
import json
import os
import re
import socket
import tomllib
from collections.abc import AsyncIterator
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
import yaml
from jsonschema import Draft7Validator
from temporalio import activity
from temporalio.api.enums.v1 import IndexedValueType
from temporalio.api.operatorservice.v1 import AddSearchAttributesRequest, ListSearchAttributesRequest
from temporalio.api.workflowservice.v1 import DescribeNamespaceRequest
from temporalio.client import Client
from temporalio.runtime import Runtime, TelemetryConfig
from temporalio.service import RPCError
from temporalio.worker import Worker
from typer.testing import CliRunner

from tests.e2e.lives import until
from workers.attending import worker_runs_here
from workers.embedded.temporal_server import DYNAMIC_CONFIG, EmbeddedTemporal, find_program
from workers.registering import RegistrationError, register_search_attributes
from workers.settings import Settings
from workflows.visibility import SEARCH_ATTRIBUTES

ROOT = Path(__file__).resolve().parents[1]
COMPOSE_TEXT = (ROOT / "docker-compose.yml").read_text()
COMPOSE: dict[str, Any] = yaml.safe_load(COMPOSE_TEXT)
SERVICES: dict[str, dict[str, Any]] = COMPOSE["services"]
PROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text())
DOCKERFILE = [
    line.split(maxsplit=1)
    for line in (ROOT / "Dockerfile").read_text().replace("\\\n", " ").splitlines()
    if line and not line.startswith("#")
]
OURS = {name: service for name, service in SERVICES.items() if "build" in service}
ONE_SHOTS = {name for name, service in SERVICES.items() if service["restart"].startswith("on-failure")}


def depends(name: str) -> dict[str, str]:
    """What the service waits for, and until when."""
    return {other: rule["condition"] for other, rule in SERVICES[name].get("depends_on", {}).items()}


def volumes(service: dict[str, Any]) -> list[list[str]]:
    return [volume.split(":") for volume in service.get("volumes", [])]


# --- the compose file ---


def test_the_compose_file_follows_the_specification() -> None:
    schema = json.loads((ROOT / "tests/data/compose-spec.json").read_text())
    Draft7Validator.check_schema(schema)
    assert [error.message for error in Draft7Validator(schema).iter_errors(COMPOSE)] == []


def test_whatever_goes_on_is_restarted_and_has_a_health_check() -> None:
    for name in SERVICES.keys() - ONE_SHOTS:
        assert SERVICES[name]["restart"] == "unless-stopped", name
        assert SERVICES[name]["healthcheck"]["test"][0] == "CMD", name
        assert SERVICES[name]["healthcheck"].keys() >= {"interval", "timeout", "retries", "start_period"}, name
    assert {"migrate", "temporal-schema", "temporal-namespace", "register"} == ONE_SHOTS


def test_services_wait_for_what_can_tell_that_it_is_ready() -> None:
    for name in SERVICES:
        for other, condition in depends(name).items():
            wanted = "service_completed_successfully" if other in ONE_SHOTS else "service_healthy"
            assert condition == wanted, f"{name} waits for {other}"
    assert depends("worker").keys() >= {"migrate", "register"}
    assert "mailpit" not in depends("worker"), "journeys go on while mail waits"
    assert depends("register").keys() == {"temporal-namespace"}
    assert depends("inbox").keys() == {"postgres", "migrate"}, "mail is kept while Temporal is away"
    assert depends("gateway").keys() == {"postgres", "temporal", "migrate", "register"}
    assert OURS.keys() - ONE_SHOTS == {"worker", "inbox", "gateway"}


def test_production_shares_its_workers_as_the_embedded_stack_does() -> None:
    [[ours, theirs, _]] = volumes(SERVICES["temporal"])
    assert theirs == SERVICES["temporal"]["environment"]["DYNAMIC_CONFIG_FILE_PATH"]
    given = yaml.safe_load((ROOT / ours).read_text())
    embedded = {key: json.loads(value) for key, value in DYNAMIC_CONFIG.items() if key.startswith("matching.")}
    assert {key: values[0]["value"] for key, values in given.items()} == embedded
    assert embedded["matching.enableFairness"] is True


def test_no_password_stands_in_the_compose_file() -> None:
    secrets = [
        (f"{name}.{key}", value)
        for name, service in SERVICES.items()
        for key, value in service.get("environment", {}).items()
        if re.search(r"PASSWORD|PWD|SECRET|TOKEN|(?<!UI)_URL$", key)
    ]
    assert len(secrets) > 6
    for place, value in secrets:
        # Handed on from .env as it is, or demanded with no default.
        assert value is None or re.search(r"^(\w+://\w+:)?\$\{\w+_PASSWORD:\?[^}]+\}(@.*)?$", value), place


def test_containers_are_told_of_every_setting_of_traces_that_is_named() -> None:
    pages = (ROOT / "docs/operate/tracing.md", ROOT / ".env.example", *ROOT.glob("gateway/observ*.py"))
    named = {name for page in pages for name in re.findall(r"\bOTEL_[A-Z_]+[A-Z]\b", page.read_text())}
    assert {"OTEL_SERVICE_NAME", "OTEL_SDK_DISABLED", "OTEL_EXPORTER_OTLP_HEADERS"} <= named
    for name, service in OURS.items():
        assert named - service["environment"].keys() == set(), name


def test_the_example_environment_names_every_variable_and_no_password_that_works() -> None:
    example = (ROOT / ".env.example").read_text()
    used = set(re.findall(r"(?<!\$)\$\{(\w+)", COMPOSE_TEXT))
    handed_on = {
        key for service in SERVICES.values() for key, value in service.get("environment", {}).items() if value is None
    }
    named = set(re.findall(r"^(?:# )?([A-Z_]+)=", example, re.MULTILINE))
    assert named - used - handed_on == set(), "named and not used"
    assert used - named == set(), "used and not named"
    given = dict(re.findall(r"^([A-Z_]+)=(.*)$", example, re.MULTILINE))
    demanded = set(re.findall(r"\$\{(\w+):\?", COMPOSE_TEXT))
    assert given == dict.fromkeys(demanded, ""), "empty ones, which compose refuses: no password is known to everybody"


def test_only_web_interfaces_and_the_inbox_are_published_and_only_on_loopback() -> None:
    published = {name: ports for name, service in SERVICES.items() if (ports := service.get("ports"))}
    assert published.keys() == {"temporal-ui", "mailpit", "inbox", "gateway"}
    inbox, *rest = published["inbox"]
    assert inbox == "${INBOX_ADDRESS:-127.0.0.1}:${INBOX_PORT:-2525}:2525"  # until .env says otherwise
    others = [*rest, *published["temporal-ui"], *published["mailpit"], *published["gateway"]]
    assert all(port.startswith("127.0.0.1:") for port in others)
    assert not any(service.get("network_mode") or service.get("privileged") for service in SERVICES.values())


def test_what_must_last_is_kept_in_named_volumes() -> None:
    ours = ["kept:/kept", "${OWN_FILES:-./own}:/own:ro"]
    assert SERVICES["inbox"]["volumes"] == [*ours, "${INBOX_TLS:-./tls}:/tls:ro"], (
        "its certificate, which it only reads"
    )
    assert all(OURS[name]["volumes"] == ours for name in OURS.keys() - {"inbox"})
    assert any("/kept" in arguments and "--owner=perennial" in arguments for _, arguments in DOCKERFILE), (
        "its user may write"
    )
    assert [one[2] for one in volumes(SERVICES["temporal"])] == ["ro"], "its configuration, likewise"
    mounted = {name: volumes(one) for name, one in SERVICES.items() if volumes(one) and name not in {*OURS, "temporal"}}
    assert mounted.keys() == {"postgres", "temporal-postgres", "mailpit"}
    sources = [source for mounts in mounted.values() for source, *_ in mounts]
    assert sorted([*sources, "kept"]) == sorted(COMPOSE["volumes"]), "each in one of its own, each declared"
    # The images of 18 and later keep their data in a folder per major version below this one.
    assert mounted["postgres"] == [["facts", "/var/lib/postgresql"]]
    assert mounted["temporal-postgres"] == [["temporal", "/var/lib/postgresql/data"]]


def test_images_are_pinned() -> None:
    for name, service in SERVICES.items():
        assert re.fullmatch(r"[\w/.-]+:v?\d+\.\d+(\.\d+)?", service["image"]), name
    versions = dict(service["image"].split(":") for service in SERVICES.values() if "postgres:" not in service["image"])
    assert versions["temporalio/server"] == versions["temporalio/admin-tools"]
    assert versions["perennial"] == PROJECT["project"]["version"]
    assert SERVICES["postgres"]["image"].startswith("postgres:18.")
    assert SERVICES["postgres"] is not SERVICES["temporal-postgres"]


def test_our_services_run_commands_that_exist() -> None:
    from workers.cli import app

    assert {name: service["command"] for name, service in OURS.items()} == {
        "migrate": ["migrate"],
        "register": ["register"],
        "worker": ["worker"],
        "inbox": ["inbox", "serve"],
        "gateway": ["gateway"],
    }
    for name in OURS.keys() - ONE_SHOTS:
        check = SERVICES[name]["healthcheck"]["test"]
        assert check == ["CMD", "perennial", *SERVICES[name]["command"], "--check"]
        assert "--check" in CliRunner().invoke(app, [*SERVICES[name]["command"], "--help"]).output
    for service in OURS.values():
        told = CliRunner().invoke(app, [*service["command"], "--help"])
        assert told.exit_code == 0, told.output


def test_our_services_get_settings_that_exist(monkeypatch: pytest.MonkeyPatch) -> None:
    environment = OURS["worker"]["environment"]
    assert all(service["environment"] == environment for service in OURS.values())
    ours = {key.removeprefix("PERENNIAL_").lower() for key in environment if key.startswith("PERENNIAL_")}
    # The ports inside are what is published; everything else that a process reads has to reach it.
    assert ours == Settings.model_fields.keys() - {"http_port", "gateway_port", "inbox_port"}
    for key, value in environment.items():
        if value is not None:
            plain = re.sub(r"\$\{\w+:\?[^}]+\}", "s3cret", value)
            monkeypatch.setenv(key, re.sub(r"\$\{\w+:-([^}]*)\}", r"\1", plain))
    settings = Settings()
    # dbmate insists on TLS otherwise, and the network between the containers has none.
    assert (
        settings.database_url.get_secret_value()
        == "postgresql://perennial:s3cret@postgres:5432/perennial?sslmode=disable"
    )
    assert (settings.smtp_host, settings.smtp_port) == ("mailpit", 1025)
    kept = [mount for service in OURS.values() for mount in volumes(service) if mount[-1] == "/kept"]
    assert len(kept) == len(OURS), "what any of them keeps outlives its container"
    assert settings.erasures is not None
    assert settings.erasures.is_relative_to("/kept")
    assert settings.inbox_host == settings.http_host == settings.gateway_host == "0.0.0.0"
    assert [port.rpartition(":")[2] for port in SERVICES["gateway"]["ports"]] == [str(settings.gateway_port)]
    ports = [port.rpartition(":")[2] for port in SERVICES["inbox"]["ports"]]
    assert ports == [str(settings.inbox_port), str(settings.http_port)]
    assert settings.inbox_at == f"inbox:{settings.inbox_port}"


# --- the image ---


def test_the_image_is_built_in_stages_and_does_not_run_as_root() -> None:
    stages = [arguments for instruction, arguments in DOCKERFILE if instruction == "FROM"]
    assert len(stages) == 2
    assert all(re.match(r"python:3\.13-slim-\w+( AS \w+)?$", stage) for stage in stages)
    begin = max(index for index, (instruction, _) in enumerate(DOCKERFILE) if instruction == "FROM")
    last = DOCKERFILE[begin:]
    users = [arguments for instruction, arguments in last if instruction == "USER"]
    assert users, "the last stage names its user"
    assert re.fullmatch(r"[1-9]\d*:[1-9]\d*", users[-1]), "by number, which an orchestrator can check not to be root"
    assert not any(re.search(r"(?i)password|secret|token", arguments) for _, arguments in DOCKERFILE)
    assert ["ENTRYPOINT", '["perennial"]'] in last


def test_the_image_holds_every_package_and_nothing_else_reaches_the_build() -> None:
    packages = PROJECT["tool"]["hatch"]["build"]["targets"]["wheel"]["packages"]
    copied = [arguments.split()[:-1] for instruction, arguments in DOCKERFILE if instruction == "COPY"]
    sources = {name for names in copied for name in names if not name.startswith("--from") and not name.startswith("/")}
    assert sources == {"pyproject.toml", "README.md", "LICENSE", *packages}
    ignored = (ROOT / ".dockerignore").read_text().splitlines()
    let_through = {line.removeprefix("!").rstrip("/") for line in ignored if line.startswith("!")}
    assert "*" in ignored
    assert let_through == sources
    assert (ROOT / PROJECT["project"]["license-files"][0]).read_text().lstrip().startswith("Apache License")


# --- what a deployment registers, on a real server ---


@pytest.fixture(scope="module")
async def address(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[str]:
    """A Temporal server with no search attribute of ours."""
    async with EmbeddedTemporal(tmp_path_factory.mktemp("deployment") / "t.db") as server:
        yield server.address


async def make_namespace(address: str, namespace: str, retention: str) -> Client:
    """Runs what the service `temporal-namespace` runs, and again when it fails, as the engine would."""
    service = SERVICES["temporal-namespace"]
    script = [*service["entrypoint"], *(part.replace("$$", "$") for part in service["command"])]
    path = f"{find_program().parent}{os.pathsep}{os.environ['PATH']}"
    environment = {"PATH": path, "TEMPORAL_ADDRESS": address, "TEMPORAL_NAMESPACE": namespace, "RETENTION": retention}
    attempts = int(service["restart"].split(":")[1])
    for attempt in range(attempts):
        process = await asyncio.create_subprocess_exec(*script, env=environment, stderr=asyncio.subprocess.PIPE)
        _, errors = await process.communicate()
        if process.returncode == 0:
            return await Client.connect(address, namespace=namespace)
        assert attempt < attempts - 1, errors.decode()
        await asyncio.sleep(1)
    raise AssertionError("no attempt was made")


async def types(client: Client) -> dict[str, str]:
    """The search attributes of the namespace, by the server's names of their types."""
    listed = await client.operator_service.list_search_attributes(
        ListSearchAttributesRequest(namespace=client.namespace)
    )
    return {name: IndexedValueType.Name(kind) for name, kind in listed.custom_attributes.items()}


async def test_the_namespace_is_made_once_and_keeps_the_latest_retention(address: str) -> None:
    for retention, days in (("90d", 90), ("365d", 365)):
        client = await make_namespace(address, "kept", retention)
        found = await client.workflow_service.describe_namespace(DescribeNamespaceRequest(namespace="kept"))
        assert found.config.workflow_execution_retention_ttl.ToTimedelta() == timedelta(days=days)


async def test_every_search_attribute_is_registered_once(address: str) -> None:
    client = await make_namespace(address, "registered", "1d")
    # Two deployments may do it at the same moment.
    both = await asyncio.gather(register_search_attributes(client), register_search_attributes(client))
    assert set().union(*both) == SEARCH_ATTRIBUTES.keys()
    assert await register_search_attributes(client) == []
    names = {"Keyword": "KEYWORD", "KeywordList": "KEYWORD_LIST", "Datetime": "DATETIME"}
    wanted = {name: f"INDEXED_VALUE_TYPE_{names[kind]}" for name, kind in SEARCH_ATTRIBUTES.items()}
    assert await types(client) == wanted
    assert (await client.count_workflows("JourneyStage = 'adoption' AND RenewalAt > '2026-01-01T00:00:00Z'")).count == 0


async def test_an_attribute_of_another_type_is_told_and_nothing_registered(address: str) -> None:
    client = await make_namespace(address, "taken", "1d")
    text = IndexedValueType.INDEXED_VALUE_TYPE_TEXT
    request = AddSearchAttributesRequest(namespace="taken", search_attributes={"RenewalAt": text})

    async def taken() -> bool:
        with contextlib.suppress(RPCError):
            await client.operator_service.add_search_attributes(request)
            return True
        return False

    await until(taken, "the server knows the namespace, some two seconds after it was made")
    with pytest.raises(RegistrationError, match=r"RenewalAt of namespace 'taken' is .*_TEXT and should be .*_DATETIME"):
        await register_search_attributes(client)
    assert await types(client) == {"RenewalAt": "INDEXED_VALUE_TYPE_TEXT"}


async def test_a_namespace_that_never_comes_is_told(address: str) -> None:
    client = await Client.connect(address, namespace="nowhere")
    with pytest.raises(RPCError, match="nowhere"):
        await register_search_attributes(client, patience=timedelta(seconds=0.5))


@activity.defn
async def idle() -> None:
    """An activity to register: a worker needs one."""


async def test_the_health_check_sees_the_worker_of_this_host_while_it_runs(address: str) -> None:
    often = Runtime(telemetry=TelemetryConfig(), worker_heartbeat_interval=timedelta(seconds=1))
    client = await Client.connect(address, runtime=often)
    assert not await worker_runs_here(client, "watched")
    async with Worker(client, task_queue="watched", activities=[idle]):

        async def seen() -> bool:
            return await worker_runs_here(client, "watched")

        await until(seen, "the worker is seen")
        assert await worker_runs_here(client, "watched", host=socket.gethostname())
        assert not await worker_runs_here(client, "watched", host="elsewhere")
        assert not await worker_runs_here(client, "another queue")
        assert not await worker_runs_here(client, "watched", within=timedelta(minutes=-1)), "old reports do not count"
    assert not await worker_runs_here(client, "watched")
