"""The import of a file of usage, in a process of its own that has nothing else in memory."""

from __future__ import annotations

import asyncio
import json
import re
import resource
import sys
from pathlib import Path
from typing import cast
from unittest.mock import Mock

from temporalio.client import Client

from activities.kernel.pool import open_pool
from gateway.client import PerennialClient
from workers.feeds.usage import import_usage


def most_memory() -> float:
    """Megabytes of this process at its most. What `getrusage` says includes its parent before it became another program."""
    said = re.search(r"^VmHWM:\s+(\d+) kB$", Path("/proc/self/status").read_text(), re.MULTILINE)
    assert said is not None
    return int(said[1]) / 1000


async def import_it(dsn: str, file: Path) -> None:
    """The import, in a process of its own: prints the CPU that it took, and the memory of the process at its most."""
    pool = await open_pool(dsn)
    client = PerennialClient(cast("Client", Mock(spec=Client)), pool)
    before = resource.getrusage(resource.RUSAGE_SELF)
    report = await import_usage(client, file, rejects=file.with_suffix(".rejects"))
    after = resource.getrusage(resource.RUSAGE_SELF)
    await pool.close()
    assert (report.rejected, report.journeys_told) == (0, 0)
    cpu = after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime
    print(json.dumps({"imported": report.imported, "cpu": cpu, "memory": most_memory()}))


if __name__ == "__main__":
    asyncio.run(import_it(sys.argv[1], Path(sys.argv[2])))
