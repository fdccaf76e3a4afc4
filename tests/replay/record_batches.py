"""Records a run of each batch: `python -m tests.replay.record_batches`. What was recorded stays as it is."""

from __future__ import annotations

import asyncio
import tempfile
from pathlib import Path

from domain.frame.batches import Batch
from tests.replay.record import write_histories
from tests.replay.record_cases import recording
from workflows.batch import BatchRun

BATCHES = Path(__file__).parent / "batches"


async def record(folder: Path) -> None:
    """Writes the histories of the batches that have none yet."""
    BATCHES.mkdir(exist_ok=True)
    async with recording(folder) as servers:
        for batch in [batch for batch in Batch if not (BATCHES / f"{batch.value}-1.json").exists()]:
            name, queue = f"recorded-{batch.value}", servers.settings.task_queue
            await servers.temporal.execute_workflow(BatchRun.run, batch.value, id=name, task_queue=queue)
            await asyncio.sleep(2)  # the server's list of workflows follows a moment later
            await write_histories(servers.temporal, name, BATCHES, batch.value)


if __name__ == "__main__":
    with tempfile.TemporaryDirectory(prefix="perennial-record-batches-") as place:
        asyncio.run(record(Path(place)))
