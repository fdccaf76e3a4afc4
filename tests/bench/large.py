"""Large customers, and customers of many years, beside small and young ones."""

from __future__ import annotations

from collections.abc import AsyncIterator
from typing import Any

import psutil

from tests.bench.lives import Life
from tests.bench.meter import Spent, Turns, middle
from tests.bench.rows import Row, Size
from tests.bench.stand import Stand, stand

SMALL = 1.3
YEARS = 10


class Large(Life):
    """A customer whose first order has so many contracts, of so many lines each."""

    def having(self, contracts: int, lines: int) -> Large:
        """The same with another order."""
        first = self.document["contracts"][0]
        self.document["contracts"] = [self._contract(first, number, lines) for number in range(contracts)]
        return self

    def _contract(self, first: dict[str, Any], number: int, lines: int) -> dict[str, Any]:
        sold = [
            {"line_id": f"{number}-{line}", "product": "SEATS", "quantity": 40, "unit_price": "1200"}
            for line in range(lines)
        ]
        return first | {"contract_id": f"K-{self.account}-{number}", "lines": sold}


async def rows(size: Size) -> AsyncIterator[Row]:
    """Requests of large customers in turn with those of a small one; then ten years of one."""
    turns, asks = size.count("turns", 5, 2), size.count("asks", 20, 5)
    contracts, assets = size.count("contracts", 200, 20), size.count("assets", 990, 100)
    async with stand() as place, place.worker() as worker:
        small = Life(place.client, place.pool, "small")
        many = Large(place.client, place.pool, "contracts").having(contracts, 1)
        owning = Large(place.client, place.pool, "assets").having(1, assets)
        for life in (small, many, owning):
            await life.order()
            await place.quiet(life.account)
        for what, life in ((f"{contracts} contracts", many), (f"{assets:,} assets", owning)):
            taken = Turns()
            for turn in range(turns + 1):
                ours = await _asked(place, worker, life, asks)
                floor = await _asked(place, worker, small, asks)
                if turn:
                    taken.ours.append(ours)
                    taken.floor.append(floor)
            yield Row(
                f"request at {what}, CPU against one contract",
                taken.cpu,
                reach=SMALL,
                floor=str(middle(taken.floor)),
                detail=f"({middle(taken.ours)})",
                how=f"pause and resume; median of {turns} turns of {2 * asks}",
            )
            yield Row("  the same by time", taken.wall, reach=SMALL)
        async for row in _years(place, worker, size.count("years", YEARS, 4)):
            yield row


async def _asked(place: Stand, worker: psutil.Process, life: Life, asks: int) -> Spent:
    async def work() -> None:
        for _ in range(asks):
            await place.client.ask(life.account, "pause", {"reason": "stocktaking"})
            await place.client.ask(life.account, "resume", {})

    return (await place.spent(worker, work)).each(2 * asks)


async def _years(place: Stand, worker: psutil.Process, years: int) -> AsyncIterator[Row]:
    """Customers who renew each year: the last year beside the second."""
    lives = [Life(place.client, place.pool, f"old-{number}") for number in range(3)]
    taken: list[Spent] = []
    for year in range(years):

        async def live(year: int = year) -> None:
            for life in lives:
                if not year:
                    await life.order()
                    await life.first_year()
                else:
                    await life.plain_year(year + 1)

        taken.append((await place.spent(worker, live)).each(len(lives)))
    by_year = ", ".join(f"{spent.cpu * 1000:.0f}" for spent in taken)
    late, early = middle(taken[-3:]), middle(taken[1:4])
    how = f"years 2 to 4 and the last 3 of {len(lives)} customers; ms of CPU by year: {by_year}"
    figure = f"a year after {years} years, CPU against the early ones"
    yield Row(figure, late.cpu / early.cpu, reach=1.2, floor=str(early), detail=f"({late})", how=how)
