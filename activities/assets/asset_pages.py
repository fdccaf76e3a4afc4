"""What customers own as people read it: each asset with its periods, in which quantity and MRR stay as they are."""

from __future__ import annotations

from activities.kernel.pages import Paged
from activities.kernel.queries import Value

assets_of = Paged("""
select a.asset_id as id, f.effective as at, a.asset_id, a.product_code as product, coalesce(nullif(a.name, ''), p.name) as name, p.kind,
  a.contract_id, a.parent_id, a.currency, a.selling_model, a.status, a.serial_number, a.lifecycle_start, a.lifecycle_end, a.lock,
  n.quantity, n.mrr,
  coalesce((select jsonb_agg(jsonb_build_object('start', r.starts_at, 'end', r.ends_at, 'quantity', r.quantity,
      'mrr', r.mrr::text, 'amount', r.amount::text) order by r.starts_at)
   from asset_state_period r where r.asset_id = a.asset_id), '[]') as periods
from asset a
join product p on p.code = a.product_code
join lateral (select c.effective from asset_action c where c.asset_id = a.asset_id order by c.sequence limit 1) f on true
left join asset_state_period n on n.asset_id = a.asset_id and n.starts_at <= $5 and (n.ends_at is null or n.ends_at > $5)
where a.account_id = $4
""")
"""What an account owns or owned, at an instant; what was sold last first."""

account_of_asset = Value[str | None]("select account_id from asset where asset_id = $1")
"""Whose an asset is; null for one that there is not."""
