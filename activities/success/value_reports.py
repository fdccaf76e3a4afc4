"""When the orders of a time reached their first value and went live, and whom their tasks have waited for on the way."""

from __future__ import annotations

from datetime import date, datetime
from typing import Any

from activities.frame.customers import load_playbook
from activities.kernel.pool import Connection
from domain.frame.success_facts import OnboardingTaskStatus
from domain.kernel.calendar import days_between
from domain.success.value_report import OrderStart, StartGoal

# The waits of an onboarding: each begins with a task that is blocked and lasts until that is unblocked or done.
_STARTS = """
with waits as (
  select event_id, account_id, stage, waits_for, at as since,
    lead(at) over (partition by account_id, stage, name order by event_id) as until, kind
  from onboarding_event where kind in ('blocked', 'unblocked', 'done'))
select o.order_id, o.account_id, o.activated_at, o.activated_on, a.segment, a.playbook_version,
  jsonb_agg(jsonb_build_object('name', t.name, 'status', t.status, 'completed_at', t.completed_at, 'evidence', t.evidence)
    order by t.name) as tasks,
  (select coalesce(jsonb_agg(jsonb_build_object('whom', w.waits_for, 'since', w.since, 'until', w.until)
    order by w.since, w.event_id), '[]')
   from waits w where w.account_id = o.account_id and w.stage = 'onboarding:' || o.order_id and w.kind = 'blocked') as waits
from sales_order o join account a using (account_id)
join onboarding_task t on t.account_id = o.account_id and t.stage = 'onboarding:' || o.order_id
where not o.imported and o.activated_on >= $1 and o.activated_on <= $2
group by o.order_id, o.account_id, o.activated_at, o.activated_on, a.segment, a.playbook_version
order by o.activated_at, o.order_id
"""


async def order_starts(connection: Connection, since: date, until: date, now: datetime) -> list[OrderStart]:
    """Every order activated on these days, for each milestone that its playbook has."""
    found = []
    for row in await connection.fetch(_STARTS, since, until):
        playbook = await load_playbook(connection, row["segment"], row["playbook_version"])
        onboarding = playbook.onboarding
        tasks = {task["name"]: task for task in row["tasks"]}
        for milestone, name in (
            (StartGoal.FIRST_VALUE, onboarding.value_task),
            (StartGoal.GO_LIVE, onboarding.last_task),
        ):
            promised, task = onboarding.task(name or ""), tasks.get(name)
            if promised is None or task is None:
                continue
            done = datetime.fromisoformat(task["completed_at"]) if task["status"] == OnboardingTaskStatus.DONE else None
            found.append(
                OrderStart(
                    order_id=row["order_id"],
                    account_id=row["account_id"],
                    segment=row["segment"],
                    milestone=milestone,
                    started_on=row["activated_on"],
                    days=None if done is None else days_between(row["activated_at"], done),
                    target=promised.due_after,
                    open=task["status"] == OnboardingTaskStatus.OPEN,
                    evidence=task["evidence"],
                    waited_for_customer=_waited(row["waits"], "customer", done or now),
                    waited_for_us=_waited(row["waits"], "us", done or now),
                )
            )
    return found


def _waited(waits: list[dict[str, Any]], whom: str, until: datetime) -> int:
    """The days for which tasks have waited for somebody until then."""
    total = 0
    for wait in waits:
        since = datetime.fromisoformat(wait["since"])
        if wait["whom"] == whom and since < until:
            ended = min(datetime.fromisoformat(wait["until"]), until) if wait["until"] else until
            total += days_between(since, ended)
    return total
