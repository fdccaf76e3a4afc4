"""Quotes as people read them: where each stands, its versions, what led there, and the approvals that were asked for."""

from __future__ import annotations

from activities.kernel.pages import Paged

quotes_of = Paged("""
select q.quote_id as id, f.at, q.quote_id, q.state, q.version, q.currency, q.amount, q.valid_until, q.requested_by, q.order_id,
  (select jsonb_agg(jsonb_build_object('version', v.version, 'as_of', v.as_of, 'valid_until', v.valid_until, 'currency', v.currency,
      'amount', v.amount::text, 'totals', v.body->'totals', 'lines', v.body->'lines') order by v.version)
   from quote_version v where v.quote_id = q.quote_id) as versions,
  coalesce((select jsonb_agg(jsonb_build_object('at', e.at, 'version', e.version, 'state', e.state, 'by', e.by, 'reason', e.reason)
      order by e.number) from quote_event e where e.quote_id = q.quote_id), '[]') as events,
  coalesce((select jsonb_agg(jsonb_build_object('version', a.version, 'role', a.role, 'percent', a.percent::text,
      'discount', a.discount::text, 'asked_at', a.asked_at, 'due_at', a.due_at, 'decision', a.decision, 'decided_at', a.decided_at,
      'decided_by', a.decided_by, 'reason', a.reason) order by a.version)
   from quote_approval a where a.quote_id = q.quote_id), '[]') as approvals
from quote q
join lateral (select e.at from quote_event e where e.quote_id = q.quote_id order by e.number limit 1) f on true
where q.account_id = $4 and ($5::text is null or q.quote_id = $5)
""")
"""Quotes of an account, the latest first; or the one of an id."""
