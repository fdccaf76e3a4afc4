"""What somebody chooses from who fills a form in: a customer's own things, and what the catalogue has, each with what it is called."""

from __future__ import annotations

from activities.kernel.queries import Column, Query

own_assets = Query(
    "select a.asset_id as id, p.name as product, a.contract_id, a.lifecycle_start as starts_at, a.lifecycle_end as ends_at,"
    "  a.selling_model, coalesce((select r.quantity from asset_state_period r where r.asset_id = a.asset_id"
    "   and (r.ends_at is null or r.ends_at > $2) order by r.starts_at limit 1), 0) as quantity"
    " from asset a join product p on p.code = a.product_code"
    " where a.account_id = $1 and (a.lifecycle_end is null or a.lifecycle_end > $2) order by p.name, a.asset_id limit 201"
)
"""What an account owns at an instant or will own, with the units of then or of its beginning."""


own_contracts = Query(
    "select c.contract_id as id, c.status, c.evergreen is not null as open_ended,"
    "  (select max(t.until) - 1 from contract_term t where t.contract_id = c.contract_id) as last_day,"
    "  (select string_agg(distinct p.name, ', ' order by p.name) from asset a join product p on p.code = a.product_code"
    "   where a.contract_id = c.contract_id) as products"
    " from contract c where c.account_id = $1 order by c.status = 'ended', c.contract_id"
)
"""The contracts of an account, those that are over last."""


own_cases = Query(
    "select case_id as id, subject from service_case where account_id = $1"
    " and status not in ('closed', 'merged', 'cancelled') order by opened_at desc, case_id limit 201"
)
"""The cases of an account that are not over, the latest first."""


own_orders = Query(
    "select order_id as id, activated_on from sales_order where account_id = $1 order by activated_at desc, order_id limit 201"
)
"""The orders of an account, the latest first."""


products = Query("select code as id, name from product order by name, code limit 201")
"""All products, by name."""


own_lines = Query(
    "select l.line_id as id, string_agg(p.name || ' × ' || l.quantity || ' (' || l.order_id || ')', ', '"
    "   order by o.activated_at desc, l.order_id) as says, min(l.order_id) as order_id, max(o.activated_at) as at"
    " from sales_order o join order_line l using (order_id) join product p on p.code = l.product_code"
    " where o.account_id = $1 group by l.line_id order by at desc, l.line_id limit 201"
)
"""The lines of an account's orders, those of one number as one, the latest first."""


own_tasks = Query(
    "select t.task_id as id, t.title, t.due_at as at, t.closed_at is not null as over, s.name as owner from staff_task t"
    " join staff s using (staff_id) where t.account_id = $1 and (t.closed_at is null or t.closed_at > $2::timestamptz - interval '1 year')"
    " order by t.due_at, t.task_id limit 401"
)
"""The tasks of our people for an account, those that ended in the year before an instant as well."""


own_holds = Query(
    "select hold_id as id, source, says, since as at, placed_by from sales_hold where account_id = $1 and lifted_at is null"
    " order by since, hold_id limit 201"
)
"""What holds sales back; placed_by: who did it by hand."""


waiting_of = Query("""
select 'offer' as kind, o.offer_id as id, p.name as says, o.expires_at as at, null as about, o.status as state
from offer o join asset a using (asset_id) join product p on p.code = a.product_code where o.account_id = $1 and o.status = 'open'
union all
select 'lead', l.lead_id, p.name, coalesce(l.due_at, l.filed_at), l.case_id, l.status
from lead l join product p on p.code = l.product_code
where l.account_id = $1 and l.status in ('held', 'routed', 'overdue', 'attached', 'accepted')
union all
select 'survey', s.survey_id, s.kind, s.sent_at, null, 'open' from survey s
where s.account_id = $1 and s.answered_at is null and s.withdrawn_at is null
union all
select 'reference', r.reference_id, coalesce(c.name, r.sent_to), r.sent_at, null, 'open' from reference_ask r
left join contact c on c.account_id = r.account_id and c.contact_id = r.contact_id
where r.account_id = $1 and r.answered_at is null and r.withdrawn_at is null
union all
select 'quote', q.quote_id, q.version::text, q.valid_until, null, q.state from quote q
where q.account_id = $1 and q.state in ('in_approval', 'presented')
union all
select 'milestone', t.name, coalesce(t.title->>$2, t.title->>'en', t.name), coalesce(t.completed_at, t.due_at), split_part(t.stage, ':', 2),
  case when t.status = 'open' and t.waits_for is not null then 'waits' else t.status end
from onboarding_task t where t.account_id = $1 and t.status in ('open', 'done') and t.owner <> 'system'
order by kind, at, id, about limit 200
""")
"""What waits for an answer or to be done at an account: offers, leads, surveys, references, quotes, and the milestones of onboarding in a
language, those that are done as well. about: the order, or the case."""


own_claims = Query(
    "select claim_id as id, kind, claimed_on from refund_claim where case_id = $1 and status = 'waiting' order by claimed_on, claim_id limit 201"
)
"""Claims of a case that wait for approval."""


own_invoices = Query(
    "select invoice_id as id, number, issued_on, currency from invoice where account_id = $1 order by number desc limit 201"
)
"""The invoices of an account, the latest first."""


people = Query(
    "select s.staff_id as id, s.name, g.team from staff s left join service_agent g on g.staff_id = s.staff_id and g.active"
    " where s.left_at is null order by s.name, s.staff_id limit 201"
)
"""Our people who are here, with the team of those who take cases."""


teams = Query("select team as id, name from service_team order by name, team limit 201")
"""The teams of service."""


books = Column[str]("select distinct name from price_book order by name limit 201")
"""The price books."""
