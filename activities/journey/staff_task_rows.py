"""The tasks of our people: read, and written when somebody acts on one."""

from __future__ import annotations

from activities.frame.handlers import Handlers, Sql, on, updated
from activities.frame.staff_rows import TASK
from activities.kernel.pool import Connection
from domain.frame.staff_tasks import StaffTaskFacts
from domain.journey.writes import HandOverTask, ReopenTask, SnoozeTask

_ONE = f"""
select {TASK} || jsonb_build_object('twin', (
    select o.task_id from staff_task o
    where o.account_id = t.account_id and o.key = t.key and o.closed_at is null and o.task_id <> t.task_id))
from staff_task t join staff s using (staff_id) where t.account_id = $1 and t.task_id = $2
"""


async def find_task(connection: Connection, account_id: str, task_id: str) -> StaffTaskFacts | None:
    """The task of that id, if it is this account's."""
    found = await connection.fetchval(_ONE, account_id, task_id)
    return StaffTaskFacts.model_validate(found) if found else None


HANDLERS: Handlers = dict(
    [
        on(
            SnoozeTask,
            Sql(
                "update staff_task set snoozed_until = :until, reminded_at = null, escalated_at = null where task_id = :task_id"
            ),
        ),
        on(HandOverTask, updated("staff_task", "staff_id=to", "task_id")),
        on(
            ReopenTask,
            Sql(
                "update staff_task set staff_id = :to, due_at = :due_at, reopened_at = :as_of, closed_at = null, ended = null,"
                " ended_by = null, outcome = '', snoozed_until = null, reminded_at = null, escalated_at = null, escalated_to = null"
                " where task_id = :task_id"
            ),
        ),
    ]
)
