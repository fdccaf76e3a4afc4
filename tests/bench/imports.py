"""What the import of usage costs.

The floor is COPY of the same figures into the same table, and for days that are on record COPY beside it and one bare update, run in
turn; CPU is that of the importing process and of PostgreSQL together; the import has a process of its own, whose memory is read.
"""

from __future__ import annotations

import asyncio
import json
import sys
from collections.abc import AsyncIterator
from datetime import date, timedelta
from pathlib import Path

from activities.kernel.pool import Connection
from activities.playbooks import FOLDER, read_playbook
from tests.bench.meter import Spent, Turns, middle
from tests.bench.rows import Row, Size
from tests.bench.stand import Database, database
from tests.many_customers import fill
from workers.feeds.usage import COLUMNS

ROWS, DAYS, ROUNDS = 1_000_000, 250, 2
PRODUCTS = ("SEATS", "MORE")
IN_USE, CORRECTED = 30, 29
"""Of forty seats, on every day: no threshold is crossed, so that nobody is told."""
LIMITS = {"new days": 1.6, "days on record, all corrected": 2}
LAST = date(2026, 10, 31)


def accounts_of(rows: int) -> int:
    """How many accounts report so many figures."""
    return rows // DAYS // len(PRODUCTS)


def write_file(file: Path, rows: int, users: int) -> date:
    """A file of all accounts' figures, day by day. Returns its first day."""
    first = LAST - timedelta(days=DAYS - 1)
    with file.open("w") as out:
        out.write(",".join(COLUMNS) + "\n")
        for day in range(DAYS):
            on = first + timedelta(days=day)
            for number in range(1, accounts_of(rows) + 1):
                out.writelines(f"A-{number},{product},{on},{users}\n" for product in PRODUCTS)
    return first


class Imports:
    """A file of new days, then one in which each figure of theirs is corrected; ours, and the floor's way."""

    def __init__(self, place: Database, rows: int) -> None:
        self._place, self._rows = place, rows
        self.new, self.corrected = place.folder / "usage.csv", place.folder / "corrected.csv"
        self._first = write_file(self.new, rows, IN_USE)
        write_file(self.corrected, rows, CORRECTED)
        self.memory = 0.0

    async def anew(self) -> None:
        """Nothing on record but the day before."""
        await self._place.pool.execute("truncate usage_day")
        before = (
            "insert into usage_day (account_id, product_code, day, active_users)"
            " select account_id, product, $1, $2 from account, unnest($3::text[]) product"
        )
        await self._place.pool.execute(before, self._first - timedelta(days=1), IN_USE, PRODUCTS)

    async def ours(self, file: Path) -> Spent:
        """The product's import of a file."""
        said: dict[str, float] = {}

        async def work() -> None:
            command = (sys.executable, "-m", "tests.bench.importing", self._place.dsn, str(file))
            process = await asyncio.create_subprocess_exec(*command, stdout=asyncio.subprocess.PIPE)
            printed, _ = await process.communicate()
            said.update(json.loads(printed))

        spent = await self._place.meter.spent(work)
        assert said["imported"] == self._rows
        self.memory = max(self.memory, said["memory"])
        return Spent(spent.wall, {"import": said["cpu"], "PostgreSQL": spent.parts["PostgreSQL"]})

    async def floor(self, file: Path) -> Spent:
        """COPY of the file; of days that are on record, COPY beside them and one update."""

        async def work() -> None:
            async with self._place.pool.acquire() as connection, connection.transaction():
                if file == self.new:
                    await self._copied(connection, "usage_day", file)
                    return
                await connection.execute(
                    "create temporary table said (like usage_day including defaults) on commit drop"
                )
                await self._copied(connection, "said", file)
                update = "update usage_day o set active_users = s.active_users from said s where"
                same = "(o.account_id, o.product_code, o.day) = (s.account_id, s.product_code, s.day)"
                await connection.execute(f"{update} {same}", timeout=300)

        return await self._place.meter.spent(work)

    async def _copied(self, connection: Connection, table: str, file: Path) -> None:
        columns = ["account_id", "product_code", "day", "active_users"]
        await connection.copy_to_table(table, source=file, columns=columns, format="csv", header=True, timeout=300)


async def rows(size: Size) -> AsyncIterator[Row]:
    """Each way in turn."""
    count = size.count("rows", ROWS, 50_000)
    async with database() as place:
        await fill(place.pool, accounts_of(count), 1)
        playbook = read_playbook(FOLDER / "standard.yaml").model_dump(mode="json", exclude_unset=True)
        await place.pool.execute("update playbook set body = $1", playbook)
        imports = Imports(place, count)
        turns = {what: Turns() for what in LIMITS}
        for _ in range(ROUNDS):
            for taken in ("floor", "ours"):
                await imports.anew()
                for turn, file in zip(turns.values(), (imports.new, imports.corrected), strict=True):
                    way = imports.floor if taken == "floor" else imports.ours
                    (turn.floor if taken == "floor" else turn.ours).append(await way(file))
    for what, turn in turns.items():
        yield Row(
            f"usage import of {count:,} rows beside COPY: {what}",
            turn.cpu,
            reach=LIMITS[what],
            floor=f"{middle(turn.floor).cpu:.1f} s of CPU",
            detail=f"({middle(turn.ours).cpu:.1f} s of CPU)",
            how=f"{ROUNDS} turns; COPY of the same file, of days on record COPY beside them and one update",
        )
    yield Row("  the memory of the importing process at its most", imports.memory, "MB", 200)
