"""Orders as people read them: their lines, with what became of each."""

from __future__ import annotations

from activities.kernel.pages import Paged
from activities.kernel.queries import Value

orders_of = Paged("""
select o.order_id as id, o.activated_at as at, o.order_id, o.account_id, o.activated_at, o.activated_on, o.currency, o.imported,
  o.recorded_at,
  coalesce((select jsonb_agg(c.contract_id order by c.contract_id) from contract c where c.order_id = o.order_id), '[]') as contracts,
  coalesce((select jsonb_agg(jsonb_build_object('line_id', l.line_id, 'product', l.product_code, 'name', p.name,
      'contract_id', l.contract_id, 'site', l.site, 'quantity', l.quantity, 'unit_price', l.unit_price::text, 'per', l.price_per,
      'asset_id', (select min(x.asset_id) from asset x where x.order_id = l.order_id and x.line_id = l.line_id),
      'promised', (select e.promised_at from fulfilment_event e where e.order_id = l.order_id and e.line_id = l.line_id
          and e.promised_at is not null order by e.number desc limit 1),
      'events', coalesce((select jsonb_agg(jsonb_build_object('event_id', e.event_id, 'at', e.at, 'step', e.step, 'quantity', e.quantity)
          order by e.number) from fulfilment_event e where e.order_id = l.order_id and e.line_id = l.line_id and e.step <> 'ordered'), '[]'),
      'told', exists (select from fulfilment_event e where e.order_id = l.order_id and e.line_id = l.line_id)) order by l.line_id)
   from order_line l join product p on p.code = l.product_code where l.order_id = o.order_id), '[]') as lines
from sales_order o
where o.account_id = $4 and ($5::text is null or o.order_id = $5)
""")
"""Orders of an account, the latest first; or the one of an id."""

account_of_order = Value[str | None]("select account_id from sales_order where order_id = $1")
