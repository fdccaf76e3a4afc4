"""What every door of the gateway works with: the facts, and the clients of journeys and cases."""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import timedelta
from functools import lru_cache
from typing import TYPE_CHECKING

from temporalio.client import Client

from activities.kernel.pool import Pool
from domain.frame.messages import Issuer
from gateway.calling import ANSWER_WITHIN
from gateway.cases import CaseClient
from gateway.client import PerennialClient
from gateway.here import TASK_QUEUE

if TYPE_CHECKING:  # what only reads facts needs no channel
    from activities.channels.webhooks import WebhookChannel

NOBODY = Issuer(name="")


@dataclass(frozen=True)
class Doors:
    """The servers behind the gateway. What is asked gets its answer `within` that time, or is left to happen.

    issuer: who issues documents that nobody got yet; those that somebody got say it themselves.
    """

    temporal: Client
    pool: Pool
    task_queue: str = TASK_QUEUE
    within: timedelta = ANSWER_WITHIN
    issuer: Issuer = NOBODY
    webhooks: WebhookChannel | None = None
    """where other systems are told of events, if they are told"""

    @property
    def client(self) -> PerennialClient:
        """The client of journeys."""
        return _clients(self)[0]

    @property
    def cases(self) -> CaseClient:
        """The client of cases."""
        return _clients(self)[1]

    def waiting(self, within: timedelta) -> Doors:
        """The same servers, with another patience."""
        return self if within == self.within else replace(self, within=within)


@lru_cache(maxsize=64)
def _clients(doors: Doors) -> tuple[PerennialClient, CaseClient]:
    return (
        PerennialClient(doors.temporal, doors.pool, task_queue=doors.task_queue, within=doors.within),
        CaseClient(doors.temporal, doors.pool, task_queue=doors.task_queue, within=doors.within),
    )
