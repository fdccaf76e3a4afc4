"""The manifests of Kubernetes: as its schema has them, and as safe and as patient as the compose file."""

from __future__ import annotations

import os
import subprocess
import tomllib
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import kubernetes_validate
import pytest
import yaml
from typer.testing import CliRunner

from workers.settings import Settings

ROOT = Path(__file__).resolve().parents[1]
FOLDER = ROOT / "docs" / "operate" / "kubernetes"
RELEASE = "1.34"


def manifests() -> Iterator[tuple[str, dict[str, Any]]]:
    for path in sorted(FOLDER.glob("*.yaml")):
        for document in yaml.safe_load_all(path.read_text()):
            yield f"{path.name}: {document['kind']} {document['metadata']['name']}", document


ALL = dict(manifests())
PODS = {name: one["spec"]["template"]["spec"] for name, one in ALL.items() if one["kind"] in ("Job", "Deployment")}
CONTAINERS = {
    f"{name}, {container['name']}": container
    for name, pod in PODS.items()
    for container in (*pod.get("initContainers", ()), *pod["containers"])
}
CONFIG = next(one["data"] for one in ALL.values() if one["kind"] == "ConfigMap")


@pytest.mark.parametrize("name", ALL)
def test_a_manifest_follows_the_schema(name: str) -> None:
    kubernetes_validate.validate(ALL[name], RELEASE, strict=True)


def test_the_schema_finds_what_is_wrong() -> None:
    wrong = {**next(one for one in ALL.values() if one["kind"] == "Service"), "spec": {"port": 80}}
    with pytest.raises(kubernetes_validate.ValidationError):
        kubernetes_validate.validate(wrong, RELEASE, strict=True)


def test_all_kinds_are_there() -> None:
    kinds = sorted(one["kind"] for one in ALL.values())
    assert kinds == [
        *("ConfigMap", "Deployment", "Deployment", "Deployment", "HorizontalPodAutoscaler", "Job"),
        *("PodDisruptionBudget", "PodDisruptionBudget", "PodDisruptionBudget", "Service", "Service"),
    ]


@pytest.mark.parametrize("name", PODS)
def test_no_pod_runs_as_root_or_knows_the_cluster(name: str) -> None:
    pod = PODS[name]
    user = next(line.split()[1] for line in (ROOT / "Dockerfile").read_text().splitlines() if line.startswith("USER"))
    assert pod["securityContext"]["runAsNonRoot"] is True
    assert f"{pod['securityContext']['runAsUser']}:{pod['securityContext']['runAsGroup']}" == user
    assert pod["securityContext"]["seccompProfile"] == {"type": "RuntimeDefault"}
    assert pod["automountServiceAccountToken"] is False
    assert pod["enableServiceLinks"] is False, "PERENNIAL_INBOX_PORT is a setting, and would be an address"
    assert not any(key.startswith("host") for key in pod)
    assert pod["volumes"] == [{"name": "tmp", "emptyDir": pod["volumes"][0]["emptyDir"]}]


@pytest.mark.parametrize("name", CONTAINERS)
def test_a_container_writes_nowhere_and_its_command_exists(name: str) -> None:
    from workers.cli import app

    container = CONTAINERS[name]
    assert container["securityContext"] == {
        "allowPrivilegeEscalation": False,
        "readOnlyRootFilesystem": True,
        "capabilities": {"drop": ["ALL"]},
    }
    assert container["volumeMounts"] == [{"name": "tmp", "mountPath": "/tmp"}]
    assert container["resources"].keys() == {"requests", "limits"}
    version = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]["version"]
    assert container["image"] == f"perennial:{version}"
    assert "env" not in container, "settings and secrets are those of all"
    assert [next(iter(one)) for one in container["envFrom"]] == ["configMapRef", "secretRef"]
    probes = [container[probe] for probe in ("startupProbe", "livenessProbe", "readinessProbe") if probe in container]
    commands = [
        one["exec"]["command"][1:] for one in probes if "exec" in one and one["exec"]["command"][0] == "perennial"
    ]
    for command in (container["args"], *commands):
        assert CliRunner().invoke(app, [*command, "--help"]).exit_code == 0, command


def test_whoever_goes_on_is_probed_and_not_disturbed_all_at_once() -> None:
    deployments = {one["metadata"]["name"]: one for one in ALL.values() if one["kind"] == "Deployment"}
    budgets = {one["metadata"]["name"]: one["spec"] for one in ALL.values() if one["kind"] == "PodDisruptionBudget"}
    assert budgets.keys() == deployments.keys()
    for name, one in deployments.items():
        (container,) = one["spec"]["template"]["spec"]["containers"]
        assert container.keys() >= {"startupProbe", "livenessProbe", "readinessProbe"}
        assert one["spec"]["selector"] == budgets[name]["selector"]
        assert one["spec"]["selector"]["matchLabels"].items() <= one["spec"]["template"]["metadata"]["labels"].items()
        assert one["spec"]["template"]["spec"]["terminationGracePeriodSeconds"] > Settings().drain_seconds + 15
    scaled = next(one for one in ALL.values() if one["kind"] == "HorizontalPodAutoscaler")["spec"]
    assert scaled["scaleTargetRef"]["name"] in deployments
    assert "replicas" not in deployments[scaled["scaleTargetRef"]["name"]]["spec"], "two would fight over it"
    gateway = deployments["perennial-gateway"]["spec"]["template"]["spec"]["containers"][0]
    assert {"name": "http", "containerPort": Settings().gateway_port} in gateway["ports"]


def test_a_worker_is_alive_while_its_process_goes_on_whatever_servers_do(tmp_path: Path) -> None:
    container = CONTAINERS["worker.yaml: Deployment perennial-worker, worker"]
    file = tmp_path / "alive"

    def alive() -> bool:
        answers = {
            subprocess.run(
                container[probe]["exec"]["command"],
                env={**os.environ, "PERENNIAL_HEARTBEAT_FILE": str(file)},
                check=False,
            ).returncode
            for probe in ("startupProbe", "livenessProbe")
        }
        return answers == {0}

    assert not alive()
    file.touch()
    assert alive(), "no server was asked"
    os.utime(file, (0, 0))
    assert not alive()
    assert CONFIG["PERENNIAL_HEARTBEAT_FILE"].startswith("/tmp/"), "where it may write"


def test_settings_exist_and_none_is_a_secret(monkeypatch: pytest.MonkeyPatch) -> None:
    ours = {key.removeprefix("PERENNIAL_").lower() for key in CONFIG if key.startswith("PERENNIAL_")}
    assert ours <= Settings.model_fields.keys()
    secret = {name for name, field in Settings.model_fields.items() if "SecretStr" in str(field.annotation)}
    assert not ours & secret
    assert not any(one["kind"] == "Secret" for one in ALL.values())
    for key, value in CONFIG.items():
        assert isinstance(value, str)
        monkeypatch.setenv(key, value)
    Settings()
