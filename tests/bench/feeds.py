"""What the import of past orders costs, all processes together, beside a bare update-with-start for each."""

from __future__ import annotations

import asyncio
import json
import resource
from collections.abc import AsyncIterator
from pathlib import Path

from tests.bench.floor import floor
from tests.bench.lives import recorded, some_days
from tests.bench.many import side_by_side
from tests.bench.meter import Spent
from tests.bench.rows import Row, Size
from tests.bench.stand import PROGRAM, Stand, stand

HEADER = "InvoiceNo,StockCode,Description,Quantity,InvoiceDate,UnitPrice,CustomerID,Country"
ORDERS, EACH, LINES = 500, 5, 4


def write_feed(file: Path, orders: int) -> Path:
    """A wholesaler's invoices: each customer has five, a week apart, of four lines."""
    with file.open("w") as out:
        out.write(HEADER + "\n")
        for number in range(orders):
            week, customer = divmod(number, max(1, orders // EACH))
            day = f"2011-0{1 + week % 6}-{1 + customer % 28:02} 09:00:00"
            out.writelines(
                f"{500000 + number},{10000 + (number + line) % 40},ARTICLE {(number + line) % 40},{6 + line},{day},2.55,{12000 + customer},Germany\n"
                for line in range(LINES)
            )
    return file


async def imported(place: Stand, file: Path) -> tuple[Spent, int]:
    """What the import took, its own process included, and how many orders that were."""
    said: dict[str, int] = {}

    async def work() -> None:
        command = (PROGRAM, "import", "orders", str(file), "--json", "--rejects", str(file.with_suffix(".rejects")))
        process = await asyncio.create_subprocess_exec(
            *command, env=place.environment, stdout=asyncio.subprocess.PIPE, stderr=asyncio.subprocess.DEVNULL
        )
        printed, _ = await process.communicate()
        said.update(json.loads(printed))

    before = resource.getrusage(resource.RUSAGE_CHILDREN)
    spent = await place.meter.spent(work)
    after = resource.getrusage(resource.RUSAGE_CHILDREN)
    own = after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime
    return Spent(spent.wall, {**spent.parts, "client": own}), said["orders"]


async def rows(size: Size) -> AsyncIterator[Row]:
    """A feed, then as many bare orders."""
    count = size.count("orders", ORDERS, 60)
    life = await recorded(some_days)
    async with stand() as place:
        async with place.worker() as worker:
            await imported(place, write_feed(place.folder / "first.csv", 10))
            place.meter.watch("worker", worker.pid)
            spent, orders = await imported(place, size.file("feed", write_feed(place.folder / "feed.csv", count)))
        async with floor(place, life, count + 20) as bare:
            await side_by_side([next(bare.lives).play for _ in range(20)])
            some = [next(bare.lives) for _ in range(count)]

            async def work() -> None:
                await side_by_side([one.play for one in some])
                await place.quiet(*(one.account for one in some))

            least = (await place.meter.spent(work)).each(count)
    each = spent.each(orders)
    yield Row(
        "import of past orders, CPU of an order",
        each.cpu * 1000,
        "ms",
        40,
        floor=str(least),
        detail=f"({each})",
        how=f"{orders} orders; the floor is a bare update-with-start for each, with a sold order's rows and its welcome",
    )
    yield Row("  by time", orders / spent.wall, "orders a second")
