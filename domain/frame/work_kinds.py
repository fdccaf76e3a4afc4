"""Kinds of work, each of which may have a task queue of its own, so that hosts can be split by what they do."""

from __future__ import annotations

from enum import StrEnum

from domain.frame.batches import Batch
from domain.frame.flight import TOGETHER, Channel


class WorkKind(StrEnum):
    """A kind of work: what is done of it are activities, and of journeys the workflows as well."""

    JOURNEYS = "journeys"
    """workflows, steps and requests: transactions of some milliseconds, which people wait for"""
    DELIVERIES = "deliveries"
    """what leaves the company: mails, notices, provisioning, webhooks"""
    IMPORTS = "imports"
    """what files bring: many rows at once, in no hurry"""
    BATCHES = "batches"
    """what is done for all customers at once"""


_KINDS = {
    **dict.fromkeys((TOGETHER, *(channel.value for channel in Channel)), WorkKind.DELIVERIES),
    **dict.fromkeys(("take_over_order", "take_over_orders", "take_up_holdings"), WorkKind.IMPORTS),
    **dict.fromkeys((batch.value for batch in Batch), WorkKind.BATCHES),
}


def kind_of(activity: str) -> WorkKind:
    """Which kind an activity is of, by its name."""
    return _KINDS.get(activity, WorkKind.JOURNEYS)


def queue_of(task_queue: str, kind: WorkKind) -> str:
    """The queue of a kind that has one of its own, beside a deployment's."""
    return task_queue if kind is WorkKind.JOURNEYS else f"{task_queue}-{kind.value}"
