"""Many customers at once: a storm of steps that fall due together, cases meanwhile, orders in flight, one large order among them."""

from __future__ import annotations

import asyncio
import time
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping, Sequence
from datetime import datetime, timedelta
from typing import Any

from gateway.cases import CaseClient
from gateway.clock import Clocks
from tests.bench.floor import Bare, floor
from tests.bench.lives import Life, recorded, some_days
from tests.bench.meter import Spent, at, both, none, timed
from tests.bench.rows import Row, Size
from tests.bench.stand import Stand, stand
from tests.builders import order
from tests.cases import person

JOURNEYS, ORDERS, IN_FLIGHT, LINES = 1_000, 200, 20, 1_000


async def side_by_side(work: Sequence[Callable[[], Awaitable[Any]]], most: int = IN_FLIGHT) -> list[float]:
    """All of these, so many in flight; the seconds of each."""
    places = asyncio.Semaphore(most)

    async def one(do: Callable[[], Awaitable[Any]]) -> float:
        async with places:
            return await timed(do())

    return await asyncio.gather(*map(one, work))


class Storm:
    """So many customers who wait for their next morning; all of it comes at once."""

    def __init__(self, place: Stand) -> None:
        self._place = place

    async def ours(self, customers: int, turn: int) -> tuple[Spent, list[float]]:
        """What one of ours took, and the seconds until cases that were opened meanwhile were on record."""
        lives = [Life(self._place.client, self._place.pool, f"ours-{turn}-{n}") for n in range(customers)]
        await side_by_side([one.order for one in lives])
        await side_by_side([one.request for one in lives])
        accounts = [one.account for one in lives]
        await self._place.quiet(*accounts)
        wakes: dict[str, datetime] = {}
        for account in accounts:
            agenda = await self._place.client.agenda_of(account)
            assert agenda is not None
            wakes[f"journey-{account}"] = min(step.at for step in agenda.steps) + timedelta(seconds=1)
        desk = CaseClient(self._place.temporal, self._place.pool)
        await desk.put_team({"team": "service", "name": "Service", "lead": person("bench-lead")})
        await desk.put_agent({"staff": person("bench-agent"), "team": "service"})
        opened: list[float] = []

        async def cases() -> None:
            for number in range(5):
                asked = {"contact": {"phone": "+1 555 0100"}, "subject": "It stands still", "priority": "urgent"}
                asked |= {"case_id": f"C-{turn}-{number}", "owner": "bench-agent"}
                opened.append(await timed(desk.open_case(asked)))

        spent = await self._woken(wakes, accounts, cases)
        return spent, opened

    async def floor(self, lives: Sequence[Bare]) -> Spent:
        """What one of the floor took."""
        await side_by_side([one.play for one in lives])
        await side_by_side([one.play for one in lives])
        await self._place.quiet(*(one.account for one in lives))
        return await self._woken({one.id: one.next_turn for one in lives}, [one.account for one in lives])

    async def _woken(
        self,
        wakes: Mapping[str, datetime],
        accounts: Sequence[str],
        meanwhile: Callable[[], Awaitable[None]] | None = None,
    ) -> Spent:
        """Wakes all of these at once, until each has had its morning and nothing is left to send."""
        clocks, pool = Clocks(self._place.temporal), self._place.pool
        effects = "select count(*) from effect where account_id = any($1) and key not like '%/settled'"
        before = await pool.fetchval(effects, list(accounts))

        async def left() -> int:
            done = await pool.fetchval(effects, list(accounts)) - before
            waiting = "select count(*) from outbox where status = 'waiting' and account_id = any($1)"
            return max(0, len(accounts) - int(done)) + int(await pool.fetchval(waiting, list(accounts)))

        async def work() -> None:
            beside = asyncio.ensure_future(meanwhile()) if meanwhile else None
            await asyncio.gather(*(clocks.forward(id, day) for id, day in wakes.items()))
            await none(left)
            if beside:
                await beside

        return (await self._place.meter.spent(work)).each(len(wakes))


