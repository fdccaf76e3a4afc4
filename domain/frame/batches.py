"""Batches: what is done for all customers at once, over tables, at an hour of each day or week. A schedule of Temporal begins them."""

from __future__ import annotations

from enum import StrEnum

from pydantic import AwareDatetime

from domain.kernel.base import Carried


class Batch(StrEnum):
    """The name of a batch, and of the activity that does it."""

    PRUNE = "prune_batch"
    EXPANSION = "expansion_batch"
    RENEWALS = "renewal_batch"
    HEALTH = "health_batch"
    ATTEND = "attend_batch"
    ERASE = "erase_batch"

    @property
    def says(self) -> str:
        """What it does, for the Temporal UI."""
        return _SAYS[self]


_SAYS = {
    Batch.PRUNE: "Deletes what nothing asks for any more: old events, usage, kept answers, sessions and lines of the audit log",
    Batch.ATTEND: "Reminds our people of what is due, tells who is next of what is late, and on Mondays what their week holds",
    Batch.ERASE: "Has the engine forget whom the tables have forgotten: deletes the histories that name them",
    Batch.EXPANSION: "Looks whom to ask for more, and asks their journeys",
    Batch.RENEWALS: "Makes what is due before renewals a task of our people",
    Batch.HEALTH: "Scores the health of all customers and tells the journeys whose band is another one",
}


class BatchCall(Carried):
    """The input of a batch's activity, which goes on after a retry with what is not done yet."""

    as_of: AwareDatetime


class BatchReport(Carried):
    """What a batch has done: how many of what."""

    counts: dict[str, int] = {}
