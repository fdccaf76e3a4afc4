"""The reference life of a customer: an order, a year of onboarding and adoption, a second one with renewal and upsell."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Mapping
from datetime import UTC, datetime, timedelta
from typing import Any

from activities.kernel.pool import Pool
from domain.success.usage import UsageRow
from gateway.client import PerennialClient
from tests.bench.meter import none
from tests.bench.recording import Marking, Recorded, Recorder, Turn, noting
from tests.bench.stand import stand
from tests.builders import order
from workers.settings import Settings
from workers.wiring import build_worker

Note = Callable[[Turn], None]


def document_of(account: str) -> dict[str, Any]:
    """The order of an account, all ids by its own."""
    document = order(account, order_id=f"O-{account}")
    document["contracts"][0]["contract_id"] = f"K-{account}"
    document["contacts"][0]["email"] = f"aoi@{account}.example"
    return document


class Life:
    """One customer of ours, and what people around them do. `note` hears of each turn."""

    def __init__(self, client: PerennialClient, pool: Pool, account: str, note: Note = lambda _: None) -> None:
        self._client, self._pool, self.account, self._note = client, pool, account, note
        self.contract = f"K-{account}"
        self.document = document_of(account)

    async def order(self) -> None:
        """Begins the journey."""
        self._note(Turn("order", datetime.now(UTC)))  # noqa: TID251 - what the server shows for a journey that begins
        await self._client.place_order(self.document)

    async def ask(self, name: str, body: Mapping[str, Any]) -> None:
        """A request."""
        self._note(Turn("ask", await self.now(), name))
        await self._client.ask(self.account, name, dict(body))

    async def move(self, until: datetime) -> None:
        """The clock goes on; what is due on the way happens."""
        self._note(Turn("move", until))
        await self._client.fast_forward_to(self.account, until)

    async def now(self) -> datetime:
        """The customer's own time."""
        return await self._client.now(self.account)

    async def morning(self) -> None:
        """The next step that is due."""
        agenda = await self._client.agenda_of(self.account)
        assert agenda is not None
        await self.move(min(step.at for step in agenda.steps) + timedelta(seconds=1))

    async def request(self) -> None:
        """One of the kind that is asked most: a task is done."""
        await self.ask("complete_task", {"task": "kickoff", "evidence": "it works"})

    async def first_year(self) -> None:
        """From the first morning on: four tasks are done, the renewal is accepted."""
        await self.move(await self.now() + timedelta(days=5))
        for task in ("kickoff", "training", "first_value", "go_live"):
            await self.ask("complete_task", {"task": task, "evidence": "it works"})
        await self.move(await self.now() + timedelta(days=300))
        await self.ask("answer_renewal", {"contract_id": self.contract, "decision": "accept"})
        await self._until_term(1)

    async def later_year(self) -> None:
        """12 check-ins, 3 notices, a renewal, an upsell, 10 usage imports, 5 updates."""
        start = await self.now()
        for month in range(10):
            await self.move(start + timedelta(days=30 * month + 25))
            await self._use(30 if month < 6 else 38 if month == 6 else 34)
            if month in (1, 3):
                await self.ask("pause", {"reason": "stocktaking"})
                await self.ask("resume", {})
            if month == 7:
                offer = await self._pool.fetchval("select offer_id from offer where account_id = $1", self.account)
                await self.ask("answer_offer", {"offer_id": offer, "decision": "accept"})
        await self.move(start + timedelta(days=340))
        await self.ask("answer_renewal", {"contract_id": self.contract, "decision": "accept"})
        await self._until_term(2)

    async def plain_year(self, number: int) -> None:
        """A year in which nobody does anything but renew."""
        start = await self.now()
        await self.move(start + timedelta(days=340))
        await self.ask("answer_renewal", {"contract_id": self.contract, "decision": "accept"})
        await self._until_term(number)

    async def _until_term(self, number: int) -> None:
        ends = await self._pool.fetchval(
            "select ends_at from contract_term where contract_id = $1 and number = $2", self.contract, number
        )
        await self.move(ends + timedelta(hours=12))

    async def _use(self, users: int) -> None:
        now = await self.now()
        self._note(Turn("use", now))
        rows = [
            UsageRow(account_id=self.account, product="SEATS", day=(now - timedelta(days=n)).date(), active_users=users)
            for n in range(28)
        ]
        await self._client.record_usage(rows)

    async def part(self) -> None:
        """What follows is measured by itself: nothing is left to do of what was before."""
        waiting = (
            "select count(*) filter (where status = 'waiting') + (count(*) = 0)::int from outbox where account_id = $1"
        )
        await none(lambda: self._pool.fetchval(waiting, self.account))
        self._note(Turn("part", await self.now()))


async def two_years(life: Life) -> None:
    """An order with its first year; the second one."""
    await life.order()
    await life.first_year()
    await life.part()
    await life.later_year()


async def some_days(life: Life) -> None:
    """An order; a request; the morning of the first step."""
    await life.order()
    await life.part()
    await life.request()
    await life.part()
    await life.morning()


async def recorded(live: Callable[[Life], Awaitable[None]]) -> Recorded:
    """A customer who is lived and recorded, on a stack of their own; another one before, who brings along what all share."""
    async with stand() as place, noting(place.stack.postgres_dsn) as pool:
        settings = Settings.model_validate(
            {
                "database_url": place.stack.postgres_dsn,
                "smtp_host": place.stack.smtp_host,
                "smtp_port": place.stack.smtp_port,
            }
        )
        async with build_worker(place.temporal, pool, settings, interceptors=[Marking()]):
            client = PerennialClient(place.temporal, pool)
            await Life(client, pool, "bench-before").order()
            recorder = Recorder(pool, place.temporal, "bench-00000")
            await live(Life(client, pool, recorder.account, recorder.turns.append))
            await place.quiet("bench-before", recorder.account)
            await asyncio.sleep(1)  # what is told in the server's list of runs follows a moment later
            return await recorder.recorded()
