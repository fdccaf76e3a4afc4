"""The tasks of our people as people look them up: in lists, and one with its history."""

from __future__ import annotations

from activities.frame.account_filters import in_sight
from activities.kernel.pages import Paged
from activities.kernel.queries import Query, Value

_COLUMNS = """
t.task_id, t.account_id, a.name as company, t.key, t.title, t.reason, t.staff_id as owner, s.name as owner_name, t.opened_at,
t.due_at at time zone a.time_zone as due, t.due_at, t.snoozed_until, t.reminded_at, t.escalated_at, t.escalated_to, t.reopened_at,
t.closed_at, t.ended_by, t.outcome, a.time_zone,
case when t.closed_at is not null then coalesce(t.ended, 'done') when t.snoozed_until > n.at then 'snoozed' else 'open' end as state,
t.closed_at is null and greatest(t.due_at, t.snoozed_until) <= n.at as late
"""
_FROM = """
from staff_task t join account a using (account_id) join staff s on s.staff_id = t.staff_id
-- the time of each customer: the present, or once it was moved the last thing that happened to them
cross join lateral (
    select greatest($1::timestamptz, (select max(e.as_of) from effect e where e.account_id = t.account_id)) as at) n
"""

list_tasks = Query(
    f"select * from (select {_COLUMNS} {_FROM}"
    " where ($2::text is null or t.staff_id = $2) and ($3::text is null or t.account_id = $3)"
    " and ($4::boolean or t.closed_at is null)) l where not $5::boolean or late"
    " order by closed_at nulls first, greatest(due_at, snoozed_until), account_id, task_id"
)
"""Tasks as of an instant: of one of our people, of an account, those that are over as well, only those that are late; first due first."""

tasks_paged = Paged(
    f"select * from (select t.task_id as id, t.due_at as at, {_COLUMNS} {_FROM.replace('$1', '$4')}"
    " where ($5::text is null or t.staff_id = $5) and ($6::text is null or t.account_id = $6) and ($7::boolean or t.closed_at is null)"
    f" and ($8::text is null or {in_sight('$8')})) l where not $9::boolean or late",
    earliest_first=True,
)
"""Tasks as of an instant, by the day on which they are due: of one of our people, of an account, those that are over as well, of the
customers of one of our people, only those that are late. One that gets another day moves; all others stay in their place."""

one_task = Query(f"select {_COLUMNS} {_FROM} where t.task_id = $2")
"""The task of that id as of an instant."""

task_history = Query(
    "select at, kind, title, detail->>'by' as by from journal where account_id = $1 and detail->>'task_id' = $2"
    " order by at, journal_id"
)
"""What became of a task, in the order of its happening."""

account_of_task = Value[str | None]("select account_id from staff_task where task_id = $1")
"""Whose task that is; null for one that there is not."""
