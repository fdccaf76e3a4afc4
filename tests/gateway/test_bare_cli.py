"""The pinned contract for services in any language: type, task queue, update name and JSON, by the bare Temporal CLI."""

from __future__ import annotations

import asyncio
import json
import os
from typing import Any

import pytest

from tests.builders import order
from tests.conftest import Servers
from tests.e2e.lives import account_of, ended, rows_of
from workers.embedded.temporal_server import find_program

pytestmark = pytest.mark.engine  # Temporal's own command line


async def by_cli(servers: Servers, document: dict[str, Any]) -> tuple[int, str]:
    """The exit code and everything that the CLI prints."""
    process = await asyncio.create_subprocess_exec(
        str(find_program()),
        *("workflow", "execute-update-with-start", "--address", servers.stack.temporal_address, "--output", "json"),
        *("--type", "CustomerJourney", "--task-queue", "perennial", "--workflow-id", f"journey-{account_of(document)}"),
        *("--id-conflict-policy", "UseExisting", "--update-name", "place_order"),
        *("--update-input", json.dumps(document)),
        env={key: value for key, value in os.environ.items() if not key.startswith("TEMPORAL_")},
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.STDOUT,
    )
    output, _ = await asyncio.wait_for(process.communicate(), 240)
    return process.returncode or 0, output.decode()


async def test_the_bare_cli_places_an_order(servers: Servers) -> None:
    document = order()
    account = account_of(document)
    code, said = await by_cli(servers, document)
    assert code == 0, said
    answer = json.loads(said)["updateResult"]
    assert answer["order_id"] == document["order_id"]
    assert len(answer["assets"]) == 3
    assert (await rows_of(servers.pool, account))["asset"] == 3
    again_code, again = await by_cli(servers, document)
    assert again_code == 0, again
    assert json.loads(again)["updateResult"] == answer
    assert (await rows_of(servers.pool, account))["sales_order"] == 1


async def test_a_refusal_tells_the_field_and_what_would_be_right(servers: Servers) -> None:
    document = order()
    document["contracts"][0]["lines"][0]["product"] = "SEATZ"
    code, said = await by_cli(servers, document)
    assert code != 0
    assert "contracts[0].lines[0].product" in said
    assert "did you mean SEATS" in said
    await ended(servers.temporal, f"journey-{account_of(document)}")
    assert await rows_of(servers.pool, account_of(document)) == {}
