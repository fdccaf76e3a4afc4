"""Holds: reading what service knows of a customer, and the lock under which a message is cleared to leave."""

from __future__ import annotations

import json
from collections.abc import Collection, Mapping
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from typing import Any, cast

from pydantic import ValidationError

from activities.frame.outbox import Waiting
from activities.kernel.pool import Connection
from activities.kernel.queries import by_name
from domain.frame import sales_holds
from domain.frame.sales_holds import Purpose
from domain.frame.service_facts import NO_SERVICE, ServiceFacts
from domain.frame.unreadable import Missing, Unreadable, why_not
from domain.holds.guard import SalesGuard
from domain.holds.holds import Hold, Verdict

BY_HAND = ", ".join(f"'{reason.value}'" for reason in sorted(sales_holds.BY_HAND))
"""Reasons of people, for a statement."""
_ANYTHING = """
select exists (select 1 from service_case where account_id = $1)
    or exists (select 1 from sales_hold where account_id = $1 and lifted_at is null)
    or exists (select 1 from survey where account_id = $1 and score <= 6)
"""
"""Most customers have no case: they are spared the rest."""

_CASES = """
with c as (
  select * from service_case where account_id = $1 and status not in ('closed', 'merged', 'cancelled')
  union all
  select * from service_case
  where account_id = $1 and status = 'closed' and resolved_at > $2::timestamptz - interval '30 days'
)
"""

_FACTS = f"""{_CASES}
select jsonb_build_object(
  'cases', coalesce((
    select jsonb_agg(jsonb_build_object(
        'case_id', c.case_id, 'state', c.status, 'priority', c.priority, 'opened_at', c.opened_at,
        'last_activity_at', c.last_activity_at, 'product', c.product_code, 'escalated', c.escalated,
        'resolution_late', exists (
          select 1 from case_milestone m
          where m.case_id = c.case_id and m.kind = 'resolution' and m.violated_at is not null and m.reversed_at is null),
        'refund_dispute', c.category = 'refund_dispute', 'security_or_legal', c.category in ('security', 'legal'),
        'resolved_at', c.resolved_at, 'subject', c.subject, 'owner', c.owner_id,
        'manager', (select to_jsonb(s) from service_team t join staff s on s.staff_id = t.manager_id where t.team = c.team),
        'rating', (
          select s.score from case_survey s
          where s.case_id = c.case_id and s.score is not null and s.sent_at >= c.resolved_at
          order by s.answered_at desc, s.survey_id desc limit 1))
      order by c.opened_at, c.case_id) from c), '[]'),
  'feedback', coalesce((
    select jsonb_agg(f order by f.at, f.id) from (
      select s.survey_id as id, s.answered_at as at, s.score as rating, null::int as recommendation
      from c join case_survey s using (case_id)
      where s.score <= 2 and s.answered_at > $2::timestamptz - interval '14 days'
      union all
      select s.survey_id, s.answered_at, null, s.score from survey s
      where s.account_id = $1 and s.kind = 'nps' and s.score <= 6 and s.sent_at > $2::timestamptz - interval '400 days' and exists (
        select 1 from staff_task t
        where t.account_id = $1 and t.key = 'survey/' || s.survey_id and t.closed_at is null)) f), '[]'),
  'asked', coalesce((
    select jsonb_agg(jsonb_build_object('kind', 'csat', 'contact_id', s.sent_to, 'sent_at', s.sent_at, 'case_id', s.case_id)
      order by s.sent_at, s.survey_id)
    from case_survey s
    where s.sent_to in (select lower(p.email) from contact p where p.account_id = $1) and s.withdrawn_at is null
      and s.sent_at > $2::timestamptz - interval '60 days'), '[]'),
  'manual', coalesce((
    select jsonb_agg(jsonb_build_object('id', h.hold_id, 'level', h.level, 'says', h.says, 'placed_by', h.placed_by,
                       'since', h.since, 'product', h.product_code, 'until', h.review_at, 'reason', h.reason) order by h.since, h.hold_id)
    from sales_hold h where h.account_id = $1 and h.reason in ({BY_HAND}) and h.lifted_at is null), '[]'),
  'overrides', coalesce((
    select jsonb_agg(jsonb_build_object('id', o.override_id, 'by', o.by, 'role', o.role, 'reason', o.reason,
                       'since', o.since, 'until', o.until) order by o.since, o.override_id)
    from hold_override o where o.account_id = $1 and o.until > $2::timestamptz), '[]'),
  'acknowledged', coalesce((
    select jsonb_agg(jsonb_build_object('source', a.source, 'by', a.by) order by a.source, a.by)
    from hold_acknowledgement a where a.account_id = $1), '[]'),
  'released', coalesce((
    select jsonb_agg(r.case_id order by r.case_id) from (
      select distinct on (case_id) case_id, released from renewal_release
      where account_id = $1 order by case_id, at desc, release_id desc) r where r.released), '[]')
)::text
"""


