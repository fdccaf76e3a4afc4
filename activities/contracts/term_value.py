"""What a term has brought a customer so far: use, kept promises, money back. Looked up for the notice that says it."""

from __future__ import annotations

from activities.frame.unit_of_work import UnitOfWork
from domain.frame.renewal_facts import TermValue
from domain.frame.situation import Situation
from domain.frame.state import Step

_VALUE = """
select jsonb_build_object(
  'use', coalesce((
    select jsonb_agg(jsonb_build_object('product', u.product_code, 'name', p.name, 'days', u.days, 'active', u.active::text)
        order by p.name)
    from (select product_code, count(*) as days, avg(active_users) as active from usage_day
          where account_id = $1 and day >= $2 and day < $3 group by product_code) u
    join product p on p.code = u.product_code), '[]'),
  'solved', (select count(*) from solved), 'kept', (select count(*) from solved where kept),
  'given_back', coalesce((
    select jsonb_object_agg(currency, amount::text)
    from (select currency, sum(amount) as amount from refund_claim
          where account_id = $1 and status = 'refunded' and claimed_at >= $4 and claimed_at < $5 group by currency) g), '{}')
)::text
"""
_SOLVED = """
with solved as (
  select bool_and(m.state = 'met' and (m.violated_at is null or m.reversed_at is not null)) as kept
  from service_case c join case_milestone m using (case_id)
  where c.account_id = $1 and c.resolved_at >= $4 and c.resolved_at < $5 and m.kind = 'resolution' and m.target is not null
  group by c.case_id)
"""
_TEXT = _SOLVED + _VALUE


async def term_value(work: UnitOfWork, situation: Situation, step: Step) -> tuple[TermValue | None]:
    """What the term of a notice has brought; null for a contract that is not there."""
    contract = situation.customer.contract(step.about)
    if contract is None:
        return (None,)
    text = await work.connection.fetchval(
        _TEXT,
        situation.customer.account.account_id,
        contract.term.start_on,
        situation.today,
        contract.term.starts_at,
        situation.as_of,
    )
    return (TermValue.model_validate_json(text),)
