"""The contracts of a customer as people read them: terms, what is asked and offered for the next one, what they bring."""

from __future__ import annotations

from activities.kernel.pages import Paged
from activities.kernel.queries import Value

contracts_of = Paged("""
select c.contract_id as id, f.recorded_at as at, c.contract_id, c.order_id, c.currency, c.status, c.status_reason, c.status_at,
  c.auto_renew, c.renewal_months, c.notice_days, c.uplift_percent, c.billing, c.evergreen,
  (select sum(p.mrr) from asset x join asset_state_period p using (asset_id)
   where x.contract_id = c.contract_id and p.starts_at <= $5 and (p.ends_at is null or p.ends_at > $5)) as mrr,
  (select jsonb_agg(jsonb_build_object('number', t.number, 'start_on', t.start_on, 'last_day', nullif(t.until, '2999-12-31') - 1,
      'origin', t.origin, 'recorded_at', t.recorded_at) order by t.number)
   from contract_term t where t.contract_id = c.contract_id) as terms,
  coalesce((select jsonb_agg(jsonb_build_object('quote_id', q.quote_id, 'term', q.term, 'total', q.total::text,
      'valid_until', q.valid_until, 'quoted_at', q.quoted_at) order by q.quoted_at, q.quote_id)
   from renewal_quote q where q.contract_id = c.contract_id), '[]') as quotes,
  coalesce((select jsonb_agg(jsonb_build_object('term', v.term, 'version', v.version, 'state', v.state, 'months', v.months,
      'quantities', v.quantities, 'discount_percent', v.discount_percent::text, 'uplift_percent', v.uplift_percent::text,
      'asked_by', v.asked_by, 'asked_at', v.asked_at, 'reason', v.reason, 'decided_by', v.decided_by, 'decided_at', v.decided_at,
      'decided_reason', v.decided_reason) order by v.term, v.version)
   from renewal_version v where v.contract_id = c.contract_id), '[]') as versions,
  (select jsonb_build_object('reason', u.reason, 'said', u.said, 'at', u.at)
   from contract_churn u where u.contract_id = c.contract_id) as churn
from contract c
join lateral (select min(t.recorded_at) as recorded_at from contract_term t where t.contract_id = c.contract_id) f on true
where c.account_id = $4 and ($6::text is null or c.contract_id = $6)
""")
"""Contracts of an account at an instant, the latest first; or the one of an id."""

account_of_contract = Value[str | None]("select account_id from contract where contract_id = $1")
