"""What the servers of a killed process leave behind on a folder that nobody needs any more: ended, and removed."""

import contextlib
import shutil
from pathlib import Path

from workers.embedded.lock import FolderLock
from workers.embedded.placement import location
from workers.embedded.postgres import end_leftover_postgres
from workers.embedded.temporal_server import end_leftover_temporal


async def remove_stack(data_dir: Path) -> None:
    """Ends what still serves the stack of `data_dir`, and removes the folder with all that the stack has put elsewhere.

    Raises:
        AlreadyRunningError: the process that owns the stack is alive.
    """
    with contextlib.suppress(FileNotFoundError), FolderLock(data_dir):  # it may be gone already
        home = location(data_dir / "postgres")
        await end_leftover_postgres(home / "data")
        await end_leftover_temporal(data_dir / "temporal" / "temporal.db")
        for folder in (home, data_dir):
            shutil.rmtree(folder, ignore_errors=True)
