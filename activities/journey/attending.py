"""The batch that attends to the work of our people: what is due is reminded of, what is late goes further, and on Mondays each reads
what their week holds. Told by itself, not by a journey: nothing that a journey plans follows from it."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Awaitable, Callable, Sequence
from datetime import datetime

from temporalio import activity
from temporalio.exceptions import ApplicationError

from activities.frame.effects import JournalRow, write_journal
from activities.frame.errors import business_errors
from activities.frame.outbox import put_outbox
from activities.frame.outgoing import Origin, notice_row
from activities.holds.hold_rows import lock_account
from activities.journey import attended_rows as rows
from activities.kernel.heartbeats import heartbeats
from activities.kernel.pool import Connection, Pool
from domain.frame.batches import Batch, BatchCall, BatchReport
from domain.frame.keys import batch_key
from domain.journey.task_follow_up import FollowUp, OwedTask, follow_ups
from domain.journey.weeks import RENEWALS_AHEAD, Week, monday_to_tell, told

_STAGE = "relationship"


Leaving = Callable[[datetime, str | None], Awaitable[dict[str, int]]]
"""Sends what this batch wrote, of one account or of all, as of an instant: how many left, were refused, and wait."""


class Attending:
    """Reminders, escalations and weeks, by mail to our people."""

    def __init__(self, pool: Pool, leave: Leaving) -> None:
        self._pool = pool
        self._leave = leave

    @activity.defn(name=Batch.ATTEND.value)
    async def attend(self, call: BatchCall) -> BatchReport:
        """For all customers. What a mail server does not take now is tried again."""
        async with business_errors(), heartbeats():
            counts = await self.attend_to(call.as_of)
            if counts["waiting"]:
                raise ApplicationError(f"{counts['waiting']} notices cannot leave yet", type="ChannelUnavailable")
            return BatchReport(counts=counts)

    async def attend_to(self, as_of: datetime, account: str | None = None) -> dict[str, int]:
        """What is to be told at `as_of` is told, each thing once; for one `account` in a time of its own, else for all, those whose clock
        was moved ahead at the time that they have reached. What somebody's week holds is told of customers in real time alone.

        How many of what; `waiting` are those that could not leave, which the next time sends.
        """
        followed = await self._follow_up(as_of, account)
        weeks = await self._weeks(as_of, account)
        left = await self._leave(as_of, account)
        return {**followed, "weeks": weeks, **left}

    async def _follow_up(self, as_of: datetime, account: str | None) -> dict[str, int]:
        counts = {"reminded": 0, "escalated": 0}
        async with self._pool.acquire() as connection:
            accounts = await rows.to_be_followed_up(connection, as_of, account)
        for one, now in accounts:
            async with self._pool.acquire() as connection, connection.transaction():
                await lock_account(connection, one)
                tasks = await rows.owed_tasks(connection, now, one)
                for found in follow_ups(await rows.with_playbook(connection, one, tasks), now):
                    await _tell(connection, found, now)
                    counts["escalated" if found.escalated else "reminded"] += len(found.tasks)
        return counts

    async def _weeks(self, as_of: datetime, account: str | None) -> int:
        """Of each whose week begins: what is in it, or on record that nothing is."""
        async with self._pool.acquire() as connection, connection.transaction():
            begun = [
                (one, monday)
                for one in await rows.people(connection, account)
                if (monday := monday_to_tell(as_of, one.time_zone, one.country)) is not None
            ]
            new = await rows.begin_weeks(
                connection, [(one.person.staff_id, monday) for one, monday in begun], account or "", as_of
            )
            begun = [(one, monday) for one, monday in begun if one.person.staff_id in new]
            if not begun:
                return 0
            tasks: dict[str, list[OwedTask]] = defaultdict(list)
            for owed in await rows.owed_tasks(connection, as_of, account):
                tasks[owed.task.person.staff_id].append(owed)
            held = await rows.held_customers(connection, as_of, account, list(new))
            ending = await rows.ending_terms(connection, as_of, account, list(new), RENEWALS_AHEAD)
            weeks = [
                Week(one.person, monday, one.time_zone, tasks[id], held[id], ending[id])
                for one, monday in begun
                for id in (one.person.staff_id,)
            ]
            return await _tell_of(connection, weeks, as_of, account)


async def _tell(connection: Connection, found: FollowUp, as_of: datetime) -> None:
    """Writes one notice about tasks of a customer; the journal has a line for each of them."""
    first, what = found.tasks[0], "escalated" if found.escalated else "reminded"
    lines = []
    for one in found.tasks:
        task, key = one.task, _key_of(one, what)
        await rows.note_followed_up(connection, task.task_id, found, as_of)
        detail = {"task_id": task.task_id, "task": task.key, "to": found.to.staff_id}
        lines.append(JournalRow(key, as_of, _STAGE, f"task_{what}", f"{what.capitalize()}: {task.title}", detail))
    await write_journal(connection, first.account_id, lines)
    key = _key_of(first, what)
    notice = notice_row(
        found.to,
        Origin(key, _STAGE, as_of),
        found.lines,
        f"{key}#0",
        title=found.title,
        account_id=first.account_id,
        company=first.company,
        due=found.due,
        time_zone=first.time_zone,
        acts=found.acts,
    )
    await put_outbox(connection, first.account_id, as_of, [notice])


def _key_of(owed: OwedTask, what: str) -> str:
    return batch_key(owed.account_id, f"{what}-{owed.task.task_id}-{owed.due_on}")


async def _tell_of(connection: Connection, weeks: Sequence[Week], as_of: datetime, account: str | None) -> int:
    """Writes what each of those reads who have something in their week."""
    found = []
    for week in weeks:
        if (said := told(week, as_of)) is not None:
            key = batch_key(week.person.staff_id, f"week-{week.monday}{f'-{account}' if account else ''}")
            origin = Origin(key, _STAGE, as_of)
            more = {"title": said[0], "account_id": "", "company": "", "time_zone": week.time_zone}
            found.append((week, notice_row(week.person, origin, said[1], key, **more)))
    await put_outbox(connection, account, as_of, [row for _, row in found])
    await rows.note_weeks(
        connection, [(week.person.staff_id, week.monday, row.delivery_id) for week, row in found], account or ""
    )
    return len(found)
