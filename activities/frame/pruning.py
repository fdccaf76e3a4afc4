"""The batch that deletes what nothing asks for any more."""

from __future__ import annotations

from temporalio import activity

from activities.frame.errors import business_errors
from activities.kernel.heartbeats import heartbeats
from activities.kernel.pool import Pool
from activities.kernel.pruning import Keeping, forget
from domain.frame.batches import Batch, BatchCall, BatchReport


class Pruning:
    """Keeps for so long what somebody may want to look at."""

    def __init__(self, pool: Pool, keeping: Keeping) -> None:
        self._pool = pool
        self._keeping = keeping

    @activity.defn(name=Batch.PRUNE.value)
    async def prune(self, call: BatchCall) -> BatchReport:
        """Deletes a little at a time, each part for itself."""
        async with business_errors(), heartbeats(), self._pool.acquire() as connection:
            return BatchReport(counts=await forget(connection, call.as_of, self._keeping))
