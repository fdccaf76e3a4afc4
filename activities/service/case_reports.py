"""What people are shown of cases: lists with their next promise, and one case with all that happened."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import Any

from activities.frame.account_filters import in_sight
from activities.holds.hold_rows import active_holds
from activities.kernel.pool import Connection
from activities.kernel.queries import Query

Row = dict[str, Any]


@dataclass(frozen=True)
class CaseFilter:
    """Which cases to list; without statuses those that are not over."""

    account_id: str | None = None
    statuses: tuple[str, ...] = ()
    priorities: tuple[str, ...] = ()
    owner_id: str | None = None
    team: str | None = None
    escalated: bool = False
    late: bool = False
    pressing: bool = False
    """urgent, escalated, or with a promise that was broken"""
    seen_by: str | None = None
    """one of our people, among whose customers it is, or their team's"""


_BROKEN = """exists (select from case_milestone v
       where v.case_id = c.case_id and v.violated_at is not null and v.reversed_at is null)"""
_PLACE = "coalesce(m.due_at, c.opened_at + interval '1000 years')"
"""Of a case of which nothing is promised next, behind all others."""
_LIST = f"""
select c.case_id, c.account_id, c.subject, c.status, c.priority, c.escalated, c.owner_id, c.team, c.product_code, c.channel,
       c.opened_at, c.last_activity_at, m.milestone as promise, m.due_at, {_PLACE} as place
from service_case c
left join lateral (select milestone, due_at from case_milestone m
  where m.case_id = c.case_id and m.state = 'open' and m.due_at is not null order by m.due_at, m.milestone, m.number limit 1) m on true
where ($1::text is null or c.account_id = $1)
  and (case when cardinality($2::text[]) = 0 then c.status not in ('resolved', 'closed', 'merged', 'cancelled')
       else c.status = any($2) end)
  and (cardinality($3::text[]) = 0 or c.priority = any($3))
  and ($4::text is null or c.owner_id = $4) and ($5::text is null or c.team = $5)
  and (not $6 or c.escalated)
  and (not $7 or {_BROKEN}) and (not $8 or c.priority = 'urgent' or c.escalated or {_BROKEN})
  and ($9::text is null or exists (
    select from account a where a.account_id = c.account_id and {in_sight("$9")}))
  and ($10::timestamptz is null or ({_PLACE}, c.case_id) > ($10, $11::text))
order by place, c.case_id limit $12
"""
in_their_time = Query("""
select a.account_id, a.name as company, a.time_zone,
       greatest($2::timestamptz, (select max(e.as_of) from effect e where e.account_id = a.account_id)) as now
from account a where a.account_id = any($1)
""")
"""What these accounts are called, and the time of each: the present $2, or once their clock was moved the last that happened to them."""


async def list_cases(
    connection: Connection, wanted: CaseFilter, limit: int, after: tuple[datetime, str] | None = None
) -> list[Row]:
    """Cases with the promise that is due next, that one first; those behind a place and an id."""
    rows = await connection.fetch(
        _LIST,
        wanted.account_id,
        list(wanted.statuses),
        list(wanted.priorities),
        wanted.owner_id,
        wanted.team,
        wanted.escalated,
        wanted.late,
        wanted.pressing,
        wanted.seen_by,
        *(after or (None, None)),
        limit,
    )
    return [dict(row) for row in rows]


# A case that went up in this one brought its thread along.
_THREAD = """
with recursive part as (
  select case_id from service_case where case_id = $1
  union select c.case_id from service_case c join part p on c.merged_into = p.case_id)
select m.* from part join case_message m using (case_id) order by m.at, m.case_id <> $1, m.case_id, m.number
"""


async def read_case(connection: Connection, case_id: str) -> Row | None:
    """A case with its customer's name, promises, messages and events, each in order; null if there is none.

    The messages are those of the whole thread, of cases that were merged into this one too.
    """
    row = await connection.fetchrow(
        "select c.*, a.name as company from service_case c left join account a using (account_id) where case_id = $1",
        case_id,
    )
    if row is None:
        return None
    case = dict(row)
    milestones = await connection.fetch(
        "select milestone, number, kind, started_at, target, due_at, completed_at, violated_at, reversed_at, elapsed, state"
        " from case_milestone where case_id = $1 order by started_at, milestone, number",
        case_id,
    )
    messages = await connection.fetch(_THREAD, case_id)
    events = await connection.fetch(
        "select sequence, at, recorded_at, kind, by, detail, visibility from case_event where case_id = $1 order by sequence",
        case_id,
    )
    return {
        "company": case.pop("company"),
        "case": case,
        "milestones": [dict(one) for one in milestones],
        "messages": [dict(one) for one in messages],
        "events": [dict(one) for one in events],
    }


async def holds_of_case(connection: Connection, shown: Row, as_of: datetime) -> list[Row]:
    """What holds sales back from the case's customer because of it."""
    account_id = shown["case"]["account_id"]
    if account_id is None:
        return []
    holds = await active_holds(connection, account_id, as_of)
    return [hold.model_dump(mode="json") for hold in holds if hold.source == shown["case"]["case_id"]]
