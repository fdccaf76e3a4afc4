"""A batch over tables: one activity, tried again until it is done. A journey hears of it only what matters to it."""

from __future__ import annotations

from temporalio import workflow

from domain.frame.batches import Batch, BatchReport
from workflows import calls


@workflow.defn(name="Batch")
class BatchRun:
    """One run of a batch, begun by its schedule."""

    @workflow.run
    async def run(self, batch: str) -> BatchReport:
        """Does the batch as of now: what was missed while nobody worked is made up for by the next run.

        A batch that this release does not know is of a newer one, whose schedule stays when the release before is back: there is nothing
        to do then.
        """
        known = next((one for one in Batch if one == batch), None)
        if known is None:
            workflow.logger.warning("no batch %s in this release", batch)
            return BatchReport()
        return await calls.do_batch(known, workflow.now())
