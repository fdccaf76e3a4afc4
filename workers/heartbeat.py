"""That a worker's process goes on, said to whoever restarts it: a file that is touched, which asks nothing of any server."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress
from pathlib import Path

EVERY = 10.0
"""seconds"""


@asynccontextmanager
async def beating(file: Path | None, every: float = EVERY) -> AsyncIterator[None]:
    """Touches `file`, if there is one, as long as the block runs and the event loop turns."""
    if file is None:
        yield
        return
    task = asyncio.create_task(_beat(file, every))
    try:
        yield
    finally:
        task.cancel()


async def _beat(file: Path, every: float) -> None:
    while True:
        _touch(file)
        await asyncio.sleep(every)


def _touch(file: Path) -> None:
    with suppress(OSError):  # a full disk, say: whoever looks at the file sees it
        file.touch()
