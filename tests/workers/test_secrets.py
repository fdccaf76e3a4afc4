"""Secrets are told to nobody: planted in every setting that holds one, then looked for in whatever processes print and log."""

from __future__ import annotations

import base64
import io
import logging
import secrets
from pathlib import Path

import pytest
from pydantic import SecretStr

from tests.builders import order
from tests.conftest import Servers
from tests.e2e.lives import account_of, until
from tests.ports import own_ports
from tests.workers.cli.running import Ended, perennial
from workers.logs import set_up
from workers.settings import LogForm, Settings
from workers.wiring import build_worker

WORD = "Zq7vWk2"
"""In every secret, so that one search finds them all."""


def planted(name: str) -> str:
    """A secret that is like no other."""
    return f"{WORD}{name}{secrets.token_hex(4)}"


def environment(closed_port: int) -> dict[str, str]:
    """Servers that nobody runs, with secrets for each."""
    key = base64.b64encode(f"{WORD}-webhook-secret-of-24+".encode()).decode()
    return {
        "PERENNIAL_SMTP_HOST": "127.0.0.1",
        "PERENNIAL_SMTP_PORT": str(closed_port),
        "PERENNIAL_SMTP_USERNAME": "perennial",
        "PERENNIAL_SMTP_PASSWORD": planted("smtp"),
        "PERENNIAL_WEBHOOK_URL": f"http://127.0.0.1:{closed_port}/hook",
        "PERENNIAL_WEBHOOK_SECRET": f"whsec_{key}",
        "PERENNIAL_OIDC_ISSUER": f"http://127.0.0.1:{closed_port}",
        "PERENNIAL_OIDC_CLIENT_ID": "perennial",
        "PERENNIAL_OIDC_CLIENT_SECRET": planted("oidc"),
        "PERENNIAL_PAYLOAD_KEYS": f"k1:{WORD}not-a-key",
        "TEMPORAL_ADDRESS": f"127.0.0.1:{closed_port}",
        "TEMPORAL_API_KEY": planted("temporal"),
    }


def forms(environment: dict[str, str]) -> list[str]:
    """What to look for: the word, and the encoded form of the secret that is kept encoded."""
    return [WORD, environment["PERENNIAL_WEBHOOK_SECRET"].removeprefix("whsec_")]


@pytest.mark.parametrize(
    "command",
    [("doctor",), ("migrate",), ("worker", "--check"), ("keys", "list"), ("journey", "list"), ("release", "list")],
    ids=" ".join,
)
async def test_commands_that_fail_say_no_secret(command: tuple[str, ...], tmp_path: Path) -> None:
    (closed,) = own_ports(1)
    given = environment(closed)
    dsn = f"postgresql://perennial:{planted('database')}@127.0.0.1:{closed}/perennial?connect_timeout=1"
    ended: Ended = await perennial(*command, dsn=dsn, folder=tmp_path, environment=given)
    said = ended.out + ended.err
    assert said.strip()
    assert ended.code != 0
    assert not [form for form in forms(given) if form in said]


async def test_settings_that_are_shown_hide_their_secrets() -> None:
    given = environment(9)
    names = {name.removeprefix("PERENNIAL_").lower(): value for name, value in given.items() if "TEMPORAL" not in name}
    settings = Settings(**names, database_url=SecretStr(f"postgresql://p:{WORD}@h/d"))  # type: ignore[arg-type]
    told = [repr(settings), str(settings), settings.model_dump_json(), str(settings.model_dump())]
    assert not [form for form in forms(given) for one in told if form in one]


async def test_a_worker_whose_providers_fail_logs_no_secret_and_nothing_that_customers_wrote(
    servers: Servers,
) -> None:
    (closed,) = own_ports(1)
    given = environment(closed)
    queue = f"secrets-{secrets.token_hex(4)}"
    settings = servers.settings.model_copy(
        update={
            "task_queue": queue,
            "smtp_port": closed,
            "smtp_username": "perennial",
            "smtp_password": SecretStr(given["PERENNIAL_SMTP_PASSWORD"]),
            "webhook_url": given["PERENNIAL_WEBHOOK_URL"],
            "webhook_secret": SecretStr(given["PERENNIAL_WEBHOOK_SECRET"]),
            "provisioning_url": f"http://127.0.0.1:{closed}/{WORD}?token={WORD}",
        }
    )
    document = order()
    document["contacts"][0]["name"] = f"Planted {WORD}person"
    root = logging.getLogger()
    before, handlers = root.level, list(root.handlers)
    logged = io.StringIO()
    set_up(LogForm.JSON, logged)
    root.setLevel(logging.DEBUG)
    try:
        client = type(servers.client)(servers.temporal, servers.pool, task_queue=queue)
        async with build_worker(servers.temporal, servers.pool, settings):
            await client.place_order(document)

            async def all_tried() -> bool:
                tried = await servers.pool.fetch(
                    "select channel from outbox where account_id = $1 and status = 'waiting'", account_of(document)
                )
                return len({row["channel"] for row in tried}) >= 2 and '"event": "delivery"' in logged.getvalue()

            await until(all_tried, "mails and more wait, and one was tried")
    finally:
        root.setLevel(before)
        root.handlers[:] = handlers
    lines = logged.getvalue().splitlines()
    assert any('"event": "delivery"' in line for line in lines), "a failed delivery is logged"
    assert not [line for line in lines for form in forms(given) if form in line]
