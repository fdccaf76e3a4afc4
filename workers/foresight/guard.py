"""Outlives the process that started it by as long as it takes to remove its folder: `python -m workers.foresight.guard FOLDER`."""

from __future__ import annotations

import asyncio
import sys
import time
from pathlib import Path

from workers.embedded.errors import AlreadyRunningError
from workers.embedded.leftovers import remove_stack

_PATIENCE = 60.0  # seconds for the owner's end, once its pipe has closed


async def remove(folder: Path) -> None:
    """Ends and removes the stack of a folder whose owner is ending. Raises AlreadyRunningError if that goes on."""
    deadline = time.monotonic() + _PATIENCE
    while True:
        try:
            return await remove_stack(folder)
        except AlreadyRunningError:
            if time.monotonic() > deadline:
                raise
            await asyncio.sleep(0.1)


if __name__ == "__main__":
    sys.stdin.buffer.read()  # nothing is ever written: it ends with whoever holds the other end
    asyncio.run(remove(Path(sys.argv[1])))
