"""A customer's second year: what it costs in actions, events and bytes of history."""

from __future__ import annotations

from collections.abc import AsyncIterator
from datetime import timedelta
from typing import Any

from domain.success.usage import UsageRow
from tests.bench.history import billable, events_of, histories_of, settled_actions
from tests.bench.rows import Row, Size
from tests.bench.stand import Stand, stand
from tests.builders import order


class Year:
    """12 check-ins, 3 notices, a renewal, an upsell, 10 usage imports, 5 updates."""

    def __init__(self, place: Stand) -> None:
        self._place = place
        self.client = place.client
        self.pool = place.pool

    async def rows(self) -> AsyncIterator[Row]:
        """The second year by the server's metric, and by its history."""
        document = order()
        account = str(document["account"]["account_id"])
        contract = str(document["contracts"][0]["contract_id"])
        temporal, metrics = self._place.temporal, self._place.stack.metrics_url
        await self._first_year(document, account, contract)
        before = await settled_actions(metrics)
        mark = len(await events_of(temporal, f"journey-{account}"))
        await self._reference_year(account, contract)
        actions = await settled_actions(metrics) - before
        runs = await histories_of(temporal, f"journey-{account}")
        events: list[Any] = [event for run in runs for event in run][mark:]
        sent = await self.pool.fetchval("select count(*) from outbox where account_id = $1", account)
        how = f"the server's metric; {sent} messages in two years"
        yield Row("actions of a later customer-year", actions, "", 100, how=how)
        yield Row("  the same, from the history by the published rules", sum(map(billable, events)), "")
        yield Row("events of a later customer-year", len(events), "", 440)
        yield Row("bytes of its history", sum(event.ByteSize() for event in events) / 1000, "kB", 40)
        yield Row("longest run", max(len(run) for run in runs), "events", 500)

    async def _first_year(self, document: dict[str, Any], account: str, contract: str) -> None:
        await self.client.place_order(document)
        await self.client.fast_forward(account, timedelta(days=5))
        for task in ("kickoff", "training", "first_value", "go_live"):
            await self.client.ask(account, "complete_task", {"task": task, "evidence": "it works"})
        await self.client.fast_forward(account, timedelta(days=300))
        await self.client.ask(account, "answer_renewal", {"contract_id": contract, "decision": "accept"})
        await self._until_term(account, contract, 1)

    async def _until_term(self, account: str, contract: str, number: int) -> None:
        ends = await self.pool.fetchval(
            "select ends_at from contract_term where contract_id = $1 and number = $2", contract, number
        )
        await self.client.fast_forward_to(account, ends + timedelta(hours=12))

    async def _reference_year(self, account: str, contract: str) -> None:
        start = await self.client.now(account)
        for month in range(10):
            await self.client.fast_forward_to(account, start + timedelta(days=30 * month + 25))
            await self._usage(account, 30 if month < 6 else 38 if month == 6 else 34)
            if month in (1, 3):
                await self.client.ask(account, "pause", {"reason": "stocktaking"})
                await self.client.ask(account, "resume", {})
            if month == 7:
                offer = await self.pool.fetchval("select offer_id from offer where account_id = $1", account)
                await self.client.ask(account, "answer_offer", {"offer_id": offer, "decision": "accept"})
        await self.client.fast_forward_to(account, start + timedelta(days=340))
        await self.client.ask(account, "answer_renewal", {"contract_id": contract, "decision": "accept"})
        await self._until_term(account, contract, 2)

    async def _usage(self, account: str, users: int) -> None:
        today = (await self.client.now(account)).date()
        rows = [
            UsageRow(account_id=account, product="SEATS", day=today - timedelta(days=n), active_users=users)
            for n in range(28)
        ]
        await self.client.record_usage(rows)


async def rows(_: Size) -> AsyncIterator[Row]:
    """One customer, in this process."""
    async with stand() as place, place.in_process():
        async for row in Year(place).rows():
            yield row