def _if_any(text: str) -> str:
    return f"select case when ({_ANYTHING}) then ({text}) end"


QUOTE_OVER = """(coalesce(o.purpose, '') = 'new_quote' and not exists (
  select 1 from quote q where q.quote_id = o.body->'context'->>'quote_id' and q.state = 'presented'
    and q.version::text = o.body->'context'->>'version'))"""
"""True for a quote on its way that nobody can accept any more."""

_REVIEW = f"""{_CASES}
select jsonb_build_object(
  'shown', coalesce((
    select jsonb_object_agg(c.case_id, jsonb_build_object(
        'person', (select to_jsonb(s) from staff s where s.staff_id = c.owner_id),
        'said', m.body, 'said_at', m.at, 'next_milestone', n.milestone, 'next_due', n.due_at,
        'promised_at', (
          select due_at from case_milestone where case_id = c.case_id and kind = 'resolution' and state in ('open', 'paused')
          order by number desc limit 1),
        'reopened_at', t.reopened_at, 'turned_at', t.turned_at))
    from c
    cross join lateral (
      select max(at) filter (where kind = 'reopened') as reopened_at, max(recorded_at) as turned_at from case_event
      where case_id = c.case_id and kind in ('waiting', 'resumed', 'reopened')) t
    left join lateral (
      select left(body, 500) as body, at from case_message
      where direction = 'inbound' and case_id in (
        with recursive part as (
          select c.case_id union select k.case_id from service_case k join part p on k.merged_into = p.case_id)
        select case_id from part)
      order by at desc, number desc limit 1) m on true
    left join lateral (
      select milestone, due_at from case_milestone
      where case_id = c.case_id and state = 'open' and due_at is not null order by due_at, milestone, number limit 1) n on true), '{{}}'),
  'recorded', coalesce((
    select jsonb_agg(jsonb_build_object('source', h.source, 'reason', h.reason, 'level', h.level,
        'recorded_at', h.recorded_at, 'reminded_at', h.reminded_at) order by h.source, h.hold_id)
    from sales_hold h where h.account_id = $1 and h.lifted_at is null), '[]'),
  'mails', coalesce((
    select jsonb_agg(jsonb_build_object(
        'delivery_id', o.delivery_id, 'created_at', o.created_at, 'stage', o.stage, 'contact_id', o.contact_id, 'body', o.body,
        'purpose', o.purpose, 'product', o.product_code, 'quote_over', {QUOTE_OVER}) order by o.created_at, o.delivery_id)
    from outbox o where o.account_id = $1 and o.status = 'held' and o.leaves_at is null), '[]'),
  'written', coalesce((
    select jsonb_agg(w order by w.at, w."to", w.template) from (
      select lower(o.body->>'to_email') as to, o.body->>'template' as template,
        -- what is on its way arrives now, whenever it was written
        max(case o.status when 'waiting' then $2::timestamptz else greatest(o.created_at, o.settled_at) end) as at
      from outbox o where o.account_id = $1 and o.channel = 'deliver_mail' and o.status in ('waiting', 'sent')
        and o.created_at > $2::timestamptz - interval '60 days'
        and (o.status = 'waiting' or greatest(o.created_at, o.settled_at) > $2::timestamptz - interval '10 days')
        and o.body->>'unsubscribe' is not null
      group by 1, 2) w), '[]'),
  'mornings', coalesce((
    select jsonb_agg(jsonb_build_object(
        'delivery_id', o.delivery_id, 'created_at', o.created_at, 'stage', o.stage, 'contact_id', o.contact_id, 'body', o.body,
        'channel', o.channel, 'leaves_at', o.leaves_at) order by o.created_at, o.delivery_id)
    from outbox o where o.account_id = $1 and o.status = 'held' and o.leaves_at is not null), '[]'),
  'steps', coalesce((
    select jsonb_agg(jsonb_build_object('step', s.step, 'purpose', s.purpose, 'product', s.product_code) order by s.held_at, s.key)
    from held_step s where s.account_id = $1), '[]'),
  'seen', coalesce((
    select jsonb_agg(jsonb_build_object('case_id', v.case_id, 'state', k.status, 'subject', k.subject, 'person', to_jsonb(s))
      order by v.case_id, v.staff_id)
    from case_seen v join service_case k using (case_id) join staff s using (staff_id)
    where v.account_id = $1 and v.told_at is null and k.status in ('resolved', 'closed', 'merged', 'cancelled')), '[]'),
  'unhappy', coalesce((
    select jsonb_agg(jsonb_build_object(
        'source', substr(t.key, length('survey/') + 1), 'title', t.title, 'due_at', greatest(t.due_at, t.snoozed_until), 'person', to_jsonb(s),
        'reminded', t.reminded_at is not null, 'escalated', t.escalated_at is not null, 'manager', (
          select to_jsonb(m) from case_survey v join service_case k using (case_id) join service_team d on d.team = k.team
          join staff m on m.staff_id = d.manager_id where v.survey_id = substr(t.key, length('survey/') + 1)))
      order by t.due_at, t.key)
    from staff_task t join staff s using (staff_id)
    where t.account_id = $1 and t.closed_at is null and starts_with(t.key, 'survey/')), '[]'),
  'leads', coalesce((
    select jsonb_agg(to_jsonb(l) || jsonb_build_object(
        'product', l.product_code, 'product_name', p.name, 'agent', to_jsonb(a), 'seller', to_jsonb(r),
        'case_state', k.status, 'warned', l.warned_at is not null) order by l.filed_at desc, l.lead_id desc)
    from lead l
    join product p on p.code = l.product_code
    left join staff a on a.staff_id = l.sourced_by
    left join staff r on r.staff_id = l.routed_to
    left join service_case k on k.case_id = l.case_id
    where l.account_id = $1 and (l.closed_at is null or l.filed_at > $2::timestamptz - interval '90 days')), '[]')
)::text
"""

