"""What is read and written for the work of our people over all customers: whose time it is, what they owe, what their week holds."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping, Sequence
from datetime import date, datetime, timedelta

from activities.frame.customers import load_playbook
from activities.frame.staff_rows import TASK
from activities.kernel.pool import Connection
from domain.frame.customer import StaffFacts
from domain.frame.keys import StageKind
from domain.frame.unreadable import Missing
from domain.journey.task_follow_up import FollowUp, OwedTask
from domain.journey.task_matters import SURVEY
from domain.journey.weeks import EndingTerm, HeldCustomer
from domain.kernel.base import Carried
from domain.kernel.zones import is_zone
from domain.success.plays import escalates

# Of an account that was asked for, else of all whose own time is the present: that of others was moved ahead.
_LIVING = """
a.closed_at is null and case when $2::text is null
    then not exists (select from effect e where e.account_id = a.account_id and e.as_of > $1::timestamptz + interval '1 hour')
    else a.account_id = $2 end
"""

# As of when an account is attended to: of one that was asked for that is said, others may have moved their clock ahead.
_NOW = """
case when $2::text is null
    then greatest($1::timestamptz, (select max(e.as_of) from effect e where e.account_id = a.account_id)) else $1 end
"""

_TO_BE_FOLLOWED_UP = f"""
with owing as (
  select account_id, min(greatest(due_at, snoozed_until)) as due_at from staff_task
  where closed_at is null and escalated_at is null and not starts_with(key, '{SURVEY}') group by account_id)
select a.account_id, n.now from owing join account a using (account_id) cross join lateral (select {_NOW} as now) n
where a.closed_at is null and ($2 is null or a.account_id = $2) and owing.due_at <= n.now order by a.account_id
"""
"""Unhappy answers are followed up by the customer's journey, which holds mails back meanwhile."""

_OWED = f"""
select jsonb_build_object('task', {TASK}, 'account_id', a.account_id, 'company', a.name, 'country', a.country,
    'time_zone', a.time_zone, 'owner', to_jsonb(o), 'success_manager', to_jsonb(m),
    'manager', (select to_jsonb(b) from staff b where b.staff_id = o.manager_id))
from staff_task t join staff s using (staff_id) join account a using (account_id)
join staff o on o.staff_id = a.owner_id join staff m on m.staff_id = a.success_manager_id
where t.closed_at is null and {_LIVING} order by t.account_id, t.opened_at, t.task_id
"""


class Person(Carried):
    """One of our people with the zone and the country that they work in."""

    person: StaffFacts
    time_zone: str
    country: str


async def to_be_followed_up(connection: Connection, as_of: datetime, account: str | None) -> list[tuple[str, datetime]]:
    """The accounts with a task that is due by now and has not gone further, and what time it is for each."""
    return [tuple(row) for row in await connection.fetch(_TO_BE_FOLLOWED_UP, as_of, account)]


async def owed_tasks(connection: Connection, as_of: datetime, account: str | None) -> list[OwedTask]:
    """The tasks that are open, of an account or of all."""
    return [OwedTask.model_validate(row[0]) for row in await connection.fetch(_OWED, as_of, account)]


async def with_playbook(connection: Connection, account_id: str, tasks: list[OwedTask]) -> list[OwedTask]:
    """The tasks of an account, those marked of which its playbook says itself who hears that they are not done."""
    if not any(one.task.key.startswith(f"{StageKind.PLAY.value}:") for one in tasks):
        return tasks
    row = await connection.fetchrow("select segment, playbook_version from account where account_id = $1", account_id)
    playbook = await load_playbook(connection, *row) if row is not None else None
    if playbook is None or isinstance(playbook, Missing):
        return tasks
    return [one.having(by_playbook=escalates(playbook, one.task)) for one in tasks]


async def note_followed_up(connection: Connection, task_id: str, found: FollowUp, as_of: datetime) -> None:
    """Who was told of a task, and when."""
    if found.escalated:
        await connection.execute(
            "update staff_task set escalated_at = $2, escalated_to = $3 where task_id = $1",
            task_id,
            as_of,
            found.to.staff_id,
        )
    else:
        await connection.execute("update staff_task set reminded_at = $2 where task_id = $1", task_id, as_of)


