"""Invoices and credit memos as people read them: lines, taxes, and what is known of their payment."""

from __future__ import annotations

from activities.kernel.pages import Paged

bills_of = Paged("""
select d.*,
  coalesce((select jsonb_agg(jsonb_build_object('number', l.number, 'description', l.description, 'quantity', l.quantity,
      'unit_price', l.unit_price::text, 'amount', l.amount::text, 'due', l.due, 'asset_id', l.asset_id, 'order_id', l.order_id,
      'line_id', l.line_id, 'covers_from', l.covers_from, 'covers_until', l.covers_until, 'invoice_id', l.invoice_id) order by l.number)
   from (select invoice_id as id, number, description, quantity, unit_price, amount, due, asset_id, order_id, line_id, covers_from,
           covers_until, null as invoice_id from invoice_line where invoice_id = d.id
         union all select credit_memo_id, number, description, quantity, unit_price, amount, due, asset_id, order_id, line_id,
           covers_from, covers_until, invoice_id from credit_memo_line where credit_memo_id = d.id) l), '[]') as lines,
  coalesce((select jsonb_agg(jsonb_build_object('rate', t.rate::text, 'net', t.net::text, 'tax', t.tax::text) order by t.rate)
   from (select rate, net, tax from invoice_tax where invoice_id = d.id
         union all select rate, sum(net), sum(tax) from credit_memo_tax where credit_memo_id = d.id group by rate) t), '[]') as taxes,
  (select jsonb_build_object('status', y.status, 'day', y.day, 'by', y.by) from invoice_payment y where y.invoice_id = d.id) as payment,
  (select case when y.status = 'paid' then 0 else greatest(i.total - credited_of(i) - paid_of(i), 0) end
   from invoice i left join invoice_payment y using (invoice_id) where i.invoice_id = d.id) as owed
from (
  select invoice_id as id, issued_at as at, 'invoice' as kind, number, issued_on, currency, net, tax, total, '' as reason
  from invoice where account_id = $4 and ($5::text is null or invoice_id = $5)
  union all
  select credit_memo_id, issued_at, 'credit_memo', number, issued_on, currency, net, tax, total, reason
  from credit_memo where account_id = $4 and ($5::text is null or credit_memo_id = $5)) d
""")
"""Invoices and credit memos of an account, the latest first; or the one of an id."""
