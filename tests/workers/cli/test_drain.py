"""A worker that is told to end lets what it has begun come to its end."""

from __future__ import annotations

import asyncio
import os
import signal
from pathlib import Path
from uuid import uuid4

import pytest
from aiosmtpd.smtp import SMTP

from gateway.client import PerennialClient
from tests.builders import order
from tests.conftest import Servers
from tests.workers.cli.running import PROGRAM

pytestmark = pytest.mark.engine


class Slow:
    """A mail server that takes its time between the last byte and its word."""

    def __init__(self) -> None:
        self.begun, self.taken = asyncio.Event(), 0

    async def handle_DATA(self, *_: object) -> str:  # noqa: N802
        self.begun.set()
        await asyncio.sleep(3)
        self.taken += 1
        return "250 taken"


async def test_a_mail_is_not_cut_in_the_middle(servers: Servers, tmp_path: Path) -> None:
    slow = Slow()
    mails = await asyncio.get_running_loop().create_server(lambda: SMTP(slow), "127.0.0.1", 0)
    port = mails.sockets[0].getsockname()[1]
    queue = f"drained-{uuid4().hex[:8]}"
    environment = {
        **os.environ,
        "TEMPORAL_ADDRESS": servers.stack.temporal_address,
        "PERENNIAL_DATABASE_URL": servers.stack.postgres_dsn,
        "PERENNIAL_SMTP_HOST": "127.0.0.1",
        "PERENNIAL_SMTP_PORT": str(port),
        "PERENNIAL_TASK_QUEUE": queue,
    }
    worker = await asyncio.create_subprocess_exec(
        str(PROGRAM), "worker", cwd=tmp_path, env=environment, stderr=asyncio.subprocess.PIPE
    )
    try:
        document = order()
        account = str(document["account"]["account_id"])
        client = PerennialClient(servers.temporal, servers.pool, task_queue=queue)
        await client.place_order(document)
        await asyncio.wait_for(slow.begun.wait(), 60)
        worker.send_signal(signal.SIGTERM)
        _, said = await asyncio.wait_for(worker.communicate(), 60)
        assert worker.returncode == 0, said.decode()
        assert slow.taken >= 1
        query = "select count(*) from outbox where account_id = $1 and status = 'sent' and left_with is null"
        assert await servers.pool.fetchval(query, account) == slow.taken, "what was taken is on record as sent"
    finally:
        if worker.returncode is None:
            worker.kill()
        mails.close()
