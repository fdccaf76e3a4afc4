"""A worker's heartbeat: as long as its loop turns, whatever servers do."""

from __future__ import annotations

import asyncio
import os
import time
from pathlib import Path

from tests.ports import own_ports
from tests.workers.cli.running import PROGRAM
from workers.heartbeat import beating


def stand_still() -> None:
    """Nothing else of the loop has its turn meanwhile."""
    time.sleep(0.3)


async def test_the_file_is_touched_while_the_loop_turns_and_no_longer(tmp_path: Path) -> None:
    file = tmp_path / "alive"
    async with beating(file, every=0.05):
        await asyncio.sleep(0.2)
        os.utime(file, (0, 0))
        stand_still()
        assert file.stat().st_mtime == 0
        await asyncio.sleep(0.2)
        assert file.stat().st_mtime > 0
    os.utime(file, (0, 0))
    await asyncio.sleep(0.2)
    assert file.stat().st_mtime == 0
    async with beating(None):
        pass


async def test_a_worker_that_waits_for_temporal_is_alive(tmp_path: Path) -> None:
    file, (nobody,) = tmp_path / "alive", own_ports(1)
    ours = {"TEMPORAL_ADDRESS": f"127.0.0.1:{nobody}", "PERENNIAL_HEARTBEAT_FILE": str(file)}
    worker = await asyncio.create_subprocess_exec(
        PROGRAM, "worker", env=os.environ | ours, cwd=tmp_path, stderr=asyncio.subprocess.PIPE
    )
    assert worker.stderr is not None
    try:
        async with asyncio.timeout(60):
            said = (await worker.stderr.readline()).decode()
        assert file.exists(), said
        assert worker.returncode is None
    finally:
        worker.kill()
        await worker.wait()