_PEOPLE = """
select jsonb_build_object('person', to_jsonb(s), 'time_zone', coalesce(s.time_zone, z.time_zone),
    'country', coalesce(s.country, z.country))
from staff s cross join lateral (
    select a.time_zone, a.country from account a
    where a.closed_at is null and (a.owner_id = s.staff_id or a.success_manager_id = s.staff_id or exists (
        select from staff_task t where t.staff_id = s.staff_id and t.account_id = a.account_id and t.closed_at is null))
      and ($1::text is null or a.account_id = $1)
    group by 1, 2 order by count(*) desc, 1, 2 limit 1) z
where s.left_at is null order by s.staff_id
"""


async def people(connection: Connection, account: str | None) -> list[Person]:
    """Those who look after a customer or have something to do for one; whose place is not on record keeps the hours of most of them."""
    found = [Person.model_validate(row[0]) for row in await connection.fetch(_PEOPLE, account)]
    return [one for one in found if is_zone(one.time_zone)]


async def begin_weeks(
    connection: Connection, weeks: Sequence[tuple[str, date]], scope: str, as_of: datetime
) -> set[str]:
    """Takes these weeks of people up; the ids of those whose week nobody has taken up before."""
    found = await connection.fetch(
        "insert into staff_week (staff_id, monday, scope, at) select w.staff_id, w.monday, $3, $4"
        " from unnest($1::text[], $2::date[]) w (staff_id, monday) on conflict do nothing returning staff_id",
        [staff_id for staff_id, _ in weeks],
        [monday for _, monday in weeks],
        scope,
        as_of,
    )
    return {row["staff_id"] for row in found}


async def note_weeks(connection: Connection, told: Sequence[tuple[str, date, str]], scope: str) -> None:
    """By which notice each was told of their week."""
    await connection.executemany(
        "update staff_week set delivery_id = $3 where staff_id = $1 and monday = $2 and scope = $4",
        [(*one, scope) for one in told],
    )


_HELD = f"""
select p.staff_id, jsonb_build_object('company', a.name, 'says', min(h.says)) as held
from account a join sales_hold h using (account_id) join unnest($3::text[]) p (staff_id) on p.staff_id in (a.owner_id, a.success_manager_id)
where h.lifted_at is null and h.level = 'block' and (h.review_at is null or h.review_at > $1) and {_LIVING}
group by p.staff_id, a.account_id, a.name order by a.name, a.account_id
"""


async def held_customers(
    connection: Connection, as_of: datetime, account: str | None, staff: Sequence[str]
) -> Mapping[str, list[HeldCustomer]]:
    """By each of these people, their customers from whom sales is held back."""
    found: dict[str, list[HeldCustomer]] = defaultdict(list)
    for row in await connection.fetch(_HELD, as_of, account, staff):
        found[row["staff_id"]].append(HeldCustomer.model_validate(row["held"]))
    return found


_ENDING = f"""
select p.staff_id, jsonb_build_object('contract_id', c.contract_id, 'company', a.name, 'ends_at', t.ends_at,
    'time_zone', a.time_zone, 'auto_renew', c.auto_renew, 'status', c.status) as ending
from contract c join account a using (account_id)
join lateral (select ends_at from contract_term t where t.contract_id = c.contract_id order by number desc limit 1) t on true
join unnest($3::text[]) p (staff_id) on p.staff_id in (a.owner_id, a.success_manager_id)
where c.status in ('active', 'declined') and t.ends_at > $1 and t.ends_at <= $1 + $4::interval and {_LIVING}
order by t.ends_at, c.contract_id
"""


async def ending_terms(
    connection: Connection, as_of: datetime, account: str | None, staff: Sequence[str], ahead: timedelta
) -> Mapping[str, list[EndingTerm]]:
    """By each of these people, the contracts of their customers whose last term ends so soon."""
    found: dict[str, list[EndingTerm]] = defaultdict(list)
    for row in await connection.fetch(_ENDING, as_of, account, staff, ahead):
        found[row["staff_id"]].append(EndingTerm.model_validate(row["ending"]))
    return found