async def storms(place: Stand, size: Size) -> AsyncIterator[Row]:
    """A storm of ours, one of the floor, and once more in turn."""
    journeys, turns = size.count("journeys", JOURNEYS, 30), 2
    life = await recorded(some_days)
    storm = Storm(place)
    bare: list[Spent] = []
    ours: list[Spent] = []
    opened: list[float] = []
    for turn in range(turns):
        async with place.worker():
            spent, cases = await storm.ours(journeys, turn)
            ours.append(spent)
            opened += cases
        async with floor(place, life, journeys * turns) as least:
            bare.append(await storm.floor([next(least.lives) for _ in range(journeys * (turn + 1))][-journeys:]))
    by_cpu = sum(b.cpu / o.cpu for o, b in zip(ours, bare, strict=True)) / turns
    by_time = sum(b.wall / o.wall for o, b in zip(ours, bare, strict=True)) / turns
    figure, how = (
        f"storm of {journeys:,} due at once: of the bare rate, by time",
        f"the next morning of each; {turns} turns",
    )
    rate = f"{1 / bare[-1].wall:.0f} a second"
    yield Row(
        figure, by_time, reach=0.85, least=True, floor=rate, detail=f"({1 / ours[-1].wall:.0f} a second)", how=how
    )
    yield Row("  the same by CPU", by_cpu, floor=str(bare[-1]), detail=f"({ours[-1]})")
    share = at(opened, 0.5) / 1000 / (ours[-1].wall * journeys)
    said = f"({both(opened)})"
    yield Row(
        "  a case opened meanwhile, of the time of the storm", share, reach=0.1, detail=said, how="cases come first"
    )


def large_order(number: int, lines: int = LINES) -> dict[str, Any]:
    """One order with so many lines, half of them in a contract."""
    document = order(f"large-{number}", order_id=f"O-large-{number}")
    contract = document["contracts"][0]
    contract["contract_id"] = f"K-large-{number}"
    contract["lines"] = [
        {"line_id": f"s{n}", "product": "SEATS", "quantity": 40, "unit_price": "1200"} for n in range(lines // 2)
    ]
    document["lines"] = [
        {"line_id": f"d{n}", "product": "TERMINAL", "quantity": 5, "unit_price": "80000"} for n in range(lines // 2)
    ]
    return document


async def large_orders(place: Stand, rounds: int) -> AsyncIterator[Row]:
    """Orders of a thousand lines, while another customer asks."""
    other = Life(place.client, place.pool, "other")
    await other.order()
    await place.quiet("other")
    taken: list[float] = []
    asked: list[float] = []
    for number in range(rounds + 1):
        placing = asyncio.ensure_future(timed(place.client.place_order(large_order(number))))
        while not placing.done():
            began = time.perf_counter()
            await place.client.ask("other", "pause", {"reason": "stocktaking"})
            await place.client.ask("other", "resume", {})
            asked.append((time.perf_counter() - began) / 2)
        if number:
            taken.append(await placing)
        await place.quiet(f"large-{number}")
    alone = [await timed(place.client.place_order(large_order(100 + number))) for number in range(rounds)]
    how = f"best of {rounds}; beside requests of another customer {min(taken):.2f} s"
    yield Row(f"order of {LINES:,} lines to its answer", min(alone), "s", 1, detail=f"({both(alone)})", how=how)
    yield Row("  another customer's request meanwhile, p99", at(asked, 0.99), "ms", 300, detail=f"({both(asked)})")


async def rows(size: Size) -> AsyncIterator[Row]:
    """Orders in flight, large orders, then storms."""
    count = size.count("orders", ORDERS, 40)
    async with stand() as place:
        async with place.worker():
            documents = [order() for _ in range(count + IN_FLIGHT)]
            times = await side_by_side([lambda one=one: place.client.place_order(one) for one in documents])  # type: ignore[misc]
            share = at(times[IN_FLIGHT:], 0.99) / at(times[IN_FLIGHT:], 0.5)
            said = f"({both(times[IN_FLIGHT:])})"
            yield Row(f"orders, {IN_FLIGHT} in flight: p99 to p50", share, reach=3, detail=said, how=f"{count} orders")
            await place.quiet(*(document["account"]["account_id"] for document in documents))
            async for row in large_orders(place, size.count("large", 5, 2)):
                yield row
        async for row in storms(place, size):
            yield row
