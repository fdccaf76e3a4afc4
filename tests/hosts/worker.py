"""A worker that does so many things at once, as an argument says: `python -m tests.hosts.worker 1`."""

from __future__ import annotations

import asyncio
import sys

from gateway.connection import connect
from workers.cli.common import until_stopped
from workers.settings import Settings
from workers.wiring import working


async def main(at_once: int) -> None:
    """Until it is asked to end."""
    settings = Settings()
    pool = await settings.open_pool()
    async with working(await connect(), pool, settings, max_concurrent_activities=at_once):
        await until_stopped()


if __name__ == "__main__":
    asyncio.run(main(int(sys.argv[1])))
