"""How a customer stands, as their journey shows it to operators: told by the outcomes that are on record."""

from __future__ import annotations

from activities.kernel.pool import Connection
from domain.frame.state import HealthView
from domain.frame.unreadable import Missing
from domain.journey.agenda_facts import Facts
from domain.journey.standing import CustomerStanding, not_its_own

# What was said last of each reason counts; a null took it back.
_STANDING = """
with own as (select as_of, key, outcome from effect where account_id = $1 and starts_with(key, 'journey:' || $1 || '/')),
over as (select max(as_of) as at from own where starts_with(key, 'journey:' || $1 || '/close_journey:')),
told as (
  select own.* from own cross join over
  where outcome ?| array['health', 'attention'] and as_of > coalesce(over.at, '-infinity')),
latest as (
  select distinct on (one.key) one.key as reason, one.value as why
  from told cross join jsonb_each(told.outcome->'attention') one order by one.key, told.as_of desc, told.key desc)
select
  (select outcome->'health' from told where jsonb_typeof(outcome->'health') = 'object' order by as_of desc, key desc limit 1) as health,
  (select coalesce(jsonb_object_agg(reason, why), '{}') from latest where jsonb_typeof(why) = 'string') as attention
"""


async def load_standing(connection: Connection, facts: Facts) -> CustomerStanding:
    """The standing of a customer since their journey began last."""
    account = facts.situation.customer.account.account_id
    view = None if isinstance(facts.situation.playbook, Missing) else facts.situation.account_view
    if facts.record.closed_at is not None:
        return CustomerStanding(view)
    row = await connection.fetchrow(_STANDING, account)
    assert row is not None
    health = HealthView.model_validate(row["health"]) if row["health"] else None
    service, attention = facts.situation.service, not_its_own(row["attention"])
    if facts.record.paused is not None:  # what is known of service is as of when the pause began
        return CustomerStanding(view, health, attention)
    holds, cases = [hold.id for hold in service.manual], [case.view() for case in service.running()[:8]]
    return CustomerStanding(view, health, attention, holds, cases)