_BEARING = """
select jsonb_build_object(
  'late', coalesce(jsonb_agg(case_id order by case_id) filter (where late), '[]'),
  'reopened', coalesce(jsonb_agg(case_id order by case_id) filter (where reopened), '[]'),
  'low_rated', coalesce(jsonb_agg(case_id order by case_id) filter (where low_rated), '[]'))::text
from (
  select c.case_id, c.reopen_count > 0 as reopened,
         exists (select 1 from case_milestone m where m.case_id = c.case_id and m.kind = 'resolution'
                 and m.violated_at is not null and m.reversed_at is null) as late,
         exists (select 1 from case_survey s where s.case_id = c.case_id and s.score <= 2) as low_rated
  from service_case c
  where c.account_id = $1 and c.resolved_at > $2::timestamptz - interval '365 days' and c.status in ('resolved', 'closed')
  order by c.resolved_at desc, c.case_id desc limit 200) k
"""


@dataclass(frozen=True)
class LockedAccount:
    """An account's row while it is locked."""

    country: str
    time_zone: str
    closed: bool


async def lock_account(connection: Connection, account_id: str) -> LockedAccount | None:
    """Holds the account until the transaction ends, against whatever sends to it or raises a hold on it. Null: no such account."""
    row = await connection.fetchrow(
        "select country, time_zone, closed_at is not null as closed from account where account_id = $1 for no key update",
        account_id,
    )
    return LockedAccount(row["country"], row["time_zone"], row["closed"]) if row else None


async def lock_accounts(connection: Connection, accounts: Collection[str]) -> None:
    """As `lock_account` for several, always in the order of their ids."""
    if accounts:
        await connection.execute(
            "select 1 from account where account_id = any($1) order by account_id for no key update", list(accounts)
        )


def service_reads(*, review: bool = False, bearing: bool = False) -> dict[str, str]:
    """The statements that read what service knows of the account $1 at $2, by name.

    review: with the mails, steps and leads that wait, who saw which case, and the cases as they are shown.
    bearing: with the cases of the last year that went badly.
    """
    if review:
        return {"service": _FACTS, "review": _REVIEW, **({"bearing": _BEARING} if bearing else {})}
    said = {"service": _FACTS, **({"bearing": _BEARING} if bearing else {})}
    return {name: _if_any(text) for name, text in said.items()}


