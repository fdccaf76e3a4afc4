"""What our people do with their tasks, made from those that the tables know."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

from tests.driver.life import Life, Party
from tests.driver.making import Made, Makers

MAKERS = Makers[Made]()


async def task(life: Life, party: Party, such: str) -> dict[str, Any] | None:
    """Some task of the customer, and by whom something becomes of it: whoever has it, or a manager."""
    rows = await life.world.pool.fetch(
        f"select task_id, staff_id from staff_task where account_id = $1 and {such} order by key, opened_at",
        party.account_id,
    )
    if not rows:
        return None
    row = life.random.choice(rows)
    by = life.random.choice([{"by": row["staff_id"]}, {"by": "S-1", "role": "manager"}])
    return {"task_id": row["task_id"], **by}


@MAKERS.of("finish_staff_task")
async def finish(life: Life, party: Party) -> Made:
    found = await task(life, party, "closed_at is null")
    return {**found, "outcome": "we have talked to them"} if found else None


@MAKERS.of("snooze_staff_task")
async def snooze(life: Life, party: Party) -> Made:
    found = await task(life, party, "closed_at is null")
    until = await life.today(party) + timedelta(days=life.random.randint(0, 30))
    return {**found, "until": until.isoformat()} if found else None


@MAKERS.of("hand_over_staff_task")
async def hand_over(life: Life, party: Party) -> Made:
    found = await task(life, party, "closed_at is null")
    return {**found, "to": life.random.choice(["S-1", "S-2"]), "reason": "she knows them"} if found else None


@MAKERS.of("reopen_staff_task")
async def reopen(life: Life, party: Party) -> Made:
    found = await task(life, party, "closed_at is not null")
    return {**found, "reason": "they have called again"} if found else None
