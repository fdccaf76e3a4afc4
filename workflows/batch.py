"""A batch over tables: one activity, tried again until it is done. A journey hears of it only what matters to it."""

from __future__ import annotations

from temporalio import workflow

from domain.frame.batches import Batch, BatchReport
from workflows import calls


@workflow.defn(name="Batch")
class BatchRun:
    """One run of a batch, begun by its schedule."""

    @workflow.run
    async def run(self, batch: Batch) -> BatchReport:
        """Does the batch as of now: what was missed while nobody worked is made up for by the next run."""
        return await calls.do_batch(batch, workflow.now())
