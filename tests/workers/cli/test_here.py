"""What the README prints works in the folder of a stack, whatever listens on the usual ports; without one it says so."""

from __future__ import annotations

import asyncio
import json
import os
import re
import signal
import sys
from pathlib import Path

import pytest

from gateway.connection import connect
from gateway.here import NoServerError, open_facts
from tests.builders import order
from tests.conftest import Servers
from tests.ports import own_ports
from tests.workers.cli.running import PROGRAM, beside
from workers.embedded.stack import EmbeddedStack

ROOT = Path(__file__).parents[3]
PAGES = [ROOT / "README.md", ROOT / "docs" / "service.md"]


def clean() -> dict[str, str]:
    """An environment that names no servers."""
    return {key: value for key, value in os.environ.items() if not key.startswith(("TEMPORAL_", "PERENNIAL_"))}


async def ran(folder: Path, *arguments: str, **more: str) -> tuple[int, str]:
    process = await asyncio.create_subprocess_exec(
        *arguments,
        cwd=folder,
        env={**clean(), **more},
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.STDOUT,
    )
    output, _ = await asyncio.wait_for(process.communicate(), 90)
    return process.returncode or 0, output.decode()


def ended_well(code: int, said: str) -> bool:
    """Whether a script came to its end. Threads that Temporal's client leaves behind abort the interpreter now and then while it
    shuts down, after all is done."""
    return code == 0 or (code == -signal.SIGABRT and "Python runtime state: finalizing" in said)


def examples(language: str) -> list[str]:
    texts = [page.read_text(encoding="utf-8") for page in PAGES]
    return [found for text in texts for found in re.findall(rf"```{language}\n(.*?)```", text, flags=re.DOTALL)]


async def test_the_examples_of_the_readme_work_beside_the_stack_of_their_folder(
    servers: Servers, tmp_path: Path
) -> None:
    beside(servers, tmp_path)
    orders, cases = examples("python")
    document = order("acme")
    document["account"]["segment"] = "standard"
    (tmp_path / "order.json").write_text(json.dumps(document))
    code, said = await ran(tmp_path, sys.executable, "-c", orders)
    assert said.split()[0] == document["order_id"], said
    assert ended_well(code, said), said
    code, said = await ran(tmp_path, sys.executable, "-c", cases)
    assert ended_well(code, said), said
    assert await servers.pool.fetchval("select status from service_case where case_id = 'C-17'") == "resolved"
    code, said = await ran(tmp_path, str(PROGRAM), "temporal", "workflow", "describe", "--workflow-id", "journey-acme")
    assert code == 0, said
    assert "CustomerJourney" in said


async def test_without_a_stack_nothing_goes_to_a_stranger(
    servers: Servers, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    code, said = await ran(tmp_path, str(PROGRAM), "temporal", "workflow", "list")
    assert code == 1
    assert "no stack runs in this folder; start `perennial up`" in said
    code, said = await ran(
        tmp_path, str(PROGRAM), "temporal", "--version", TEMPORAL_ADDRESS=servers.stack.temporal_address
    )
    assert (code, "temporal version" in said) == (0, True), said
    monkeypatch.chdir(tmp_path)
    monkeypatch.delenv("PERENNIAL_DATABASE_URL", raising=False)
    with pytest.raises(NoServerError, match="start `perennial up`"):
        await open_facts()
    with pytest.raises(NoServerError, match=r"no Temporal server at 127\.0\.0\.1:9; start `perennial up`"):
        await connect("127.0.0.1:9")
    for page in PAGES:
        bare = re.search(r"\$ (uv run )?temporal ", page.read_text(encoding="utf-8"))
        assert bare is None, "the bare line may reach a stranger"


async def test_ports_stay_from_start_to_start(tmp_path: Path) -> None:
    addresses = []
    # Not the usual ports: between the two starts another stack of these tests may take one of those.
    first, elsewhere = own_ports(3), own_ports(3)
    ports = {"postgres": own_ports(1)[0], "temporal": first, "mail": own_ports(2)}
    (tmp_path / "s").mkdir()
    (tmp_path / "s" / "ports.json").write_text(json.dumps(ports))
    for _ in range(2):
        async with EmbeddedStack(tmp_path / "s") as stack:
            addresses.append(
                (stack.postgres_dsn, stack.temporal_address, stack.ui_url, stack.smtp_port, stack.mailbox_url)
            )
        if len(addresses) == 1:
            kept = json.loads((tmp_path / "s" / "ports.json").read_text())
            # As if the usual ports had been taken at the first start.
            moved = {**kept, "temporal": elsewhere}
            (tmp_path / "s" / "ports.json").write_text(json.dumps(moved))
    assert addresses[0][0] == addresses[1][0]
    assert addresses[0][3:] == addresses[1][3:]
    assert [int(place[1].rpartition(":")[2]) for place in addresses] == [first[0], elsewhere[0]]
