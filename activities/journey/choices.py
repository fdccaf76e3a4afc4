"""What somebody chooses from who fills a form in: a customer's own things, and what the catalogue has, each with what it is called."""

from __future__ import annotations

from activities.kernel.queries import Query

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


open_quotes_of = Query(
    "select quote_id as id, version, state, valid_until from quote where account_id = $1"
    " and state in ('in_approval', 'presented') order by valid_until desc, quote_id limit 201"
)
"""The quotes of an account that wait for somebody."""


products = Query("select code as id, name from product order by name, code limit 201")
"""All products, by name."""
