"""A database is lost, or comes back as it was before: after one command every contract renews and bills as if nothing had been."""

from __future__ import annotations

import asyncio
import json
import shutil
import signal
from collections.abc import Callable
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest

from tests.builders import order
from tests.conftest import Servers
from tests.e2e.killing import PERENNIAL, command_environment
from tests.e2e.lives import account_of, settled
from tests.e2e.test_restart import Up, up
from workers.embedded.placement import location

BEFORE, LOST, AFTER = timedelta(days=20), timedelta(days=60), timedelta(days=420)


async def doctor(folder: Path, *more: str) -> tuple[int, dict[str, Any]]:
    """Exit code and answer of `perennial doctor --reconcile`."""
    process = await asyncio.create_subprocess_exec(
        *PERENNIAL,
        "doctor",
        "--reconcile",
        "--json",
        *more,
        cwd=folder,
        env=command_environment(),
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.PIPE,
    )
    out, err = await asyncio.wait_for(process.communicate(), 100)
    assert out, err.decode()
    found: dict[str, Any] = json.loads(out)
    return process.returncode or 0, found


def quarterly() -> dict[str, Any]:
    document = order()
    document["contracts"][0].update({"billing": "quarterly", "auto_renew": True})
    return document


async def lived(pool: Any, account: str) -> dict[str, Any]:
    """Invoices, terms and contractual mails of an account, in their order."""
    invoices = await pool.fetch("select total, issued_on from invoice where account_id = $1 order by number", account)
    terms = await pool.fetch(
        "select t.number, t.start_on, t.origin from contract c join contract_term t using (contract_id)"
        " where c.account_id = $1 order by t.number",
        account,
    )
    mails = await pool.fetch(
        "select body->>'template' as template from outbox where account_id = $1 and channel = 'deliver_mail'"
        " and status = 'sent' order by 1",
        account,
    )
    return {
        "invoices": [(str(row["total"]), str(row["issued_on"])) for row in invoices],
        "terms": [(row["number"], str(row["start_on"]), row["origin"]) for row in terms],
        "mails": [row["template"] for row in mails],
    }


def _keep(folder: Path) -> None:
    shutil.copytree(folder, folder.with_name(f"{folder.name}.kept"))


def _bring_back(folder: Path) -> None:
    shutil.rmtree(folder)
    folder.with_name(f"{folder.name}.kept").rename(folder)


def temporal_of(folder: Path) -> Path:
    return folder / ".perennial" / "temporal"


def postgres_of(folder: Path) -> Path:
    return location(folder / ".perennial" / "postgres")


async def advance(stack: Up, account: str, by: timedelta, began: Any) -> None:
    await stack.client.fast_forward_to(account, began + by)
    await settled(stack.pool, account)


async def twin(servers: Servers) -> dict[str, Any]:
    """The same customer, whom nothing befalls."""
    document = quarterly()
    account = account_of(document)
    await servers.client.place_order(document)
    began = await servers.client.now(account)
    await servers.client.fast_forward_to(account, began + AFTER)
    await settled(servers.pool, account)
    return await lived(servers.pool, account)


@pytest.mark.slow("disaster")
@pytest.mark.timeout(300)
@pytest.mark.parametrize("disaster", ["temporal_deleted", "temporal_from_before"])
async def test_temporal_is_lost_and_no_contract_is_forgotten(tmp_path: Path, servers: Servers, disaster: str) -> None:
    lose: dict[str, Callable[[Path], None]] = {"temporal_deleted": shutil.rmtree, "temporal_from_before": _bring_back}
    document = quarterly()
    account = account_of(document)
    try:
        async with up(tmp_path) as stack:
            await stack.client.place_order(document)
            began = await stack.client.now(account)
            await advance(stack, account, BEFORE, began)
            assert await stack.end(signal.SIGTERM) == 0
        if disaster == "temporal_from_before":
            _keep(temporal_of(tmp_path))
        async with up(tmp_path) as stack:
            await advance(stack, account, LOST, began)
            second = quarterly()
            second["account"]["account_id"] = f"{account}-b"
            await stack.client.place_order(second)
            assert await stack.end(signal.SIGTERM) == 0
        lose[disaster](temporal_of(tmp_path))
        async with up(tmp_path) as stack:
            code, found = await doctor(tmp_path)
            assert code == 1
            assert {one["account_id"] for one in found["found"]} == {account, f"{account}-b"}
            code, mended = await doctor(tmp_path, "--mend")
            assert (code, mended["standing"]) == (0, 0), mended
            assert await doctor(tmp_path) == (0, {**mended, "differences": 0, "by_kind": {}, "found": []})
            await advance(stack, account, AFTER, began)
            after = await lived(stack.pool, account)
            arrived = stack.mailbox.list()
            assert len(arrived) == len({mail.message_id for mail in arrived})
            assert await stack.end(signal.SIGTERM) == 0
    finally:
        await asyncio.to_thread(shutil.rmtree, postgres_of(tmp_path), True)
    assert after == await twin(servers)
