"""`perennial up`, ended gently and by SIGKILL, comes up again on its files with every journey where it was."""

from __future__ import annotations

import asyncio
import contextlib
import shutil
import signal
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import pytest
from temporalio.client import Client

from activities.kernel.pool import Pool, open_pool
from gateway.client import PerennialClient
from gateway.connection import connect
from gateway.here import Running, running_file
from tests.builders import order
from tests.e2e.killing import PERENNIAL, command_environment
from tests.e2e.lives import account_of, check_messages, settled, steps_of
from tests.workers.embedded.conftest import all_gone, family
from workers.embedded.mailbox import Mailbox
from workers.embedded.placement import location


@dataclass
class Up:
    """A stack in a process of its own, with what others need of it."""

    process: asyncio.subprocess.Process
    running: Running
    temporal: Client
    pool: Pool
    client: PerennialClient
    ports: list[int]
    mailbox: Mailbox

    async def end(self, by: signal.Signals) -> int:
        """Ends it and makes sure that nothing of it is left; its exit code."""
        members = family(self.process.pid)
        assert len(members) > 3
        await self.pool.close()
        self.process.send_signal(by)
        code = await asyncio.wait_for(self.process.wait(), 120)
        await all_gone(members, self.ports)
        return code


@asynccontextmanager
async def up(folder: Path) -> AsyncIterator[Up]:
    """`perennial up` in `folder`."""
    with (folder / "up.log").open("ab") as log:
        process = await asyncio.create_subprocess_exec(
            *PERENNIAL,
            "up",
            cwd=folder,
            env=command_environment(),
            stdin=asyncio.subprocess.DEVNULL,
            stdout=log,
            stderr=log,
        )
    try:
        running = await _until_up(folder, process)
        temporal = await connect(running.temporal_address)
        pool = await open_pool(running.database_url)
        addresses = (running.database_url, running.ui_url, running.mailbox_url, f"//{running.temporal_address}")
        ports = [port for address in addresses if (port := urlsplit(address).port)]
        assert len(ports) == 4
        client = PerennialClient(temporal, pool)
        mailbox = Mailbox(folder / ".perennial" / "mailbox")
        yield Up(process, running, temporal, pool, client, [*ports, running.smtp_port], mailbox)
    finally:
        if process.returncode is None:
            with contextlib.suppress(ProcessLookupError):
                process.terminate()
            await process.wait()


async def _until_up(folder: Path, process: asyncio.subprocess.Process) -> Running:
    place = running_file(folder / ".perennial")
    while True:  # it gives up by itself if it cannot
        assert process.returncode is None, (folder / "up.log").read_text()
        with contextlib.suppress(OSError, ValueError):
            found = Running.model_validate_json(place.read_text())
            if found.pid == process.pid:
                return found
        await asyncio.sleep(0.1)


async def picture(stack: Up, account: str) -> dict[str, Any]:
    """Where a journey is: its run, what operators see of it, what was done and what is on record."""
    description = await stack.temporal.get_workflow_handle(f"journey-{account}").describe()
    return {
        "run": description.run_id,
        "events": description.history_length,
        "shown": {pair.key.name: pair.value for pair in description.typed_search_attributes},
        "steps": await steps_of(stack.pool, account),
        "assets": [
            tuple(row)
            for row in await stack.pool.fetch("select * from asset where account_id = $1 order by asset_id", account)
        ],
    }


@pytest.mark.slow("outage")
async def test_every_journey_is_where_it_was_and_goes_on(tmp_path: Path) -> None:
    places: list[dict[str, Any]] = []
    try:
        for end in (signal.SIGTERM, signal.SIGKILL, signal.SIGTERM):
            async with up(tmp_path) as stack:
                for before in places:
                    await goes_on(stack, before)
                document = order()
                account = account_of(document)
                answer = await stack.client.place_order(document)
                await stack.client.fast_forward(account, timedelta(days=45))
                places.append({"order": document, "account": account, "answer": answer})
                for place in places:
                    await settled(stack.pool, place["account"])
                    place["now"] = await stack.client.now(place["account"])
                    place["picture"] = await picture(stack, place["account"])
                code = await stack.end(end)
                assert code == (-signal.SIGKILL if end is signal.SIGKILL else 0)
        mailbox = Mailbox(tmp_path / ".perennial" / "mailbox")
        assert len(mailbox.list()) == len({mail.message_id for mail in mailbox.list()}) > 20
    finally:
        await asyncio.to_thread(shutil.rmtree, location(tmp_path / ".perennial" / "postgres"), True)


async def goes_on(stack: Up, before: dict[str, Any]) -> None:
    """A journey of an earlier start: unchanged, and its next thirty days come as planned."""
    account = before["account"]
    assert await picture(stack, account) == before["picture"]
    now = await stack.client.now(account)
    assert timedelta(0) <= now - before["now"] < timedelta(minutes=5)
    assert await stack.client.place_order(before["order"]) == before["answer"]
    await stack.client.fast_forward(account, timedelta(days=31))
    await settled(stack.pool, account)
    steps = await steps_of(stack.pool, account)
    old = before["picture"]["steps"]
    assert steps[: len(old)] == old
    assert [step for step in steps[len(old) :] if step.startswith("adoption/check-in-")]
    times = await check_messages(stack.pool, account, stack.mailbox)
    assert set(times.values()) == {1}
