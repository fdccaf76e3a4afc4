"""What is on its way out: how often it was tried and why it has not left, and a try at once for all of it."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime

from temporalio.client import Client

from activities.channels.waiting import Row, count_waiting, waiting
from activities.frame.outbox import find_outbox
from activities.kernel.pool import Pool
from domain.frame.batches import Batch
from domain.frame.flight import LEAVE_TOGETHER, TOGETHER, Channel, DeliveryStatus
from domain.frame.keys import BATCH, case_of_delivery
from domain.kernel.ids import case_workflow_id, journey_id
from domain.kernel.refusals import Refusal
from gateway.calling import NoAnswerError
from gateway.cases import CaseClient
from gateway.client import PerennialClient
from gateway.entity import MayBeGone

CHANNELS = {
    "mail": (Channel.MAIL, Channel.NOTICE),
    "provisioning": (Channel.PROVISIONING,),
    "webhook": (Channel.WEBHOOK,),
    "transfer": (Channel.CONVEYANCE,),
}


@dataclass(frozen=True)
class Tried:
    """How a delivery that has not left was tried: attempts so far, when it is tried next, and what was said last."""

    attempts: int
    next_at: datetime | None
    said: str


@dataclass(frozen=True)
class Failing:
    """A provider that does not take what is to leave: how much waits, since when, and how the latest attempt went."""

    provider: str
    waiting: int
    since: datetime
    tried: Tried


LOOKED_AT = 50
"""Of so many customers the server is asked how the attempts went."""


class Outgoing:
    """The outbox and whoever carries it."""

    def __init__(self, temporal: Client, pool: Pool, journeys: PerennialClient, cases: CaseClient) -> None:
        self._temporal = temporal
        self._pool = pool
        self._journeys = journeys
        self._cases = cases

    async def failing(self) -> Sequence[Failing]:
        """The providers at which attempts fail, by what the server knows of the customers that have waited longest."""
        found = []
        for provider, channels in CHANNELS.items():
            names = [channel.value for channel in channels]
            async with self._pool.acquire() as connection:
                total = await count_waiting(connection, names)
                rows = await waiting(connection, names)
            carriers = [*dict.fromkeys(_carrier(row["delivery_id"], row["account_id"]) for row in rows)][:LOOKED_AT]
            known = await asyncio.gather(*(self._tried(carrier) for carrier in carriers))
            failed = [one for each in known for name, one in each.items() if name in names and one.said]
            if failed:
                latest = max(failed, key=lambda one: (one.next_at is not None, one.next_at, one.attempts))
                found.append(Failing(provider, total, rows[0]["created_at"], latest))
        return found

    async def list(
        self, channel: str | None = None, account_id: str | None = None, *, most: int | None = None
    ) -> list[Row]:
        """What has not left, the oldest first, each row with `carrier` (a workflow id) and `tried` (null: nobody carries it). most: of
        so many of them."""
        names = [one.value for each in ([CHANNELS[channel]] if channel else CHANNELS.values()) for one in each]
        async with self._pool.acquire() as connection:
            rows = (await waiting(connection, names, account_id))[:most]
        tried: dict[str, dict[str, Tried]] = {}
        for row in rows:
            row["carrier"] = carrier = _carrier(row["delivery_id"], row["account_id"])
            if carrier not in tried:
                tried[carrier] = await self._tried(carrier)
            present, before = tried[carrier].get(row["channel"]), row.pop("before")
            row["tried"] = replace(present, attempts=before + present.attempts) if present else None
        return rows

    async def retry(self, channel: str | None = None, account_id: str | None = None) -> AsyncIterator[tuple[str, str]]:
        """Asks whoever carries something to try it now: their workflow id, and what came of it, one after the other."""
        for carrier in dict.fromkeys(row["carrier"] for row in await self.list(channel, account_id)):
            said, _ = await self._try_again(carrier)
            yield carrier, said

    async def retry_alone(self, delivery_id: str) -> tuple[str, bool]:
        """Has one message tried now: what came of it, and whether it is tried. A case tries all of its own."""
        async with self._pool.acquire() as connection:
            found = await find_outbox(connection, delivery_id)
        if found is None or found.status is not DeliveryStatus.WAITING:
            return "it does not wait to leave; `perennial deliveries list --json` says what does", False
        return await self._try_again(_carrier(delivery_id, found.account_id), delivery_id)

    async def _try_again(self, carrier: str, alone: str | None = None) -> tuple[str, bool]:
        if carrier == Batch.ATTEND.value:
            return "its run tries it again by itself, within the hour", True
        try:
            if carrier.startswith("case-"):
                await self._cases.ask(carrier.removeprefix("case-"), "retry", {"by": "operator"})
            else:
                body = {"by": "operator", **({"delivery": alone} if alone else {})}
                await self._journeys.ask(carrier.removeprefix("journey-"), "retry_deliveries", body)
        except Refusal as refusal:
            return f"{refusal.type}: {refusal}", False
        except NoAnswerError as nothing:
            return str(nothing), False
        return "tried again", True

    async def _tried(self, carrier: str) -> dict[str, Tried]:
        """By channel, what the server knows of the attempts of what waits there: the most tried one speaks for all."""
        found = None
        with MayBeGone():
            found = await self._temporal.get_workflow_handle(carrier).describe()
        tried: dict[str, Tried] = {}
        for one in sorted(found.raw_description.pending_activities if found else (), key=lambda one: one.attempt):
            due = one.next_attempt_schedule_time
            next_at = due.ToDatetime(tzinfo=UTC) if due.seconds else None
            tried[one.activity_type.name] = Tried(one.attempt, next_at, one.last_failure.message)
        if (first_try := tried.pop(TOGETHER, None)) is not None:
            tried = {channel.value: first_try for channel in LEAVE_TOGETHER} | tried
        return tried


def _carrier(delivery_id: str, account_id: str) -> str:
    if case_id := case_of_delivery(delivery_id):
        return case_workflow_id(case_id)
    if delivery_id.startswith(BATCH):
        return Batch.ATTEND.value
    return journey_id(account_id)
