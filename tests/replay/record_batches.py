"""Records a run of each batch: `python -m tests.replay.record_batches`. What was recorded stays as it is."""

from __future__ import annotations

import asyncio
import tempfile
from pathlib import Path

from activities.kernel.pool import open_pool
from domain.frame.batches import Batch
from gateway.connection import connect
from tests.replay.record import write_histories
from workers.embedded.stack import EmbeddedStack
from workers.migrating import migrate
from workers.settings import Settings
from workers.wiring import build_worker
from workflows.batch import BatchRun
from workflows.visibility import SEARCH_ATTRIBUTES

BATCHES = Path(__file__).parent / "batches"


async def record(folder: Path) -> None:
    """Writes the histories of the batches that have none yet."""
    BATCHES.mkdir(exist_ok=True)
    wanted = [batch for batch in Batch if not (BATCHES / f"{batch.value}-1.json").exists()]
    async with EmbeddedStack(folder / "stack", SEARCH_ATTRIBUTES, keep=False) as stack:
        await migrate(stack.postgres_dsn)
        temporal, pool = await connect(stack.temporal_address), await open_pool(stack.postgres_dsn)
        settings = Settings.model_validate(
            {"database_url": stack.postgres_dsn, "smtp_host": stack.smtp_host, "smtp_port": stack.smtp_port}
        )
        async with build_worker(temporal, pool, settings):
            for batch in wanted:
                workflow_id = f"recorded-{batch.value}"
                await temporal.execute_workflow(
                    BatchRun.run, batch.value, id=workflow_id, task_queue=settings.task_queue
                )
                await asyncio.sleep(2)  # the server's list of workflows follows a moment later
                await write_histories(temporal, workflow_id, BATCHES, batch.value)
        await pool.close()


if __name__ == "__main__":
    with tempfile.TemporaryDirectory(prefix="perennial-record-batches-") as place:
        asyncio.run(record(Path(place)))
