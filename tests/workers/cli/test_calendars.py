"""`perennial calendar …`: a day off is added once, by somebody who is in the log, and withdrawn."""

from __future__ import annotations

from datetime import timedelta
from pathlib import Path

from activities.frame import audit_rows
from activities.kernel.clock import present
from tests.conftest import Servers
from tests.workers.cli.running import Ended, perennial


async def test_a_day_off_is_added_once_and_withdrawn(servers: Servers, tmp_path: Path) -> None:
    async def calendar(*arguments: str) -> Ended:
        return await perennial("calendar", *arguments, dsn=servers.stack.postgres_dsn, folder=tmp_path, width=200)

    today = present().date()
    day, over = (today + timedelta(days=40)).isoformat(), (today - timedelta(days=2)).isoformat()
    added = await calendar("add", "office", day, "Moving", "--reason", "we move")
    assert added.out.strip() == f"{day} is a day off in office.", added.err
    for wrong in (("add", "office", day, "Again"), ("add", "office", over, "Over"), ("add", "nowhere", day, "X")):
        assert (await calendar(*wrong)).code == 1
    assert f"{day} Moving" in (await calendar("list")).out
    assert (await calendar("withdraw", "office", day)).code == 0
    assert (await calendar("withdraw", "office", day)).code == 1
    assert "Moving" not in (await calendar("list")).out
    async with servers.pool.acquire() as connection:
        rows = await audit_rows.entries(connection, f"calendar/office/{day}", None, None, 10)
    assert [(row["actor"], row["door"], row["operation"], row["outcome"], row["reason"]) for row in rows] == [
        ("cli", "cli", "withdraw_holiday", "HolidayConflict", ""),
        ("cli", "cli", "withdraw_holiday", "done", ""),
        ("cli", "cli", "add_holiday", "HolidayConflict", ""),
        ("cli", "cli", "add_holiday", "done", "we move"),
    ]
