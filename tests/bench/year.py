"""A customer's years: their CPU beside the same years on bare Temporal, and what the later one costs in actions, events and bytes."""

from __future__ import annotations

from collections.abc import AsyncIterator
from typing import Any

from tests.bench.floor import floor
from tests.bench.history import billable, events_of, histories_of, settled_actions
from tests.bench.lives import Life, recorded, two_years
from tests.bench.meter import Spent, Turns, middle
from tests.bench.rows import Row, Size
from tests.bench.stand import Stand, stand

REACH = 1.08


async def rows(size: Size) -> AsyncIterator[Row]:
    """The histories of one customer, then years in turn."""
    turns = size.count("turns", 5, 1)
    life = await recorded(two_years)
    first, later = Turns(), Turns()
    async with stand() as place, place.worker() as worker, floor(place, life, turns + 1) as bare:
        async for row in _histories(place):  # which warms up as well
            yield row
        warm = next(bare.lives)
        await warm.play()
        await warm.play()
        for turn in range(turns):
            ours, theirs = Life(place.client, place.pool, f"ours-{turn}"), next(bare.lives)

            async def begin(ours: Life = ours) -> None:
                await ours.order()
                await ours.first_year()

            for year, live in ((first, begin), (later, ours.later_year)):
                year.ours.append(await place.spent(worker, live))
                year.floor.append(await place.spent(bare.worker, theirs.play))
    bare_acts = sum(act.came_by != "delivery" for act in life.acts)
    how = f"{turns} customers of each in turn; {bare_acts} steps and requests, {life.rows} statements that write, in two years"
    for what, year in (("first", first), ("later", later)):
        figure = f"{what} customer-year, CPU against bare"
        yield Row(
            figure, year.cpu, reach=REACH, floor=str(middle(year.floor)), detail=f"({middle(year.ours)})", how=how
        )
        walls = [_seconds(spent) for spent in (middle(year.floor), middle(year.ours))]
        yield Row(
            "  the same by time", year.wall, floor=walls[0], detail=f"({walls[1]})", how="all clocks moved at once"
        )


def _seconds(spent: Spent) -> str:
    return f"{spent.wall:.1f} s"


async def _histories(place: Stand) -> AsyncIterator[Row]:
    """The later year of one customer by the server's metric, and by its history."""
    temporal, metrics = place.temporal, place.stack.metrics_url
    life = Life(place.client, place.pool, "ours-history")
    await life.order()
    await life.first_year()
    before = await settled_actions(metrics)
    mark = len(await events_of(temporal, f"journey-{life.account}"))
    await life.later_year()
    actions = await settled_actions(metrics) - before
    runs = await histories_of(temporal, f"journey-{life.account}")
    events: list[Any] = [event for run in runs for event in run][mark:]
    sent = await place.pool.fetchval("select count(*) from outbox where account_id = $1", life.account)
    how = f"12 check-ins, 3 notices, a renewal, an upsell, 10 usage imports, 5 updates; {sent} messages in two years"
    yield Row("actions of a later customer-year", actions, "", 100, how=f"the server's metric; {how}")
    yield Row("  the same, from the history by the published rules", sum(map(billable, events)), "")
    yield Row("events of a later customer-year", len(events), "", 440)
    yield Row("bytes of its history", sum(event.ByteSize() for event in events) / 1000, "kB", 40)
    yield Row("longest run", max(len(run) for run in runs), "events", 500)