def service_of(account_id: str, said: Mapping[str, Any]) -> ServiceFacts:
    """What service knows, as `service_reads` has read it."""
    if said["service"] is None:
        return NO_SERVICE
    facts = json.loads(said["service"])
    if review := said.get("review"):
        more = json.loads(review)
        shown = more.pop("shown")
        facts = {**facts, **more, "cases": [{**case, **shown.get(case["case_id"], {})} for case in facts["cases"]]}
    if bearing := said.get("bearing"):
        facts["bearing"] = json.loads(bearing)
    try:
        return ServiceFacts.model_validate(facts) if any(facts.values()) else NO_SERVICE
    except ValidationError as error:
        # Whether the customer may be reached is not known: what would reach them waits, all else goes on.
        fact = Unreadable(kind="service of account", id=account_id, why=why_not(error))
        return cast(ServiceFacts, Missing(fact))


async def load_service(
    connection: Connection, account_id: str, as_of: datetime, *, review: bool = False
) -> ServiceFacts:
    """What service knows of a customer at `as_of`; `review` as for `service_reads`."""
    said = await connection.fetchrow(f"select {by_name(service_reads(review=review))}", account_id, as_of)
    return service_of(account_id, dict(said or {}))


async def load_guard(connection: Connection, account_id: str, as_of: datetime) -> SalesGuard | None:
    """Whether a customer may be reached, by what is on record at `as_of`. Null: no such account."""
    row = await connection.fetchrow("select country, time_zone from account where account_id = $1", account_id)
    if row is None:
        return None
    facts = await load_service(connection, account_id, as_of)
    return SalesGuard(facts, row["country"], row["time_zone"], as_of)


async def active_holds(connection: Connection, account_id: str, as_of: datetime) -> tuple[Hold, ...]:
    """What holds sales back from a customer at `as_of`, blocks first."""
    guard = await load_guard(connection, account_id, as_of)
    return guard.holds if guard else ()


class Clearance(StrEnum):
    """What became of a message that wanted to leave."""

    CLEARED = "cleared"
    HELD = "held"
    WITHDRAWN = "withdrawn"
    """held back from a customer who is gone: nobody would release it"""


async def clear_undisturbed(connection: Connection, row: Waiting, as_of: datetime) -> bool:
    """`clear_to_send` by one statement, which is a transaction of its own: true if service knows nothing of the customer, as of most of
    them; false if that is still to be looked at, or somebody committed anything while it waited for the account."""
    return await connection.fetchval(_CLEAR, row.account_id, as_of, row.delivery_id) is not None


_CLEAR = f"""
with held as materialized (select hold_accounts(array[$1]) as snapshot)
update outbox set cleared_at = $2 from held
where delivery_id = $3 and held.snapshot = pg_current_snapshot()::text
  and exists (select from account where account_id = $1) and not ({_ANYTHING})
returning delivery_id
"""


async def clear_to_send(connection: Connection, row: Waiting, as_of: datetime) -> Clearance:
    """Clears a message to leave or holds it back, under the lock that cases take too, and marks its row so.

    A case that is on record before is seen; one that comes later comes after the message.
    """
    account = await lock_account(connection, row.account_id)
    if account is None or row.purpose is None:
        return Clearance.CLEARED
    facts = await load_service(connection, row.account_id, as_of)
    guard = SalesGuard(facts, account.country, account.time_zone, as_of)
    decision = guard.at_sending(Purpose(row.purpose), row.product)
    if decision.verdict is Verdict.ALLOWED:
        if decision.override is not None:
            await connection.execute(
                "update hold_override set used = used + 1 where override_id = $1 and exists ("
                " select 1 from outbox where delivery_id = $2 and cleared_at is null)",
                decision.override,
                row.delivery_id,
            )
        await connection.execute("update outbox set cleared_at = $2 where delivery_id = $1", row.delivery_id, as_of)
        return Clearance.CLEARED
    ends = Clearance.WITHDRAWN if account.closed else Clearance.HELD
    await connection.execute(
        "update outbox set status = $2, reason = $3, cleared_at = null where delivery_id = $1 and status = 'waiting'",
        row.delivery_id,
        ends.value,
        decision.says[:500],
    )
    return ends


async def quote_is_over(connection: Connection, delivery_id: str) -> bool:
    """True for the mail of a quote that nobody can accept any more."""
    return bool(await connection.fetchval(f"select {QUOTE_OVER} from outbox o where delivery_id = $1", delivery_id))
