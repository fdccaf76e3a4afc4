"""The connection to Temporal by its own settings: TLS, client certificates, keys, profiles, and what is said if it comes to nothing."""

from __future__ import annotations

import re
from collections.abc import AsyncIterator, Mapping
from pathlib import Path

import pytest
from temporalio.api.workflowservice.v1 import DescribeNamespaceRequest

from gateway.connection import ConnectionSettingsError, connect
from gateway.here import NoServerError
from tests.authority import Authority, Signed, secured
from tests.conftest import Servers

CA, CERTIFICATE, KEY = (
    "TEMPORAL_TLS_SERVER_CA_CERT_PATH",
    "TEMPORAL_TLS_CLIENT_CERT_PATH",
    "TEMPORAL_TLS_CLIENT_KEY_PATH",
)


class Secured:
    """Temporal behind TLS that asks for a client certificate."""

    def __init__(self, address: str, ours: Authority, other: Authority, client: Signed) -> None:
        self.address, self.ours, self.other, self.client = address, ours, other, client

    @property
    def settings(self) -> dict[str, str]:
        """What a client sets that has all it needs."""
        client = {CERTIFICATE: str(self.client.certificate), KEY: str(self.client.key)}
        return {"TEMPORAL_ADDRESS": self.address, CA: str(self.ours.certificate), **client}


@pytest.fixture
async def endpoint(on_engine: Servers, tmp_path: Path) -> AsyncIterator[Secured]:
    ours, other = Authority(tmp_path, "ours"), Authority(tmp_path, "other")
    async with secured(on_engine.stack.temporal_address, ours.signs("server"), ours.certificate) as address:
        yield Secured(address, ours, other, ours.signs("client"))


def given(monkeypatch: pytest.MonkeyPatch, settings: Mapping[str, str]) -> None:
    for name in ("TEMPORAL_ADDRESS", "TEMPORAL_NAMESPACE", "TEMPORAL_API_KEY", CA, CERTIFICATE, KEY):
        monkeypatch.delenv(name, raising=False)
    for name, value in settings.items():
        monkeypatch.setenv(name, value)


async def test_both_sides_show_certificates(endpoint: Secured, monkeypatch: pytest.MonkeyPatch) -> None:
    given(monkeypatch, endpoint.settings)
    client = await connect()
    found = await client.workflow_service.describe_namespace(DescribeNamespaceRequest(namespace="default"))
    assert found.namespace_info.name == "default"


async def test_a_profile_says_the_same(endpoint: Secured, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "temporal.toml").write_text(
        f"""
[profile.production]
address = "{endpoint.address}"
namespace = "default"
[profile.production.tls]
server_ca_cert_path = "{endpoint.ours.certificate}"
client_cert_path = "{endpoint.client.certificate}"
client_key_path = "{endpoint.client.key}"
"""
    )
    file = {"TEMPORAL_CONFIG_FILE": str(tmp_path / "temporal.toml")}
    given(monkeypatch, {**file, "TEMPORAL_PROFILE": "production"})
    assert await (await connect()).service_client.check_health()
    given(monkeypatch, {**file, "TEMPORAL_PROFILE": "elsewhere"})
    with pytest.raises(ConnectionSettingsError, match="Profile 'elsewhere' not found"):
        await connect()
    given(monkeypatch, {"TEMPORAL_CONFIG_FILE": str(tmp_path / "none.toml")})
    with pytest.raises(ConnectionSettingsError, match=r"none\.toml, and there is no such file"):
        await connect()


async def test_a_key_goes_by_tls_alone(on_engine: Servers, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    ours = Authority(tmp_path, "ours")
    async with secured(on_engine.stack.temporal_address, ours.signs("server")) as address:
        given(monkeypatch, {"TEMPORAL_ADDRESS": address, "TEMPORAL_API_KEY": "s3cret", CA: str(ours.certificate)})
        client = await connect()
        assert client.service_client.config.api_key == "s3cret"
    given(monkeypatch, {"TEMPORAL_ADDRESS": on_engine.stack.temporal_address, "TEMPORAL_API_KEY": "s3cret"})
    with pytest.raises(NoServerError, match="does not speak TLS; leave out TEMPORAL_API_KEY"):
        await connect()


async def test_what_does_not_fit_is_said_with_what_to_set(endpoint: Secured, monkeypatch: pytest.MonkeyPatch) -> None:
    stranger = endpoint.other.signs("client")
    full = endpoint.settings
    bare = {name: value for name, value in full.items() if name not in (CERTIFICATE, KEY)}
    cases: list[tuple[dict[str, str], str]] = [
        ({**full, CA: str(endpoint.other.certificate)}, f"of no authority known here; set {CA}"),
        (bare, f"asks for a client certificate; set {CERTIFICATE} and {KEY}"),
        (
            {**full, CERTIFICATE: str(stranger.certificate), KEY: str(stranger.key)},
            "does not take the client certificate",
        ),
        ({"TEMPORAL_ADDRESS": endpoint.address}, "speaks TLS alone; set TEMPORAL_TLS=true"),
        ({**full, "TEMPORAL_TLS_SERVER_NAME": "elsewhere.example"}, "for another name; set TEMPORAL_TLS_SERVER_NAME"),
        ({**full, KEY: str(endpoint.client.certificate)}, "the client certificate or its key cannot be read"),
    ]
    for settings, said in cases:
        with monkeypatch.context() as here:
            given(here, settings)
            with pytest.raises(NoServerError, match=re.escape(said)):
                await connect()
    settings_alone = [
        ({**bare, CERTIFICATE: full[CERTIFICATE]}, f"give {CERTIFICATE} and {KEY} together"),
        ({**full, CA: "/nowhere/ca.pem"}, "cannot be read: /nowhere/ca.pem: No such file"),
        ({"TEMPORAL_ADDRESS": "no port or host"}, "give host:port"),
    ]
    for settings, said in settings_alone:
        with monkeypatch.context() as here:
            given(here, settings)
            with pytest.raises(ConnectionSettingsError, match=re.escape(said)):
                await connect()


def test_every_process_connects_by_the_one_factory() -> None:
    """Another place would have other settings, no plugin, or no sentence for what does not fit."""
    root = Path(__file__).parents[2]
    found = {
        str(path.relative_to(root))
        for folder in ("activities", "gateway", "workers", "workflows")
        for path in (root / folder).rglob("*.py")
        if re.search(r"\bClient\.connect\(", path.read_text(encoding="utf-8"))
    }
    assert found == {"gateway/connection.py", "workers/embedded/temporal_server.py"}, (
        "the latter asks its own server alone"
    )
